//! Where liquidity goes: extremes at which aggressors ran out, and prices at which they were absorbed.

use crate::record::records;
use crate::{Px, Qty};

records! {
    /// A bar made a new extreme where its aggressors hardly traded: buyers at a high, sellers at a low. Emitted behind the bar's `footprint-bar`.
    Exhaustion = 154 "exhaustion" : aggressor inferred after_gap {
        row_px: Px as Price "lowest price of the row of the extreme",
        qty: Qty as Qty "what the aggressors traded in this row",
        largest_qty: Qty as Qty "what they traded in their largest row of the bar",
        before_px: Px as Price "lowest price of the row of the extreme of the bars before",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s: u16 as Uint "length of the bar, in seconds",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 1
}

//! Measures of books: numbers that follow from best bid and ask as they change.
//!
//! They are measures, like those of [`super::measures`].

use crate::record::records;
use crate::words::words;
use crate::{Px, Real};

words! {
    /// How the two sides of a touch stand to each other.
    TouchState: u8 {
        /// The best ask is above the best bid.
        Apart = 1 "apart",
        /// A side is empty.
        OneSided = 2 "one-sided",
        /// The best ask is at the best bid.
        Locked = 3 "locked",
        /// The best ask is below the best bid.
        Crossed = 4 "crossed",
    }
}

records! {
    /// Quoted spread of a book; emitted when its best bid or ask changes.
    QuotedSpread = 220 "quoted-spread" : after_gap {
        spread: Px as Price "best ask less best bid; absent where the touch is one-sided, locked or crossed",
        bps: Real as Float "the same in basis points of the mid; absent likewise, and where the mid is not above zero",
        touch: u8 as Enum(TouchState) "how the two sides stand to each other",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 22
    /// Order-flow imbalance of the touch; emitted when best bid or ask changes, from the second `book-top` of a session on.
    OrderFlowImbalance = 221 "order-flow-imbalance" : after_gap {
        change: i64 as Int "what this change of the touch adds: demand positive, supply negative, in the instrument's smallest unit",
        session: i64 as Int "sum of the changes since the session began",
        recent: i64 as Int "sum of those of the window",
        window_s: u16 as Uint "length of the window, in seconds",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 13
    /// Slope of a book: how its quantity grows with the distance from the mid; emitted when its best bid or ask changes.
    DepthSlope = 222 "depth-slope" : after_gap {
        bid: Real as Float "cumulative quantity of the bids per unit of price further from the mid; absent when a side is empty or bids have one level",
        ask: Real as Float "the same of the asks",
        levels: u32 as Uint "most levels of a side in the line",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 19
    /// Price impact, Kyle's lambda: what signed volume did to the mid; emitted when an interval has ended.
    PriceImpact = 223 "price-impact" : after_gap {
        slope: Real as Float "change of the mid per smallest unit of signed volume; absent with too few intervals, or where volume does not vary",
        intercept: Real as Float "change of the mid of an interval without signed volume; absent likewise",
        r2: Real as Float "share of the variance of the changes that the line explains, 0 to 1; absent likewise, and where the mid does not vary",
        signed_qty: i64 as Int "quantity bought less quantity sold by aggressors in the last interval that has ended",
        interval_s: u16 as Uint "length of an interval, in seconds",
        window: u16 as Uint "most intervals of the fit",
        intervals: u16 as Uint "intervals of the fit: those of the window with a mid at both ends",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 1
    /// How much the imbalance of a book varies; emitted at the first `book-top` of a later second.
    ImbalanceVariability = 224 "imbalance-variability" : after_gap {
        variability: Real as Float "standard deviation of the imbalance at the touch over the samples, 0 to 1; absent with too few",
        mean: Real as Float "mean of the imbalance over the samples, -1 to 1; absent with too few",
        samples: u16 as Uint "seconds of the window at whose end both sides had quantity",
        window_s: u16 as Uint "length of the window, in seconds",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 19
}

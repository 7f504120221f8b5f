//! Where liquidity goes: extremes at which aggressors ran out, prices at which they were absorbed, and levels that were pulled.

use crate::record::records;
use crate::{Ns, Px, Qty, Real};

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
    /// Much was bought (sold) by aggressors in one row within a window, and price did not go beyond it; emitted when that is certain. Its `absorption-orders` follows.
    Absorption = 155 "absorption" : aggressor inferred after_gap {
        row_px: Px as Price "lowest price of the row",
        height_px: Px as Step "height of the row",
        qty: Qty as Qty "what aggressors of this side traded in it within the window",
        mean_qty: Real as Float "the session's mean volume a touched row and minute by then, in the instrument's smallest unit",
        trades: u32 as Uint "number of these trades",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 3 row [row_px, height_px, qty, mean_qty, trades, aggressor, inferred, first_ns, reached_ns, after_qty, stood_qty, came_qty, instance, after_gap]
    /// When an `absorption` was, and from which orders it was taken; follows it.
    AbsorptionOrders = 156 "absorption-orders" follows Absorption {
        first_ts = "first_ns": Ns as TimeNs "the first of its trades",
        reached_ts = "reached_ns": Ns as TimeNs "the trade with which it was enough",
        after_qty: Qty as Qty "what aggressors of this side traded in the row after that, before it was told",
        stood_qty: Qty as Volume "taken from orders that had been displayed before the first of the trades; absent where the feed names no orders",
        came_qty: Qty as Volume "taken from orders that were displayed after that; absent likewise",
    }
    /// Levels of one side grew at once, and what made them grow was pulled again; emitted with the message that pulled enough. A pattern of orders, no word on an intent. Its `layering-levels` follows.
    Layering = 157 "layering" : sided after_gap {
        nearest_px: Px as Price "price of the level nearest to the touch",
        displayed_qty: Qty as Qty "displayed at the levels by the orders that made them grow",
        pulled_qty: Qty as Qty "cancelled or replaced of that",
        taken_qty: Qty as Qty "executed of that",
        orders: u32 as Uint "number of these orders",
        levels: u8 as Uint "number of the levels",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 2 row [side, levels, orders, displayed_qty, pulled_qty, taken_qty, nearest_px, furthest_px, level_qty, median_qty, began_ns, grown_ns, instance, after_gap]
    /// The levels of a `layering`; follows it.
    LayeringLevels = 158 "layering-levels" follows Layering {
        furthest_px: Px as Price "price of the level furthest from the touch",
        level_qty: Qty as Qty "quantity of all the levels when each of them had grown",
        median_qty: Qty as Qty "their medians by then, together",
        began_ts = "began_ns": Ns as TimeNs "when the first of the orders was displayed",
        grown_ts = "grown_ns": Ns as TimeNs "when the last of the levels had grown",
    }
}

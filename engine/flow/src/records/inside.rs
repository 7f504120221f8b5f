//! What stages tell each other, so that one of them keeps what several need.
//!
//! It follows from the events around it and the configuration, so nobody records it: see [`crate::Kinds::INSIDE`].

use crate::record::records;
use crate::{Px, Qty, Real};

records! {
    /// The weighed quantity of both sides of a book, directly before the `book-top` that the same input causes; one for each weighing that a measure asks for.
    WeighedDepth = 250 "weighed-depth" : doubtful {
        bid: Real as Float "sum over the best bid levels of quantity times weight, 0 = no bid; or the slope of the bids",
        ask: Real as Float "the same of the ask levels",
        lambda: Real as Float "decay of exponential weights from level to level; absent with other weights",
        levels: u32 as Uint "most levels of a side in it",
        weighting: u8 as Code(Weighting) "weight of the k-th level; 0 = it is the slope of cumulative quantity over the distance from the mid",
    } reserved 11
    /// An order that a book now shows, new or with new terms, where a measure asks for it; before the `level` that it changes. The side is in the flags.
    OrderShown = 251 "order-shown" : sided {
        order_ref: u64 as Id "its reference",
        px: Px as Price "its price",
        qty: Qty as Qty "its quantity",
        level_qty: Qty as Qty "quantity of its level with it",
        rank: u32 as Uint "which level of its side it is at, 1 = the best; 11 = further behind than the tenth",
    } reserved 4
    /// Five of the ten best levels of a side, the best first, where a measure asks for them: two of these before each `order-shown`, with that order.
    LevelsShown = 252 "levels-shown" : sided {
        first: Qty as Qty "quantity of the first of them; 0 = there is no such level",
        second: Qty as Qty "of the second",
        third: Qty as Qty "of the third",
        fourth: Qty as Qty "of the fourth",
        fifth: Qty as Qty "of the fifth",
    }
}

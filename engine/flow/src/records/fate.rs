//! Liquidity fate: where displayed quantity goes.

use crate::Qty;
use crate::record::records;
use crate::words::words;

words! {
    /// By what the sums of a `fate` are divided.
    #[derive(Default)]
    FateBy: u8 {
        /// By the rank of the level when the order was displayed.
        #[default]
        Rank = 1 "rank",
        /// By how far from the best price of its side it ended.
        Distance = 2 "distance",
        /// By the time from display to end.
        Age = 3 "age",
        /// By the time from the first display of a chain of moves to its end.
        ChainAge = 4 "chain-age",
    }
    /// A part of these sums.
    #[derive(Default)]
    FatePart: u8 {
        /// Rested before its display could be seen: from a snapshot, from the session before, or first seen in a later message.
        #[default]
        Before = 0 "before",
        /// Displayed at the best level.
        Level1 = 1 "level-1",
        /// Displayed at the second or third level.
        Level3 = 2 "level-2-3",
        /// Displayed at the fourth to tenth level.
        Level10 = 3 "level-4-10",
        /// Displayed further behind.
        LevelBehind = 4 "level-behind",
        /// Ended at the best price of its side, or beyond it.
        Best = 16 "best",
        /// Ended up to one tick behind it.
        Tick1 = 17 "tick-1",
        /// Ended up to ten ticks behind it.
        Tick10 = 18 "tick-2-10",
        /// Ended further behind.
        TickBehind = 19 "tick-behind",
        /// Ended while the best price of its side was not known.
        TickUnknown = 20 "tick-unknown",
        /// Ended within 10 ms.
        Within10ms = 32 "10ms",
        /// Ended within 1 s.
        Within1s = 33 "1s",
        /// Ended within 10 s.
        Within10s = 34 "10s",
        /// Ended within a minute.
        Within1m = 35 "1m",
        /// Ended within ten minutes.
        Within10m = 36 "10m",
        /// Ended later.
        Later = 37 "later",
    }
}

records! {
    /// How much displayed quantity of one side has ended, and how, since the session began: one part of it. Emitted when an interval or a session has ended, for every part that has any.
    Fate = 150 "fate" : sided after_gap {
        taken: Qty as Qty "executed",
        pulled: Qty as Qty "cancelled",
        moved: Qty as Qty "replaced by an order at another price, or by a larger one",
        expired: Qty as Qty "ended with its contract",
        parts_by: u8 as Enum(FateBy) "by what the parts are divided",
        part: u8 as Enum(FatePart) "which part",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 5
    /// How much was displayed, and what is left of it that has not ended: with the `fate` of the same part, directly before it, it adds up.
    FateShown = 151 "fate-shown" : sided after_gap {
        displayed: Qty as Qty "displayed since the session began; of the part `before`, what its messages show",
        still: Qty as Qty "still displayed",
        unknown: Qty as Qty "of which the feed no longer says whether it is displayed",
        unseen: Qty as Qty "gone without a message: a deletion of less than was left",
        part: u8 as Enum(FatePart) "rank of the level when the order was displayed",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 6
    /// What stands apart from the fate of displayed quantity, since the session began; emitted with it.
    FateApart = 152 "fate-apart" : after_gap {
        hidden: Qty as Qty "executed against orders that were not displayed",
        left_out: Qty as Qty "displayed, but no room was left to follow it: in no other number",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 23
}

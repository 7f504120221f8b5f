//! Patterns: what sessions left behind.
//!
//! They are measures, like those of [`super::measures`], with words of their own.

use crate::Px;
use crate::record::records;
use crate::words::words;

words! {
    /// What a session has left at a price.
    LeftPrice: u8 {
        /// Its point of control, which nothing has traded at since: naked.
        Poc = 1 "naked-poc",
        /// Its high, where both sides traded and nothing has traded above since: unfinished.
        High = 2 "unfinished-high",
        /// Its low, likewise.
        Low = 3 "unfinished-low",
    }
    /// What has become of such a price.
    LeftStep: u8 {
        /// The session is over, and has left it.
        Made = 1 "made",
        /// A trade has come to it, or beyond the extreme: it is over.
        Touched = 2 "touched",
        /// Its session lies too far back: it is over.
        Forgotten = 3 "forgotten",
    }
}

records! {
    /// A price that a session has left and that nothing has traded at since; emitted when there is one and when it is over.
    Untested = 153 "untested" : after_gap {
        px: Px as Price "point of control; of an extreme the lowest price of its row",
        row_px: Px as Step "height of a row of that session's profile",
        trade_px: Px as Price "trade that has come to it; absent but when touched",
        session_s = "session_ns": u32 as Start "when that session began, Unix time",
        sessions: u8 as Uint "sessions that have begun since",
        of: u8 as Enum(LeftPrice) "what was left",
        what: u8 as Enum(LeftStep) "what has become of it",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 8
}

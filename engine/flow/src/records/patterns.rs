//! Patterns: what sessions left behind, what trades show, and how toxic a market is by them.
//!
//! They are measures, like those of [`super::measures`], with words of their own.

use crate::record::records;
use crate::words::words;
use crate::{Px, Qty, Real};

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
    /// Whether something is so, where not knowing is not the same as no.
    Tell: u8 {
        /// It cannot be told.
        Unknown = 0 "unknown",
        /// It is not.
        No = 1 "no",
        /// It is.
        Yes = 2 "yes",
    }
    /// Whether a trade was against an order that was not displayed.
    HiddenTrade: u8 {
        /// The feed does not say, and one side or both of the touch before it are not known.
        Unknown = 0 "unknown",
        /// It was not.
        No = 1 "no",
        /// The feed says so.
        Reported = 2 "reported",
        /// Its price lies strictly between the best bid and ask before it.
        Inside = 3 "inside",
    }
    /// Whether a trade was against an order of which more was there than displayed.
    IcebergTrade: u8 {
        /// The feed does not say against which order.
        Unknown = 0 "unknown",
        /// Not that anybody could see.
        No = 1 "no",
        /// The order was executed for more than it displayed.
        Native = 2 "native",
        /// Orders of one size have come in the place of one another as each was executed.
        Synthetic = 3 "synthetic",
    }
    /// What toxicity comes to.
    ToxicityLabel: u8 {
        /// No component is known.
        Unknown = 0 "unknown",
        /// At or below the lower limit.
        Informed = 1 "informed",
        /// Between the limits.
        Neutral = 2 "neutral",
        /// At or above the upper limit.
        Toxic = 3 "toxic",
    }
    /// How the components of toxicity weigh.
    ToxicityWeights: u8 {
        /// VPIN 0.50, venue 0.25, pattern 0.20, book 0.05.
        Venues = 1 "venues",
        /// VPIN 0.70, pattern 0.25, book 0.05.
        NoVenues = 2 "no-venues",
        /// As the parameters say.
        Own = 3 "own",
    }
}

impl Tell {
    /// What is known, or unknown.
    pub const fn of(known: Option<bool>) -> Tell {
        match known {
            None => Tell::Unknown,
            Some(false) => Tell::No,
            Some(true) => Tell::Yes,
        }
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
    /// A trade that shows a pattern, or several; emitted after it.
    TradePattern = 225 "trade-pattern" : aggressor inferred after_gap {
        px: Px as Price "price of the trade",
        qty: Qty as Qty "its quantity",
        weight: Real as Float "what it weighs in the pattern score, -1 to 1",
        round_lot: u32 as Count "round lot that it was compared with; absent = not known",
        odd_lot: u8 as Enum(Tell) "whether it is smaller than a round lot",
        block: u8 as Enum(Tell) "whether its quantity or its value is that of a block",
        sweep: u8 as Enum(Tell) "whether its aggressor has taken several prices at once; unknown without an aggressor",
        hidden: u8 as Enum(HiddenTrade) "whether the order it was against was displayed",
        iceberg: u8 as Enum(IcebergTrade) "whether more was there than that order displayed",
        levels: u8 as Uint "prices that its aggressor has taken one behind the other, 16 at most; 0 without an aggressor",
        refills: u8 as Uint "orders that have come in the place of executed ones, up to the one that it was against",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 4 row [px, qty, aggressor, inferred, odd_lot, block, sweep, levels, hidden, iceberg, refills, weight, round_lot, instance, after_gap]
    /// How aggressive the last trades were, by their patterns.
    PatternScore = 226 "pattern-score" : after_gap {
        score: Real as Float "0.5 and half of their mean weight, 0 to 1",
        volume: Qty as Qty "quantity of the trades",
        trades: u16 as Uint "number of the trades",
        window: u16 as Uint "trades that it is of when there are enough",
        odd_lots: u16 as Uint "odd lots among them",
        sweeps: u16 as Uint "sweeps among them",
        blocks: u16 as Uint "blocks among them",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 13
    /// How toxic the venues of the last trades are.
    VenueScore = 227 "venue-score" : after_gap {
        score: Real as Float "mean of the values of their venues by quantity, 0 to 1; absent where none has a value",
        valued_volume: Qty as Qty "quantity of the trades whose venue has a value",
        volume: Qty as Qty "quantity of the trades",
        valued: u16 as Uint "number of the trades whose venue has a value",
        trades: u16 as Uint "number of the trades",
        window: u16 as Uint "trades that it is of when there are enough",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 9
    /// How toxic a market is, of several measures; emitted when a bucket of VPIN is complete. Its `toxicity-parts` follow.
    Toxicity = 228 "toxicity" : after_gap {
        toxicity: Real as Float "mean of the components that are known, by their weights, 0 to 1; absent where none is",
        vpin_weight: Real as Float "weight of VPIN among those that took part; 0 = it did not",
        venue_weight: Real as Float "weight of the venue score likewise",
        pattern_weight: Real as Float "weight of the pattern score likewise",
        label: u8 as Enum(ToxicityLabel) "what that comes to",
        weights: u8 as Enum(ToxicityWeights) "the weights that were set",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 5 row [toxicity, label, weights, vpin, venue, pattern, book, vpin_weight, venue_weight, pattern_weight, book_weight, instance, after_gap]
    /// The components of a `toxicity`; follows it.
    ToxicityParts = 229 "toxicity-parts" follows Toxicity {
        vpin: Real as Float "VPIN; absent before there are enough buckets",
        venue: Real as Float "venue score before; absent where there is none",
        pattern: Real as Float "pattern score before; absent where there is none",
        book: Real as Float "variability of the book imbalance before, 0 to 1; absent where there is none",
        book_weight: Real as Float "weight of the book among those that took part; 0 = it did not",
    }
}

//! The sixteen flag bits of an event, the same for every kind.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

/// Side of an order or a level; for a trade the side of the aggressor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Unknown, or not applicable.
    #[default]
    None = 0,
    /// Bid; buyer.
    Buy = 1,
    /// Ask; seller.
    Sell = 2,
}

impl Side {
    /// The other side; `None` stays.
    #[inline]
    pub const fn opposite(self) -> Side {
        match self {
            Side::None => Side::None,
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    /// `buy`, `sell` or `none`.
    pub const fn name(self) -> &'static str {
        match self {
            Side::None => "none",
            Side::Buy => "buy",
            Side::Sell => "sell",
        }
    }
}

/// The flags of an event: the side in the two low bits, single bits above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable, Serialize, Deserialize)]
#[repr(transparent)]
pub struct Flags(pub u16);

impl Flags {
    /// Nothing set, no side.
    pub const NONE: Flags = Flags(0);
    /// Part of a snapshot, not a change.
    pub const SNAPSHOT: Flags = Flags(1 << 2);
    /// Last input of its message from a live source, which has a sequence number.
    pub const LAST_OF_PACKET: Flags = Flags(1 << 3);
    /// Last event of a group that belongs together (a record, a match, a set of level changes): the book is consistent.
    pub const LAST_OF_GROUP: Flags = Flags(1 << 4);
    /// May be a repetition.
    pub const POSSIBLE_DUPLICATE: Flags = Flags(1 << 5);
    /// The aggressor was inferred by a rule; the venue did not report it.
    pub const INFERRED_AGGRESSOR: Flags = Flags(1 << 6);
    /// Comes from outside this pipeline (another pipeline, an operator's tool).
    pub const EXTERNAL: Flags = Flags(1 << 7);
    /// The executed order was not displayed.
    pub const HIDDEN: Flags = Flags(1 << 8);
    /// An auction's print: it has no aggressor.
    pub const AUCTION: Flags = Flags(1 << 9);
    /// An execution that is printed elsewhere: it changes the book, but not the volume.
    pub const NON_PRINTABLE: Flags = Flags(1 << 10);
    /// Of a listing: its order references are unique within its own book, not over all books of the source.
    pub const OWN_REFERENCES: Flags = Flags(1 << 11);
    /// Of a touch, and of what a measure makes of it: the bid stood at the ask or above. The bit is that of
    /// [`Flags::OWN_REFERENCES`], which only listings have.
    pub const CROSSED: Flags = Flags::OWN_REFERENCES;
    /// Of market data and measures: made while messages of the instrument were missing. Of a fill of the simulated exchange: the
    /// market would hardly have given it, after its close, or on a locked or crossed book.
    pub const DOUBTFUL: Flags = Flags(1 << 12);
    /// Of a trade: it counts as volume and makes no price, as an average price, a late report or an official close. Measures of flow
    /// and profiles leave it out.
    pub const VOLUME_ONLY: Flags = Flags(1 << 13);
    /// Of an aggressor that was inferred: from the quote before the trade; without it, from the price before.
    pub const BY_QUOTE: Flags = Flags(1 << 14);
    /// Of a measure: messages of the instrument were missing in the session. Of a bar: while it was open.
    pub const AFTER_GAP: Flags = Flags(1 << 15);
    /// The flags that an event passes on to whatever a stage derives from it.
    pub const INHERITED: Flags =
        Flags(Flags::SNAPSHOT.0 | Flags::POSSIBLE_DUPLICATE.0 | Flags::EXTERNAL.0 | Flags::DOUBTFUL.0);
    /// Every flag with its name, for tables and schemas.
    pub const NAMES: [(Flags, &'static str); 14] = [
        (Flags::SNAPSHOT, "snapshot"),
        (Flags::LAST_OF_PACKET, "last-of-packet"),
        (Flags::LAST_OF_GROUP, "last-of-group"),
        (Flags::POSSIBLE_DUPLICATE, "possible-duplicate"),
        (Flags::INFERRED_AGGRESSOR, "inferred-aggressor"),
        (Flags::EXTERNAL, "external"),
        (Flags::HIDDEN, "hidden"),
        (Flags::AUCTION, "auction"),
        (Flags::NON_PRINTABLE, "non-printable"),
        (Flags::OWN_REFERENCES, "own-references-or-crossed"),
        (Flags::DOUBTFUL, "doubtful"),
        (Flags::VOLUME_ONLY, "volume-only"),
        (Flags::BY_QUOTE, "by-quote"),
        (Flags::AFTER_GAP, "after-gap"),
    ];

    /// Only the side.
    #[inline]
    pub const fn side_only(side: Side) -> Flags {
        Flags(side as u16)
    }

    /// The side in the two low bits.
    #[inline]
    pub const fn side(self) -> Side {
        [Side::None, Side::Buy, Side::Sell, Side::None][(self.0 & 3) as usize]
    }

    /// These flags with `side` in place of theirs.
    #[inline]
    pub const fn with_side(self, side: Side) -> Flags {
        Flags(self.0 & !3 | side as u16)
    }

    /// These flags and `other`'s. At most one of them may have a side.
    #[inline]
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// These flags without `other`'s.
    #[inline]
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// Those of these flags that what follows from the event has too.
    #[inline]
    pub const fn inherited(self) -> Flags {
        Flags(self.0 & Flags::INHERITED.0)
    }

    /// Whether every bit of `other` is set.
    #[inline]
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

//! Kinds of events, and sets of them.
//!
//! A kind is one byte, so a set of kinds is 256 bits: four words, and membership is one shift. The numbers are part of
//! the journal's format: they are given once, in [`crate::records`], and never used again for something else. Each
//! module of records has its own range, which the build checks:
//!
//! | numbers | module | what |
//! |---|---|---|
//! | 0 | none | no kind |
//! | 1–19 | `market` | what a feed sends: listings, orders, levels, trades, quotes, states |
//! | 20–31 | `control` | ticks, end of input, commands, halts, anomalies |
//! | 32–63 | `measures` | what the pipeline measures, numbers given before there were 256 |
//! | 64–95 | `orders` | the life of an order: signal to position |
//! | 96–111 | none yet | reserved for orders |
//! | 112–127 | `market` | more of what a feed sends |
//! | 128–239 | `measures` | every new measure |
//! | 240–249 | `beside` | results from beside the pipeline |
//! | 250–254 | `inside` | what stages tell each other, which no log holds |
//! | 255 | none | the watermark between groups, which no log holds |
//!
//! Bound: a set is 32 bytes and is copied; a table over all kinds has 256 entries.

use bytemuck::{Pod, Zeroable};
use std::fmt;

/// Which record an event's body holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Kind(pub u8);

impl Kind {
    /// How many numbers there are: the length of a table that a kind indexes.
    pub const COUNT: usize = 256;
    /// Crosses cuts only: carries the watermark "all inputs up to this `seq` are finished". It has no body, is in no log
    /// and no stage sees it.
    pub const WATERMARK: Kind = Kind(255);

    /// Whether it is what the pipeline measures of the market.
    pub const fn is_measure(self) -> bool {
        Range::any_has(Range::MEASURES, self)
    }

    /// Whether it is only for the stages behind the one that emits it: see [`Kinds::INSIDE`].
    pub const fn is_inside(self) -> bool {
        Range::any_has(Range::INSIDE, self)
    }
}

/// Numbers of kinds, first and last, that a module of records gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range(pub u8, pub u8);

impl Range {
    pub(crate) const MARKET: &[Range] = &[Range(1, 19), Range(112, 127)];
    pub(crate) const CONTROL: &[Range] = &[Range(20, 31)];
    pub(crate) const MEASURES: &[Range] = &[Range(32, 63), Range(128, 239)];
    pub(crate) const ORDERS: &[Range] = &[Range(64, 95)];
    pub(crate) const BESIDE: &[Range] = &[Range(240, 249)];
    pub(crate) const INSIDE: &[Range] = &[Range(250, 254)];

    /// Whether one of `ranges` has the kind's number.
    pub(crate) const fn any_has(ranges: &[Range], kind: Kind) -> bool {
        let mut i = 0;
        while i < ranges.len() {
            if ranges[i].0 <= kind.0 && kind.0 <= ranges[i].1 {
                return true;
            }
            i += 1;
        }
        false
    }
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds([u64; 4]);

impl Kinds {
    /// No kind.
    pub const NONE: Kinds = Kinds([0; 4]);
    /// Every kind that a log or a reader can hold.
    pub const ALL: Kinds = Kinds([!0, !0, !0, !0 >> 6]);
    /// What stages tell each other and nobody else: it follows from the events around it, so it is in no log and no row, is
    /// not hashed, and its name names nothing in a configuration.
    pub const INSIDE: Kinds = Kinds([0, 0, 0, 0b1_1111 << 58]);

    /// The set of the given kinds.
    pub const fn of(kinds: &[Kind]) -> Kinds {
        let mut words = [0; 4];
        let mut i = 0;
        while i < kinds.len() {
            words[(kinds[i].0 >> 6) as usize] |= 1 << (kinds[i].0 & 63);
            i += 1;
        }
        Kinds(words)
    }

    /// The set of these words: bit `k % 64` of word `k / 64` is kind `k`.
    pub const fn from_words(words: [u64; 4]) -> Kinds {
        Kinds(words)
    }

    /// The set as words, the way [`Kinds::from_words`] takes them.
    pub const fn words(self) -> [u64; 4] {
        self.0
    }

    /// Whether `kind` is in the set.
    #[inline]
    pub const fn has(&self, kind: Kind) -> bool {
        self.0[(kind.0 >> 6) as usize] >> (kind.0 & 63) & 1 == 1
    }

    /// Both sets together.
    #[inline]
    pub const fn or(self, other: Kinds) -> Kinds {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Kinds([a | e, b | f, c | g, d | h])
    }

    /// What is in both.
    #[inline]
    pub const fn and(self, other: Kinds) -> Kinds {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Kinds([a & e, b & f, c & g, d & h])
    }

    /// What is in this set and not in `other`.
    #[inline]
    pub const fn without(self, other: Kinds) -> Kinds {
        let [a, b, c, d] = other.0;
        self.and(Kinds([!a, !b, !c, !d]))
    }

    /// Whether nothing is in the set.
    pub const fn is_empty(self) -> bool {
        let [a, b, c, d] = self.0;
        a | b | c | d == 0
    }

    /// The kinds of the set in rising order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        (0..=u8::MAX).map(Kind).filter(move |k| self.has(*k))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_was_made_of() {
        let edges = [0, 63, 64, 127, 128, 191, 192, 249].map(Kind);
        let set = Kinds::of(&edges);
        assert_eq!(set.iter().collect::<Vec<_>>(), edges);
        assert_eq!(Kinds::from_words(set.words()), set);
        assert!(edges.iter().all(|k| Kinds::ALL.has(*k)) && !Kinds::ALL.has(Kind::WATERMARK));
        assert!(Kinds::INSIDE.iter().eq((0..=u8::MAX).map(Kind).filter(|k| k.is_inside())));
        assert!(Kinds::ALL.and(Kinds::INSIDE).is_empty());
        assert_eq!(Kinds::ALL.or(Kinds::INSIDE).iter().count(), Kind::COUNT - 1);
    }

    #[test]
    fn sets_are_joined_cut_and_taken_away() {
        let (a, b) = (Kinds::of(&[Kind(3), Kind(200)]), Kinds::of(&[Kind(200), Kind(70)]));
        assert_eq!(a.or(b), Kinds::of(&[Kind(3), Kind(70), Kind(200)]));
        assert_eq!(a.and(b), Kinds::of(&[Kind(200)]));
        assert_eq!(a.without(b), Kinds::of(&[Kind(3)]));
        assert!(a.without(a).is_empty() && a.without(a) == Kinds::NONE && !a.is_empty());
    }
}

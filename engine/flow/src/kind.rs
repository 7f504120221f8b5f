//! Kinds of events, and sets of them.
//!
//! A kind is a number below 128 so that a set of kinds is one `u128`. The numbers are part of the journal's format:
//! they are given once, in [`crate::records`], and never used again for something else.

use bytemuck::{Pod, Zeroable};
use std::fmt;

/// Which record an event's body holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Kind(pub u8);

impl Kind {
    /// Crosses cuts only: carries the watermark "all inputs up to this `seq` are finished". It has no body, is in no
    /// log and no stage sees it.
    pub const WATERMARK: Kind = Kind(127);
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match crate::kind_info(*self) {
            Some(info) => f.write_str(info.name),
            None => write!(f, "kind-{}", self.0),
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds(pub u128);

impl Kinds {
    /// No kind.
    pub const NONE: Kinds = Kinds(0);
    /// Every kind that a log or a reader can hold.
    pub const ALL: Kinds = Kinds(!(1 << 127));

    /// The set of the given kinds.
    pub const fn of(kinds: &[Kind]) -> Kinds {
        let mut bits = 0;
        let mut i = 0;
        while i < kinds.len() {
            bits |= 1u128 << kinds[i].0;
            i += 1;
        }
        Kinds(bits)
    }

    /// Whether `kind` is in the set. Kinds of 128 and more never are.
    #[inline]
    pub const fn has(self, kind: Kind) -> bool {
        // Half of the set at a time: a shift of all of it takes twice the steps.
        let half = if kind.0 < 64 { self.0 } else { self.0 >> 64 } as u64;
        kind.0 < 128 && half >> (kind.0 & 63) & 1 == 1
    }

    /// Both sets together.
    #[inline]
    pub const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// What is in both.
    #[inline]
    pub const fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    /// Whether nothing is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds of the set in rising order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        (0..128).map(Kind).filter(move |k| self.has(*k))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

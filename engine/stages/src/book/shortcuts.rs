//! Shortcuts from a price to its level, without a search of the ladder.
//!
//! Most new orders join an existing level, and the level depends on side and price alone. So beside the ladders there is
//! a hash table of guesses: for a side and a price, the level that was there last. A guess is checked against the level
//! itself and may be wrong, for instance where two prices share a slot; then the ladder is searched. Nothing is removed
//! when a level closes, and the table never changes a result.
//!
//! Bound: at least as many slots as levels, four bytes each. Worst case: prices chosen to collide cost a search
//! each.

use super::order::Level;
use crate::pool::{NONE, Pool};
use flow::{Px, table};
use prefetch_index::prefetch_index;

/// The table of guesses.
pub(super) struct Shortcuts {
    guesses: Box<[u32]>,
    shift: u32,
}

impl Shortcuts {
    /// Slots for `levels` levels.
    pub(super) fn new(levels: u32) -> Shortcuts {
        let bits = u64::from(levels).max(2).next_power_of_two().trailing_zeros();
        Shortcuts { guesses: table(1 << bits, NONE), shift: u64::BITS - bits }
    }

    /// The slot of a price on one side of a book; see [`super::order::owner_of`].
    #[inline]
    pub(super) fn place(&self, owner: u32, px: Px) -> usize {
        let mixed = (px.0 as u64 ^ u64::from(owner) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> self.shift) as usize
    }

    /// The guessed level; [`NONE`] if the slot was never filled.
    #[inline]
    pub(super) fn guess(&self, place: usize) -> u32 {
        self.guesses[place]
    }

    /// The level at a price, if the guess is right.
    #[inline]
    pub(super) fn find(&self, place: usize, owner: u32, px: Px, levels: &Pool<Level>) -> Option<u32> {
        let at = self.guess(place);
        levels.get(at).is_some_and(|level| (level.px == px) & (level.owner == owner)).then_some(at)
    }

    /// Records the level of a price.
    #[inline]
    pub(super) fn learn(&mut self, place: usize, level: u32) {
        self.guesses[place] = level;
    }

    /// Prefetches a guess into the cache without waiting for it.
    #[inline]
    pub(super) fn fetch(&self, place: usize) {
        prefetch_index(&self.guesses, place);
    }
}

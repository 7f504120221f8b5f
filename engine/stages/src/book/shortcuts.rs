//! From a price to its level without a search.
//!
//! Most new orders join a level that is there, and which one that is depends on the price alone. So beside the ladders
//! there is a table of guesses: for a side and a price the level that was there last. A guess is checked against the level
//! itself, so it may be wrong, and is where two prices share a place; then the ladder is searched. Nothing has to
//! be removed when a level goes, and what the table holds changes no result.
//!
//! Bound: at least twice as many places as levels, four bytes each. Worst case: prices made to share places cost what a
//! search costs.

use super::order::Level;
use super::pool::{NONE, Pool};
use flow::Px;
use prefetch_index::prefetch_index;

/// Levels that may be those of a price.
pub(super) struct Shortcuts {
    guesses: Box<[u32]>,
    shift: u32,
}

impl Shortcuts {
    /// Places for `levels` levels.
    pub(super) fn new(levels: u32) -> Shortcuts {
        let bits = (u64::from(levels) * 2).next_power_of_two().trailing_zeros();
        Shortcuts { guesses: vec![NONE; 1 << bits].into_boxed_slice(), shift: u64::BITS - bits }
    }

    /// The place of a price of an owner; see [`owner_of`].
    #[inline]
    pub(super) fn place(&self, owner: u32, px: Px) -> usize {
        let mixed = (px.0 as u64 ^ u64::from(owner) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> self.shift) as usize
    }

    /// The level that may be the one; [`NONE`] where nothing was learned.
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

    /// Notes where the level of a price is.
    #[inline]
    pub(super) fn learn(&mut self, place: usize, level: u32) {
        self.guesses[place] = level;
    }

    /// Has a guess brought into the cache, without waiting for it.
    #[inline]
    pub(super) fn fetch(&self, place: usize) {
        prefetch_index(&self.guesses, place);
    }
}

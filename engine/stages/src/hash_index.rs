//! Where items lie, by a hash of their keys.
//!
//! The items lie together elsewhere, in the order in which they came, so that few of them take few pages; here are their
//! numbers alone, four bytes each. Open addressing with linear probing, in at least one and a half times as many slots as
//! items. Removal shifts numbers back: no tombstones, nothing degrades with age. The hash multiplies and takes the high
//! bits, which spreads consecutive keys evenly.
//!
//! Bound: the number of items; a third of the slots are free. Worst case: colliding keys cost one probe each, and each looks at
//! an item.

use flow::table;
use prefetch_index::prefetch_index;

/// No item. Not 0, so that filling memory with it touches the memory.
const NONE: u32 = u32::MAX;

/// The numbers of items, by hash.
pub(crate) struct HashIndex {
    slots: Box<[u32]>,
    shift: u32,
}

impl HashIndex {
    /// Slots for so many items.
    pub(crate) fn new(items: usize) -> HashIndex {
        let size = (items + items / 2).next_power_of_two().max(2);
        HashIndex { slots: table(size, NONE), shift: 64 - size.trailing_zeros() }
    }

    /// The slot where the search for a key begins.
    #[inline]
    pub(crate) fn home(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// The slot of the item with that key, as `is` decides of a number; or the slot where it would go.
    #[inline]
    pub(crate) fn seek(&self, key: u64, is: impl Fn(u32) -> bool) -> usize {
        let mut at = self.home(key);
        while self.slots[at] != NONE && !is(self.slots[at]) {
            at = self.next(at);
        }
        at
    }

    /// The number in a slot.
    #[inline]
    pub(crate) fn get(&self, slot: usize) -> Option<u32> {
        let number = self.slots[slot];
        (number != NONE).then_some(number)
    }

    /// Puts a number into a slot that [`HashIndex::seek`] gave.
    #[inline]
    pub(crate) fn set(&mut self, slot: usize, number: u32) {
        self.slots[slot] = number;
    }

    /// Empties a slot and shifts back what it had displaced; `key` gives the keys of items.
    pub(crate) fn remove(&mut self, mut hole: usize, key: impl Fn(u32) -> u64) {
        let mask = self.slots.len() - 1;
        let mut at = self.next(hole);
        while self.slots[at] != NONE {
            let home = self.home(key(self.slots[at]));
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = self.slots[at];
                hole = at;
            }
            at = self.next(at);
        }
        self.slots[hole] = NONE;
    }

    /// Prefetches a slot into the cache without waiting for it.
    #[inline]
    pub(crate) fn fetch(&self, slot: usize) {
        prefetch_index(&self.slots, slot);
    }

    /// Empties all slots.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(NONE);
    }
}

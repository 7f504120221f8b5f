//! Where items lie, by a hash of their keys.
//!
//! The items lie together elsewhere, in the order in which they came, so that few of them take few pages; here are their
//! numbers alone, four bytes each. Open addressing with linear probing, in a table of at least twice as many slots as items until it is
//! the largest. Removal shifts numbers back: no tombstones, nothing degrades with age. The hash multiplies and takes the high bits, which spreads
//! consecutive keys evenly.
//!
//! The table follows how many items there are, so that those of a quiet day lie in the cache. Tables of all sizes have their places in
//! one [reserve](Reserve), each behind those that are smaller. When half of a table is taken, the next one begins, and every number
//! that is put in moves [`MOVED`] slots of the one before and makes [`MADE`] slots of the one to come; until all have moved, what is
//! not found in the new table is looked for in the old one. So it grows without a pause, and no table is ever allocated.
//!
//! Bound: the number of items; a third of the slots of the largest table are free. Worst case: colliding keys cost one probe each, and
//! each looks at an item; while a table moves, a key that is not there is looked for twice, and putting one in looks at two others.

use flow::Reserve;
use prefetch_index::prefetch_index;
use std::hint::select_unpredictable;

/// No item. Not 0, so that filling memory with it touches the memory.
const NONE: u32 = u32::MAX;
/// An item that the next table has, or that has left while the table was moving.
const GONE: u32 = u32::MAX - 1;

/// Slots of the first table, at most.
const FIRST: usize = 1 << 10;
/// Slots that are moved with a number that is put in. A quarter of a table is put in before it has to grow, and the one before it was half
/// as large, so two would do.
const MOVED: usize = 4;
/// Slots that are made with it. The next table has twice as many slots as this one, so eight would do.
const MADE: usize = 16;

/// The numbers of items, by hash.
pub(crate) struct HashIndex {
    /// The tables; that of `size` slots begins at slot `size`.
    slots: Reserve<u32>,
    /// Slots of the table, and of the largest that there may be; powers of two.
    size: usize,
    most: usize,
    shift: u32,
    /// The next slot of the table before that is to be moved; `size`, where that ends, when all have been.
    moving: usize,
    /// How many numbers there are.
    len: usize,
}

impl HashIndex {
    /// Slots for so many items.
    pub(crate) fn new(items: usize) -> HashIndex {
        let most = (items + items / 2).next_power_of_two().max(2);
        let size = most.min(FIRST);
        let mut index =
            HashIndex { slots: Reserve::new(2 * most, NONE), size, most, shift: shift_of(size), moving: size, len: 0 };
        index.clear();
        index
    }

    /// The slot where the search for a key begins.
    #[inline]
    pub(crate) fn home(&self, key: u64) -> usize {
        self.size + (hash(key) >> self.shift) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        self.size | (at + 1) & (self.size - 1)
    }

    /// The slot of the item with that key, as `is` decides of a number; or the slot where it would go.
    #[inline]
    pub(crate) fn seek(&self, key: u64, is: impl Fn(u32) -> bool) -> usize {
        let mut at = self.home(key);
        while self.slots[at] != NONE {
            if is(self.slots[at]) {
                return at;
            }
            at = self.next(at);
        }
        if self.moving < self.size { self.seek_before(key, is).unwrap_or(at) } else { at }
    }

    /// The slot of an item in the table before.
    #[cold]
    fn seek_before(&self, key: u64, is: impl Fn(u32) -> bool) -> Option<usize> {
        let size = self.size / 2;
        let mut at = size + (hash(key) >> (self.shift + 1)) as usize;
        while self.slots[at] != NONE {
            if self.slots[at] != GONE && is(self.slots[at]) {
                return Some(at);
            }
            at = size | (at + 1) & (size - 1);
        }
        None
    }

    /// The number in a slot.
    #[inline]
    pub(crate) fn get(&self, slot: usize) -> Option<u32> {
        let number = self.slots[slot];
        (number != NONE).then_some(number)
    }

    /// Puts a number into a slot that [`HashIndex::seek`] gave; `key` gives the keys of items, this one among them.
    #[inline]
    pub(crate) fn set(&mut self, slot: usize, number: u32, key: impl Fn(u32) -> u64) {
        let is_new = self.slots[slot] == NONE;
        self.slots[slot] = number;
        if is_new {
            self.len += 1;
            if self.size < self.most || self.moving < self.size {
                self.grow(key);
            }
        }
    }

    /// Takes the next steps to a larger table.
    fn grow(&mut self, key: impl Fn(u32) -> u64) {
        if self.moving < self.size {
            self.move_some(key);
        } else if 2 * self.len > self.size && self.slots.len() >= 4 * self.size {
            (self.moving, self.size) = (self.size, 2 * self.size);
            self.shift -= 1;
        }
        self.slots.extend_to((self.slots.len() + MADE).min(4 * self.size), NONE);
    }

    /// Moves some slots of the table before.
    fn move_some(&mut self, key: impl Fn(u32) -> u64) {
        let until = (self.moving + MOVED).min(self.size);
        for from in std::mem::replace(&mut self.moving, until)..until {
            let number = self.slots[from];
            if number >= GONE {
                // What was free stays so: there a search of the old table ends.
                continue;
            }
            self.slots[from] = GONE;
            let mut at = self.home(key(number));
            while self.slots[at] != NONE {
                at = self.next(at);
            }
            self.slots[at] = number;
        }
    }

    /// Empties a slot and shifts back what it had displaced; `key` gives the keys of items.
    #[inline]
    pub(crate) fn remove(&mut self, mut hole: usize, key: impl Fn(u32) -> u64) {
        self.len -= 1;
        if hole < self.size {
            self.slots[hole] = GONE;
            return;
        }
        let mask = self.size - 1;
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
        prefetch_index(&*self.slots, slot);
    }

    /// The number in a slot where a search would have begun a while ago, or `none`; to fetch what it names.
    #[inline]
    pub(crate) fn glance(&self, slot: usize, none: u32) -> u32 {
        let number = self.slots.get(slot).copied().unwrap_or(NONE);
        select_unpredictable(number < GONE, number, none)
    }

    /// Empties all slots.
    pub(crate) fn clear(&mut self) {
        self.size = self.most.min(FIRST);
        (self.shift, self.moving, self.len) = (shift_of(self.size), self.size, 0);
        self.slots.clear();
        self.slots.extend_to(2 * self.size, NONE);
    }
}

#[inline]
fn hash(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// By how much a hash is shifted to be a slot of so many.
fn shift_of(size: usize) -> u32 {
    u64::BITS - size.trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// An item is the key that its number has here.
    struct Items {
        index: HashIndex,
        keys: Vec<u64>,
        free: Vec<u32>,
    }

    impl Items {
        fn slot(&self, key: u64) -> usize {
            self.index.seek(key, |number| self.keys[number as usize] == key)
        }

        fn find(&self, key: u64) -> Option<u32> {
            self.index.get(self.slot(key))
        }

        fn add(&mut self, key: u64) -> u32 {
            let (slot, number) = (self.slot(key), self.free.pop().expect("there is room"));
            self.keys[number as usize] = key;
            self.index.set(slot, number, |number| self.keys[number as usize]);
            number
        }

        fn remove(&mut self, key: u64) {
            let slot = self.slot(key);
            let number = self.index.get(slot).expect("it is there");
            self.index.remove(slot, |number| self.keys[number as usize]);
            self.free.push(number);
        }
    }

    fn items(most: usize) -> Items {
        Items { index: HashIndex::new(most), keys: vec![0; most], free: (0..most as u32).rev().collect() }
    }

    /// Fills it up, with some leaving all the while, looks at every size while its table moves, and empties it again.
    #[test]
    fn it_grows_without_losing_any() {
        let most = 40_000;
        let (mut items, mut model, mut drawn) = (items(most), BTreeMap::new(), 1_u64);
        let mut sizes = Vec::new();
        for n in 1.. {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = if n % 2 == 0 { n } else { drawn };
            if n % 3 == 0 {
                let (gone, _) = model.range(key..).next().or(model.first_key_value()).map(|(k, v)| (*k, *v)).unwrap();
                items.remove(gone);
                model.remove(&gone);
                assert_eq!(items.find(gone), None);
            }
            model.insert(key, items.add(key));
            sizes.push(items.index.size);
            let is_moving = items.index.moving < items.index.size;
            if is_moving && n % 37 == 0 || n % 4_001 == 0 {
                assert!(model.iter().all(|(key, number)| items.find(*key) == Some(*number)), "{n}");
                assert_eq!((items.index.len, items.find(u64::MAX)), (model.len(), None));
            }
            if model.len() == most {
                break;
            }
        }
        sizes.dedup();
        assert_eq!(sizes, [10, 11, 12, 13, 14, 15, 16].map(|power| 1 << power));
        while let Some((key, _)) = model.pop_last() {
            items.remove(key);
            assert!(model.len() % 1_009 != 0 || model.iter().all(|(key, number)| items.find(*key) == Some(*number)));
        }
        assert!(items.index.slots[items.index.size..].iter().all(|slot| *slot == NONE));
    }

    /// A table is there when it is needed, and the one before has moved by then.
    #[test]
    fn it_never_waits_for_its_next_table() {
        let mut items = items(100_000);
        for key in 1..=100_000_u64 {
            items.add(key);
            let HashIndex { size, moving, most, len, .. } = items.index;
            assert!(2 * len <= size + 2 || size == most, "{len} of {size}");
            assert!(len > size / 4 || size == FIRST && moving == size, "{len} of {size}");
            assert!(moving == size || len <= size / 4 + size / 8 + 2, "{moving} at {len} of {size}");
            assert!(items.index.slots.len() <= 4 * size, "no more is made than the next table");
            if key % 997 == 0 {
                let gone = items.index.slots[size / 2..size].iter().filter(|slot| **slot == GONE).count();
                assert!(gone <= size / 4 + 1, "{gone} of {size}: a search of the old table ends where it did");
            }
        }
        items.index.clear();
        assert!((1..=100_000).all(|key| items.find(key).is_none()));
    }
}

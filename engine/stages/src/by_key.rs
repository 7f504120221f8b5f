//! Items that are found by a number of their own.
//!
//! They lie together in a [pool](Pool) and are found over an [index](HashIndex), so memory follows how many there are at
//! once, and the place of a new one is that of the last one that left, which is near. Bound: the number of items. Worst case:
//! that of the index.

use crate::hash_index::HashIndex;
use crate::pool::Pool;

/// An item with a number of its own.
pub(crate) trait Keyed: Copy {
    /// No item; its key is 0.
    const VACANT: Self;

    /// Its number, which no other item has.
    fn key(&self) -> u64;
}

/// Up to a bound of items, by key.
pub(crate) struct ByKey<T> {
    items: Pool<T>,
    index: HashIndex,
    len: usize,
}

impl<T: Keyed> ByKey<T> {
    /// Room for `limit` items.
    pub(crate) fn new(limit: usize) -> ByKey<T> {
        ByKey { items: Pool::new(limit as u32, T::VACANT), index: HashIndex::new(limit), len: 0 }
    }

    /// The most items.
    pub(crate) fn limit(&self) -> usize {
        self.items.capacity()
    }

    /// How many there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// All of them, in arbitrary order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.made().iter().filter(|item| item.key() != 0)
    }

    #[inline]
    fn slot(&self, key: u64) -> usize {
        self.index.seek(key, |number| self.items[number].key() == key)
    }

    /// The item with that key.
    #[inline]
    pub(crate) fn get(&self, key: u64) -> Option<&T> {
        Some(&self.items[self.index.get(self.slot(key))?])
    }

    /// The item with that key, to change all of it but the key.
    #[inline]
    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        let number = self.index.get(self.slot(key))?;
        Some(&mut self.items[number])
    }

    /// The number of the item with that key, which is looked for only if it has not the number `near`.
    #[inline]
    fn number(&self, key: u64, near: u32) -> Option<u32> {
        match self.items.get(near) {
            Some(item) if item.key() == key => Some(near),
            _ => self.index.get(self.slot(key)),
        }
    }

    /// [`ByKey::get`], which is quick if the item has the number that [`ByKey::open_near`] gave.
    #[inline]
    pub(crate) fn get_near(&self, key: u64, near: u32) -> Option<&T> {
        self.number(key, near).map(|number| &self.items[number])
    }

    /// Adds an item with a new key other than 0, and returns it; `None` when there is no room.
    #[inline]
    pub(crate) fn add(&mut self, item: T) -> Option<&mut T> {
        let number = self.put(item)?;
        Some(&mut self.items[number])
    }

    /// Adds an item, and says its number.
    #[inline]
    fn put(&mut self, item: T) -> Option<u32> {
        let (slot, number) = (self.slot(item.key()), self.items.take()?);
        debug_assert!(self.index.get(slot).is_none() && item.key() != 0, "a key is of one item");
        let ByKey { items, index, len } = self;
        items[number] = item;
        index.set(slot, number, |number| items[number].key());
        *len += 1;
        Some(number)
    }

    /// The item with that key, or else the one that `item` makes with it, added; `None` when there is no room.
    #[inline]
    pub(crate) fn open(&mut self, key: u64, item: impl FnOnce() -> T) -> Option<&mut T> {
        match self.index.get(self.slot(key)) {
            Some(number) => Some(&mut self.items[number]),
            None => self.add(item()),
        }
    }

    /// The same, which is quick if the item is the one that was opened last with this `near`; that is any number before.
    #[inline]
    pub(crate) fn open_near(&mut self, key: u64, near: &mut u32, item: impl FnOnce() -> T) -> Option<&mut T> {
        let number = match self.number(key, *near) {
            Some(number) => number,
            None => self.put(item())?,
        };
        *near = number;
        Some(&mut self.items[number])
    }

    /// Removes the item with that key, if there is one.
    #[inline]
    pub(crate) fn remove(&mut self, key: u64) {
        let slot = self.slot(key);
        if let Some(number) = self.index.get(slot) {
            let ByKey { items, index, len } = self;
            index.remove(slot, |number| items[number].key());
            items[number] = T::VACANT;
            items.give(number);
            *len -= 1;
        }
    }

    /// Where the search for a key begins, for [`ByKey::fetch`].
    #[inline]
    pub(crate) fn home(&self, key: u64) -> usize {
        self.index.home(key)
    }

    /// Prefetches what an item will need that is added next and whose search begins there.
    #[inline]
    pub(crate) fn fetch(&self, home: usize) {
        self.index.fetch(home);
        self.items.fetch(self.items.next());
    }

    /// Removes all items.
    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.index.clear();
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Item(u64, u64);

    impl Keyed for Item {
        const VACANT: Item = Item(0, 0);

        fn key(&self) -> u64 {
            self.0
        }
    }

    /// Full and nearly full small tables, where runs wrap around the end and shift back all the time.
    #[test]
    fn like_a_map() {
        for limit in [1, 2, 7, 16] {
            let (mut items, mut model, mut drawn) = (ByKey::<Item>::new(limit), BTreeMap::new(), 1_u64);
            let mut near = u32::MAX;
            for n in 1..20_000_u64 {
                drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let key = 1 + (drawn >> 59);
                match (model.contains_key(&key), drawn >> 20 & 1) {
                    (true, 0) => {
                        items.remove(key);
                        model.remove(&key);
                    }
                    (true, _) => {
                        items.open_near(key, &mut near, || unreachable!("it is there")).expect("it is there").1 = n;
                        model.insert(key, Item(key, n));
                    }
                    (false, _) if model.len() == limit => assert_eq!(items.add(Item(key, n)), None),
                    (false, 0) => {
                        assert_eq!(items.open_near(key, &mut near, || Item(key, n)), Some(&mut Item(key, n)));
                        model.insert(key, Item(key, n));
                    }
                    (false, _) => {
                        assert_eq!(items.add(Item(key, n)), Some(&mut Item(key, n)));
                        model.insert(key, Item(key, n));
                    }
                }
                assert!((1..34).all(|key| items.get(key) == model.get(&key)), "{n}");
                assert!((1..34).all(|key| items.get_near(key, near) == model.get(&key)), "{n}");
                let mut all: Vec<_> = items.iter().copied().collect();
                all.sort_by_key(Item::key);
                assert!(all.iter().eq(model.values()) && items.len() == model.len(), "{n}");
            }
            items.remove(99);
            items.clear();
            assert!(items.len() == 0 && items.iter().next().is_none() && (1..34).all(|key| items.get(key).is_none()));
            assert!((0..limit as u64).all(|n| items.add(Item(1 + n, n)).is_some()), "all room is back");
        }
    }
}

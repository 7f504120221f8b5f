//! A fixed pool of equal items, addressed by number.
//!
//! One array, allocated and written at construction, that never grows. Free numbers are kept on a stack, so the item
//! that was returned last, and is still in the cache, is taken first. Bound: the capacity; take and give are O(1).

use flow::table;
use prefetch_index::prefetch_index;
use std::ops::{Index, IndexMut};

/// No item.
pub(super) const NONE: u32 = u32::MAX;

/// An array of items and the stack of free numbers.
pub(super) struct Pool<T> {
    items: Box<[T]>,
    free: Box<[u32]>,
    left: usize,
}

impl<T: Copy> Pool<T> {
    /// A pool of `capacity` items; every page is touched here.
    pub(super) fn new(capacity: u32, vacant: T) -> Pool<T> {
        let (items, mut free) = (table(capacity as usize, vacant), table(capacity as usize, 0));
        free.iter_mut().rev().zip(0..).for_each(|(slot, number)| *slot = number);
        Pool { left: items.len(), items, free }
    }

    /// The number of items, free or not.
    pub(super) fn capacity(&self) -> usize {
        self.items.len()
    }

    /// Prefetches an item into the cache without waiting for it.
    #[inline]
    pub(super) fn fetch(&self, item: u32) {
        prefetch_index(&self.items, item as usize);
    }

    /// The item of that number, if the pool is that large.
    #[inline]
    pub(super) fn get(&self, item: u32) -> Option<&T> {
        self.items.get(item as usize)
    }

    /// The number of free items.
    #[inline]
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Takes a free item.
    #[inline]
    pub(super) fn take(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        Some(self.free[self.left])
    }

    /// Returns an item to the pool.
    #[inline]
    pub(super) fn give(&mut self, item: u32) {
        self.free[self.left] = item;
        self.left += 1;
    }
}

impl<T> Index<u32> for Pool<T> {
    type Output = T;

    #[inline]
    fn index(&self, item: u32) -> &T {
        &self.items[item as usize]
    }
}

impl<T> IndexMut<u32> for Pool<T> {
    #[inline]
    fn index_mut(&mut self, item: u32) -> &mut T {
        &mut self.items[item as usize]
    }
}

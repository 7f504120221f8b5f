//! A fixed pool of equal items, addressed by number.
//!
//! Items are [reserved](Reserve) and made when more are live than ever before. Free numbers are kept on a stack, so the item
//! that was returned last, and is still in the cache, is taken first. Bound: the capacity; take and give are O(1).

use flow::Reserve;
use prefetch_index::prefetch_index;
use std::ops::{Index, IndexMut};

/// No item.
pub(crate) const NONE: u32 = u32::MAX;

/// Items, and the stack of free numbers.
pub(crate) struct Pool<T> {
    items: Reserve<T>,
    free: Reserve<u32>,
    vacant: T,
}

impl<T: Copy> Pool<T> {
    /// A pool of `capacity` items.
    pub(crate) fn new(capacity: u32, vacant: T) -> Pool<T> {
        let capacity = capacity as usize;
        Pool { items: Reserve::new(capacity, vacant), free: Reserve::new(capacity, 0), vacant }
    }

    /// The most items.
    pub(crate) fn capacity(&self) -> usize {
        self.items.bound()
    }

    /// Prefetches an item into the cache without waiting for it.
    #[inline]
    pub(crate) fn fetch(&self, item: u32) {
        prefetch_index(&*self.items, item as usize);
    }

    /// The item of that number, if it was made.
    #[inline]
    pub(crate) fn get(&self, item: u32) -> Option<&T> {
        self.items.get(item as usize)
    }

    /// The items that were made, given back or not.
    pub(crate) fn made(&self) -> &[T] {
        &self.items
    }

    /// The number of the item that is taken next.
    #[inline]
    pub(crate) fn next(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.items.len() as u32)
    }

    /// The number of free items.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.items.bound() - self.items.len() + self.free.len()
    }

    /// Takes a free item.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<u32> {
        if let Some(item) = self.free.pop() {
            return Some(item);
        }
        let made = self.items.len() as u32;
        self.items.push(self.vacant).then_some(made)
    }

    /// Returns an item to the pool.
    #[inline]
    pub(crate) fn give(&mut self, item: u32) {
        self.free.push(item);
    }

    /// Returns all items to the pool.
    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.free.clear();
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

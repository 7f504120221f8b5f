//! Items of one size, handed out by number.
//!
//! A pool is one array that is allocated and written at construction and never grows; free numbers stand on a stack, so
//! that what was given back last, and is still in the cache, is taken first. Bound: its capacity; take and give are
//! O(1) always.

use prefetch_index::prefetch_index;
use std::ops::{Index, IndexMut};

/// No item.
pub(super) const NONE: u32 = u32::MAX;

/// An array of items and the stack of those that are free.
pub(super) struct Pool<T> {
    items: Box<[T]>,
    free: Box<[u32]>,
    left: usize,
}

impl<T: Copy> Pool<T> {
    /// `capacity` items; every page is touched here.
    pub(super) fn new(capacity: u32, vacant: T) -> Pool<T> {
        let free = (0..capacity).rev().collect();
        Pool { items: vec![vacant; capacity as usize].into_boxed_slice(), free, left: capacity as usize }
    }

    /// How many there are in all.
    pub(super) fn capacity(&self) -> usize {
        self.items.len()
    }

    /// Has an item brought into the cache, without waiting for it.
    #[inline]
    pub(super) fn fetch(&self, item: u32) {
        prefetch_index(&self.items, item as usize);
    }

    /// An item, if there is one of that number.
    #[inline]
    pub(super) fn get(&self, item: u32) -> Option<&T> {
        self.items.get(item as usize)
    }

    /// How many are free.
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

    /// Gives an item back.
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

//! A table that takes the memory of what it has been asked for.
//!
//! What is kept for every instrument is a table of equal values, most of which nobody ever changes: instruments are numbered
//! in the order in which they are listed, and few of those that there may be are. So the table is [reserved](Reserve) for its
//! bound and filled up to the highest place that was written; beyond it every place reads as vacant. Stages
//! [reach](GrowingTable::reach) the place of an instrument when it is listed, so that no other event fills memory. One that does
//! all the same fills it then; no result depends on when. Bound: that of the reserve. Worst case: the first place written is
//! the last one, and all before it are filled.

use crate::Reserve;
use std::ops::{Index, IndexMut};

/// Up to a bound of values, all vacant at first.
pub struct GrowingTable<T> {
    values: Reserve<T>,
    vacant: T,
}

impl<T: Clone> GrowingTable<T> {
    /// `bound` vacant values.
    pub fn new(bound: usize, vacant: T) -> GrowingTable<T> {
        GrowingTable { values: Reserve::new(bound, vacant.clone()), vacant }
    }

    /// Fills the table up to this place, if it is within the bound.
    #[cold]
    pub fn reach(&mut self, at: usize) {
        if at < self.bound() {
            self.values.extend_to(at + 1, self.vacant.clone());
        }
    }

    /// The value at a place; `None` beyond the bound.
    #[inline]
    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        if at < self.values.len() { Some(&mut self.values[at]) } else { self.reached(at) }
    }

    /// The values from a place on, so many; they must be within the bound.
    #[inline]
    pub fn span_mut(&mut self, from: usize, len: usize) -> &mut [T] {
        let end = from + len;
        if end > self.values.len() {
            self.reach(end - 1);
        }
        &mut self.values[..end][from..]
    }

    #[cold]
    fn reached(&mut self, at: usize) -> Option<&mut T> {
        self.reach(at);
        self.values.get_mut(at)
    }

    /// Makes all values vacant.
    pub fn clear(&mut self) {
        self.values.clear();
    }
}

impl<T> GrowingTable<T> {
    /// How many values there are, most of them perhaps vacant.
    #[inline]
    pub fn bound(&self) -> usize {
        self.values.bound()
    }

    /// The value at a place that was reached.
    #[inline]
    pub fn get(&self, at: usize) -> Option<&T> {
        self.values.get(at)
    }

    /// The values up to the highest place that was reached.
    #[inline]
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The same, to change them.
    #[inline]
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    #[cold]
    fn vacant(&self, at: usize) -> &T {
        assert!(at < self.bound(), "place {at} of {}", self.bound());
        &self.vacant
    }
}

impl<T> Index<usize> for GrowingTable<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        if at < self.values.len() { &self.values[at] } else { self.vacant(at) }
    }
}

impl<T: Clone> IndexMut<usize> for GrowingTable<T> {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut T {
        if at < self.values.len() { &mut self.values[at] } else { self.reached(at).expect("a place within the bound") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_wrote_is_vacant() {
        let mut table = GrowingTable::new(100, 7);
        assert_eq!((table[99], table.values().len(), table.bound()), (7, 0, 100));
        table[3] = 1;
        assert_eq!((table.values(), table[4]), (&[7, 7, 7, 1][..], 7));
        *table.get_mut(5).unwrap() = 2;
        table.span_mut(6, 2)[1] = 3;
        assert_eq!(table.values(), [7, 7, 7, 1, 7, 2, 7, 3]);
        table.reach(99);
        table.reach(100);
        assert_eq!((table.values().len(), table.get_mut(100)), (100, None));
        table.clear();
        assert_eq!((table[3], table.values()), (7, &[][..]));
        table.reach(3);
        assert_eq!(table[3], 7, "what was cleared does not come back");
    }

    #[test]
    #[should_panic(expected = "place 100 of 100")]
    fn no_place_is_beyond_the_bound() {
        let _ = GrowingTable::new(100, 7)[100];
    }
}

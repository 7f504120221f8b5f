//! The hash table from an order's reference to its pool slot.
//!
//! The heads of the chains are an array of four-byte words, a power of two of at least twice the orders. The next link
//! of a chain is in the order itself, which the lookup reads anyway. Exchanges number orders nearly in sequence, so 512
//! consecutive references share one run of neighbouring heads (half a page): a new order's head lies next to the previous
//! one's, and only the pages of live references stay warm. Runs start at hashed positions, so references with a stride
//! spread too. Removal unlinks the order; there are no tombstones, and nothing degrades with age.
//!
//! Bound: half an order per chain on average when the pool is full. Worst case: references chosen to collide share one
//! chain, as long as there are live orders.

use super::order::{NOBODY, Order};
use crate::pool::Pool;
use prefetch_index::prefetch_index;
use std::hint::black_box;

/// Consecutive references whose heads are neighbours.
const RUN: u64 = 512;

/// The space within which references are unique: that of a source, or of the book in slot `own` alone. Different spaces
/// are different numbers, and their bits are spread so that equal references in them get different chains.
pub(super) fn space_of(source: u8, own: Option<u32>) -> u32 {
    let number = own.map_or(0, |at| at + 1) << 8 | u32::from(source);
    let spread = number.wrapping_mul(0x9e37_79b1);
    spread ^ spread >> 16
}

/// The heads of the chains.
pub(super) struct Refs {
    heads: Box<[u32]>,
    mask: usize,
}

impl Refs {
    /// Heads for `orders` orders.
    pub(super) fn new(orders: u32) -> Refs {
        let size = (orders as usize * 2).next_power_of_two();
        let mut heads = flow::table(size, !NOBODY);
        // With zeroes known at compile time the allocator would hand out untouched pages.
        heads.fill(black_box(NOBODY));
        Refs { heads, mask: size - 1 }
    }

    /// The chain of a reference within a space.
    #[inline]
    pub(super) fn home(&self, space: u32, reference: u64) -> usize {
        let run = reference / RUN;
        let mixed = (run ^ (run >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (mixed + u64::from(space) + reference % RUN) as usize & self.mask
    }

    /// The first order of a chain, or [`NOBODY`].
    #[inline]
    pub(super) fn first(&self, home: usize) -> u32 {
        self.heads[home]
    }

    /// Prefetches the head of a chain into the cache without waiting for it.
    #[inline]
    pub(super) fn fetch(&self, home: usize) {
        prefetch_index(&self.heads, home);
    }

    /// Puts the order `at` at the front of a chain and returns the order that was there before.
    #[inline]
    pub(super) fn link(&mut self, home: usize, at: u32) -> u32 {
        std::mem::replace(&mut self.heads[home], at)
    }

    /// Unlinks the order `at` from its chain; `after` is its successor.
    #[inline]
    pub(super) fn unlink(&mut self, home: usize, at: u32, after: u32, orders: &mut Pool<Order>) {
        let first = &mut self.heads[home];
        if *first == at {
            *first = after;
            return;
        }
        let mut before = *first;
        while orders[before].chain != at {
            before = orders[before].chain;
        }
        orders[before].chain = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest chain that `n` references with this stride make in a table of that size.
    fn longest(n: u64, stride: u64) -> usize {
        let refs = Refs::new(n as u32);
        let mut chains = vec![0; refs.mask + 1];
        (0..n).for_each(|i| chains[refs.home(1, i * stride)] += 1);
        chains.into_iter().max().unwrap()
    }

    #[test]
    fn references_spread_whatever_their_stride() {
        for shift in 0..48 {
            assert!(longest(1 << 14, 1 << shift) <= 24, "stride 2^{shift}: {}", longest(1 << 14, 1 << shift));
        }
        for stride in [3, 7, 10, 100, 1_000, 1_000_003] {
            assert!(longest(1 << 14, stride) <= 24, "stride {stride}: {}", longest(1 << 14, stride));
        }
    }

    #[test]
    fn sources_with_the_same_references_do_not_share_chains() {
        let refs = Refs::new(10_000);
        let mut homes: Vec<_> = (1..=20).map(|source| refs.home(space_of(source, None), 77)).collect();
        homes.sort_unstable();
        homes.dedup();
        assert!(homes.len() >= 19, "{homes:?}");
    }

    #[test]
    fn books_with_the_same_references_do_not_share_chains() {
        for (books, orders) in [(16_384, 1), (1_000, 16), (64, 256), (2, 8_192)] {
            let refs = Refs::new(1 << 14);
            let mut chains = vec![0; refs.mask + 1];
            let numbers = || (0..books).flat_map(|book| (1..=orders).map(move |reference| (book, reference)));
            numbers().for_each(|(book, reference)| chains[refs.home(space_of(3, Some(book)), reference)] += 1);
            let longest = chains.into_iter().max().unwrap();
            assert!(longest <= 24, "{books} books of {orders} orders: {longest}");
        }
    }

    #[test]
    fn no_two_spaces_are_one() {
        let mut spaces: Vec<_> = (0..=1 << 20).map(|book: u32| space_of(1, book.checked_sub(1))).collect();
        spaces.extend((0..=255).filter(|source| *source != 1).map(|source| space_of(source, None)));
        let all = spaces.len();
        spaces.sort_unstable();
        spaces.dedup();
        assert_eq!(spaces.len(), all);
    }

    #[test]
    fn neighbours_stay_neighbours() {
        let refs = Refs::new(1 << 16);
        let adjacent = (0..1 << 16).filter(|r| refs.home(1, r + 1) == refs.home(1, *r) + 1).count();
        assert!(adjacent > (1 << 16) - 300, "{adjacent}");
    }
}

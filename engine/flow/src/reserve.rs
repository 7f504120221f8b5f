//! Memory that is reserved for its bound and taken as it is used.
//!
//! A table for a million orders costs addresses, not memory, until there are that many. What it holds lies at its front and
//! grows without moving. Nobody waits for the kernel to give a page: some bytes ([`AHEAD`]) are touched when the reserve is
//! made, and a thread of the engine keeps as many touched in front of what is used ([`touch_ahead`]). If that thread gets
//! no time, a page comes when it is used, as anywhere; no result depends on it. Inside [`planned`](crate::planned) a reserve
//! counts its whole bound, like a table. Bound: one mark a reserve, which moves with every [`BLOCK`] bytes.

use crate::table::slots;
use std::hint::black_box;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The fewest and the most bytes that are touched in front of those in use; between them a 64th of the bound.
const AHEAD: [usize; 2] = [32 << 10, 1 << 19];
const PART: usize = 64;
/// Bytes after which the mark moves, at the latest; few beside those that are touched ahead.
const BLOCK: usize = 4 << 10;

/// The marks of all reserves.
static MARKS: Mutex<Vec<Weak<Mark>>> = Mutex::new(Vec::new());

/// How much of a reserve is in use, for whoever touches it ahead.
struct Mark {
    /// Where it lies, and its bytes.
    at: usize,
    bytes: usize,
    used: AtomicUsize,
    touched: AtomicUsize,
}

impl Mark {
    /// How many bytes should be touched now.
    fn wanted(&self) -> usize {
        (self.used.load(Ordering::Relaxed) + ahead(self.bytes)).min(self.bytes)
    }
}

/// The larger of two; `Ord::max` is not for constants.
const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Bytes that are touched in front of those in use, of a reserve of so many.
fn ahead(bytes: usize) -> usize {
    (bytes / PART).clamp(AHEAD[0], AHEAD[1])
}

/// Up to a bound of items, in one place.
pub struct Reserve<T> {
    items: Vec<T>,
    bound: usize,
    mark: Arc<Mark>,
}

impl<T: Clone> Reserve<T> {
    /// An empty reserve for `bound` items; `vacant` is any item.
    pub fn new(bound: usize, vacant: T) -> Reserve<T> {
        let bound = slots::<T>(bound);
        let mut items = Vec::with_capacity(bound);
        let bytes = bound * size_of::<T>();
        items.resize(bound.min(ahead(bytes).div_ceil(size_of::<T>().max(1))), vacant);
        black_box(&mut items).clear();
        let (used, touched) = (AtomicUsize::new(0), AtomicUsize::new(ahead(bytes).min(bytes)));
        let mark = Arc::new(Mark { at: items.as_ptr().addr(), bytes, used, touched });
        let mut marks = MARKS.lock().unwrap_or_else(PoisonError::into_inner);
        marks.retain(|mark| mark.strong_count() > 0);
        marks.push(Arc::downgrade(&mark));
        Reserve { items, bound, mark }
    }

    /// Appends items until there are `len`, or as many as the bound allows.
    pub fn extend_to(&mut self, len: usize, item: T) {
        let len = len.min(self.bound);
        if len > self.items.len() {
            self.items.resize(len, item);
            self.mark();
        }
    }
}

impl<T> Reserve<T> {
    /// Items after which the mark moves; a power of two.
    const BLOCK: usize = match (BLOCK / max(size_of::<T>(), 1)).checked_ilog2() {
        Some(power) => 1 << power,
        None => 1,
    };

    /// The most items.
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// Appends an item; `false` if the reserve is full.
    #[inline]
    pub fn push(&mut self, item: T) -> bool {
        // There is room for the bound, so the second comparison only spares `push` the code that grows.
        if self.items.len() == self.bound || self.items.len() == self.items.capacity() {
            return false;
        }
        self.items.push(item);
        if self.items.len().is_multiple_of(Self::BLOCK) {
            self.mark();
        }
        true
    }

    /// Moves the mark to what is used.
    #[inline]
    fn mark(&self) {
        self.mark.used.store(self.items.len() * size_of::<T>(), Ordering::Relaxed);
    }

    /// Removes all items; their memory stays.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// Removes the last item.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }
}

impl<T> Deref for Reserve<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> DerefMut for Reserve<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

/// Has `touch` touch what is missing in front of every reserve: an address, and bytes from there. It must change none of them.
/// Does nothing while somebody else looks at the marks, so that nobody waits for it.
pub fn touch_ahead(mut touch: impl FnMut(usize, usize)) {
    let Ok(marks) = MARKS.try_lock() else { return };
    for mark in marks.iter().filter_map(Weak::upgrade) {
        let wanted = mark.wanted();
        let touched = mark.touched.load(Ordering::Relaxed);
        if touched < wanted {
            touch(mark.at + touched, wanted - touched);
            mark.touched.store(wanted, Ordering::Release);
        }
    }
}

/// Whether every reserve has as much touched in front of what is used as it should.
pub fn is_touched_ahead() -> bool {
    let Ok(marks) = MARKS.try_lock() else { return false };
    marks.iter().filter_map(Weak::upgrade).all(|mark| mark.touched.load(Ordering::Acquire) >= mark.wanted())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_followed_and_the_bound_holds() {
        const BOUND: usize = 3 * AHEAD[0] / 8;
        let mut reserve = Reserve::new(BOUND, 7_u64);
        let (at, bytes) = (reserve.items.as_ptr().addr(), 8 * BOUND);
        let missing = || {
            let mut found = Vec::new();
            while !is_touched_ahead() {
                touch_ahead(|from, bytes| found.push((from, bytes)));
            }
            found.into_iter().filter(|(from, _)| (at..at + bytes).contains(from)).collect::<Vec<_>>()
        };
        assert_eq!(missing(), [], "the first is touched when it is made");
        (0..BLOCK as u64 / 8 + 1).for_each(|i| assert!(reserve.push(i)));
        assert_eq!(missing(), [(at + AHEAD[0], BLOCK)]);
        assert_eq!(missing(), []);
        while reserve.push(1) {}
        assert_eq!((reserve.len(), reserve.bound(), missing().len()), (BOUND, BOUND, 1));
        assert_eq!((reserve.items.as_ptr().addr(), reserve[5]), (at, 5), "it never moves");
        assert_eq!(reserve.pop(), Some(1));
    }

    #[test]
    fn a_planned_reserve_counts_its_bound() {
        let (reserve, bytes) = crate::planned(|| Reserve::new(1 << 40, 0_u64));
        assert_eq!((bytes, reserve.bound() < 100), (8 << 40, true));
    }
}

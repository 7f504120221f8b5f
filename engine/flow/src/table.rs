//! Tables: memory that is taken once, at the start, and can be planned without being taken.
//!
//! Everything whose size follows from a parameter or from the number of instruments is made by [`table`] or [`queue`]. Inside
//! [`planned`] a table is not allocated: its size is added up, and it has a few slots, so that a stage can be constructed
//! and asked for what it reads and emits, but cannot be given events. A plan thus proves a pipeline and knows its memory,
//! and the figure cannot differ from what is taken later, since one line of code tells both. Bound: [`SLOTS`] slots a
//! table while planning.

use std::cell::Cell;
use std::collections::VecDeque;

/// Slots of a table inside [`planned`]: enough for a constructor that reserves the first one.
const SLOTS: usize = 4;

thread_local! {
    /// Bytes of the tables planned so far; `None` = tables are allocated.
    static PLANNED: Cell<Option<u64>> = const { Cell::new(None) };
    /// Whether what is allocated now will be used in order.
    static IN_ORDER: Cell<bool> = const { Cell::new(false) };
}

/// A table of `len` equal values.
pub fn table<T: Clone>(len: usize, value: T) -> Box<[T]> {
    vec![value; slots::<T>(len)].into_boxed_slice()
}

/// An empty queue with room for `len` values, planned like a table.
pub fn queue<T>(len: usize) -> VecDeque<T> {
    in_order(|| VecDeque::with_capacity(slots::<T>(len)))
}

/// Allocates with `make` what will be used in order, from its front on, and seldom to its end. An allocator that gives large
/// pages to large tables should give it small ones ([`is_in_order`]): it gains nothing by large ones, and the first would be
/// taken whole.
pub fn in_order<R>(make: impl FnOnce() -> R) -> R {
    let before = IN_ORDER.replace(true);
    let made = make();
    IN_ORDER.set(before);
    made
}

/// Whether this thread allocates [in order](in_order) now.
pub fn is_in_order() -> bool {
    IN_ORDER.get()
}

/// Slots to allocate for `len` values; while planning they are few, and the values are counted.
pub(crate) fn slots<T>(len: usize) -> usize {
    let bytes = (len as u64).saturating_mul(size_of::<T>() as u64);
    let planned = PLANNED.get().map(|sum| sum.saturating_add(bytes));
    PLANNED.set(planned);
    if planned.is_some() { len.min(SLOTS) } else { len }
}

/// Runs `plan` without allocating tables; returns its result and the bytes that its tables would take.
pub fn planned<R>(plan: impl FnOnce() -> R) -> (R, u64) {
    /// Ends the planning, also when `plan` panics.
    struct End(Option<u64>);
    impl Drop for End {
        fn drop(&mut self) {
            PLANNED.set(self.0);
        }
    }
    let _end = End(PLANNED.replace(Some(0)));
    let made = plan();
    (made, PLANNED.get().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planned_table_is_counted_and_not_allocated() {
        let (tables, bytes) = planned(|| (table(1 << 50, 7_u64), table(2, 1_u8)));
        assert_eq!((tables.0.len(), tables.1.len(), bytes), (SLOTS, 2, (8 << 50) + 2));
        assert_eq!(table(9, 7_u64).len(), 9, "planning has ended");
    }

    #[test]
    fn planning_ends_with_a_panic() {
        let failed = std::panic::catch_unwind(|| planned(|| table(usize::MAX, 0_u64)[SLOTS]));
        assert!(failed.is_err());
        assert_eq!(table(9, 7_u64).len(), 9);
    }
}

//! What travels: any plain 64-byte value whose first word lends its highest bit.
//!
//! **Idea.** A value is one cache line of plain bytes ([`bytemuck::Pod`]), so a ring can move it as eight words without
//! knowing its type. Bit 63 of the first word is the ring's while the value is inside: the phase ring keeps its
//! publication mark there. Outside it is 0.
//!
//! **Bound.** Exactly 64 bytes aligned to 64, checked when the program is compiled.
//!
//! **Worst case.** A value that comes in with the bit set is a broken invariant of the caller: publishing it panics, in
//! release builds too (one predictable branch), before anything has changed.

use bytemuck::{Pod, Zeroable};

/// The bit of a value's first word that is lent to the ring; 0 in every value that goes in or comes out.
pub const MARK: u64 = 1 << 63;

/// A 64-byte value that a ring can carry; its first `u64` word lends bit 63 ([`MARK`]) to the ring.
///
/// ```compile_fail
/// #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// #[repr(C)]
/// struct TooSmall([u64; 4]);
/// impl ring::Slot for TooSmall {}
/// let _ = ring::channel::<TooSmall>(ring::Kind::Phase, 2);
/// ```
pub trait Slot: Pod + Send {}

/// A value as its eight words: what the rings store and move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Words(pub(crate) [u64; 8]);

impl Words {
    /// Fills a ring's memory at construction. Not zero on purpose: an allocator hands out zero pages untouched, and each
    /// would then be a page fault on the hot path of the first lap.
    pub(crate) const UNUSED: Self = Self([MARK; 8]);

    /// The words of `value`, in place.
    #[inline]
    pub(crate) fn of<T: Slot>(value: &T) -> &Self {
        let words: &Self = bytemuck::must_cast_ref(value);
        words.assert_unmarked();
        words
    }

    /// The words of each of `values`, in place.
    #[inline]
    pub(crate) fn of_all<T: Slot>(values: &[T]) -> &[Self] {
        let words: &[Self] = bytemuck::must_cast_slice(values);
        words.iter().for_each(Self::assert_unmarked);
        words
    }

    /// The value that these words are, in place.
    #[inline]
    pub(crate) fn value<T: Slot>(&self) -> &T {
        bytemuck::must_cast_ref(self)
    }

    #[inline]
    fn assert_unmarked(&self) {
        assert!(
            self.0[0] & MARK == 0,
            "bit 63 of a value's first word is the ring's and must be 0 when it is published"
        );
    }
}

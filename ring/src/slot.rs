//! What a ring carries: any plain 64-byte value that leaves one bit to the ring.
//!
//! **Idea.** A value is one cache line of plain bytes ([`bytemuck::Pod`]), so a ring can move it as eight words without
//! knowing its type. Bit 63 of the first word is reserved for the ring while the value is inside; the phase ring keeps
//! its publication mark there. Outside a ring it is 0.
//!
//! **Bound.** Exactly 64 bytes, aligned to 64, checked at compile time.
//!
//! **Worst case.** A value published with the bit set breaks the contract: publishing panics, in release builds too
//! (one predictable branch), before anything has changed.

use bytemuck::{Pod, Zeroable};

/// The bit of a value's first word that is reserved for the ring; 0 in every value published or taken.
pub const MARK: u64 = 1 << 63;

/// A 64-byte value that a ring can carry; bit 63 of its first `u64` word ([`MARK`]) is reserved for the ring.
///
/// ```compile_fail
/// #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// #[repr(C)]
/// struct TooSmall([u64; 4]);
/// impl ring::Slot for TooSmall {}
/// let _ = ring::channel::<TooSmall>(ring::Kind::Phase, 2);
/// ```
pub trait Slot: Pod + Send {}

/// A value as eight words, which is what the rings store and move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Words(pub(crate) [u64; 8]);

impl Words {
    /// Initial content of every slot. Deliberately not zero: an allocator returns zero pages untouched, and each would
    /// page-fault on the hot path of the first lap.
    pub(crate) const UNUSED: Self = Self([MARK; 8]);

    /// The words of `value`, without a copy.
    #[inline]
    pub(crate) fn of<T: Slot>(value: &T) -> &Self {
        let words: &Self = bytemuck::must_cast_ref(value);
        words.assert_unmarked();
        words
    }

    /// The words of each of `values`, without a copy.
    #[inline]
    pub(crate) fn of_all<T: Slot>(values: &[T]) -> &[Self] {
        let words: &[Self] = bytemuck::must_cast_slice(values);
        words.iter().for_each(Self::assert_unmarked);
        words
    }

    /// The value of these words, without a copy.
    #[inline]
    pub(crate) fn value<T: Slot>(&self) -> &T {
        bytemuck::must_cast_ref(self)
    }

    #[inline]
    fn assert_unmarked(&self) {
        assert!(
            self.0[0] & MARK == 0,
            "bit 63 of a published value's first word is reserved for the ring and must be 0"
        );
    }
}

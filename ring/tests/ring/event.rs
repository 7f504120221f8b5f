//! The value that the tests publish: a sequence number and words derived from it, so that a torn, lost, repeated or
//! misplaced value is detected.

use ring::{MARK, Slot};

/// A checkable 64-byte value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Event(pub(crate) [u64; 8]);

impl Slot for Event {}

impl Event {
    /// The event with this number. Every other one has all bits of its first word but the lent one in use.
    pub(crate) fn numbered(number: u64) -> Self {
        let head = if number.is_multiple_of(2) { number } else { !number & !MARK };
        let mut words = std::array::from_fn(|word| mix(number.wrapping_mul(8) + word as u64));
        words[0] = head;
        Self(words)
    }
}

/// A bijective scramble of 64 bits (splitmix64's finaliser).
pub(crate) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

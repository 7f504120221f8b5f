//! The interface of a latency model, and the draw that jitter comes from.

use flow::{EventId, Ns};

/// An hour: no latency is longer.
pub(super) const LONGEST_NS: u64 = 3_600_000_000_000;

/// The latency of single messages.
pub(in crate::exchange_sim) trait Latency: Send {
    /// The smallest latency to the venue.
    fn least(&self) -> u64;
    /// Latency to the venue of message `id` sent at `ts`; called once per message, in order.
    fn order(&mut self, id: EventId, ts: Ns) -> u64;
    /// Latency back, of a reply to `cause` made at `now`.
    fn reply(&self, cause: EventId, now: Ns) -> u64;
    /// The model's state between messages.
    fn memory(&self) -> u64 {
        0
    }
    /// Restores that state.
    fn recall(&mut self, _memory: u64) {}
}

/// A number from 0 to `most`, drawn from an event's id: SplitMix64's mixer, then a multiplication instead of a modulo.
#[inline]
pub(super) fn drawn(id: EventId, salt: u64, most: u64) -> u64 {
    let mut z = (id.0 & !EventId::RING_BIT) ^ salt;
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    ((u128::from(z) * (u128::from(most) + 1)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_in_range_and_spread() {
        let all: Vec<u64> = (0..10_000).map(|i| drawn(EventId(i), 7, 9)).collect();
        assert!((0..10).all(|n| all.iter().filter(|d| **d == n).count() > 800), "a tenth each, about");
        assert_eq!(drawn(EventId(5), 7, 0), 0);
        assert_eq!(drawn(EventId(5), 7, u64::MAX), drawn(EventId(5 | EventId::RING_BIT), 7, u64::MAX));
    }
}

//! The one source of chance.
//!
//! xoshiro256++ seeded through SplitMix64: a fixed published algorithm, so a seed means the same draws on every machine
//! and in every build. Integers are drawn by multiply-shift, and the only transcendental is `libm`'s logarithm, so no
//! draw depends on the platform's mathematics. Bound: one draw is one step of the generator, no rejection loops; the bias
//! of multiply-shift is below 2⁻³² × n, far under anything a statistic here can see.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Draws of the exchange, in order.
pub(super) struct Dice(Xoshiro256PlusPlus);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// An integer below `n`; 0 when `n` is 0.
    #[inline]
    pub(super) fn below(&mut self, n: u32) -> u32 {
        (((self.0.next_u64() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// True `of` times in 65,536.
    #[inline]
    pub(super) fn chance(&mut self, of: u32) -> bool {
        self.below(65_536) < of
    }

    /// A number in (0, 1].
    #[inline]
    pub(super) fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Exponential with mean 1.
    #[inline]
    pub(super) fn exponential(&mut self) -> f64 {
        -libm::log(self.unit())
    }

    /// How often a coin that shows heads with chance `of` / 65,536 does so in a row, at most `most` times.
    #[inline]
    pub(super) fn streak(&mut self, of: u32, most: u32) -> u32 {
        let mut heads = 0;
        while heads < most && self.chance(of) {
            heads += 1;
        }
        heads
    }
}

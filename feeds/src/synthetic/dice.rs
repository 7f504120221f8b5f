//! The only source of randomness.
//!
//! xoshiro256++ seeded through SplitMix64 is a fixed, published algorithm, so a seed produces the same draws on every
//! machine and in every build. Integers are drawn by multiply-shift, and the only transcendental function is `libm`'s
//! logarithm, so no draw depends on the platform's mathematics library. Bound: one draw is one step of the generator,
//! without rejection loops; the bias of multiply-shift is below 2⁻³² × n, far below what any statistic here can detect.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// The random generator of the exchange.
pub(super) struct Dice(Xoshiro256PlusPlus);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A uniform integer below `n`; 0 when `n` is 0.
    #[inline]
    pub(super) fn below(&mut self, n: u32) -> u32 {
        (((self.0.next_u64() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// True with probability `of` / 65,536.
    #[inline]
    pub(super) fn chance(&mut self, of: u32) -> bool {
        self.below(65_536) < of
    }

    /// A uniform number in (0, 1].
    #[inline]
    pub(super) fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// An exponential variate with mean 1.
    #[inline]
    pub(super) fn exponential(&mut self) -> f64 {
        -libm::log(self.unit())
    }

    /// How many times in a row an event of probability `of` / 65,536 occurs, at most `most`.
    #[inline]
    pub(super) fn streak(&mut self, of: u32, most: u32) -> u32 {
        let mut heads = 0;
        while heads < most && self.chance(of) {
            heads += 1;
        }
        heads
    }
}

//! What money is worth in the currency of an account.
//!
//! A rate is a few steps, each a fraction: the parts of a currency are made whole, then one listed pair or two lead to the
//! other currency. Every step is rounded once, half to even, at 1e-9, so whoever knows the steps gets the same amount. What is
//! too large on the way has no value. Bound: [`Valuation::MOST`] rates of at most three steps; 255 accounts.

use crate::{Account, Currency, divide_half_even_wide};
use std::collections::BTreeMap;
use std::num::NonZero;

/// A step from one currency to another: one unit of the first is `times` / `by` of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateStep {
    /// The numerator.
    pub times: u64,
    /// The denominator.
    pub by: NonZero<u64>,
}

/// What money of a currency is worth in another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The currency of the money, as listings state it.
    pub from: Currency,
    /// The other one.
    pub to: Currency,
    /// The steps in their order.
    pub steps: Vec<RateStep>,
}

impl Rate {
    /// An amount in 1e-9 of the one currency in 1e-9 of the other, rounded half to even at each step; `None` if it exceeds
    /// 127 bits on the way.
    pub fn convert(&self, nano: i128) -> Option<i128> {
        let over = |nano: i128, step: &RateStep| {
            let product = nano.checked_mul(step.times.into())?;
            Some(divide_half_even_wide(product, step.by.get().into()))
        };
        self.steps.iter().try_fold(nano, over)
    }
}

/// The currencies of the accounts, and the rates into them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Valuation {
    /// The currency of each account that has one.
    pub accounts: BTreeMap<Account, Currency>,
    /// The rates that are known, from the currencies of listings.
    pub rates: Vec<Rate>,
}

impl Valuation {
    /// Most rates.
    pub const MOST: usize = 1_024;

    /// The rate from one currency to another, if it is known.
    pub fn rate(&self, from: Currency, to: Currency) -> Option<&Rate> {
        self.rates.iter().find(|rate| (rate.from, rate.to) == (from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(steps: &[(u64, u64)]) -> Rate {
        let step = |(times, by): &(u64, u64)| RateStep { times: *times, by: NonZero::new(*by).unwrap() };
        Rate { from: Currency::UNKNOWN, to: Currency::UNKNOWN, steps: steps.iter().map(step).collect() }
    }

    #[test]
    fn every_step_is_rounded_once_half_to_even() {
        let pence = rate(&[(1, 100)]);
        let cases = [(50, 0), (150, 2), (250, 2), (251, 3), (-50, 0), (-150, -2), (-250, -2), (-251, -3), (0, 0)];
        for (parts, whole) in cases {
            assert_eq!(pence.convert(parts), Some(whole), "{parts}");
        }
        // 150 parts are 2 whole ones, not 1.5; half of 3 at the second step would be 2 if the first were not rounded.
        assert_eq!(rate(&[(1, 100), (3, 4)]).convert(150), Some(2));
        assert_eq!(rate(&[(3, 400)]).convert(150), Some(1));
        assert_eq!(rate(&[]).convert(7), Some(7));
    }

    #[test]
    fn what_exceeds_127_bits_on_the_way_has_no_value() {
        let (straight, inverse) = (rate(&[(2, 1)]), rate(&[(1, 2)]));
        assert_eq!(straight.convert(i128::MAX / 2), Some(i128::MAX - 1));
        assert_eq!(straight.convert(i128::MAX / 2 + 1), None);
        assert_eq!(straight.convert(i128::MIN / 2), Some(i128::MIN));
        assert_eq!(straight.convert(i128::MIN / 2 - 1), None);
        assert_eq!(inverse.convert(i128::MAX), Some(i128::MAX / 2 + 1));
        assert_eq!(rate(&[(u64::MAX, 1), (u64::MAX, u64::MAX)]).convert(1 << 63), None);
    }
}

//! Numbers with their unit in the type.
//!
//! A price is an integer of 1e-9 of the currency, a quantity an integer of the instrument's smallest unit, a time an integer
//! of nanoseconds since the Unix epoch. Sums of money are `i128` in a stage's state and never part of a record. Bound: the
//! largest price is 9.2 billion; the last nanosecond is in the year 2554.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

/// A price in 1e-9 of the listing's currency. [`Px::NONE`] is no price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable, Serialize, Deserialize)]
#[repr(transparent)]
#[serde(transparent)]
pub struct Px(pub i64);

impl Px {
    /// No price: an empty side of a book, a field that the feed omits.
    pub const NONE: Px = Px(i64::MAX);
    /// Units per unit of the currency.
    pub const ONE: i64 = 1_000_000_000;

    /// The price that a feed gives as an integer with `decimals` implied decimals (at most 9).
    #[inline]
    pub const fn from_scaled(value: i64, decimals: u32) -> Px {
        Px(value * 10i64.pow(9 - decimals))
    }

    /// `None` for [`Px::NONE`].
    #[inline]
    pub fn known(self) -> Option<Px> {
        (self != Px::NONE).then_some(self)
    }
}

/// A quantity in the instrument's smallest unit (one share, 1e-8 BTC; the listing has the scale).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable, Serialize, Deserialize)]
#[repr(transparent)]
#[serde(transparent)]
pub struct Qty(pub u64);

impl Qty {
    /// No quantity: a field that the feed omits.
    pub const NONE: Qty = Qty(u64::MAX);

    /// `None` for [`Qty::NONE`].
    #[inline]
    pub fn known(self) -> Option<Qty> {
        (self != Qty::NONE).then_some(self)
    }
}

/// Money that is not known: that of an instrument without a multiplier. The least known amount is `-i64::MAX`.
pub const NO_MONEY: i64 = i64::MIN;

/// The amount in 1e-9, brought into the range of a record; [`NO_MONEY`] is outside of it.
#[inline]
pub fn money(nano: i128) -> i64 {
    nano.clamp(-i128::from(i64::MAX), i128::from(i64::MAX)) as i64
}

/// `None` for [`NO_MONEY`].
#[inline]
pub fn known_money(nano: i64) -> Option<i64> {
    (nano != NO_MONEY).then_some(nano)
}

/// An amount in 1e-9 as an exact decimal with at least `decimals` digits after the point; `None` for [`NO_MONEY`].
pub fn amount(nano: i64, decimals: u32) -> Option<String> {
    known_money(nano).map(|nano| decimal(nano.into(), 9, decimals))
}

/// A time in nanoseconds since the Unix epoch. [`Ns::NONE`] is no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable, Serialize, Deserialize)]
#[repr(transparent)]
#[serde(transparent)]
pub struct Ns(pub u64);

impl Ns {
    /// No time.
    pub const NONE: Ns = Ns(u64::MAX);
    /// One second.
    pub const SECOND: u64 = 1_000_000_000;

    /// `None` for [`Ns::NONE`].
    #[inline]
    pub fn known(self) -> Option<Ns> {
        (self != Ns::NONE).then_some(self)
    }
}

/// Writes `value` × 10^-`scale` as an exact decimal with at least `decimals` digits after the point; more only if the value
/// has them, so nothing is rounded.
pub fn decimal(value: i128, scale: u32, decimals: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    let kept = fraction.trim_end_matches('0').len().max((decimals as usize).min(fraction.len()));
    let padding = (decimals as usize).saturating_sub(fraction.len());
    match kept + padding {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{}{}", &fraction[..kept], "0".repeat(padding)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_padded() {
        assert_eq!(decimal(320_140_000_000, 9, 4), "320.1400");
        assert_eq!(decimal(320_140_000_001, 9, 4), "320.140000001");
        assert_eq!(decimal(-5, 9, 4), "-0.000000005");
        assert_eq!(decimal(0, 9, 2), "0.00");
        assert_eq!(decimal(7, 0, 0), "7");
        assert_eq!(decimal(7, 0, 2), "7.00");
        assert_eq!(decimal(100_000_000, 8, 0), "1");
        assert_eq!(decimal(100_000_010, 8, 0), "1.0000001");
    }

    #[test]
    fn feed_prices_scale_to_nano() {
        assert_eq!(Px::from_scaled(3_201_400, 4), Px(320_140_000_000));
        assert_eq!(Px::from_scaled(1, 9), Px(1));
    }
}

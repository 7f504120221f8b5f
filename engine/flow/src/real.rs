//! Real numbers in records: measures, confidences, thresholds. One door leads in.
//!
//! An f64 that is computed may be a NaN whose sign and payload depend on the build and the machine, and a zero whose sign
//! depends on the order of the operands. Rows, hashes and journals hold every bit, so both would make two equal runs differ.
//! A record therefore holds no f64 but a [`Real`], and [`Real::of`] alone makes one: what is not finite becomes the one
//! unknown number, and a negative zero becomes zero. `records!` compiles with nothing else, so no stage goes around it.
//!
//! Bound: two comparisons and an addition a number.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A finite number, or [`Real::NONE`]. Equal numbers have equal bits.
///
/// ```compile_fail
/// let around_the_door = flow::Real(f64::NAN.to_bits());
/// ```
/// ```compile_fail
/// let not_through_the_door = flow::records::Vpin { vpin: f64::NAN, ..Default::default() };
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Pod, Zeroable, Serialize, Deserialize)]
#[repr(transparent)]
#[serde(from = "f64", into = "f64")]
pub struct Real(u64);

impl Real {
    /// No number. It is the only NaN that a record may hold.
    pub const NONE: Real = Real(0x7ff8_0000_0000_0000);

    /// The number, if there is one and it is finite.
    #[inline]
    pub fn of(number: impl Into<Option<f64>>) -> Real {
        match number.into() {
            // Adding zero takes the sign from a negative zero, and changes nothing else.
            Some(finite) if finite.is_finite() => Real((finite + 0.0).to_bits()),
            _ => Real::NONE,
        }
    }

    /// The number; `None` for [`Real::NONE`].
    #[inline]
    pub fn known(self) -> Option<f64> {
        Some(f64::from_bits(self.0)).filter(|number| number.is_finite())
    }
}

impl From<f64> for Real {
    #[inline]
    fn from(number: f64) -> Real {
        Real::of(number)
    }
}

/// The number, NaN for [`Real::NONE`].
impl From<Real> for f64 {
    #[inline]
    fn from(real: Real) -> f64 {
        real.known().unwrap_or(f64::NAN)
    }
}

impl fmt::Debug for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some(number) => write!(f, "{number:?}"),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_is_one_number_and_zero_has_no_sign() {
        let nans = [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001), f64::from_bits(0xffff_dead_beef_0000)];
        for unknown in nans.into_iter().chain([f64::INFINITY, f64::NEG_INFINITY]) {
            assert_eq!((Real::of(unknown), Real::of(unknown).known()), (Real::NONE, None));
            assert!(f64::from(Real::of(unknown)).is_nan());
        }
        assert_eq!((Real::of(None), Real::of(Some(0.5))), (Real::NONE, Real::of(0.5)));
        assert_eq!((Real::of(-0.0), Real::of(-0.0).0), (Real::of(0.0), 0));
        for number in [0.1, -0.1, f64::MAX, f64::MIN, f64::MIN_POSITIVE, -5e-324] {
            assert_eq!((Real::of(number).known(), Real::of(number).0), (Some(number), number.to_bits()));
        }
    }
}

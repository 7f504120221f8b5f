//! An average that glides: it begins as the mean of the first values, and each further one moves it by a part.
//!
//! How large the part is makes the difference between an exponential average, two parts of one more than the values of the first mean,
//! and Wilder's, one part of as many. Every one begins with its own mean, also where it is an average of averages.
//!
//! Bound: 16 bytes, a division a value.

use serde::{Deserialize, Serialize};

/// An average; before it is known, the sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Gliding {
    /// Values so far, no more than those of the first mean.
    values: u16,
    value: f64,
}

impl Gliding {
    /// Adds a value, each further one as Wilder does; `of` values make the first mean.
    pub(super) fn wilder(&mut self, value: f64, of: u16) {
        if !self.begins(value, of) {
            self.value = (self.value * f64::from(of - 1) + value) / f64::from(of);
        }
    }

    /// Adds a value, each further one exponentially; `of` values make the first mean.
    pub(super) fn exponential(&mut self, value: f64, of: u16) {
        if !self.begins(value, of) {
            self.value += (value - self.value) * (2.0 / (f64::from(of) + 1.0));
        }
    }

    /// Whether the value is one of the first mean, which then has it.
    fn begins(&mut self, value: f64, of: u16) -> bool {
        if self.values >= of {
            return false;
        }
        self.values += 1;
        self.value += value;
        if self.values == of {
            self.value /= f64::from(of);
        }
        true
    }

    /// Whether there was no value yet.
    pub(super) fn is_empty(&self) -> bool {
        self.values == 0
    }

    /// The average, once there are `of` values.
    pub(super) fn known(&self, of: u16) -> Option<f64> {
        (self.values >= of).then_some(self.value)
    }
}

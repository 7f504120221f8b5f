//! Power model: f(x) = x^n; cancels are split in the ratio f(ahead) : f(behind).
//!
//! With n = 1 it is pro rata. The larger n, the more of the cancels fall on the longer part of the queue: near the end
//! of a long queue they are mostly ahead of us, near its front mostly behind. Rounded down. Bound: O(1); the power is
//! `libm`'s, the same on every machine.

use super::model::QueueModel;
use flow::{FloatParam, Params};

/// The exponent n.
pub(crate) const QUEUE_POWER: FloatParam =
    FloatParam::new("queue_power", (0.1, 16.0), "3", "exponent of the queue model power");

/// The model.
pub(super) struct Power {
    n: f64,
}

impl Power {
    /// From `queue_power`.
    pub(super) fn new(params: &Params) -> Power {
        Power::of(params.get(QUEUE_POWER))
    }

    pub(super) fn of(n: f64) -> Power {
        Power { n }
    }
}

impl QueueModel for Power {
    fn ahead_part(&self, gone: u64, ahead: u64, behind: u64) -> u64 {
        if ahead == 0 || behind == 0 {
            return gone.min(ahead);
        }
        // f(ahead) / (f(ahead) + f(behind)), as one power so that no sum overflows.
        let ratio = libm::pow(behind as f64 / ahead as f64, self.n);
        (gone as f64 / (1.0 + ratio)) as u64
    }
}

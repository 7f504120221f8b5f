//! Power: f(x) = x^n, what is gone divided as f(ahead) to f(behind).
//!
//! With n = 1 it is pro rata; the larger n, the more the longer side gives: somebody at the end of a long queue is the
//! likelier to see those before him leave, somebody near its front to see those behind him do so. Rounded down.
//! Bound: O(1); the power is that of `libm`, the same on every machine.

use super::model::QueueModel;
use flow::Params;

/// The model.
pub(super) struct Power {
    n: f64,
}

impl Power {
    /// From `queue_power`.
    pub(super) fn new(params: &Params) -> Power {
        Power::of(params.float("queue_power"))
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
        // f(ahead) / (f(ahead) + f(behind)), in one power so that no sum overflows.
        let ratio = libm::pow(behind as f64 / ahead as f64, self.n);
        (gone as f64 / (1.0 + ratio)) as u64
    }
}

//! Pro-rata model: every share at the level is equally likely to be cancelled.
//!
//! Cancels are split between ahead and behind in proportion to the shares there. The part ahead is rounded down, so our
//! position never improves by more than the proportion. Bound: O(1), integers only.

use super::model::QueueModel;

/// The model.
pub(super) struct ProRataBehind;

impl QueueModel for ProRataBehind {
    fn ahead_part(&self, gone: u64, ahead: u64, behind: u64) -> u64 {
        let all = u128::from(ahead) + u128::from(behind);
        (u128::from(gone) * u128::from(ahead)).checked_div(all).map_or(0, |part| part as u64)
    }
}

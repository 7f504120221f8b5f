//! Pro rata: every share of the level is as likely to be cancelled as any other.
//!
//! What is gone is divided between ahead and behind in proportion to what stands there; rounded down, so that we are
//! never further ahead than in proportion. Bound: O(1), integers only.

use super::model::QueueModel;

/// The model.
pub(super) struct ProRataBehind;

impl QueueModel for ProRataBehind {
    fn ahead_part(&self, gone: u64, ahead: u64, behind: u64) -> u64 {
        let all = u128::from(ahead) + u128::from(behind);
        (u128::from(gone) * u128::from(ahead)).checked_div(all).map_or(0, |part| part as u64)
    }
}

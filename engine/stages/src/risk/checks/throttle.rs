//! Message throttle: the number of new orders and replaces in any window of event time.
//!
//! It is exact, not a token bucket: the times of the last messages that passed are in a ring, and the message N messages
//! ago must be older than the window. Refused requests do not count, and cancels are not throttled.

use crate::risk::breach::{Breach, CheckEntry, limit};
use crate::risk::gate::Gate;
use crate::risk::messages::{MAX_MESSAGES, WINDOW_MS};
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 8,
    name: "throttle",
    unit: "messages",
    about: "Too many messages within the window.",
    limit: Some(limit("max_messages", MAX_MESSAGES, "1_000").unit("messages per window")),
    params: &[WINDOW_MS.param()],
};

#[inline]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    if limit != 0 && !gate.messages.is_within(proposal.now, limit as u64) {
        return None;
    }
    Breach::of(limit, gate.messages.within(proposal.now) as i128 + 1)
}

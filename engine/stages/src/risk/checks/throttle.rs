//! Message throttle: the number of new orders and replaces in any window of event time.
//!
//! It is exact, not a token bucket: the times of the last messages that passed are in a ring, and the message N messages
//! ago must be older than the window. Refused requests do not count, and cancels are not throttled.

use crate::risk::breach::{Breach, CheckEntry, limit};
use crate::risk::gate::Gate;
use crate::risk::messages::{MAX_MESSAGES, Messages, WINDOW_MS};
use crate::risk::proposal::Proposal;
use flow::IntParam;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 8,
    name: "throttle",
    unit: "messages",
    about: "Too many messages within the window.",
    limit: Some(limit("max_messages", MAX_MESSAGES, "1_000").unit("messages per window")),
    params: &[WINDOW_MS.param(), RESERVED.param()],
};

/// The most messages that may be reserved.
const MAX_RESERVED: u64 = 4_096;

const _: () = assert!(2 * MAX_RESERVED <= MAX_MESSAGES, "the ring of times has room for both");

/// What orders that only reduce a position may send beyond the limit.
pub(in crate::risk) const RESERVED: IntParam = IntParam::new(
    "reduce_messages",
    (1, MAX_RESERVED),
    "100",
    "messages per window beyond the limit, for orders that only reduce a position",
)
.unit("messages per window");

/// Its share comes on top of the limit, also of one that is not set.
pub(super) fn breach_reducing(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    let limit = limit.saturating_add(gate.reduce_messages);
    if gate.messages.is_within(proposal.now, limit as u64) {
        return Breach::of(limit, gate.messages.within(proposal.now) as i128 + 1);
    }
    None
}

/// The messages of the level's accounts, strategies and instruments count.
pub(super) fn at_level(gate: &Gate, proposal: &Proposal, limit: i64, level: usize) -> Option<Breach> {
    one_more(gate.levels.messages(level, proposal.id()), proposal, limit)
}

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    one_more(&gate.messages, proposal, limit)
}

#[inline(always)]
fn one_more(messages: &Messages, proposal: &Proposal, limit: i64) -> Option<Breach> {
    if limit != 0 && !messages.is_within(proposal.now, limit as u64) {
        return None;
    }
    Breach::of(limit, messages.within(proposal.now) as i128 + 1)
}

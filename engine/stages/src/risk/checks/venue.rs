//! Venue: no order passes while the session with its venue is lost, or while it does not answer an order of the
//! instrument, or says that more of one is filled than it tells. What other venues do is nothing to it.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 12,
    name: "venue",
    unit: "state",
    about: "The venue does not answer.",
    limit: None,
    params: &[],
};

/// What is wrong with the venue.
const LOST: i64 = 1;
const UNANSWERED: i64 = 2;

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    let is_lost = gate.lost != 0 && gate.is_lost_for(proposal.id());
    let may_be_late = !gate.open.late().is_empty() || !gate.unexplained.is_empty();
    let is_late = may_be_late && gate.is_late_for(proposal);
    let wrong = if is_lost { LOST } else { UNANSWERED };
    (is_lost || is_late).then_some(Breach { limit: 0, value: wrong })
}

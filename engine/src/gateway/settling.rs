//! Which inputs settle a route, and which answer it.
//!
//! A route is settled once it is known whether it was sent, and answered once the venue has sent a numbered answer to it.
//! The gateway's thread and the head both decide from the same inputs, so they agree after a restart. Bound: one entry of
//! [`Unanswered`] per route in flight.

use flow::records::{Ack, Cancelled, Reject, Sent};
use flow::{Event, Kind, RejectReason, SOURCE_RETURNS};
use std::collections::BTreeMap;

/// Whether an input is a numbered answer, that is, it came from the venue and not from the gateway.
pub fn is_numbered(input: &Event) -> bool {
    let never_sent = |r: &Reject| r.reason == RejectReason::NeverSent.code();
    input.source == SOURCE_RETURNS
        && sinks::wire::ANSWERS.has(input.kind)
        && !input.get::<Reject>().is_some_and(never_sent)
}

/// The id of the route that an input settles, if it settles one.
pub(crate) fn settles(input: &Event) -> Option<u64> {
    if input.source != SOURCE_RETURNS {
        return None;
    }
    if input.kind == Kind::Reject && !is_numbered(input) {
        return Some(input.record::<Reject>().cause);
    }
    input.get::<Sent>().map(|sent| sent.cause)
}

/// Routes sent but not answered: `sent` inputs by route id.
pub(crate) type Unanswered = BTreeMap<u64, Event>;

/// Removes the route that an input answers; `false` if there is none. A route id is unique within its journal only, an
/// order id for ever, so comparing the order tells an answer from an earlier journal apart.
pub(crate) fn answer(unanswered: &mut Unanswered, input: &Event) -> bool {
    let (cause, order_id) = match input.kind {
        Kind::Ack => (input.record::<Ack>().cause, input.record::<Ack>().order_id),
        Kind::Reject => (input.record::<Reject>().cause, input.record::<Reject>().order_id),
        Kind::Cancelled => (input.record::<Cancelled>().cause, input.record::<Cancelled>().order_id),
        _ => return false,
    };
    let is_for = |sent: &Event| sent.record::<Sent>().order_id == order_id;
    unanswered.get(&cause).is_some_and(is_for) && unanswered.remove(&cause).is_some()
}

//! Which inputs settle a route, and which answer it.
//!
//! A route is settled as soon as it is known whether it was sent, and answered when the venue has numbered an answer to
//! it. The gateway's thread and the head judge both by the same inputs, so that they agree after a restart. Bound: an
//! entry in [`Unanswered`] for each route on its way.

use flow::records::{Ack, Cancelled, Reject, Sent};
use flow::{Event, Kind, RejectReason, SOURCE_RETURNS};
use std::collections::BTreeMap;

/// Whether an input is an answer that a venue numbered: it gave it, not the gateway.
pub fn is_numbered(input: &Event) -> bool {
    let never_sent = |r: &Reject| r.reason == RejectReason::NeverSent.code();
    input.source == SOURCE_RETURNS
        && sinks::wire::ANSWERS.has(input.kind)
        && !input.get::<Reject>().is_some_and(never_sent)
}

/// The id of the route that an input settles: it is known whether it was sent.
pub(crate) fn settles(input: &Event) -> Option<u64> {
    if input.source != SOURCE_RETURNS {
        return None;
    }
    if input.kind == Kind::Reject && !is_numbered(input) {
        return Some(input.record::<Reject>().cause);
    }
    input.get::<Sent>().map(|sent| sent.cause)
}

/// What was sent and is not answered: `sent` inputs by the id of their route.
pub(crate) type Unanswered = BTreeMap<u64, Event>;

/// Takes the route away that an input answers; whether there was one. A route's id is unique in its journal, an order's
/// for ever: an answer to a journal before is told by its order.
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

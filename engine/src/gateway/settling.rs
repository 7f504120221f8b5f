//! Which inputs settle a route, and which answer it; and the two inputs that a gateway makes of a route.
//!
//! A route is settled once it is known whether it was sent, and answered once the venue has sent a numbered answer to it.
//! The gateway's thread and the head both decide from the same inputs, so they agree after a restart. Bound: one entry of
//! [`Unanswered`] per route in flight.

use flow::records::{Ack, Cancelled, Reject, Route, Sent};
use flow::{Action, Event, Flags, Kind, Ns, Record, RejectReason, SOURCE_RETURNS, is_returned};
use std::collections::BTreeMap;

/// Whether an input is a numbered answer, that is, it came from the venue and not from the gateway.
pub fn is_numbered(input: &Event) -> bool {
    let never_sent = |r: &Reject| r.reason == RejectReason::NeverSent.code();
    is_returned(input.source) && sinks::wire::ANSWERS.has(input.kind) && !input.get::<Reject>().is_some_and(never_sent)
}

/// The id of the route that an input settles, if it settles one.
pub fn settles(input: &Event) -> Option<u64> {
    if !is_returned(input.source) {
        return None;
    }
    if input.kind == Kind::Reject && !is_numbered(input) {
        return Some(input.record::<Reject>().cause);
    }
    input.get::<Sent>().map(|sent| sent.cause)
}

/// Routes sent but not answered: `sent` inputs by route id.
pub(crate) type Unanswered = BTreeMap<u64, Event>;

/// The route that an input answers, if it is an answer to one, and its order. A route id is unique within its journal only, an
/// order id for ever, so comparing the order tells an answer from an earlier journal apart.
pub(super) fn answered(input: &Event) -> Option<(u64, u64)> {
    match input.kind {
        Kind::Ack => Some((input.record::<Ack>().cause, input.record::<Ack>().order_id)),
        Kind::Reject => Some((input.record::<Reject>().cause, input.record::<Reject>().order_id)),
        Kind::Cancelled => Some((input.record::<Cancelled>().cause, input.record::<Cancelled>().order_id)),
        _ => None,
    }
}

/// Removes the route that an input answers; `false` if there is none.
pub(crate) fn answer(unanswered: &mut Unanswered, input: &Event) -> bool {
    let Some((cause, order_id)) = answered(input) else { return false };
    let is_for = |sent: &Event| sent.record::<Sent>().order_id == order_id;
    unanswered.get(&cause).is_some_and(is_for) && unanswered.remove(&cause).is_some()
}

/// An input of a venue's returns that the gateway makes itself. Its source becomes the gateway's when it leaves for the head.
pub(super) fn returned<R: Record>(instrument: u32, flags: Flags, record: &R) -> Event {
    Event { source: SOURCE_RETURNS, ..Event::new(Ns(0), instrument, flags, record) }
}

/// The `sent` input for a route.
pub(super) fn sent(route: &Event) -> Event {
    let Route { order_id, action, qty, .. } = *route.record();
    let sent = Sent { order_id, cause: route.id.0, qty, action, ..Sent::default() };
    returned(route.instrument, Flags::LAST_OF_GROUP.with_side(route.side()), &sent)
}

/// The `reject` input for a route that was never sent.
pub(super) fn never_sent(sent: &Event) -> Event {
    let Sent { order_id, cause, action, .. } = *sent.record();
    let reject = Reject { order_id, cause, reason: RejectReason::NeverSent.code(), action, ..Reject::default() };
    returned(sent.instrument, Flags::LAST_OF_GROUP.with_side(sent.side()), &reject)
}

/// Whether a `sent` is of a route that makes an order, so that the venue can be asked about it.
pub(super) fn makes_an_order(sent: &Event) -> bool {
    Action::makes_an_order(sent.record::<Sent>().action)
}

//! Other orders that an order has to do with: what it replaced and what replaced it, the legs of its group, and what closes the
//! position that it opened.
//!
//! Replaces and groups name each other. An exit names nobody: it is the child of an order if it only reduces, is of the same
//! owner and instrument, and was asked for at the input that brought that order's fill.

use super::model::{Relation, Relative};
use super::moment::Moment;
use super::outcome::{outcome, terms};
use crate::provenance::index::{MemberIndex, Trouble};
use flow::records::{Fill, Order, ReplaceRequest, Request};
use flow::{Event, Kind, Listings, OrderId, Reduces};

/// The most other orders that a story names.
pub(super) const MOST_RELATIVES: usize = 64;

/// Names an order, once.
fn note(all: &mut Vec<(Relation, OrderId)>, relation: Relation, id: u64, own: OrderId) {
    let order = OrderId(id);
    if id != 0 && order != own && !all.iter().any(|(_, known)| *known == order) {
        all.push((relation, order));
    }
}

/// Whether a request closes what an order has opened.
fn is_exit(event: &Event, request: &Request, order: OrderId, instrument: u32) -> bool {
    let id = OrderId(request.order_id);
    let owner = (id.account(), id.strategy()) == (order.account(), order.strategy());
    owner && event.instrument == instrument && request.reduces == Reduces::Only.code()
}

/// The orders that those steps name, and those at the moment of its request and of its fills.
pub(super) fn named(
    order: OrderId,
    own: &[Event],
    asked: &[Moment],
    fills: &[Moment],
    cause: Option<&Event>,
) -> Vec<(Relation, OrderId)> {
    let mut all = Vec::new();
    for event in own {
        if let Some(replace) = event.get::<ReplaceRequest>() {
            note(&mut all, Relation::ReplacedBy, if replace.order_id == order.0 { replace.new_id } else { 0 }, order);
            note(&mut all, Relation::Replaces, if replace.new_id == order.0 { replace.order_id } else { 0 }, order);
        } else if let Some(approved) = event.get::<Order>().filter(|o| o.order_id == order.0) {
            note(&mut all, Relation::Replaces, approved.replaces, order);
        }
    }
    let request =
        own.iter().find_map(|event| event.get::<Request>().filter(|r| r.order_id == order.0).map(|r| (event, r)));
    let group = request.map_or(0, |(_, request)| request.group);
    let requests = |moments: &[Moment]| -> Vec<Event> {
        moments.iter().flat_map(|moment| &moment.0).map(|(_, e)| *e).filter(|e| e.kind == Kind::Request).collect()
    };
    for event in requests(asked) {
        let other: &Request = event.record();
        note(&mut all, Relation::Leg, if group != 0 && other.group == group { other.order_id } else { 0 }, order);
    }
    if let Some((event, own)) = request
        && let Some(fill) = cause.and_then(|cause| cause.get::<Fill>())
        && is_exit(event, own, OrderId(fill.order_id), event.instrument)
    {
        note(&mut all, Relation::Parent, fill.order_id, order);
    }
    let instrument = own.first().map_or(0, |event| event.instrument);
    for event in requests(fills) {
        let other: &Request = event.record();
        let is_child = is_exit(&event, other, order, instrument);
        note(&mut all, Relation::Child, if is_child { other.order_id } else { 0 }, order);
    }
    all.truncate(MOST_RELATIVES);
    all
}

/// One line of another order, which may be of another instrument.
pub(super) fn relative(
    members: &mut [MemberIndex],
    (relation, order): (Relation, OrderId),
) -> Result<Relative, Trouble> {
    let (mut events, mut listings) = (Vec::new(), Listings::default());
    for member in members {
        let found = member.of_order(order)?;
        if let Some((_, _, first)) = found.first().filter(|_| events.is_empty()) {
            listings = member.listings(first.instrument, member.record_of(first.id.seq()))?;
        }
        events.extend(found.into_iter().map(|(_, _, event)| event));
    }
    let is_first = |event: &&Event| matches!(event.kind, Kind::Request | Kind::ReplaceRequest);
    let seq = events.iter().find(is_first).map(|event| event.id.seq());
    let listed = events.first().and_then(|event| listings.get(event.instrument));
    let (terms, state) = (terms(order, &events, listed), outcome(order, &events, listed).words);
    Ok(Relative { relation, order, seq, terms, state })
}

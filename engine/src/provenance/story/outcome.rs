//! Terms of an order and what became of it, read from its own events alone.

use super::model::Outcome;
use flow::records::{Booked, Cancelled, Fill, Order, Refused, Reject, ReplaceRequest, Request, Route};
use flow::{
    Action, Booking, CancelReason, Event, Kind, Listed, OrderId, OrderType, Px, Qty, RejectReason, Side, Tif, decimal,
};

/// A quantity in the unit of its instrument.
pub(in crate::provenance) fn qty(qty: u64, listed: Option<&Listed>) -> String {
    match listed.map_or(0, |l| u32::from(l.terms.qty_decimals)) {
        0 => qty.to_string(),
        scale => decimal(qty.into(), scale, scale),
    }
}

/// A price in the decimals of its instrument.
pub(in crate::provenance) fn px(px: Px, listed: Option<&Listed>) -> String {
    px.known()
        .map_or_else(|| "market".to_owned(), |px| decimal(px.0.into(), 9, listed.map_or(2, Listed::price_decimals)))
}

/// Side, quantity, price, type and time in force, as far as an event says them.
struct Terms {
    side: Side,
    qty: Qty,
    px: Px,
    order_type: u8,
    tif: u8,
}

/// The terms that an event states of an order.
fn stated(event: &Event, order: OrderId) -> Option<Terms> {
    let terms = |qty, px, order_type, tif| Terms { side: event.side(), qty, px, order_type, tif };
    match event.kind {
        Kind::Request => {
            let Request { order_id, px, qty, order_type, tif, .. } = *event.record();
            (order_id == order.0).then(|| terms(qty, px, order_type, tif))
        }
        Kind::ReplaceRequest => {
            let ReplaceRequest { new_id, px, qty, .. } = *event.record();
            (new_id == order.0).then(|| terms(qty, px, 0, 0))
        }
        Kind::Order => {
            let Order { order_id, px, qty, order_type, tif, .. } = *event.record();
            (order_id == order.0).then(|| terms(qty, px, order_type, tif))
        }
        Kind::Route => {
            let Route { order_id, px, qty, order_type, tif, action, .. } = *event.record();
            (order_id == order.0 && Action::makes_an_order(action)).then(|| terms(qty, px, order_type, tif))
        }
        _ => None,
    }
}

/// The terms of an order in words: `buy 100 AAPL at 320.1400, limit day`.
pub(in crate::provenance) fn terms(order: OrderId, events: &[Event], listed: Option<&Listed>) -> String {
    let all: Vec<Terms> = events.iter().filter_map(|event| stated(event, order)).collect();
    let Some(first) = all.first() else { return "terms not in the journal".to_owned() };
    let code = |of: fn(&Terms) -> u8| all.iter().map(of).find(|code| *code != 0);
    let order_type = code(|t| t.order_type).and_then(OrderType::from_code);
    let tif = code(|t| t.tif).and_then(Tif::from_code);
    let side = all.iter().map(|t| t.side).find(|side| *side != Side::None).map_or("", Side::name);
    let symbol = listed.map_or("", |l| l.symbol.as_str());
    let at = match order_type {
        Some(OrderType::Market) => "at the market".to_owned(),
        _ => format!("at {}", px(first.px, listed)),
    };
    let words = [side, &qty(first.qty.0, listed), symbol, &at].join(" ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let kinds = [order_type.map(OrderType::name).filter(|name| *name != "market"), tif.map(Tif::name)];
    let kinds = kinds.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if kinds.is_empty() { words } else { format!("{words}, {kinds}") }
}

/// What was filled: from what was booked, or else from the reports.
fn filled(events: &[Event], order: OrderId) -> u64 {
    let of = |event: &&Event| event.get::<Booked>().is_some_and(|b| b.order_id == order.0);
    let mut sum: u64 = 0;
    for event in events.iter().filter(of) {
        let booked: &Booked = event.record();
        sum = match Booking::from_code(booked.what) {
            Some(Booking::Busted) => sum.saturating_sub(booked.qty.0),
            _ => sum.saturating_add(booked.qty.0),
        };
    }
    if events.iter().any(|event| event.kind == Kind::Booked) {
        return sum;
    }
    let fills = events.iter().filter_map(|event| event.get::<Fill>());
    fills.filter(|fill| fill.order_id == order.0).map(|fill| fill.qty.0).sum()
}

/// What became of an order, from its events in their order.
pub(in crate::provenance) fn outcome(order: OrderId, events: &[Event], listed: Option<&Listed>) -> Outcome {
    let wanted = events.iter().find_map(|event| stated(event, order)).map(|terms| terms.qty.0);
    let sum = filled(events, order);
    let share = match wanted {
        Some(wanted) => format!("{} of {} filled", qty(sum, listed), qty(wanted, listed)),
        None => format!("{} filled", qty(sum, listed)),
    };
    let of = |state, words| Outcome { state, words, filled: sum };
    for event in events.iter().rev() {
        if let Some(refused) = event.get::<Refused>().filter(|r| r.order_id == order.0) {
            return of("refused", format!("refused by {}", stages::risk::check_name(refused.check)));
        }
        if let Some(reject) = event.get::<Reject>().filter(|r| Action::makes_an_order(r.action)) {
            let why = RejectReason::from_code(reject.reason).map_or("unknown reason", RejectReason::name);
            return of("rejected", format!("rejected by the venue: {why}"));
        }
        if let Some(cancelled) = event.get::<Cancelled>() {
            let why = CancelReason::from_code(cancelled.reason).map_or("unknown reason", CancelReason::name);
            return of("cancelled", format!("{share}, rest cancelled: {why}"));
        }
        if event.get::<flow::records::Ack>().is_some_and(|ack| ack.replaces == order.0) {
            return of("replaced", format!("{share}, rest replaced"));
        }
    }
    let has = |kind| events.iter().any(|event| event.kind == kind);
    match wanted {
        Some(wanted) if sum >= wanted && sum > 0 => of("filled", share),
        _ if has(Kind::Ack) || sum > 0 => of("open", format!("{share}; open at the end of the journal")),
        _ if has(Kind::Sent) || has(Kind::Route) => of("sent", "no answer of the venue in the journal".to_owned()),
        _ if has(Kind::Order) => of("approved", "approved; no route in the journal".to_owned()),
        _ => of("asked", "asked for; nothing more in the journal".to_owned()),
    }
}

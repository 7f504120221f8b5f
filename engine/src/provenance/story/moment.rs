//! What an input caused at once: the outcomes of one input, and which of them led to an order.
//!
//! The log is in the order in which the pipeline went: what an event caused stands right behind it. So the intent of a request is
//! the last one before it that has its terms, and a strategy's signal is the first of its own behind the intent.
//!
//! Bound: the outcomes of one input.

use flow::records::{Intent, Position, Request, Signal};
use flow::{Action, Event, Kind, OrderId, Reduces};

/// The outcomes of one input, each with the number of its record.
pub(super) struct Moment(pub(super) Vec<(u64, Event)>);

impl Moment {
    /// The intent that a request follows from. A position that is closed by command has none.
    pub(super) fn intent_of(&self, at: u64, event: &Event, order: OrderId) -> Option<(u64, Event)> {
        let is_commanded = event.get::<Request>().is_some_and(|r| r.reduces == Reduces::Commanded.code());
        let fits = |found: &Event| {
            let Some(intent) = found.get::<Intent>() else { return false };
            let owner = (intent.account, intent.strategy) == (order.account(), order.strategy());
            let place = found.instrument == event.instrument;
            owner && place && terms_fit(intent, event)
        };
        let before = self.0.iter().rev().filter(|(record, _)| *record < at);
        before.filter(|_| !is_commanded).find(|(_, found)| fits(found)).copied()
    }

    /// The signal of an intent and its reasons.
    pub(super) fn signal_of(&self, at: u64, intent: &Event) -> Option<(u64, Vec<Event>)> {
        let own: &Intent = intent.record();
        let is_own = |event: &Event| event.id.position() == intent.id.position();
        let behind = self.0.iter().filter(|(record, event)| *record > at && is_own(event));
        for (record, event) in behind {
            if let Some(signal) = event.get::<Signal>() {
                // A signal of another strategy of the same stage, or of a later intent, is none of this one.
                let is_legs = own.group != 0 || event.instrument == intent.instrument;
                let is_its = signal.strategy == own.strategy && is_legs;
                return is_its.then(|| (*record, self.with_reasons(*record, event, signal.reasons)));
            }
            if let Some(next) = event.get::<Intent>()
                && (own.group == 0 || next.group != own.group)
            {
                return None;
            }
        }
        None
    }

    fn with_reasons(&self, at: u64, signal: &Event, count: u16) -> Vec<Event> {
        let is_reason = |event: &&Event| event.kind == Kind::Reason && event.id.position() == signal.id.position();
        let behind = self.0.iter().filter(|(record, _)| *record > at).map(|(_, event)| event);
        std::iter::once(signal).chain(behind.filter(is_reason).take(count.into())).copied().collect()
    }

    /// The position that a booked fill made: the last one before it of its owner.
    pub(super) fn position_of(&self, at: u64, booked: &Event, order: OrderId) -> Option<(u64, Event)> {
        let is_its = |event: &Event| {
            let position = event.get::<Position>();
            let owner = position.map(|p| (p.account, p.strategy));
            owner == Some((order.account(), order.strategy())) && event.instrument == booked.instrument
        };
        self.0.iter().rev().filter(|(record, _)| *record < at).find(|(_, event)| is_its(event)).copied()
    }
}

/// Whether a request may follow from an intent: a request has its terms, what replaces an order names it.
fn terms_fit(intent: &Intent, event: &Event) -> bool {
    if let Some(request) = event.get::<Request>() {
        let same = (request.px, request.group, request.order_type, request.tif)
            == (intent.px, intent.group, intent.order_type, intent.tif);
        return same && intent.action == Action::New.code();
    }
    let replaced = event.get::<flow::records::ReplaceRequest>().map(|replace| replace.order_id);
    intent.action == Action::Replace.code() && replaced == Some(intent.order_id)
}

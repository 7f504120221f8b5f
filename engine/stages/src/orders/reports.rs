//! Execution reports: acks, rejects, cancels and refusals, matched with orders.
//!
//! A report is matched with its order (id, instrument, and for a replace the order that it replaces), then the life cycle
//! decides. If either fails, an anomaly is emitted and no order changes. Bound: one lookup per table.

use super::chains::Ended;
use super::cycle::{State, Step};
use super::manager::{OrderManager, push_anomaly};
use super::table::Order;
use crate::portfolio::Key;
use flow::records::{Ack, CancelRequest, Command, Refused, Reject};
use flow::{Action, AnomalyKind, CommandAction, Event, Flags, OrderId, Out, Side};

impl OrderManager {
    pub(super) fn listing(&mut self, event: &Event) {
        if event.instrument != 0
            && let Some(instrument) = self.instruments.get_mut(event.instrument as usize)
        {
            instrument.listed = true;
        }
    }

    /// Of the whole market (instrument 0) a status says nothing about one instrument.
    pub(super) fn status(&mut self, event: &Event) {
        if event.instrument != 0
            && let Some(instrument) = self.instruments.get_mut(event.instrument as usize)
        {
            instrument.halts.take(event.record());
        }
    }

    /// Applies a transition to the order of that id; an illegal one emits an anomaly and changes nothing.
    pub(super) fn step(&mut self, id: OrderId, step: Step, event: &Event, out: &mut Out) -> Option<Order> {
        let Some(mut order) = self.orders.get(id) else {
            self.unmatched(id, step, event, out);
            return None;
        };
        let legal = order.state.after(step, order.filled > 0).filter(|_| order.instrument == event.instrument);
        let Some(state) = legal else {
            push_anomaly(AnomalyKind::IllegalTransition, event, id.0, out);
            return None;
        };
        order.state = state;
        order.sent |= step == Step::Sent;
        self.put(order);
        Some(order)
    }

    /// Stores an order; how a terminal one ended is remembered as long as its fills are.
    pub(super) fn put(&mut self, order: Order) {
        self.orders.put(order);
        if order.state.is_terminal() {
            self.instruments[order.instrument as usize].open[usize::from(order.side == Side::Sell)] -= 1;
        }
        if order.state.is_terminal()
            && order.state != State::Replaced
            && let Some(chain) = self.chains.get_mut(order.root)
        {
            let Order { state, filled, busted, .. } = order;
            chain.ended = Some(Ended { state, filled, busted });
        }
    }

    /// A report for an order that is not in the table: terminal, or never sent from here.
    pub(super) fn unmatched(&mut self, id: OrderId, step: Step, event: &Event, out: &mut Out) {
        if !self.counters.has_issued(id) {
            push_anomaly(AnomalyKind::UnknownOwnOrder, event, id.0, out);
        } else if State::Done.after(step, false).is_none() {
            push_anomaly(AnomalyKind::IllegalTransition, event, id.0, out);
        }
    }

    /// An order that was to replace another ended first: the other order is not replaced.
    fn revert_replace(&mut self, ended: Order) {
        if let Some(mut old) = self.orders.get(ended.link)
            && old.link == ended.id
            && let Some(state) = old.state.after(Step::RejectReplace, old.filled > 0)
        {
            (old.state, old.link) = (state, OrderId(0));
            self.put(old);
        }
    }

    pub(super) fn ack(&mut self, event: &Event, out: &mut Out) {
        let ack: &Ack = event.record();
        let (id, replaces) = (OrderId(ack.order_id), OrderId(ack.replaces));
        let Some(mut order) = self.orders.get(id) else { return self.unmatched(id, Step::Ack, event, out) };
        let old = self.orders.get(replaces);
        let is_replaced = |o: &Order| o.link == id && o.state.after(Step::Replace, false).is_some();
        let matched = order.link == replaces && (replaces.0 == 0 || old.as_ref().is_some_and(is_replaced));
        let (root, filled, busted) = old.map_or((id, 0, 0), |o| (o.root, o.filled, o.busted));
        let state = order.state.after(Step::Ack, filled > 0);
        let (Some(state), true) = (state.filter(|_| order.instrument == event.instrument), matched) else {
            return push_anomaly(AnomalyKind::IllegalTransition, event, id.0, out);
        };
        if let Some(mut old) = old {
            old.state = State::Replaced;
            self.put(old);
            if let Some(chain) = self.chains.get_mut(root) {
                chain.last = id;
            }
        }
        order = Order { link: OrderId(0), root, filled, busted, state, ..order };
        if order.left() == 0 {
            order.state = State::Done;
        }
        self.put(order);
    }

    pub(super) fn reject(&mut self, event: &Event, out: &mut Out) {
        let reject: &Reject = event.record();
        let id = OrderId(reject.order_id);
        let replaces = self.orders.get(id).is_some_and(|o| o.link.0 != 0 && o.state.is_in_flight());
        let step = match Action::from_code(reject.action) {
            // The gateway itself requested that cancel, beside the pipeline: no order waits for its answer.
            Some(Action::Cancel) if reject.cause == 0 => return,
            Some(Action::Cancel) => Step::RejectCancel,
            Some(Action::Replace) if replaces => Step::Reject,
            Some(Action::New) if !replaces => Step::Reject,
            _ if self.counters.has_issued(id) => return push_anomaly(AnomalyKind::IllegalTransition, event, id.0, out),
            _ => return push_anomaly(AnomalyKind::UnknownOwnOrder, event, id.0, out),
        };
        if let Some(ended) = self.step(id, step, event, out)
            && step == Step::Reject
        {
            self.revert_replace(ended);
        }
    }

    pub(super) fn refused(&mut self, event: &Event, out: &mut Out) {
        let refused: &Refused = event.record();
        if let Some(ended) = self.step(OrderId(refused.order_id), Step::Refuse, event, out) {
            let key = Key::of(ended.id, ended.instrument);
            if let Some(entry) = self.holdings.get_mut(key.word()).filter(|entry| entry.closing.order == ended.id) {
                entry.closing.refused = refused.check;
            }
            self.revert_replace(ended);
        }
    }

    pub(super) fn command(&mut self, event: &Event, out: &mut Out) {
        let command: &Command = event.record();
        match CommandAction::from_code(command.action) {
            Some(CommandAction::Halt | CommandAction::CancelAll) => cancel_all(out),
            Some(CommandAction::Flatten) => self.flatten(event, command, out),
            Some(CommandAction::SkipCounters) => {
                let by = u64::try_from(command.new).unwrap_or(0);
                if by == 0 || !self.counters.skip(command.target, by) {
                    push_anomaly(AnomalyKind::BadCommand, event, u64::from(command.target), out);
                }
            }
            _ => {}
        }
    }
}

pub(super) fn cancel_all(out: &mut Out) {
    out.push(0, Flags::LAST_OF_GROUP, &CancelRequest::default());
}

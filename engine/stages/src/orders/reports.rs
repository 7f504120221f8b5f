//! Execution reports: acks, fills, rejects, cancels and refusals, matched with orders and booked.
//!
//! A report is matched with its order (id, instrument, side, and for a replace the order that it replaces), then the life
//! cycle decides. If either fails, an anomaly is emitted and no order changes. Only a fill goes on even then: the money
//! moved, so its position changes in every case, except for a fill that was reported before: it and its cost change nothing.
//! Bound: one lookup per table.

use super::busts::remembered;
use super::chains::Ended;
use super::cycle::{State, Step};
use super::manager::{OrderManager, push_anomaly, push_anomaly_at};
use super::money::Terms;
use super::positions::Key;
use super::table::Order;
use crate::executions::FillReport;
use flow::records::{Ack, CancelRequest, Command, Fill, FillCost, Listing, Refused, Reject, Trade};
use flow::{Action, AnomalyKind, CommandAction, Event, Flags, OrderId, Out, Px, Side, known_money};

impl OrderManager {
    pub(super) fn listing(&mut self, event: &Event) {
        if event.instrument != 0
            && let Some(instrument) = self.instruments.get_mut(event.instrument as usize)
        {
            instrument.terms = Some(Terms::of(event.record::<Listing>()));
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

    #[inline]
    pub(super) fn trade(&mut self, event: &Event) {
        self.orders.prefetch_next();
        let trade: &Trade = event.record();
        if trade.qty.0 != 0
            && event.instrument != 0
            && trade.px != Px::NONE
            && !event.flags.has(Flags::SNAPSHOT)
            && let Some(instrument) = self.instruments.get_mut(event.instrument as usize)
        {
            instrument.last_px = trade.px;
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
    fn unmatched(&mut self, id: OrderId, step: Step, event: &Event, out: &mut Out) {
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
            let key = Key::new(ended.id.account(), ended.id.strategy(), ended.instrument);
            if let Some(entry) = self.positions.get_mut(key).filter(|entry| entry.closing.order == ended.id) {
                entry.closing.refused = refused.check;
            }
            self.revert_replace(ended);
        }
    }

    pub(super) fn fill(&mut self, event: &Event, out: &mut Out) {
        let fill: &Fill = event.record();
        let id = OrderId(fill.order_id);
        let listed = self.instruments.get(event.instrument as usize).is_some_and(|i| i.terms.is_some());
        if !listed {
            return push_anomaly(AnomalyKind::UnknownInstrument, event, u64::from(event.instrument), out);
        }
        let order = self.orders.get(id);
        let side = if event.side() == Side::None { order.map_or(Side::None, |o| o.side) } else { event.side() };
        if side == Side::None || fill.qty.0 == 0 || fill.px == Px::NONE {
            return push_anomaly(AnomalyKind::BadValue, event, id.0, out);
        }
        let (root, after) = match (self.fills.told(event, side), order) {
            (FillReport::Twice, _) => {
                self.reported_twice = Some((id, fill.match_id));
                let terms = (fill.px, fill.qty);
                return push_anomaly_at(AnomalyKind::RepeatedFill, event, fill.match_id, terms, out);
            }
            (FillReport::Correction(busted), _) => (self.correct(&busted, event, out), None),
            (FillReport::First, Some(order)) => match filled(order, side, event) {
                Some(after) => (order.root, Some(after)),
                None => {
                    push_anomaly(AnomalyKind::IllegalTransition, event, id.0, out);
                    (OrderId(0), None)
                }
            },
            // Carried over from another journal: only the position counts.
            (FillReport::First, None) if event.flags.has(Flags::SNAPSHOT) => (OrderId(0), None),
            (FillReport::First, None) => {
                self.unmatched(id, Step::PartialFill, event, out);
                (OrderId(0), None)
            }
        };
        let entry = self.book(remembered(event, side, root), id);
        if let Some(after) = after {
            self.put(after);
        }
        match entry {
            Some(entry) => self.push_position(&entry, event, out),
            None => push_anomaly(AnomalyKind::OrdersFull, event, self.positions.limit() as u64, out),
        }
    }

    pub(super) fn fill_cost(&mut self, event: &Event, out: &mut Out) {
        let cost: &FillCost = event.record();
        let id = OrderId(cost.order_id);
        if self.reported_twice.take() == Some((id, cost.match_id)) {
            return;
        }
        if self.instruments.get(event.instrument as usize).is_none_or(|i| i.terms.is_none()) {
            return push_anomaly(AnomalyKind::UnknownInstrument, event, u64::from(event.instrument), out);
        }
        let key = Key::new(id.account(), id.strategy(), event.instrument);
        let limit = self.positions.limit() as u64;
        let Some(entry) = self.positions.open(key) else {
            return push_anomaly(AnomalyKind::OrdersFull, event, limit, out);
        };
        entry.charge(known_money(cost.fee));
        let entry = *entry;
        self.push_money(&entry, event, out);
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

/// The order after a fill, if the fill fits it.
fn filled(order: Order, side: Side, event: &Event) -> Option<Order> {
    let qty = event.record::<Fill>().qty.0;
    let step = if qty == order.left() { Step::FinalFill } else { Step::PartialFill };
    let fits = qty <= order.left() && side == order.side && event.instrument == order.instrument;
    let state = order.state.after(step, true).filter(|_| fits)?;
    Some(Order { state, filled: order.filled + qty, ..order })
}

pub(super) fn cancel_all(out: &mut Out) {
    out.push(0, Flags::LAST_OF_GROUP, &CancelRequest::default());
}

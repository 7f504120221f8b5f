//! Asks a venue that numbers nothing for orders, and makes what it did not tell.
//!
//! Every order that may be open is asked for when a session opens, and again when it is unanswered or silent for too long, so
//! what was lost is found. What the venue says of it is compared with the record: an acknowledgement and an end that are missing
//! are made here and enter as inputs; an execution is never made, the venue has to tell it. If it says that more is
//! filled than it tells, or cannot say anything, that enters too (`order-status`): risk approves nothing more of the instrument
//! there until it is explained, and the order is asked for again. An order that has ended is asked for once more, since
//! an execution of it may be lost. Nothing of that enters before it is known which routes the venue has, so an answer never
//! comes before the `sent` of its order.
//!
//! Bound: one look at every route without an answer per order. Worst case: a venue that loses a fill of an order and goes on is
//! found out after `AskPace::silence`.

use super::{Phase, VenueSession};
use crate::gateway::open_orders::Standing;
use crate::gateway::settling::{makes_an_order, returned};
use flow::records::{Ack, Cancelled, OrderStatus, Reconciled, Reject, Sent};
use flow::{
    Action, AnomalyKind, CancelReason, Event, Flags, OpenOrder, OrderAnswer, OrderId, OrderState, Qty, Record,
    RejectReason, VenueReply,
};

impl VenueSession {
    /// The session opens: every order that may be open is asked for, and these of routes in doubt.
    pub(super) fn begin_reconciling(&mut self, doubted: Vec<OrderId>) {
        self.asking.begin(self.open.ids().chain(doubted).collect(), self.now);
        self.push_own(&returned(0, Flags::LAST_OF_GROUP, &Reconciled::default()));
    }

    /// Asks for what is due, as fast as the venue allows.
    pub(super) fn ask_what_is_due(&mut self) {
        let pace = self.venue.ask_pace();
        while self.asked.len() < pace.at_once {
            let is_open = self.phase == Phase::Open;
            if is_open && self.asking.not_before.is_some_and(|at| self.now < at) {
                return;
            }
            let Some(order) = self.asking.schedule.take(self.now) else { return };
            if is_open && self.open.standing(order).is_none() {
                continue;
            }
            self.ask_for(order);
            self.asking.not_before = Some(self.now + pace.spacing);
        }
    }

    /// The venue says of an order what it is while the session opens: that decides about the routes in doubt.
    pub(super) fn hold(&mut self, reply: VenueReply) {
        if let VenueReply::Status { order_id, is } = reply {
            self.asking.opening.remove(&order_id);
            let makes = |sent: &Event| makes_an_order(sent) && sent.record::<Sent>().order_id == order_id.0;
            if let Some(doubt) = self.doubts.iter_mut().find(|doubt| makes(&doubt.sent)) {
                doubt.known = Some(is != OrderAnswer::Never);
            }
            if matches!(is, OrderAnswer::Is { state, .. } if state != OrderState::Open) {
                self.asking.ends.insert(order_id);
            }
        }
        self.asking.held.push_back(reply);
    }

    /// Every route in doubt is settled: what came meanwhile enters, and then what was found.
    pub(super) fn reconcile(&mut self) {
        while let Some(reply) = self.asking.held.pop_front() {
            match reply {
                VenueReply::Answer(answer) => self.tell(answer),
                VenueReply::Status { order_id, is } => self.compare(order_id, is),
            }
        }
        let (unexplained, unknown) = self.open.unexplained();
        let (unexplained, unknown) = (unexplained as u32, unknown as u32);
        let found = Reconciled { unexplained, unknown, done: 1, ..self.asking.found };
        self.push_own(&returned(0, Flags::LAST_OF_GROUP, &found));
        self.status.reconciled(&found);
        let Reconciled { asked, made, came, unsolicited, .. } = found;
        self.status.notice(format!(
            "reconciled with {}: {asked} orders asked for, {made} missing answers made, {came} executions came, \
             {unsolicited} that nobody here sent, {unexplained} orders not explained, {unknown} not known",
            self.status.place()
        ));
    }

    /// Compares what the venue says of an order with what is recorded, and makes what is missing.
    pub(super) fn compare(&mut self, order: OrderId, is: OrderAnswer) {
        self.asking.found.asked += 1;
        let Some(standing) = self.open.standing(order) else { return self.asking.schedule.remove(order) };
        match is {
            // Of an order that it has answered, a venue cannot say that it never had it.
            OrderAnswer::Never if !standing.acknowledged && standing.filled == 0 => self.never_had(order),
            OrderAnswer::Is { state, filled } if state == OrderState::Rejected || self.acknowledge(&standing) => {
                self.account(&standing, state, filled);
            }
            _ => self.cannot_say(&standing),
        }
        let pace = self.venue.ask_pace();
        match self.open.standing(order) {
            None => self.asking.schedule.remove(order),
            Some(of) if of.is_to_be_asked() => self.asking.schedule.set(order, self.now + pace.again),
            Some(_) => self.asking.schedule.set(order, self.now + pace.silence),
        }
    }

    /// It may be open, which is the safe side: nothing more of the instrument passes until the venue can say.
    fn cannot_say(&mut self, of: &Standing) {
        if of.unknown || of.over {
            return;
        }
        let (id, instrument) = (of.order.order_id, of.order.instrument);
        self.outbox.push_anomaly(AnomalyKind::UnansweredOrder, instrument, id.0);
        self.push_status(of, None, of.filled, 0);
        self.status.notice(format!(
            "{} cannot say what has become of order {:#x}: its instrument is blocked there until it can",
            self.status.place(),
            id.0
        ));
    }

    /// Makes the end of an order, if it is missing, and says what no execution accounts for.
    fn account(&mut self, of: &Standing, state: OrderState, Qty(filled): Qty) {
        let (id, missing) = (of.order.order_id, filled.saturating_sub(of.filled));
        let claimed = if missing > 0 { filled } else { 0 };
        if claimed > 0 && of.claimed != claimed {
            self.outbox.push_anomaly_of(AnomalyKind::UnexplainedFill, of.order.instrument, id.0, Qty(missing));
            self.status.notice(format!(
                "{} says that {missing} more of order {:#x} are filled than it tells: its instrument is blocked there \
                 until the executions come",
                self.status.place(),
                id.0
            ));
        }
        let is_being_replaced = state == OrderState::Replaced && self.is_being_replaced(&of.order);
        if state == OrderState::Open {
            self.revive(id);
        } else if !of.over && !is_being_replaced {
            self.end(of, state, filled);
        }
        let is_over = state != OrderState::Open && self.open.standing(id).is_some_and(|now| now.over);
        if (of.unknown, of.claimed) != (false, claimed) || (is_over && missing == 0) {
            self.push_status(of, Some(state), filled, missing);
        }
    }

    /// Whether an order may be the one that takes the place of this one, as soon as the venue tells it.
    fn is_being_replaced(&self, of: &OpenOrder) -> bool {
        let whose = |id: OrderId| (id.account(), id.strategy());
        let may_be = |sent: &Event| {
            let Sent { order_id, action, .. } = *sent.record();
            let is_same = whose(OrderId(order_id)) == whose(of.order_id) && sent.instrument == of.instrument;
            action == Action::Replace.code() && is_same
        };
        self.unanswered.values().any(may_be)
    }

    /// A cancel without an answer for too long has not reached an order that is open.
    fn revive(&mut self, id: OrderId) {
        let Some(cancel) = self.route_of(id, Action::Cancel) else { return };
        if self.asking.late_cancels.remove(&cancel.record::<Sent>().cause) {
            self.asking.found.made += 1;
            self.was_never_sent(&cancel);
        }
    }

    /// Makes the acknowledgement of an order if it is missing; `false` if it cannot be made, because the venue has yet to tell
    /// which order it replaced.
    pub(super) fn acknowledge(&mut self, of: &Standing) -> bool {
        let id = of.order.order_id;
        if of.acknowledged || of.over {
            return true;
        }
        let Some(sent) = self.route_of(id, Action::New) else { return self.route_of(id, Action::Replace).is_none() };
        let ack = Ack { order_id: id.0, cause: sent.record::<Sent>().cause, ..Ack::default() };
        self.make(&of.order, &ack);
        true
    }

    fn end(&mut self, of: &Standing, state: OrderState, filled: u64) {
        let id = of.order.order_id;
        let cause = |sent: Event| sent.record::<Sent>().cause;
        let was_made = self.route_of(id, Action::New).or_else(|| self.route_of(id, Action::Replace));
        if let (OrderState::Rejected, Some(sent), 0) = (state, was_made, of.filled.max(filled)) {
            let (reason, action) = (RejectReason::Untold.code(), sent.record::<Sent>().action);
            let reject = Reject { order_id: id.0, cause: cause(sent), reason, action, ..Reject::default() };
            return self.make(&of.order, &reject);
        }
        let requested = self.route_of(id, Action::Cancel).map_or(0, cause);
        let reason = if requested == 0 { CancelReason::Untold } else { CancelReason::Requested };
        let qty = Qty(of.qty.saturating_sub(of.filled.max(filled)));
        let cancelled =
            Cancelled { order_id: id.0, qty, cause: requested, reason: reason.code(), ..Cancelled::default() };
        self.make(&of.order, &cancelled);
    }

    /// An answer that the venue did not tell.
    fn make<R: Record>(&mut self, of: &OpenOrder, answer: &R) {
        self.asking.found.made += 1;
        self.answer(returned(of.instrument, Flags::LAST_OF_GROUP.with_side(of.side), answer));
    }

    /// What the venue said of an order enters.
    pub(super) fn push_status(&mut self, of: &Standing, state: Option<OrderState>, filled: u64, missing: u64) {
        let OpenOrder { order_id, instrument, side } = of.order;
        let state = state.map_or(0, OrderState::code);
        let (order_id, filled, missing) = (order_id.0, Qty(filled), Qty(missing));
        let status = OrderStatus { order_id, filled, missing, state, ..OrderStatus::default() };
        self.push_own(&returned(instrument, Flags::LAST_OF_GROUP.with_side(side), &status));
        let (unexplained, unknown) = self.open.unexplained();
        self.status.set_unexplained(unexplained, unknown);
    }

    /// An input that is no answer.
    pub(super) fn push_own(&mut self, input: &Event) {
        self.open.apply(input);
        self.outbox.push(*input);
    }

    /// The `sent` of a route of that action and order without an answer.
    pub(super) fn route_of(&self, order: OrderId, action: Action) -> Option<Event> {
        let is_it = |sent: &&Event| {
            let sent: &Sent = sent.record();
            (sent.order_id, sent.action) == (order.0, action.code())
        };
        self.unanswered.values().find(is_it).copied()
    }
}

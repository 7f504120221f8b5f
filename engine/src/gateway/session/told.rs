//! What a venue that numbers nothing says without being asked.
//!
//! It may tell something twice, late, or without what came before. So an answer enters only if it says something new; what an
//! order must have been before it is made first; and what the venue need not know of us (the route that it answers, the
//! instrument, the side) is filled in. What cannot be put in its place, because the venue has not told which order was replaced,
//! is asked for at once. Whatever nobody here sent enters once as a `drop-copy`. Bound: as in `reconcile`.

use super::VenueSession;
use crate::gateway::open_orders::Standing;
use flow::records::{Ack, Cancelled, DropCopy, Fill, FillCost, Reject, Sent};
use flow::{Action, CopyOf, Event, EventId, Kind, Ns, OrderId, OrderState, Side};

impl VenueSession {
    /// Takes an answer.
    pub(super) fn tell(&mut self, answer: Event) {
        match answer.kind {
            Kind::Ack => self.tell_ack(answer),
            Kind::Fill => self.tell_fill(answer),
            Kind::FillCost => self.tell_cost(answer),
            Kind::Reject => self.tell_reject(answer),
            Kind::Cancelled => self.tell_cancelled(answer),
            Kind::DropCopy => self.tell_copy(answer),
            _ => self.answer(answer),
        }
    }

    fn tell_ack(&mut self, mut ack: Event) {
        let Ack { order_id, replaces, .. } = *ack.record();
        let order = OrderId(order_id);
        let Some(of) = self.open.standing(order).filter(|of| !of.acknowledged && !of.over) else { return };
        if let Some(old) = self.open.standing(OrderId(replaces)).filter(|old| old.unknown || old.claimed > 0) {
            // What is missing of it is missing of the one in its place, which is asked for next.
            self.push_status(&old, Some(OrderState::Replaced), old.filled, 0);
            self.asking.schedule.remove(old.order.order_id);
        }
        let route = self.route_of(order, Action::New).or_else(|| self.route_of(order, Action::Replace));
        let cause = &mut ack.record_mut::<Ack>().cause;
        *cause = route.map_or(*cause, |sent| sent.record::<Sent>().cause);
        self.answer(completed(ack, &of));
        self.heard(order);
        if replaces != 0 {
            self.asking.schedule.set(order, self.now);
        }
    }

    fn tell_fill(&mut self, fill: Event) {
        let Fill { order_id, match_id, .. } = *fill.record();
        let (order, name) = (OrderId(order_id), (order_id, match_id));
        let is_told = self.open.has_executed(order, match_id) || (match_id != 0 && self.asking.told.has(&name));
        if is_told && !self.open.corrects(order, match_id) {
            self.asking.left_out = Some(name);
            return;
        }
        let of = self.open.standing_of_fill(order);
        if let Some(of) = of
            && !self.acknowledge(&of)
        {
            // It comes again, behind what the venue says to be in place of which order, when it is asked.
            self.asking.left_out = Some(name);
            return self.asking.schedule.set(of.order.order_id, self.now);
        }
        self.asking.left_out = None;
        self.asking.told.add(name);
        self.asking.found.came += 1;
        let Some(of) = of else { return self.answer(fill) };
        self.answer(completed(fill, &of));
        self.heard(of.order.order_id);
    }

    fn tell_cost(&mut self, cost: Event) {
        let FillCost { order_id, match_id, .. } = *cost.record();
        if self.asking.left_out != Some((order_id, match_id)) {
            let of = self.open.standing_of_fill(OrderId(order_id));
            self.answer(of.map_or(cost, |of| completed(cost, &of)));
        }
    }

    fn tell_cancelled(&mut self, mut cancelled: Event) {
        let order = OrderId(cancelled.record::<Cancelled>().order_id);
        let Some(of) = self.open.standing(order).filter(|of| !of.over) else { return };
        if !self.acknowledge(&of) {
            return self.asking.schedule.set(order, self.now);
        }
        let route = self.route_of(order, Action::Cancel);
        cancelled.record_mut::<Cancelled>().cause = route.map_or(0, |sent| sent.record::<Sent>().cause);
        self.answer(completed(cancelled, &of));
        self.heard(order);
    }

    fn tell_reject(&mut self, mut reject: Event) {
        let Reject { order_id, action, .. } = *reject.record();
        let (order, Some(action)) = (OrderId(order_id), Action::from_code(action)) else { return };
        let Some(route) = self.route_of(order, action) else { return };
        let of = self.open.standing(order);
        if Action::makes_an_order(action.code()) && of.is_none_or(|of| of.acknowledged || of.over) {
            return;
        }
        reject.record_mut::<Reject>().cause = route.record::<Sent>().cause;
        self.answer(of.map_or(reject, |of| completed(reject, &of)));
        self.heard(order);
    }

    fn tell_copy(&mut self, copy: Event) {
        let record: &DropCopy = copy.record();
        if self.open.has_copied(record) {
            return;
        }
        self.asking.found.unsolicited += 1;
        let what = CopyOf::from_code(record.what).map_or("something", CopyOf::name);
        let unlisted = if copy.instrument == 0 { " of what is not listed here, so it is not booked" } else { "" };
        self.status.count_unsolicited();
        self.status.notice(format!(
            "{} tells an {what} of {} in account {} that nobody here sent{unlisted}",
            self.status.place(),
            record.qty.0,
            record.account.0
        ));
        self.push_own(&Event { id: EventId(0), ts: Ns(0), ..copy });
    }

    /// Something new has come of an order: it is silent from now on, or it has ended and may lack executions.
    fn heard(&mut self, order: OrderId) {
        match self.open.standing(order) {
            None => self.asking.schedule.remove(order),
            Some(of) if of.is_to_be_asked() => self.asking.schedule.set(order, self.now),
            Some(_) => self.asking.schedule.set(order, self.now + self.venue.ask_pace().silence),
        }
    }
}

/// The answer with what is known of its order.
fn completed(answer: Event, of: &Standing) -> Event {
    let side = if answer.side() == Side::None { of.order.side } else { answer.side() };
    Event { instrument: of.order.instrument, flags: answer.flags.with_side(side), ..answer }
}

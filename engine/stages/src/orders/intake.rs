//! Wishes of strategies become requests.
//!
//! An intent that is none (no quantity, no side, no listing, another's order) is a bad intent; one that finds a bound in its
//! way is left out as a whole, and so is every later leg of its group: risk holds the legs before it until it drops them.
//! For a group the room for all its legs is looked for at the first. Cancels need no room.

use super::cycle::{State, Step};
use super::positions::Key;
use super::stage::{OrdersStage, tell};
use super::table::Order;
use flow::records::{CancelRequest, Intent, ReplaceRequest, Request};
use flow::{Account, Action, AnomalyKind, Event, Flags, OrderId, OrderType, Out, Px, Side, StrategyId, Tif};
use serde::{Deserialize, Serialize};

/// The last group of legs that was seen.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    account: Account,
    strategy: StrategyId,
    group: u32,
    admitted: bool,
}

impl Group {
    /// No group.
    pub(super) const NONE: Group =
        Group { account: Account::NONE, strategy: StrategyId::NONE, group: 0, admitted: false };
}

impl OrdersStage {
    pub(super) fn intent(&mut self, event: &Event, out: &mut Out) {
        let intent: &Intent = event.record();
        let owned = intent.account != Account::NONE && intent.strategy != StrategyId::NONE;
        let action = Action::from_code(intent.action).filter(|_| owned);
        let done = match action {
            Some(Action::New) => self.ask_new(intent, event, out),
            Some(Action::Cancel) => self.ask_cancel(intent, event, out),
            Some(Action::Replace) => self.ask_replace(intent, event, out),
            _ => Err(bad(intent)),
        };
        if let Err((what, detail)) = done {
            if intent.group != 0 {
                let Intent { account, strategy, group, .. } = *intent;
                self.group = Group { account, strategy, group, admitted: false };
            }
            tell(what, event, detail, out);
        }
    }

    fn ask_new(&mut self, intent: &Intent, event: &Event, out: &mut Out) -> Result<(), (AnomalyKind, u64)> {
        let order_type = OrderType::from_code(intent.order_type).ok_or(bad(intent))?;
        let tif = Tif::from_code(intent.tif).ok_or(bad(intent))?;
        let listed = self.instruments.get(event.instrument as usize).is_some_and(|i| i.terms.is_some());
        let priced = order_type == OrderType::Market || intent.px != Px::NONE;
        if !listed || !priced || event.side() == Side::None || intent.qty.0 == 0 {
            return Err(bad(intent));
        }
        self.admit(intent, event.instrument)?;
        let id = self.counters.give(intent.account, intent.strategy);
        self.add(Order { id, root: id, ..self.asked(intent.qty.0, event.instrument, event.side()) });
        let record = Request {
            order_id: id.0,
            px: if order_type == OrderType::Market { Px::NONE } else { intent.px },
            qty: intent.qty,
            group: intent.group,
            order_type: order_type.code(),
            tif: tif.code(),
            legs: intent.legs,
            ..Default::default()
        };
        out.push(event.instrument, Flags::side_only(event.side()).with(Flags::LAST_OF_GROUP), &record);
        Ok(())
    }

    fn ask_cancel(&mut self, intent: &Intent, event: &Event, out: &mut Out) -> Result<(), (AnomalyKind, u64)> {
        let mut order = self.own(intent, event)?;
        order.state = order.state.after(Step::AskCancel, order.filled > 0).ok_or(illegal(order.id))?;
        self.orders.put(order);
        let record = CancelRequest { order_id: order.id.0, ..Default::default() };
        out.push(event.instrument, Flags::side_only(order.side).with(Flags::LAST_OF_GROUP), &record);
        Ok(())
    }

    fn ask_replace(&mut self, intent: &Intent, event: &Event, out: &mut Out) -> Result<(), (AnomalyKind, u64)> {
        let mut old = self.own(intent, event)?;
        if intent.qty.0 == 0 || intent.px == Px::NONE {
            return Err(bad(intent));
        }
        old.state = old.state.after(Step::AskReplace, old.filled > 0).ok_or(illegal(old.id))?;
        self.admit(intent, event.instrument)?;
        let id = self.counters.give(intent.account, intent.strategy);
        self.add(Order { id, root: id, link: old.id, ..self.asked(intent.qty.0, event.instrument, old.side) });
        old.link = id;
        self.orders.put(old);
        let record =
            ReplaceRequest { order_id: old.id.0, new_id: id.0, px: intent.px, qty: intent.qty, ..Default::default() };
        out.push(event.instrument, Flags::side_only(old.side).with(Flags::LAST_OF_GROUP), &record);
        Ok(())
    }

    fn asked(&self, qty: u64, instrument: u32, side: Side) -> Order {
        Order { qty, instrument, side, state: State::Pending, ..Order::NONE }
    }

    fn add(&mut self, order: Order) {
        assert!(self.orders.add(order), "room was looked for before");
    }

    /// The order that the intent names, if it is the strategy's own and trades that instrument.
    fn own(&self, intent: &Intent, event: &Event) -> Result<Order, (AnomalyKind, u64)> {
        let id = OrderId(intent.order_id);
        if (id.account(), id.strategy()) != (intent.account, intent.strategy) {
            return Err(bad(intent));
        }
        match self.orders.get(id) {
            Some(order) if order.instrument == event.instrument => Ok(order),
            Some(_) => Err(bad(intent)),
            None if self.counters.has_given(id) => Err(illegal(id)),
            None => Err((AnomalyKind::UnknownOwnOrder, id.0)),
        }
    }

    /// Room for the order, or at the first leg of a group for all legs; keeps a position for it.
    fn admit(&mut self, intent: &Intent, instrument: u32) -> Result<(), (AnomalyKind, u64)> {
        let Intent { account, strategy, group, .. } = *intent;
        let later = Group { admitted: self.group.admitted, account, strategy, group } == self.group && group != 0;
        if later && !self.group.admitted {
            return Err((AnomalyKind::OrdersFull, u64::from(group)));
        }
        let legs = if group == 0 || later { 1 } else { usize::from(intent.legs.max(1)) };
        if self.orders.len() + legs > self.orders.limit() {
            return Err((AnomalyKind::OrdersFull, self.orders.limit() as u64));
        }
        if self.orders.in_flight() + legs > self.max_in_flight {
            return Err((AnomalyKind::OrdersFull, self.max_in_flight as u64));
        }
        if !self.counters.has_room(account, strategy, legs as u64) {
            return Err((AnomalyKind::OrdersFull, self.counters.limit() as u64));
        }
        let asked = &mut self.instruments[instrument as usize];
        if asked.kept != (account, strategy) {
            if self.positions.open(Key::new(account, strategy, instrument)).is_none() {
                return Err((AnomalyKind::OrdersFull, self.positions.limit() as u64));
            }
            asked.kept = (account, strategy);
        }
        if group != 0 {
            self.group = Group { account, strategy, group, admitted: true };
        }
        Ok(())
    }
}

fn bad(intent: &Intent) -> (AnomalyKind, u64) {
    (AnomalyKind::BadIntent, u64::from(intent.strategy.0))
}

fn illegal(id: OrderId) -> (AnomalyKind, u64) {
    (AnomalyKind::IllegalTransition, id.0)
}

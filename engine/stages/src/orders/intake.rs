//! Intents of strategies become requests.
//!
//! An invalid intent (no quantity, no side, no listing, another strategy's order) is a `bad-intent`. An intent that exceeds
//! a bound is dropped, and so is every later leg of its group; risk holds the earlier legs until it drops them. For a group,
//! room for all legs is checked at the first. Cancels need no room. Bound: one lookup per table.

use super::cycle::{State, Step};
use super::held::Held;
use super::manager::{Group, OrderManager, push_anomaly};
use super::table::Order;
use crate::portfolio::Key;
use flow::records::{CancelRequest, Intent, ReplaceRequest, Request};
use flow::{Account, Action, AnomalyKind, Event, Flags, OrderId, OrderType, Out, Px, Qty, Side, StrategyId, Tif};

impl OrderManager {
    pub(super) fn intent(&mut self, event: &Event, out: &mut Out) {
        let intent: &Intent = event.record();
        let owned = intent.account != Account::NONE && intent.strategy != StrategyId::NONE;
        let action = Action::from_code(intent.action).filter(|_| owned);
        let is_closing = || self.flatten.holds(intent.account, intent.strategy, event.instrument);
        let done = match action {
            Some(Action::New | Action::Replace) if self.flatten.is_active() && is_closing() => {
                Err(not_reducing(intent))
            }
            Some(Action::New) => self.new_order(intent, event, out),
            Some(Action::Cancel) => self.request_cancel(intent, event, out),
            Some(Action::Replace) => self.request_replace(intent, event, out),
            _ => Err(bad(intent)),
        };
        if let Err((what, detail)) = done {
            if intent.group != 0 {
                let Intent { account, strategy, group, .. } = *intent;
                self.group = Group { account, strategy, group, admitted: false };
            }
            push_anomaly(what, event, detail, out);
        }
    }

    fn new_order(&mut self, intent: &Intent, event: &Event, out: &mut Out) -> Result<(), (AnomalyKind, u64)> {
        let order_type = OrderType::from_code(intent.order_type).ok_or(bad(intent))?;
        let tif = Tif::from_code(intent.tif).ok_or(bad(intent))?;
        let listed = self.instruments.get(event.instrument as usize).is_some_and(|i| i.listed);
        let priced = order_type == OrderType::Market || intent.px != Px::NONE;
        if !listed || !priced || event.side() == Side::None || intent.qty.0 == 0 {
            return Err(bad(intent));
        }
        let qty = match intent.reduces {
            0 => intent.qty,
            1 => Qty(self.reducible(intent, event).filter(|qty| *qty > 0).ok_or(not_reducing(intent))?),
            _ => return Err(bad(intent)),
        };
        self.admit(intent, event.instrument)?;
        let id = self.counters.issue(intent.account, intent.strategy);
        self.add(Order { id, root: id, ..self.pending(qty.0, event.instrument, event.side()) });
        let record = Request {
            order_id: id.0,
            px: if order_type == OrderType::Market { Px::NONE } else { intent.px },
            qty,
            group: intent.group,
            order_type: order_type.code(),
            tif: tif.code(),
            legs: intent.legs,
            reduces: intent.reduces,
            ..Default::default()
        };
        out.push(event.instrument, Flags::side_only(event.side()).with(Flags::LAST_OF_GROUP), &record);
        Ok(())
    }

    fn request_cancel(&mut self, intent: &Intent, event: &Event, out: &mut Out) -> Result<(), (AnomalyKind, u64)> {
        let mut order = self.own_order(intent, event)?;
        order.state = order.state.after(Step::RequestCancel, order.filled > 0).ok_or(illegal(order.id))?;
        self.put(order);
        let record = CancelRequest { order_id: order.id.0, ..Default::default() };
        out.push(event.instrument, Flags::side_only(order.side).with(Flags::LAST_OF_GROUP), &record);
        Ok(())
    }

    fn request_replace(&mut self, intent: &Intent, event: &Event, out: &mut Out) -> Result<(), (AnomalyKind, u64)> {
        let mut old = self.own_order(intent, event)?;
        if intent.qty.0 == 0 || intent.px == Px::NONE {
            return Err(bad(intent));
        }
        old.state = old.state.after(Step::RequestReplace, old.filled > 0).ok_or(illegal(old.id))?;
        self.admit(intent, event.instrument)?;
        let id = self.counters.issue(intent.account, intent.strategy);
        self.add(Order { id, root: id, link: old.id, ..self.pending(intent.qty.0, event.instrument, old.side) });
        old.link = id;
        self.put(old);
        let record =
            ReplaceRequest { order_id: old.id.0, new_id: id.0, px: intent.px, qty: intent.qty, ..Default::default() };
        out.push(event.instrument, Flags::side_only(old.side).with(Flags::LAST_OF_GROUP), &record);
        Ok(())
    }

    /// How much of an order that only reduces its position may be sent: at most what is held less what open orders of that side
    /// may take of it already; `None` if it would enlarge the position. Looks through the table only where such orders are open.
    #[cold]
    #[inline(never)]
    fn reducible(&mut self, intent: &Intent, event: &Event) -> Option<u64> {
        let Intent { account, strategy, qty, .. } = *intent;
        let (instrument, side) = (event.instrument, event.side());
        let held = self.holdings.get_mut(Key::new(account, strategy, instrument).word())?.qty;
        if (held > 0) != (side == Side::Sell) || intent.group != 0 {
            return None;
        }
        let mut room = held.unsigned_abs();
        if self.instruments[instrument as usize].open[usize::from(side == Side::Sell)] > 0 {
            let of = |o: &&Order| {
                (o.id.account(), o.id.strategy(), o.instrument, o.side) == (account, strategy, instrument, side)
            };
            room = self.orders.iter().filter(of).fold(room, |room, o| room.saturating_sub(o.left()));
        }
        Some(qty.0.min(room))
    }

    #[inline(always)]
    pub(super) fn pending(&self, qty: u64, instrument: u32, side: Side) -> Order {
        Order { qty, instrument, side, state: State::Pending, ..Order::NONE }
    }

    #[inline(always)]
    pub(super) fn add(&mut self, order: Order) {
        assert!(self.orders.add(order), "admit checked the room");
        self.instruments[order.instrument as usize].open[usize::from(order.side == Side::Sell)] += 1;
    }

    /// The order that the intent names, if it belongs to the strategy and the instrument.
    fn own_order(&self, intent: &Intent, event: &Event) -> Result<Order, (AnomalyKind, u64)> {
        let id = OrderId(intent.order_id);
        if (id.account(), id.strategy()) != (intent.account, intent.strategy) {
            return Err(bad(intent));
        }
        match self.orders.get(id) {
            Some(order) if order.instrument == event.instrument => Ok(order),
            Some(_) => Err(bad(intent)),
            None if self.counters.has_issued(id) => Err(illegal(id)),
            None => Err((AnomalyKind::UnknownOwnOrder, id.0)),
        }
    }

    /// Checks the room for the order, or at the first leg of a group for all legs; opens a position for it.
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
        if asked.opened_for != (account, strategy) {
            let key = Key::new(account, strategy, instrument);
            if self.holdings.open(key.word(), || Held::at(key)).is_none() {
                return Err((AnomalyKind::OrdersFull, self.holdings.limit() as u64));
            }
            asked.opened_for = (account, strategy);
        }
        if group != 0 {
            self.group = Group { account, strategy, group, admitted: true };
        }
        self.asked = (account, strategy, instrument);
        Ok(())
    }
}

fn bad(intent: &Intent) -> (AnomalyKind, u64) {
    (AnomalyKind::BadIntent, u64::from(intent.strategy.0))
}

fn not_reducing(intent: &Intent) -> (AnomalyKind, u64) {
    (AnomalyKind::NotReducing, u64::from(intent.strategy.0))
}

fn illegal(id: OrderId) -> (AnomalyKind, u64) {
    (AnomalyKind::IllegalTransition, id.0)
}

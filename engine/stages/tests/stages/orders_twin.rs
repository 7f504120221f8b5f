//! Orders and positions that are plainly right: maps that never forget, answers looked up in rows of words.

use crate::orders_harness::{ACCOUNT, STRATEGY};
use flow::records::{Ack, Cancelled, Fill, FillCost, Intent, Refused, Reject, Sent};
use flow::{Event, Kind, OrderId, Px, Side, What};
use std::collections::BTreeMap;

/// An order, for ever.
#[derive(Clone, Debug)]
pub(crate) struct TwinOrder {
    pub(crate) qty: u64,
    pub(crate) filled: u64,
    pub(crate) instrument: u32,
    side: Side,
    replaces: u64,
    /// `asked`, `on` or `over`.
    pub(crate) stage: &'static str,
    cancelling: bool,
    replacing: u64,
}

impl TwinOrder {
    pub(crate) fn replaces(&self) -> u64 {
        self.replaces
    }
}

/// A position: quantity, cost, realised, fees, and all cash that went in and out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TwinPosition {
    pub(crate) qty: i128,
    pub(crate) cost: i128,
    pub(crate) realised: i128,
    pub(crate) fees: i128,
    pub(crate) cash: i128,
}

/// The twin.
#[derive(Default)]
pub(crate) struct Twin {
    pub(crate) orders: BTreeMap<u64, TwinOrder>,
    pub(crate) positions: BTreeMap<u32, TwinPosition>,
    counter: u64,
}

/// What the twin expects of an event: the anomaly, if any.
pub(crate) type Verdict = Option<What>;

impl Twin {
    pub(crate) fn feed(&mut self, event: &Event) -> Verdict {
        let word = u64::from_le_bytes(event.body[..8].try_into().unwrap());
        match event.kind {
            Kind::Intent => self.intent(event),
            Kind::Fill => self.fill(event),
            Kind::FillCost => {
                self.positions.entry(event.instrument).or_default().fees += i128::from(event.record::<FillCost>().fee);
                None
            }
            _ => match self.orders.get(&word) {
                None => Some(What::UnknownOwnOrder),
                Some(order) => {
                    let order = order.clone();
                    (!self.answer(word, order, event)).then_some(What::IllegalTransition)
                }
            },
        }
    }

    fn answer(&mut self, id: u64, order: TwinOrder, event: &Event) -> bool {
        let asked = order.stage == "asked";
        let on = order.stage == "on";
        if order.stage != "over" && event.instrument != order.instrument {
            return false;
        }
        match event.kind {
            Kind::Sent => event.record::<Sent>().order_id == id,
            Kind::Ack => asked && self.ack(id, order, event.record()),
            Kind::Refused => asked && event.record::<Refused>().order_id == id && self.fall(id, order.replaces),
            Kind::Cancelled => on && event.record::<Cancelled>().order_id == id && self.over(id),
            _ => match event.record::<Reject>().action {
                1 => asked && order.replaces == 0 && self.fall(id, 0),
                3 => asked && order.replaces != 0 && self.fall(id, order.replaces),
                2 if order.stage == "over" => true,
                2 => {
                    let order = self.orders.get_mut(&id).unwrap();
                    std::mem::take(&mut order.cancelling)
                }
                _ => false,
            },
        }
    }

    fn ack(&mut self, id: u64, order: TwinOrder, ack: &Ack) -> bool {
        if ack.replaces != order.replaces {
            return false;
        }
        let mut inherited = 0;
        if ack.replaces != 0 {
            let old = &self.orders[&ack.replaces];
            if old.stage != "on" || old.replacing != id {
                return false;
            }
            inherited = old.filled;
            self.over(ack.replaces);
        }
        let order = self.orders.get_mut(&id).unwrap();
        (order.stage, order.filled) = (if inherited >= order.qty { "over" } else { "on" }, inherited);
        true
    }

    fn over(&mut self, id: u64) -> bool {
        self.orders.get_mut(&id).unwrap().stage = "over";
        true
    }

    fn fall(&mut self, id: u64, replaces: u64) -> bool {
        if let Some(old) = self.orders.get_mut(&replaces) {
            old.replacing = 0;
        }
        self.over(id)
    }

    fn intent(&mut self, event: &Event) -> Verdict {
        let intent: &Intent = event.record();
        let old = self.orders.get(&intent.order_id).cloned();
        if intent.action != 1 {
            let Some(old) = &old else { return Some(What::UnknownOwnOrder) };
            if old.stage == "over" {
                return Some(What::IllegalTransition);
            }
            if old.instrument != event.instrument || (intent.action == 3 && intent.qty.0 == 0) {
                return Some(What::BadIntent);
            }
            let busy = old.cancelling || old.replacing != 0;
            if busy || (intent.action == 3 && old.stage != "on") {
                return Some(What::IllegalTransition);
            }
            if intent.action == 2 {
                self.orders.get_mut(&intent.order_id).unwrap().cancelling = true;
                return None;
            }
        } else if intent.qty.0 == 0 {
            return Some(What::BadIntent);
        }
        self.counter += 1;
        let id = OrderId::new(ACCOUNT, STRATEGY, self.counter).0;
        let order = TwinOrder {
            qty: intent.qty.0,
            filled: 0,
            instrument: event.instrument,
            side: old.as_ref().map_or(event.side(), |o| o.side),
            replaces: intent.order_id,
            stage: "asked",
            cancelling: false,
            replacing: 0,
        };
        self.orders.insert(id, order);
        if let Some(old) = self.orders.get_mut(&intent.order_id) {
            old.replacing = id;
        }
        None
    }

    fn fill(&mut self, event: &Event) -> Verdict {
        let fill: &Fill = event.record();
        let signed = if event.side() == Side::Buy { 1 } else { -1 } * i128::from(fill.qty.0);
        self.positions.entry(event.instrument).or_default().trade(fill.px, signed);
        let Some(order) = self.orders.get_mut(&fill.order_id) else { return Some(What::UnknownOwnOrder) };
        let fits = order.stage == "on" && order.instrument == event.instrument && order.side == event.side();
        if !fits || order.filled + fill.qty.0 > order.qty {
            return Some(What::IllegalTransition);
        }
        order.filled += fill.qty.0;
        if order.filled == order.qty {
            order.stage = "over";
        }
        None
    }
}

impl TwinPosition {
    /// Share by share: each adds its price, or takes an equal part of the cost away.
    fn trade(&mut self, px: Px, signed: i128) {
        let px = i128::from(px.0);
        self.cash -= px * signed;
        let closing = if self.qty * signed < 0 { signed.abs().min(self.qty.abs()) } else { 0 };
        if closing > 0 {
            let share = nearest(self.cost * closing, self.qty.abs());
            self.realised += px * closing * self.qty.signum() - share;
            self.cost -= share;
            self.qty -= closing * self.qty.signum();
        }
        let opening = signed - closing * signed.signum();
        self.qty += opening;
        self.cost += px * opening;
    }

    pub(crate) fn avg_px(&self) -> Px {
        if self.qty == 0 { Px::NONE } else { Px(nearest(self.cost * self.qty.signum(), self.qty.abs()) as i64) }
    }
}

/// The whole number nearest to a / b; the even one of two.
fn nearest(a: i128, b: i128) -> i128 {
    let down = a.div_euclid(b);
    [down, down + 1].into_iter().min_by_key(|n| ((a - n * b).abs(), n.rem_euclid(2))).unwrap()
}

//! Orders and positions that are plainly right: maps that never forget, answers looked up in rows of words. A bust strikes
//! a fill from the list of all fills, and the position is counted out anew from those that are left.

use crate::orders_harness::{ACCOUNT, FILLS, STRATEGY};
use flow::records::{Ack, Bust, Cancelled, Fill, FillCost, Intent, Refused, Reject, Sent};
use flow::{AnomalyKind, Event, Kind, OrderId, Px, Side};
use std::collections::BTreeMap;

/// An order, for ever.
#[derive(Clone, Debug)]
pub(crate) struct ReferenceOrder {
    pub(crate) qty: u64,
    pub(crate) filled: u64,
    pub(crate) busted: u64,
    /// Over, and nothing of it stands any more.
    pub(crate) is_void: bool,
    pub(crate) instrument: u32,
    side: Side,
    /// Who took its place.
    successor: u64,
    replaces: u64,
    /// `asked`, `on` or `over`.
    pub(crate) stage: &'static str,
    cancelling: bool,
    replacing: u64,
}

impl ReferenceOrder {
    pub(crate) fn replaces(&self) -> u64 {
        self.replaces
    }

    /// It neither replaced one nor was replaced.
    pub(crate) fn is_alone(&self) -> bool {
        self.replaces == 0 && self.successor == 0
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

/// A fill, for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReferenceFill {
    pub(crate) event: Event,
    pub(crate) is_busted: bool,
    /// The order in which it counts; 0 = none.
    order: u64,
}

/// The reference.
#[derive(Default)]
pub(crate) struct Reference {
    pub(crate) orders: BTreeMap<u64, ReferenceOrder>,
    pub(crate) fills: Vec<ReferenceFill>,
    pub(crate) positions: BTreeMap<u32, TwinPosition>,
    counter: u64,
}

/// What the reference expects of an event: the anomaly, if any.
pub(crate) type Verdict = Option<AnomalyKind>;

impl Reference {
    pub(crate) fn feed(&mut self, event: &Event) -> Verdict {
        let word = u64::from_le_bytes(event.body[..8].try_into().unwrap());
        match event.kind {
            Kind::Intent => self.intent(event),
            Kind::Fill => self.fill(event),
            Kind::Bust => self.bust(event),
            Kind::FillCost => {
                self.positions.entry(event.instrument).or_default().fees += i128::from(event.record::<FillCost>().fee);
                None
            }
            _ => match self.orders.get(&word) {
                None => Some(AnomalyKind::UnknownOwnOrder),
                Some(order) => {
                    let order = order.clone();
                    (!self.answer(word, order, event)).then_some(AnomalyKind::IllegalTransition)
                }
            },
        }
    }

    fn answer(&mut self, id: u64, order: ReferenceOrder, event: &Event) -> bool {
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

    fn ack(&mut self, id: u64, order: ReferenceOrder, ack: &Ack) -> bool {
        if ack.replaces != order.replaces {
            return false;
        }
        let (mut inherited, mut busted) = (0, 0);
        if ack.replaces != 0 {
            let old = &self.orders[&ack.replaces];
            if old.stage != "on" || old.replacing != id {
                return false;
            }
            (inherited, busted) = (old.filled, old.busted);
            self.over(ack.replaces);
            self.orders.get_mut(&ack.replaces).unwrap().successor = id;
        }
        let order = self.orders.get_mut(&id).unwrap();
        (order.filled, order.busted) = (inherited, busted);
        order.stage = if inherited + busted >= order.qty { "over" } else { "on" };
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
            let Some(old) = &old else { return Some(AnomalyKind::UnknownOwnOrder) };
            if old.stage == "over" {
                return Some(AnomalyKind::IllegalTransition);
            }
            if old.instrument != event.instrument || (intent.action == 3 && intent.qty.0 == 0) {
                return Some(AnomalyKind::BadIntent);
            }
            let busy = old.cancelling || old.replacing != 0;
            if busy || (intent.action == 3 && old.stage != "on") {
                return Some(AnomalyKind::IllegalTransition);
            }
            if intent.action == 2 {
                self.orders.get_mut(&intent.order_id).unwrap().cancelling = true;
                return None;
            }
        } else if intent.qty.0 == 0 {
            return Some(AnomalyKind::BadIntent);
        }
        self.counter += 1;
        let id = OrderId::new(ACCOUNT, STRATEGY, self.counter).0;
        let order = ReferenceOrder {
            qty: intent.qty.0,
            filled: 0,
            busted: 0,
            is_void: false,
            instrument: event.instrument,
            successor: 0,
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

    /// The last of the fills that are still known by that name.
    fn named(&self, order_id: u64, match_id: u64) -> Option<usize> {
        let is = |f: &ReferenceFill| {
            let fill: &Fill = f.event.record();
            match_id != 0 && (fill.order_id, fill.match_id) == (order_id, match_id)
        };
        let forgotten = self.fills.len().saturating_sub(FILLS as usize);
        self.fills.iter().rposition(is).filter(|at| *at >= forgotten)
    }

    /// Every order that a fill of `order` counts in: itself and those that took its place.
    fn line_of(&self, order: u64) -> Vec<u64> {
        std::iter::successors(self.orders.get(&order).map(|_| order), |id| {
            Some(self.orders[id].successor).filter(|id| *id != 0)
        })
        .collect()
    }

    fn fill(&mut self, event: &Event) -> Verdict {
        let fill: &Fill = event.record();
        if self.named(fill.order_id, fill.match_id).is_some_and(|at| !self.fills[at].is_busted) {
            return Some(AnomalyKind::RepeatedFill);
        }
        let corrected = self
            .named(fill.order_id, fill.match_id)
            .map(|at| self.fills[at])
            .filter(|f| f.is_busted && (f.event.instrument, f.event.side()) == (event.instrument, event.side()));
        let (order, verdict) = match corrected {
            Some(f) if f.order == 0 => (0, None),
            Some(f) if fill.qty.0 > f.event.record::<Fill>().qty.0 => (0, Some(AnomalyKind::IllegalTransition)),
            Some(f) => {
                for id in self.line_of(f.order) {
                    let order = self.orders.get_mut(&id).unwrap();
                    (order.filled, order.busted) = (order.filled + fill.qty.0, order.busted - fill.qty.0);
                    order.is_void = false;
                }
                (f.order, None)
            }
            None => match self.orders.get_mut(&fill.order_id) {
                None => (0, Some(AnomalyKind::UnknownOwnOrder)),
                Some(order) => {
                    let fits =
                        order.stage == "on" && order.instrument == event.instrument && order.side == event.side();
                    if fits && order.filled + order.busted + fill.qty.0 <= order.qty {
                        order.filled += fill.qty.0;
                        if order.filled + order.busted == order.qty {
                            order.stage = "over";
                        }
                        (fill.order_id, None)
                    } else {
                        (0, Some(AnomalyKind::IllegalTransition))
                    }
                }
            },
        };
        self.fills.push(ReferenceFill { event: *event, is_busted: false, order });
        self.count(event.instrument);
        verdict
    }

    fn bust(&mut self, event: &Event) -> Verdict {
        let bust: &Bust = event.record();
        let Some(at) = self.named(bust.order_id, bust.match_id) else {
            return Some(AnomalyKind::UnknownFill);
        };
        let ReferenceFill { event: of, is_busted, order } = self.fills[at];
        let fill: &Fill = of.record();
        if is_busted {
            return Some(AnomalyKind::RepeatedBust);
        }
        if (fill.px, fill.qty, of.instrument, of.side()) != (bust.px, bust.qty, event.instrument, event.side()) {
            return Some(AnomalyKind::BustMismatch);
        }
        self.fills[at].is_busted = true;
        for id in self.line_of(order) {
            let order = self.orders.get_mut(&id).unwrap();
            (order.filled, order.busted) = (order.filled - fill.qty.0, order.busted + fill.qty.0);
            order.is_void = order.stage == "over" && order.filled == 0;
        }
        self.count(event.instrument);
        self.positions.entry(event.instrument).or_default().fees -= i128::from(bust.fee);
        None
    }

    /// Counts a position out from the fills that stand.
    fn count(&mut self, instrument: u32) {
        let position = self.positions.entry(instrument).or_default();
        *position = TwinPosition { fees: position.fees, ..Default::default() };
        for f in self.fills.iter().filter(|f| f.event.instrument == instrument && !f.is_busted) {
            let fill: &Fill = f.event.record();
            let signed = if f.event.side() == Side::Buy { 1 } else { -1 } * i128::from(fill.qty.0);
            position.trade(fill.px, signed);
        }
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

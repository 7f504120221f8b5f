//! What a strategy holds of an instrument, and what is on its way: position, stop and target, the order at work, and the pause after it.
//!
//! An order that takes the touch at once or not at all is the only one at work of its strategy and instrument, so every report for
//! the strategy there is about that order. One without a report in time is given up, so that a lost answer does not stop the strategy for ever;
//! a fill of it that comes after all counts. Whoever becomes flat, or whose order comes to nothing, pauses. A position without a stop (after
//! a bust, or carried over from another journal) is not protected, and is to be left.
//!
//! Bound: 48 bytes. Worst case of a report: a few comparisons.

use super::emit::{Why, price};
use super::owner::Owner;
use flow::records::{Cancelled, Refused, Reject};
use flow::{Booking, Event, Kind, Ns, OrderId, Px, Side};
use serde::{Deserialize, Serialize};

/// What is held of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holding {
    pub(super) position: i64,
    pub(super) stop: Px,
    pub(super) target: Px,
    /// Quantity of the order at work that no report accounts for yet; 0 = none is at work.
    working: u64,
    /// When that order is given up.
    patience: Ns,
    /// No entry before this time.
    pub(super) pause_until: Ns,
}

impl Holding {
    /// Nothing.
    pub(super) const NONE: Holding =
        Holding { position: 0, stop: Px::NONE, target: Px::NONE, working: 0, patience: Ns(0), pause_until: Ns(0) };

    /// An order leaves for so much, and is waited for as long.
    pub(super) fn order(&mut self, qty: u64, now: Ns, patience_ns: u64) {
        (self.working, self.patience) = (qty, Ns(now.0.saturating_add(patience_ns)));
    }

    /// Whether an order is at work; one without a report in time is given up.
    pub(super) fn is_working(&mut self, now: Ns, pause_ns: u64) -> bool {
        if self.working > 0 && now >= self.patience {
            self.settle(now, pause_ns);
        }
        self.working > 0
    }

    /// Whether a new position may be entered.
    pub(super) fn may_enter(&mut self, now: Ns, pause_ns: u64) -> bool {
        !self.is_working(now, pause_ns) && self.position == 0 && now >= self.pause_until
    }

    /// The side of the order that closes the position; `None` if it is flat.
    pub(super) fn closing(&self) -> Option<Side> {
        (self.position != 0).then_some(if self.position > 0 { Side::Sell } else { Side::Buy })
    }

    /// Leaves the position, if it is to be left where it could be closed at that price: because of `unless`, which the strategy found
    /// itself, or for its stop, its target, or since nothing protects it. Gives the quantity of the order, and why.
    pub(super) fn leave(&mut self, px: Px, unless: Option<Why>, now: Ns, patience_ns: u64) -> Option<(u64, Why)> {
        let is_long = self.position > 0;
        let touched = |level: Px, below: bool| level != Px::NONE && if below { px <= level } else { px >= level };
        let why = if let Some(why) = unless {
            why
        } else if touched(self.stop, is_long) {
            (Kind::BookTop, price(px), price(self.stop))
        } else if touched(self.target, !is_long) {
            (Kind::BookTop, price(px), price(self.target))
        } else if self.stop == Px::NONE {
            (Kind::Position, self.position as f64, 0.0)
        } else {
            return None;
        };
        let qty = self.position.unsigned_abs();
        self.order(qty, now, patience_ns);
        Some((qty, why))
    }

    /// Takes a report on an order of the owner; those of others change nothing.
    pub(super) fn report(&mut self, owner: Owner, event: &Event, pause_ns: u64) {
        let id = match event.kind {
            Kind::Booked => return self.booked(owner, event, pause_ns),
            Kind::Cancelled => event.record::<Cancelled>().order_id,
            Kind::Reject => event.record::<Reject>().order_id,
            Kind::Refused => event.record::<Refused>().order_id,
            _ => return,
        };
        if owner.has(OrderId(id)) {
            self.settle(event.ts, pause_ns);
        }
    }

    /// A fill, or one that was taken back.
    fn booked(&mut self, owner: Owner, event: &Event, pause_ns: u64) {
        let Some((booked, adds)) = owner.booked(event) else { return };
        self.position = self.position.saturating_add(adds);
        let of_order = if booked.what == Booking::Filled.code() { booked.qty.0 } else { 0 };
        if booked.what == Booking::Busted.code() {
            if self.working == 0 {
                self.close(event.ts, pause_ns);
            }
        } else if of_order >= self.working {
            self.settle(event.ts, pause_ns);
        } else {
            self.working -= of_order;
        }
    }

    /// The order at work has ended, one way or another.
    fn settle(&mut self, now: Ns, pause_ns: u64) {
        self.working = 0;
        self.close(now, pause_ns);
    }

    /// When flat: removes stop and target, and begins the pause.
    fn close(&mut self, now: Ns, pause_ns: u64) {
        if self.position == 0 {
            (self.stop, self.target) = (Px::NONE, Px::NONE);
            self.pause_until = Ns(now.0.saturating_add(pause_ns));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::Booked;
    use flow::{Account, Flags, Qty, Record, StrategyId};

    const OWNER: Owner = Owner { account: Account(3), strategy: StrategyId(4) };
    const PAUSE: u64 = 30;

    fn report<R: Record>(held: &mut Holding, at: u64, side: Side, record: &R) {
        held.report(OWNER, &Event::new(Ns(at), 1, Flags::side_only(side), record), PAUSE);
    }

    fn booked(held: &mut Holding, at: u64, side: Side, qty: u64, what: Booking, account: u8) {
        let order_id = OrderId::new(Account(account), OWNER.strategy, 1).0;
        report(held, at, side, &Booked { order_id, qty: Qty(qty), what: what.code(), ..Booked::default() });
    }

    #[test]
    fn fills_of_the_owner_make_the_position_and_end_the_order() {
        let mut held = Holding::NONE;
        held.order(10, Ns(0), 100);
        booked(&mut held, 1, Side::Sell, 10, Booking::Filled, 9);
        assert_eq!((held.position, held.is_working(Ns(1), PAUSE)), (0, true), "of another account");
        booked(&mut held, 1, Side::Buy, 4, Booking::Filled, 3);
        assert_eq!((held.position, held.is_working(Ns(1), PAUSE)), (4, true));
        booked(&mut held, 2, Side::Buy, 6, Booking::Filled, 3);
        assert_eq!((held.position, held.is_working(Ns(2), PAUSE), held.closing()), (10, false, Some(Side::Sell)));
        assert!(!held.may_enter(Ns(2), PAUSE), "it has a position");
        held.order(10, Ns(3), 100);
        booked(&mut held, 4, Side::Sell, 10, Booking::Filled, 3);
        assert_eq!((held.position, held.closing(), held.pause_until), (0, None, Ns(34)));
        assert!(!held.may_enter(Ns(33), PAUSE) && held.may_enter(Ns(34), PAUSE));
    }

    #[test]
    fn an_order_that_comes_to_nothing_pauses_and_one_without_a_report_is_given_up() {
        let order_id = OrderId::new(OWNER.account, OWNER.strategy, 1).0;
        let ends: [&dyn Fn(&mut Holding); 3] = [
            &|held| report(held, 7, Side::Buy, &Cancelled { order_id, ..Cancelled::default() }),
            &|held| report(held, 7, Side::Buy, &Reject { order_id, ..Reject::default() }),
            &|held| report(held, 7, Side::Buy, &Refused { order_id, ..Refused::default() }),
        ];
        for end in ends {
            let mut held = Holding::NONE;
            held.order(10, Ns(0), 100);
            end(&mut held);
            assert_eq!((held.is_working(Ns(7), PAUSE), held.pause_until), (false, Ns(37)));
        }
        let mut held = Holding::NONE;
        held.order(10, Ns(0), 100);
        assert!(held.is_working(Ns(99), PAUSE) && !held.is_working(Ns(100), PAUSE));
        assert_eq!(held.pause_until, Ns(130));
        booked(&mut held, 110, Side::Buy, 10, Booking::Filled, 3);
        assert_eq!((held.position, held.stop), (10, Px::NONE), "a late fill counts");
        assert_eq!(held.leave(Px(5), None, Ns(111), 100), Some((10, (Kind::Position, 10.0, 0.0))));
    }

    #[test]
    fn a_position_is_left_at_its_stop_or_target_and_a_bust_takes_it_back() {
        for (side, sign) in [(Side::Buy, 1), (Side::Sell, -1)] {
            let mut held = Holding { stop: Px(-5 * sign), target: Px(9 * sign), ..Holding::NONE };
            held.order(2, Ns(0), 100);
            booked(&mut held, 1, side, 2, Booking::Filled, 3);
            for (px, level) in [(-6, Some(-5)), (-5, Some(-5)), (-4, None), (8, None), (9, Some(9)), (10, Some(9))] {
                let (px, level) = (Px(px * sign), level.map(|level| (Kind::BookTop, price(Px(level * sign)))));
                let left = { held }.leave(px, None, Ns(2), 100);
                assert_eq!(left.map(|(qty, why)| (qty, (why.0, why.2))), level.map(|level| (2, level)), "{px:?}");
            }
            let other = (Kind::Status, 1.0, 2.0);
            assert_eq!({ held }.leave(Px(0), Some(other), Ns(2), 100), Some((2, other)));
            booked(&mut held, 3, side, 2, Booking::Busted, 3);
            assert_eq!((held.position, held.stop, held.pause_until), (0, Px::NONE, Ns(33)));
        }
    }
}

//! Routes at the venue: new orders, cancels, replaces, mass cancels.
//!
//! A new order is validated, acknowledged, and walks the displayed depth up to its limit; the remainder rests or is
//! cancelled. Only [`Approved`] routes are accepted. Bound: the levels it walks; for a mass cancel, all our orders.

use super::Replies;
use super::consumed::Place;
use super::matching::Matching;
use super::reports::Cause;
use super::resting::{self, OrderStatus, RestingOrder};
use flow::records::Route;
use flow::{
    Account, Action, Approved, CancelReason, Event, Liquidity, Ns, OrderId, OrderType, Px, RejectReason, Side,
    StrategyId, Tif,
};

/// The limit of a market order.
fn any_price(side: Side) -> Px {
    if side == Side::Sell { Px(i64::MIN) } else { Px::NONE }
}

impl Matching<'_> {
    /// An approved route arrives at `now`.
    pub(super) fn on_route(&mut self, now: Ns, route: &Approved<Event>, replies: &mut Replies) {
        let event = route.get();
        let Some(terms) = event.get::<Route>() else { return };
        let cause = Cause { id: event.id, now };
        let order = RestingOrder {
            id: terms.order_id,
            instrument: event.instrument,
            side: event.side(),
            px: terms.px,
            qty: terms.qty.0,
            ..RestingOrder::VACANT
        };
        match Action::from_code(terms.action) {
            Some(Action::New) => self.new_order(cause, order, terms, replies),
            Some(Action::Cancel) => self.cancel_one(cause, order, replies),
            Some(Action::Replace) => self.replace(cause, order, terms.replaces, replies),
            Some(Action::CancelAll) => self.cancel_all(cause, &order, replies),
            None => self.reports.reject(cause, &order, Action::New, RejectReason::BadTerms, replies),
        }
    }

    fn new_order(&mut self, cause: Cause, mut order: RestingOrder, terms: &Route, replies: &mut Replies) {
        if let Some(reason) = self.refusal(cause.now, &order, terms) {
            return self.reports.reject(cause, &order, Action::New, reason, replies);
        }
        self.expire(cause, order.instrument, replies);
        let market = terms.order_type == OrderType::Market.code();
        let limit = if market { any_price(order.side) } else { order.px };
        let tif = Tif::from_code(terms.tif).expect("checked just now");
        self.reports.ack(cause, &mut order, 0, replies);
        if tif != Tif::FillOrKill || self.reachable(&order, limit) >= order.qty {
            self.walk(cause, &mut order, limit, replies);
        }
        let reason = match tif {
            Tif::FillOrKill => CancelReason::FillOrKill,
            _ if market => CancelReason::NoLiquidity,
            Tif::ImmediateOrCancel => CancelReason::ImmediateOrCancel,
            Tif::Day | Tif::GoodTillCancelled => {
                let calendar = self.instruments[order.instrument as usize].calendar;
                order.expires = if tif == Tif::Day { self.sessions.end(calendar, cause.now) } else { Ns::NONE };
                return self.rest_remainder(order);
            }
        };
        if order.open() > 0 {
            self.reports.cancelled(cause, 0, &order, reason, replies);
        }
        self.resting.remember(order.id);
    }

    /// Why a new order is rejected, if it is.
    fn refusal(&self, now: Ns, order: &RestingOrder, terms: &Route) -> Option<RejectReason> {
        let (kind, tif) = (OrderType::from_code(terms.order_type), Tif::from_code(terms.tif));
        let (Some(kind), Some(tif)) = (kind, tif) else { return Some(RejectReason::BadTerms) };
        if order.id == 0 || order.qty == 0 || order.side == Side::None {
            return Some(RejectReason::BadTerms);
        }
        if self.resting.status_of(order.id) != OrderStatus::Unknown {
            return Some(RejectReason::DuplicateId);
        }
        let Some(book) = self.books.book(order.instrument) else { return Some(RejectReason::NoMarket) };
        let sim = &self.instruments[order.instrument as usize];
        let rests = kind == OrderType::Limit && matches!(tif, Tif::Day | Tif::GoodTillCancelled);
        match kind {
            OrderType::Limit if !sim.takes(order.px) => Some(RejectReason::BadTerms),
            _ if sim.is_halted() => Some(RejectReason::Halted),
            _ if tif == Tif::Day && sim.is_over(now, self.sessions) => Some(RejectReason::Closed),
            OrderType::Market if book.best(order.side.opposite()).is_none() => Some(RejectReason::NoMarket),
            _ if rests && !self.resting.has_room() => Some(RejectReason::TooManyOrders),
            _ => None,
        }
    }

    /// How much of an order could fill at once, up to its quantity.
    fn reachable(&self, order: &RestingOrder, limit: Px) -> u64 {
        let Some(book) = self.books.book(order.instrument) else { return 0 };
        let (other, mut room, mut sum) = (order.side.opposite(), self.consumed.room(), 0_u64);
        for level in book.depth(other) {
            if sum >= order.qty || !resting::trades_at(order.side, limit, level.px) {
                break;
            }
            let place = Place { instrument: order.instrument, side: other, px: level.px };
            if self.consumed.had(place) == 0 {
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            sum = sum.saturating_add(self.consumed.available(place, level.qty.0));
        }
        sum
    }

    /// Fills against the displayed depth, level by level, up to the limit.
    fn walk(&mut self, cause: Cause, order: &mut RestingOrder, limit: Px, replies: &mut Replies) {
        let mark = self.mark(order.instrument);
        let Matching { books, consumed, instruments, reports, .. } = self;
        let sim = &mut instruments[order.instrument as usize];
        let Some(book) = books.book(order.instrument) else { return };
        let other = order.side.opposite();
        for level in book.depth(other) {
            if order.open() == 0 || !resting::trades_at(order.side, limit, level.px) {
                return;
            }
            let place = Place { instrument: order.instrument, side: other, px: level.px };
            let qty = consumed.available(place, level.qty.0).min(order.open());
            if qty > 0 {
                consumed.take(&mut sim.consumed, place, qty);
                reports.fill(cause, order, sim, (level.px, qty, Liquidity::Removed, mark), replies);
            }
        }
    }

    /// Rests the open quantity behind everything displayed at its price.
    fn rest_remainder(&mut self, mut order: RestingOrder) {
        if order.open() == 0 {
            return self.resting.remember(order.id);
        }
        let level = self.books.book(order.instrument).and_then(|b| b.level(order.side, order.px));
        let sim = &mut self.instruments[order.instrument as usize];
        order.ahead = level.map_or(0, |l| l.qty.0);
        order.ahead_orders = level.filter(|_| sim.is_by_order()).map_or(0, |l| l.orders);
        order.traded = 0;
        self.resting.rest(&mut sim.lists, order);
    }

    /// The resting order of an id, after expiries; or why there is none.
    fn find_live(&mut self, cause: Cause, id: u64, replies: &mut Replies) -> Result<u32, RejectReason> {
        if let OrderStatus::Live(at) = self.resting.status_of(id) {
            self.expire(cause, self.resting.get(at).instrument, replies);
        }
        match self.resting.status_of(id) {
            OrderStatus::Live(at) => Ok(at),
            OrderStatus::Done => Err(RejectReason::TooLate),
            OrderStatus::Unknown => Err(RejectReason::UnknownOrder),
        }
    }

    fn cancel_one(&mut self, cause: Cause, order: RestingOrder, replies: &mut Replies) {
        match self.find_live(cause, order.id, replies) {
            Ok(at) => self.cancel(cause, cause.id.0, at, CancelReason::Requested, replies),
            Err(reason) => self.reports.reject(cause, &order, Action::Cancel, reason, replies),
        }
    }

    /// Cancels every order, the oldest first. An id with account or strategy but counter 0 limits it to theirs, an
    /// instrument to that instrument.
    fn cancel_all(&mut self, cause: Cause, what: &RestingOrder, replies: &mut Replies) {
        let of = OrderId(what.id);
        let mut next = self.resting.oldest();
        while next != resting::NONE {
            let (this, order) = (next, self.resting.get(next));
            next = self.resting.younger(next);
            let id = OrderId(order.id);
            let theirs = (of.account() == Account::NONE || of.account() == id.account())
                && (of.strategy() == StrategyId::NONE || of.strategy() == id.strategy());
            if theirs && (what.instrument == 0 || what.instrument == order.instrument) {
                self.cancel(cause, cause.id.0, this, CancelReason::MassCancel, replies);
            }
        }
    }

    fn replace(&mut self, cause: Cause, new: RestingOrder, old: u64, replies: &mut Replies) {
        let refused = |venue: &mut Matching<'_>, reason, replies: &mut Replies| {
            venue.reports.reject(cause, &new, Action::Replace, reason, replies);
        };
        let at = match self.find_live(cause, old, replies) {
            Ok(at) => at,
            Err(reason) => return refused(self, reason, replies),
        };
        let was = *self.resting.get(at);
        let sim = &self.instruments[was.instrument as usize];
        if new.id == 0 || new.qty == 0 || !sim.takes(new.px) {
            return refused(self, RejectReason::BadTerms, replies);
        }
        if self.resting.status_of(new.id) != OrderStatus::Unknown {
            return refused(self, RejectReason::DuplicateId, replies);
        }
        if new.qty <= was.filled {
            return refused(self, RejectReason::TooLate, replies);
        }
        if sim.is_halted() {
            return refused(self, RejectReason::Halted, replies);
        }
        let mut order = RestingOrder { id: new.id, px: new.px, qty: new.qty, ..was };
        self.reports.ack(cause, &mut order, old, replies);
        if order.px == was.px && order.qty <= was.qty {
            self.resting.rename(at, order.id);
            let kept = self.resting.get_mut(at);
            (kept.qty, kept.venue_order) = (order.qty, order.venue_order);
            return;
        }
        self.resting.end(&mut self.instruments[was.instrument as usize].lists, at);
        self.walk(cause, &mut order, new.px, replies);
        self.rest_remainder(order);
    }
}

//! What the pipeline sends: new orders, cancels, new terms, the end of all.
//!
//! A new order is checked, acknowledged, walks the displayed depth as far as its limit allows, and what is left of it
//! rests or is cancelled. Only [`Approved`] routes are taken. Bound: the levels that it walks; a mass cancel all orders.

use super::answers::Cause;
use super::consumed::Place;
use super::resting::{self, Known, RestingOrder};
use super::{Replies, SimulatedVenue};
use flow::records::Route;
use flow::{
    Action, Approved, CancelReason, Event, Interval, Liquidity, Ns, OrderId, OrderType, Px, RejectReason, Side, Tif,
    zone_of,
};

/// A length of a day, for the end of an order that is good for one.
const DAY: u32 = 86_400;

/// What a side accepts without a limit.
fn any_price(side: Side) -> Px {
    if side == Side::Sell { Px(i64::MIN) } else { Px::NONE }
}

impl SimulatedVenue {
    /// An approved route arrives at `now`.
    pub fn on_route(&mut self, now: Ns, route: &Approved<Event>, replies: &mut Replies) {
        let event = route.get();
        let Some(terms) = event.get::<Route>() else { return };
        let cause = Cause { id: event.id, now };
        let own = RestingOrder {
            id: terms.order_id,
            instrument: event.instrument,
            side: event.side(),
            px: terms.px,
            qty: terms.qty.0,
            ..RestingOrder::VACANT
        };
        match Action::from_code(terms.action) {
            Some(Action::New) => self.enter(cause, own, terms, replies),
            Some(Action::Cancel) => self.cancel_one(cause, own, replies),
            Some(Action::Replace) => self.replace(cause, own, terms.replaces, replies),
            Some(Action::CancelAll) => self.cancel_all(cause, &own, replies),
            None => self.answers.reject(cause, &own, Action::New, RejectReason::BadTerms, replies),
        }
    }

    fn enter(&mut self, cause: Cause, mut own: RestingOrder, terms: &Route, replies: &mut Replies) {
        if let Some(reason) = self.refusal(&own, terms) {
            return self.answers.reject(cause, &own, Action::New, reason, replies);
        }
        self.expire(cause, own.instrument, replies);
        let market = terms.order_type == OrderType::Market.code();
        let limit = if market { any_price(own.side) } else { own.px };
        let tif = Tif::from_code(terms.tif).expect("checked just now");
        self.answers.ack(cause, &mut own, 0, replies);
        if tif != Tif::FillOrKill || self.reachable(&own, limit) >= own.qty {
            self.walk(cause, &mut own, limit, replies);
        }
        let reason = match tif {
            Tif::FillOrKill => CancelReason::FillOrKill,
            _ if market => CancelReason::NoLiquidity,
            Tif::ImmediateOrCancel => CancelReason::ImmediateOrCancel,
            Tif::Day | Tif::GoodTillCancelled => {
                let calendar = self.sim_instruments[own.instrument as usize].calendar;
                let day = Interval::from_seconds(DAY).expect("a day is an interval");
                let ends = |now| day.bounds(now, zone_of(calendar)).1;
                own.expires = if tif == Tif::Day { ends(cause.now) } else { Ns::NONE };
                return self.settle(own);
            }
        };
        if own.open() > 0 {
            self.answers.cancelled(cause, 0, &own, reason, replies);
        }
        self.resting.remember(own.id);
    }

    /// Why a new order is not taken.
    fn refusal(&self, own: &RestingOrder, terms: &Route) -> Option<RejectReason> {
        let (kind, tif) = (OrderType::from_code(terms.order_type), Tif::from_code(terms.tif));
        let (Some(kind), Some(tif)) = (kind, tif) else { return Some(RejectReason::BadTerms) };
        if own.id == 0 || own.qty == 0 || own.side == Side::None {
            return Some(RejectReason::BadTerms);
        }
        if self.resting.known(own.id) != Known::Unknown {
            return Some(RejectReason::DuplicateId);
        }
        let Some(book) = self.book(own.instrument) else { return Some(RejectReason::NoMarket) };
        let sim_instrument = &self.sim_instruments[own.instrument as usize];
        let rests = kind == OrderType::Limit && matches!(tif, Tif::Day | Tif::GoodTillCancelled);
        match kind {
            OrderType::Limit if !sim_instrument.takes(own.px) => Some(RejectReason::BadTerms),
            _ if sim_instrument.is_halted() => Some(RejectReason::Halted),
            OrderType::Market if book.best(own.side.opposite()).is_none() => Some(RejectReason::NoMarket),
            _ if rests && !self.resting.has_room() => Some(RejectReason::TooManyOrders),
            _ => None,
        }
    }

    /// How much of an order could be filled at once; more than its quantity is not counted.
    fn reachable(&self, own: &RestingOrder, limit: Px) -> u64 {
        let Some(book) = self.book(own.instrument) else { return 0 };
        let (other, mut room, mut sum) = (own.side.opposite(), self.consumed.room(), 0_u64);
        for level in book.depth(other) {
            if sum >= own.qty || !resting::willing(own.side, limit, level.px) {
                break;
            }
            let place = Place { instrument: own.instrument, side: other, px: level.px };
            if !self.consumed.has(place) {
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            sum = sum.saturating_add(self.consumed.left(place, level.qty.0));
        }
        sum
    }

    /// Takes the displayed depth, level by level, as far as the limit allows.
    fn walk(&mut self, cause: Cause, own: &mut RestingOrder, limit: Px, replies: &mut Replies) {
        let SimulatedVenue { book, consumed, sim_instruments, answers, .. } = self;
        let sim_instrument = &mut sim_instruments[own.instrument as usize];
        let Some(book) = book.books().book(own.instrument) else { return };
        let other = own.side.opposite();
        for level in book.depth(other) {
            if own.open() == 0 || !resting::willing(own.side, limit, level.px) {
                return;
            }
            let place = Place { instrument: own.instrument, side: other, px: level.px };
            let qty = consumed.left(place, level.qty.0).min(own.open());
            if qty > 0 {
                consumed.take(&mut sim_instrument.taken, place, qty);
                answers.fill(cause, own, sim_instrument, (level.px, qty, Liquidity::Removed), replies);
            }
        }
    }

    /// What is left of an order rests, behind all that is displayed at its price.
    fn settle(&mut self, mut own: RestingOrder) {
        if own.open() == 0 {
            return self.resting.remember(own.id);
        }
        let level = self.book(own.instrument).and_then(|b| b.level(own.side, own.px));
        let sim_instrument = &mut self.sim_instruments[own.instrument as usize];
        own.ahead = level.map_or(0, |l| l.qty.0);
        own.ahead_orders = level.filter(|_| sim_instrument.is_by_order()).map_or(0, |l| l.orders);
        own.traded = 0;
        self.resting.rest(&mut sim_instrument.lists, own);
    }

    /// The order of that id, its day ended if that is over; or why there is none.
    fn live(&mut self, cause: Cause, id: u64, replies: &mut Replies) -> Result<u32, RejectReason> {
        if let Known::Live(at) = self.resting.known(id) {
            self.expire(cause, self.resting.get(at).instrument, replies);
        }
        match self.resting.known(id) {
            Known::Live(at) => Ok(at),
            Known::Done => Err(RejectReason::TooLate),
            Known::Unknown => Err(RejectReason::UnknownOrder),
        }
    }

    fn cancel_one(&mut self, cause: Cause, own: RestingOrder, replies: &mut Replies) {
        match self.live(cause, own.id, replies) {
            Ok(at) => self.cancel(cause, cause.id.0, at, CancelReason::Requested, replies),
            Err(reason) => self.answers.reject(cause, &own, Action::Cancel, reason, replies),
        }
    }

    /// Cancels every order, the oldest first; an id with account or strategy but no counter means theirs only, an
    /// instrument those on it only.
    fn cancel_all(&mut self, cause: Cause, what: &RestingOrder, replies: &mut Replies) {
        let of = OrderId(what.id);
        let mut next = self.resting.oldest();
        while next != resting::NONE {
            let (this, own) = (next, self.resting.get(next));
            next = self.resting.younger(next);
            let id = OrderId(own.id);
            let theirs = (of.account() == 0 || of.account() == id.account())
                && (of.strategy() == 0 || of.strategy() == id.strategy());
            if theirs && (what.instrument == 0 || what.instrument == own.instrument) {
                self.cancel(cause, cause.id.0, this, CancelReason::MassCancel, replies);
            }
        }
    }

    fn replace(&mut self, cause: Cause, new: RestingOrder, old: u64, replies: &mut Replies) {
        let refused = |venue: &mut SimulatedVenue, reason, replies: &mut Replies| {
            venue.answers.reject(cause, &new, Action::Replace, reason, replies);
        };
        let at = match self.live(cause, old, replies) {
            Ok(at) => at,
            Err(reason) => return refused(self, reason, replies),
        };
        let was = *self.resting.get(at);
        let sim_instrument = &self.sim_instruments[was.instrument as usize];
        if new.id == 0 || new.qty == 0 || !sim_instrument.takes(new.px) {
            return refused(self, RejectReason::BadTerms, replies);
        }
        if self.resting.known(new.id) != Known::Unknown {
            return refused(self, RejectReason::DuplicateId, replies);
        }
        if new.qty <= was.filled {
            return refused(self, RejectReason::TooLate, replies);
        }
        if sim_instrument.is_halted() {
            return refused(self, RejectReason::Halted, replies);
        }
        let mut own = RestingOrder { id: new.id, px: new.px, qty: new.qty, ..was };
        self.answers.ack(cause, &mut own, old, replies);
        if own.px == was.px && own.qty <= was.qty {
            self.resting.rename(at, own.id);
            let kept = self.resting.get_mut(at);
            (kept.qty, kept.venue_order) = (own.qty, own.venue_order);
            return;
        }
        self.resting.end(&mut self.sim_instruments[was.instrument as usize].lists, at);
        self.walk(cause, &mut own, new.px, replies);
        self.settle(own);
    }
}

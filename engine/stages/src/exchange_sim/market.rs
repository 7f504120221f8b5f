//! What the market says: the book is kept, and what rests of ours is filled.
//!
//! Before the book changes the venue looks where in which queue the message strikes; then it lets the book change and
//! follows: what stood ahead of us shrinks, what traded beyond it is ours, and when the group is closed and the other side
//! stands at or through our price, what is displayed there is ours too. On instruments on which we have nothing it only
//! keeps the book. Bound: our orders on the instrument, and the place of the struck order in its queue.

use super::answers::Cause;
use super::consumed::Place;
use super::instrument::SimInstrument;
use super::resting::{self, NONE, RestingOrder};
use super::{Replies, SimulatedVenue};
use crate::book::Top;
use flow::records::{Add, Cancel, Delete, Exec, Level, Listing, Replace, Status, Trade};
use flow::{Event, Flags, Kind, Px, Side};

/// Where a message strikes, seen before the book changes.
#[derive(Clone, Copy)]
enum Strike {
    /// Nowhere that matters.
    Nowhere,
    /// Some or all of an order leaves its queue.
    Queue(Leaving),
    /// A level of a book by level; what it displayed.
    Level(Side, Px, u64),
    /// A restated order joins a queue of so many shares and orders.
    Joining(Side, Px, u64, u32),
    /// Both best levels may change.
    Quote([(Px, u64); 2]),
}

/// An order of the market, or a part of it, that leaves its queue.
#[derive(Clone, Copy)]
struct Leaving {
    side: Side,
    px: Px,
    qty: u64,
    /// Orders before it.
    place: u32,
    /// Whether nothing is left of it.
    whole: bool,
    /// Whether it traded.
    trade: bool,
    /// What the level displays without it.
    left: u64,
}

/// Whether an execution is one that our orders could have had.
pub(super) fn counts(event: &Event) -> bool {
    let not = Flags::AUCTION.0 | Flags::NON_PRINTABLE.0 | Flags::SNAPSHOT.0;
    event.flags.0 & not == 0
}

impl SimulatedVenue {
    /// A market input has been stamped: books it and fills what rests.
    #[inline]
    pub fn on_market(&mut self, event: &Event, replies: &mut Replies) {
        let at = event.instrument as usize;
        if event.kind == Kind::Level && self.sim_instruments.get(at).is_some_and(SimInstrument::is_by_level) {
            return self.told(event, replies);
        }
        if event.kind == Kind::Clear && event.instrument == 0 {
            return self.clear_source(event);
        }
        let Some(sim_instrument) = self.sim_instruments.get_mut(at) else { return self.keep(event) };
        let anew = match event.kind {
            Kind::Listing => sim_instrument.list(event.source, event.record::<Listing>()),
            Kind::Status => {
                sim_instrument.status(event.record::<Status>());
                false
            }
            kind => kind == Kind::Clear,
        };
        if sim_instrument.is_idle() {
            return self.keep(event);
        }
        let cause = Cause { id: event.id, now: event.ts };
        self.expire(cause, event.instrument, replies);
        if anew {
            self.keep(event);
            self.clear_desk(at);
        } else if event.kind == Kind::Trade {
            self.printed(cause, event, replies);
        } else {
            let strike = self.look(event);
            self.keep(event);
            self.follow(cause, event, strike, replies);
        }
        if event.flags.has(Flags::LAST_OF_GROUP) {
            self.crossed(cause, event.instrument, replies);
        }
    }

    fn clear_source(&mut self, event: &Event) {
        self.keep(event);
        for at in 0..self.sim_instruments.len() {
            if self.sim_instruments[at].source == event.source && !self.sim_instruments[at].is_idle() {
                self.clear_desk(at);
            }
        }
    }

    /// The book begins anew: nobody is ahead until it is restated, and no level stands of which we took.
    fn clear_desk(&mut self, at: usize) {
        let sim_instrument = &mut self.sim_instruments[at];
        self.consumed.clear(&mut sim_instrument.taken);
        for head in sim_instrument.lists.heads {
            let mut next = head;
            while next != NONE {
                let own = self.resting.get_mut(next);
                (own.ahead, own.ahead_orders, own.traded) = (0, 0, 0);
                next = own.after;
            }
        }
    }

    /// Looks where the message will strike.
    fn look(&self, event: &Event) -> Strike {
        let sim_instrument = &self.sim_instruments[event.instrument as usize];
        let Some(book) = self.book.books().book(event.instrument) else { return Strike::Nowhere };
        if sim_instrument.is_by_order() {
            return self.look_at_queue(event);
        }
        if !sim_instrument.is_by_level() {
            let best = [Side::Buy, Side::Sell].map(|side| book.best(side).map_or((Px::NONE, 0), |d| (d.px, d.qty.0)));
            return if event.kind == Kind::Quote { Strike::Quote(best) } else { Strike::Nowhere };
        }
        let px = match event.kind {
            Kind::Level => event.record::<Level>().px,
            Kind::Exec => event.record::<Exec>().px,
            Kind::Cancel => event.record::<Cancel>().px,
            Kind::Delete => event.record::<Delete>().px,
            _ => return Strike::Nowhere,
        };
        Strike::Level(event.side(), px, book.level(event.side(), px).map_or(0, |l| l.qty.0))
    }

    fn look_at_queue(&self, event: &Event) -> Strike {
        let book = self.book.books().book(event.instrument).expect("looked at just now");
        if let Some(add) = event.get::<Add>() {
            let restated = event.flags.has(Flags::SNAPSHOT);
            let (qty, orders) = book.level(event.side(), add.px).map_or((0, 0), |l| (l.qty.0, l.orders));
            return if restated { Strike::Joining(event.side(), add.px, qty, orders) } else { Strike::Nowhere };
        }
        let reference = match event.kind {
            Kind::Exec => event.record::<Exec>().order_ref,
            Kind::Cancel => event.record::<Cancel>().order_ref,
            Kind::Delete => event.record::<Delete>().order_ref,
            Kind::Replace => event.record::<Replace>().order_ref,
            _ => return Strike::Nowhere,
        };
        let Some(order) = book.order(reference) else { return Strike::Nowhere };
        let (side, px, has) = (order.side, order.px, order.qty.0);
        let qty = match event.kind {
            Kind::Exec => event.record::<Exec>().qty.0.min(has),
            Kind::Cancel => event.record::<Cancel>().qty.0.min(has),
            Kind::Replace => leaves(event.record::<Replace>(), px, has),
            _ => has,
        };
        if qty == 0 {
            return Strike::Nowhere;
        }
        let beside = self.resting.first_at(&self.sim_instruments[event.instrument as usize].lists, side, px) != NONE;
        let place = if beside { book.ahead(reference).map_or(0, |a| a.orders) } else { 0 };
        let left = book.level(side, px).map_or(0, |l| l.qty.0) - qty;
        let trade = event.kind == Kind::Exec && counts(event);
        Strike::Queue(Leaving { side, px, qty, place, whole: qty == has, trade, left })
    }

    /// Each order of ours at that price.
    pub(super) fn each_at(&mut self, instrument: u32, side: Side, px: Px, mut each: impl FnMut(&mut RestingOrder)) {
        let mut next = self.resting.first_there(&mut self.sim_instruments[instrument as usize].lists, side, px);
        while next != NONE {
            let own = self.resting.get_mut(next);
            if own.px != px {
                return;
            }
            each(own);
            next = own.after;
        }
    }

    fn follow(&mut self, cause: Cause, event: &Event, strike: Strike, replies: &mut Replies) {
        match strike {
            Strike::Nowhere => {}
            Strike::Queue(leaving) => self.left(cause, event, leaving, replies),
            Strike::Level(side, px, before) => self.level(cause, event, (side, px, before), replies),
            Strike::Joining(side, px, qty, orders) => {
                let book = self.book.books().book(event.instrument);
                let Some(now) = book.and_then(|b| b.level(side, px)).filter(|l| l.orders > orders) else { return };
                // Restated orders stand ahead, as long as nothing that is news stands between.
                self.each_at(event.instrument, side, px, |own| {
                    if (own.ahead, own.ahead_orders) == (qty, orders) {
                        (own.ahead, own.ahead_orders) = (now.qty.0, now.orders);
                    }
                });
            }
            Strike::Quote(before) => {
                for (side, (px, qty)) in [Side::Buy, Side::Sell].into_iter().zip(before) {
                    self.quote(event.instrument, side, px, qty);
                }
            }
        }
    }

    /// Something left a queue of orders.
    fn left(&mut self, cause: Cause, event: &Event, leaving: Leaving, replies: &mut Replies) {
        let Leaving { side, px, qty, place, whole, trade, left } = leaving;
        let sim_instrument = &mut self.sim_instruments[event.instrument as usize];
        self.consumed.fell(&mut sim_instrument.taken, Place { instrument: event.instrument, side, px }, left);
        let at = |own: &mut RestingOrder| {
            let behind = place >= own.ahead_orders;
            if !behind {
                own.shrink(qty, true);
                own.ahead_orders -= u32::from(whole);
            }
            // An execution behind us while others still stand before us was not by priority.
            if behind && own.waits_for() == 0 { qty } else { 0 }
        };
        if trade {
            self.trade(cause, event.instrument, (side, px, qty), at, replies);
        } else {
            self.each_at(event.instrument, side, px, |own| _ = at(own));
        }
    }

    /// The best level of a side, in a book that knows no more.
    fn quote(&mut self, instrument: u32, side: Side, was: Px, had: u64) {
        let best = self.book.books().book(instrument).and_then(|b| b.best(side));
        let (px, qty) = best.map_or((Px::NONE, 0), |d| (d.px, d.qty.0));
        if px == was {
            let place = Place { instrument, side, px };
            self.consumed.fell(&mut self.sim_instruments[instrument as usize].taken, place, qty);
            return self.moved(instrument, (side, px), had, qty, (true, false));
        }
        let place = Place { instrument, side, px: was };
        self.consumed.fell(&mut self.sim_instruments[instrument as usize].taken, place, 0);
        let mut next = self.sim_instruments[instrument as usize].lists.heads[resting::half(side)];
        while next != NONE {
            let own = self.resting.get_mut(next);
            next = own.after;
            if own.px == px {
                // It is the best again; what happened meanwhile is not known, so we stand at its end.
                (own.ahead, own.traded) = (qty, 0);
            } else if best.is_none() || own.accepts(px) {
                (own.ahead, own.traded) = (0, 0);
            }
        }
    }

    /// A trade that is told without naming a displayed order.
    fn printed(&mut self, cause: Cause, event: &Event, replies: &mut Replies) {
        let Trade { px, qty, .. } = *event.record();
        if !counts(event) || px == Px::NONE || qty.0 == 0 {
            return;
        }
        let hidden = event.flags.has(Flags::HIDDEN);
        for side in [Side::Buy, Side::Sell] {
            let met = event.side() != side;
            let at = |own: &mut RestingOrder| {
                let waits = own.waits_for();
                if hidden || !met {
                    return if met && waits == 0 { qty.0 } else { 0 };
                }
                own.traded += waits.min(qty.0);
                qty.0.saturating_sub(waits)
            };
            self.trade(cause, event.instrument, (side, px, qty.0), at, replies);
        }
    }

    /// A trade against `side`: orders of ours at better prices are filled first, those at its price by `at`, which says
    /// how many shares of the trade come to an order, ours before it included.
    pub(super) fn trade(
        &mut self,
        cause: Cause,
        instrument: u32,
        trade: (Side, Px, u64),
        mut at: impl FnMut(&mut RestingOrder) -> u64,
        replies: &mut Replies,
    ) {
        let (side, px, qty) = trade;
        let mut used = 0;
        let mut next = self.sim_instruments[instrument as usize].lists.heads[resting::half(side)];
        while next != NONE {
            let (this, own) = (next, self.resting.get_mut(next));
            if !own.accepts(px) {
                return;
            }
            next = own.after;
            let comes = if own.px == px { at(own) } else { qty };
            let fill = comes.saturating_sub(used).min(own.open());
            if fill > 0 {
                used += fill;
                self.filled(cause, this, fill, replies);
            }
        }
    }

    /// The other side stands at or through our price: what is displayed there is ours, at our price.
    pub(super) fn crossed(&mut self, cause: Cause, instrument: u32, replies: &mut Replies) {
        if let Some(top) = self.book(instrument).map(|b| b.top()) {
            self.crossed_by(cause, instrument, &top, replies);
        }
    }

    /// The same for these best prices.
    pub(super) fn crossed_by(&mut self, cause: Cause, instrument: u32, top: &Top, replies: &mut Replies) {
        let lists = &mut self.sim_instruments[instrument as usize].lists;
        let heads = lists.heads;
        lists.crossed = true;
        if self.sim_instruments[instrument as usize].is_halted() {
            return;
        }
        let mut crossed = false;
        for (side, best) in [(Side::Buy, top.ask_px), (Side::Sell, top.bid_px)] {
            let head = heads[resting::half(side)];
            if head != NONE && best != Px::NONE && resting::willing(side, self.resting.get(head).px, best) {
                crossed = true;
                self.uncross(cause, (instrument, side, best), head, replies);
            }
        }
        self.sim_instruments[instrument as usize].lists.crossed = crossed;
    }

    /// Fills what crosses `best`, the best price of the other side, from `next` on.
    #[cold]
    fn uncross(&mut self, cause: Cause, at: (u32, Side, Px), mut next: u32, replies: &mut Replies) {
        let (instrument, side, best) = at;
        while next != NONE {
            let (this, own) = (next, *self.resting.get(next));
            next = own.after;
            if !own.accepts(best) {
                return;
            }
            let qty = self.take(instrument, side, own.px, own.open());
            if qty > 0 {
                self.filled(cause, this, qty, replies);
            }
        }
    }

    /// Takes what is displayed at or through `limit` opposite `side`, up to `wanted`; how much that was.
    fn take(&mut self, instrument: u32, side: Side, limit: Px, wanted: u64) -> u64 {
        let sim_instrument = &mut self.sim_instruments[instrument as usize];
        let Some(book) = self.book.books().book(instrument) else { return 0 };
        let (other, mut taken) = (side.opposite(), 0);
        for level in book.depth(other) {
            if taken == wanted || !resting::willing(side, limit, level.px) {
                break;
            }
            let place = Place { instrument, side: other, px: level.px };
            let qty = self.consumed.left(place, level.qty.0).min(wanted - taken);
            if qty > 0 {
                self.consumed.take(&mut sim_instrument.taken, place, qty);
                taken += qty;
            }
        }
        taken
    }
}

/// How many shares leave an order's place when it gets new terms: all, unless it keeps its place.
fn leaves(replace: &Replace, px: Px, has: u64) -> u64 {
    let keeps = replace.new_ref == replace.order_ref && replace.px == px && (1..=has).contains(&replace.qty.0);
    if keeps { has - replace.qty.0 } else { has }
}

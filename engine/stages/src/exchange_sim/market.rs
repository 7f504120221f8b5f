//! Market data at the venue: fills our resting orders.
//!
//! Before the book changes, the venue works out which queue the message affects; once it has, it applies the consequences.
//! Departures reduce the queue ahead of us, a trade that exceeds the queue ahead fills us, and when a group closes with the
//! other side at or through our price, what is displayed there fills us at our price. A bit per price rules out most messages
//! where we have orders; where we have none there is nothing to do. Bound: our orders on the instrument, and the queue position
//! of the order that the message names.

use super::Replies;
use super::consumed::{self, Place};
use super::instrument::SimInstrument;
use super::matching::Matching;
use super::reports::Cause;
use super::resting::{self, NONE, RestingOrder};
use flow::records::{Add, Cancel, Delete, Exec, Level, Listing, Replace, Session, Status, Tick, Trade};
use flow::{Event, Flags, Kind, Px, Side, StatusKind};

/// What a message will do to a queue, worked out before the book changes.
#[derive(Clone, Copy)]
pub(super) enum Impact {
    /// Nothing that concerns us.
    None,
    /// An order leaves its queue, whole or in part.
    Queue(QueueExit),
    /// A level of a book by level changes; the quantity before.
    Level(Side, Px, u64),
    /// A restated order joins a queue of that many shares and orders.
    Joining(Side, Px, u64, u32),
    /// New shares join a level of which we took something; the quantity before.
    News(Place, u64),
    /// Either best level may change; price and quantity before.
    Quote([(Px, u64); 2]),
}

/// An order of the market that leaves its queue, whole or in part.
#[derive(Clone, Copy)]
pub(super) struct QueueExit {
    side: Side,
    px: Px,
    qty: u64,
    /// Number of orders ahead of it.
    place: u32,
    /// Whether the whole order leaves.
    whole: bool,
    /// Whether it leaves by a trade.
    trade: bool,
    /// What the level displays afterwards.
    left: u64,
}

/// Whether our orders could have taken part in an execution.
pub(super) fn counts(event: &Event) -> bool {
    let not = Flags::AUCTION.0 | Flags::NON_PRINTABLE.0 | Flags::SNAPSHOT.0;
    event.flags.0 & not == 0
}

impl Matching<'_> {
    /// Applies a market input that has changed the book, with what was worked out before.
    #[inline]
    pub(super) fn on_market(&mut self, event: &Event, impact: Impact, replies: &mut Replies) {
        let at = event.instrument as usize;
        if event.instrument == 0 {
            return self.on_source(event, replies);
        }
        let Some(sim) = self.instruments.get_mut(at) else { return };
        let anew = match event.kind {
            Kind::Listing => sim.list(event.source, event.record::<Listing>()),
            Kind::Status => {
                sim.status(event.record::<Status>());
                if sim.is_closed() {
                    self.resting.end_day(&mut sim.lists, event.ts);
                }
                false
            }
            kind => kind == Kind::Clear,
        };
        if !sim.is_idle() {
            self.follow(event, (anew, impact), replies);
        }
    }

    /// An input on an instrument where we have orders, or took from the depth that is displayed.
    fn follow(&mut self, event: &Event, (anew, impact): (bool, Impact), replies: &mut Replies) {
        let (at, cause) = (event.instrument as usize, Cause { id: event.id, now: event.ts });
        self.expire(cause, event.instrument, replies);
        if anew {
            self.reset_queues(at);
            if event.kind == Kind::Listing {
                self.consumed.clear(&mut self.instruments[at].consumed);
            }
        } else if event.kind == Kind::Trade {
            self.on_print(cause, event, replies);
        } else {
            self.apply(cause, event, impact, replies);
        }
        if event.flags.has(Flags::LAST_OF_GROUP) {
            self.crossed(cause, event.instrument, replies);
        }
    }

    /// An input of no single instrument: the books of a source start anew, its session or a calendar's goes on to another hour,
    /// or it is time for a slice of the instruments to end their day.
    #[cold]
    fn on_source(&mut self, event: &Event, replies: &mut Replies) {
        if let Some(tick) = event.get::<Tick>() {
            return self.on_tick(event, tick, replies);
        }
        if let Some(session) = event.get::<Session>() {
            return self.on_session(event, session);
        }
        let hour = event.get::<Status>().filter(|s| StatusKind::from_code(s.what) == Some(StatusKind::Session));
        if hour.is_none() && event.kind != Kind::Clear {
            return;
        }
        for at in 0..self.instruments.values().len() {
            let sim = &mut self.instruments[at];
            if !sim.listed || sim.source != event.source {
                continue;
            }
            if let Some(hour) = hour {
                sim.status(hour);
                if sim.is_closed() {
                    self.resting.end_day(&mut sim.lists, event.ts);
                }
            } else if !sim.is_idle() {
                self.reset_queues(at);
            }
        }
    }

    /// A calendar says what its market does: where market hours are over by that, day orders end.
    fn on_session(&mut self, event: &Event, session: &Session) {
        self.sessions.take(session);
        for sim in self.instruments.values_mut() {
            if sim.listed && sim.calendar.code() == session.calendar && sim.is_over(event.ts, self.sessions) {
                self.resting.end_day(&mut sim.lists, event.ts);
            }
        }
    }

    /// Cancels the day orders of a slice of the instruments, where their day is over.
    fn on_tick(&mut self, event: &Event, tick: &Tick, replies: &mut Replies) {
        let last = tick.last.min((self.instruments.values().len() as u32).saturating_sub(1));
        if tick.interval_s == Tick::CLOSE {
            let cause = Cause { id: event.id, now: event.ts };
            (tick.first..=last).for_each(|instrument| self.expire(cause, instrument, replies));
        }
    }

    /// The book starts anew: no queue is ahead until it is restated. What we consumed stays: shares that are restated are
    /// the same shares.
    fn reset_queues(&mut self, at: usize) {
        for head in self.instruments[at].lists.heads {
            let mut next = head;
            while next != NONE {
                let order = self.resting.get_mut(next);
                (order.ahead, order.ahead_orders, order.traded) = (0, 0, 0);
                next = order.after;
            }
        }
    }

    /// Works out which queue a message affects.
    pub(super) fn impact_of(&self, event: &Event) -> Impact {
        let sim = &self.instruments[event.instrument as usize];
        let Some(book) = self.books.book(event.instrument) else { return Impact::None };
        if sim.is_by_order() {
            return self.impact_on_queue(event);
        }
        if !sim.is_by_level() {
            let best = [Side::Buy, Side::Sell].map(|side| book.best(side).map_or((Px::NONE, 0), |d| (d.px, d.qty.0)));
            return if event.kind == Kind::Quote { Impact::Quote(best) } else { Impact::None };
        }
        let (px, trade) = match event.kind {
            Kind::Add => return self.impact_of_news(event),
            Kind::Level => (event.record::<Level>().px, false),
            // It may have to do with orders of ours at better prices.
            Kind::Exec => (event.record::<Exec>().px, true),
            Kind::Cancel => (event.record::<Cancel>().px, false),
            Kind::Delete => (event.record::<Delete>().px, false),
            _ => return Impact::None,
        };
        let side = event.side();
        if !trade && self.passes_by(sim, Place { instrument: event.instrument, side, px }) {
            return Impact::None;
        }
        Impact::Level(side, px, book.level(side, px).map_or(0, |l| l.qty.0))
    }

    fn impact_of_news(&self, event: &Event) -> Impact {
        let (instrument, side, px) = (event.instrument, event.side(), event.record::<Add>().px);
        let place = Place { instrument, side, px };
        if self.instruments[instrument as usize].consumed == consumed::NONE || self.consumed.had(place) == 0 {
            return Impact::None;
        }
        Impact::News(place, self.shown(place))
    }

    /// Whether a level that changes without a trade has nothing to do with us: no order of ours rests there, and we took nothing of
    /// what it displays.
    #[inline]
    fn passes_by(&self, sim: &SimInstrument, place: Place) -> bool {
        !sim.lists.may_hold(place.side, place.px) && (sim.consumed == consumed::NONE || self.consumed.had(place) == 0)
    }

    /// What a level displays.
    pub(super) fn shown(&self, place: Place) -> u64 {
        self.books.book(place.instrument).and_then(|b| b.level(place.side, place.px)).map_or(0, |l| l.qty.0)
    }

    fn impact_on_queue(&self, event: &Event) -> Impact {
        let book = self.books.book(event.instrument).expect("looked at just now");
        if let Some(add) = event.get::<Add>() {
            if !event.flags.has(Flags::SNAPSHOT) {
                return self.impact_of_news(event);
            }
            let (qty, orders) = book.level(event.side(), add.px).map_or((0, 0), |l| (l.qty.0, l.orders));
            return Impact::Joining(event.side(), add.px, qty, orders);
        }
        let reference = match event.kind {
            Kind::Exec => event.record::<Exec>().order_ref,
            Kind::Cancel => event.record::<Cancel>().order_ref,
            Kind::Delete => event.record::<Delete>().order_ref,
            Kind::Replace => event.record::<Replace>().order_ref,
            _ => return Impact::None,
        };
        let Some(order) = book.order(reference) else { return Impact::None };
        let (side, px, has) = (order.side, order.px, order.qty.0);
        let trade = event.kind == Kind::Exec && counts(event);
        let sim = &self.instruments[event.instrument as usize];
        let place = Place { instrument: event.instrument, side, px };
        // What we took of an order that is replaced goes with it.
        let moves = event.kind == Kind::Replace && sim.consumed != consumed::NONE;
        if !trade && !moves && self.passes_by(sim, place) {
            return Impact::None;
        }
        let qty = match event.kind {
            Kind::Exec => event.record::<Exec>().qty.0.min(has),
            Kind::Cancel => event.record::<Cancel>().qty.0.min(has),
            Kind::Replace => leaves(event.record::<Replace>(), px, has),
            _ => has,
        };
        if qty == 0 {
            return Impact::None;
        }
        let beside = self.resting.first_at(&sim.lists, side, px) != NONE;
        let place = if beside { book.ahead(reference).map_or(0, |a| a.orders) } else { 0 };
        let left = book.level(side, px).map_or(0, |l| l.qty.0) - qty;
        Impact::Queue(QueueExit { side, px, qty, place, whole: qty == has, trade, left })
    }

    /// Calls `each` for every order of ours at that price.
    pub(super) fn each_at(&mut self, instrument: u32, side: Side, px: Px, mut each: impl FnMut(&mut RestingOrder)) {
        let mut next = self.resting.first_at_pruning(&mut self.instruments[instrument as usize].lists, side, px);
        while next != NONE {
            let order = self.resting.get_mut(next);
            if order.px != px {
                return;
            }
            each(order);
            next = order.after;
        }
    }

    fn apply(&mut self, cause: Cause, event: &Event, impact: Impact, replies: &mut Replies) {
        match impact {
            Impact::None => {}
            Impact::Queue(exit) => self.on_queue_exit(cause, event, exit, replies),
            Impact::Level(side, px, before) => self.on_level(cause, event, (side, px, before), replies),
            Impact::Joining(side, px, qty, orders) => {
                let book = self.books.book(event.instrument);
                let Some(now) = book.and_then(|b| b.level(side, px)).filter(|l| l.orders > orders) else { return };
                // Restated orders are ahead of ours until the first order that is news.
                self.each_at(event.instrument, side, px, |order| {
                    if (order.ahead, order.ahead_orders) == (qty, orders) {
                        (order.ahead, order.ahead_orders) = (now.qty.0, now.orders);
                    }
                });
            }
            Impact::News(place, shown) => {
                self.consumed.limit_to(&mut self.instruments[event.instrument as usize].consumed, place, shown);
            }
            Impact::Quote(before) => {
                for (side, (px, qty)) in [Side::Buy, Side::Sell].into_iter().zip(before) {
                    self.quote(event.instrument, side, px, qty);
                }
            }
        }
    }

    /// An order left its queue, whole or in part.
    fn on_queue_exit(&mut self, cause: Cause, event: &Event, exit: QueueExit, replies: &mut Replies) {
        let QueueExit { side, px, qty, place, whole, trade, left } = exit;
        let sim = &mut self.instruments[event.instrument as usize];
        let cut = self.consumed.limit_to(&mut sim.consumed, Place { instrument: event.instrument, side, px }, left);
        if whole
            && (cut > 0 || sim.consumed != consumed::NONE)
            && let Some(replace) = event.get::<Replace>()
        {
            self.take_along(event.instrument, replace.new_ref, cut);
        }
        let at = |order: &mut RestingOrder| {
            let behind = place >= order.ahead_orders;
            if !behind {
                order.shrink(qty, true);
                order.ahead_orders -= u32::from(whole);
            }
            // An execution behind us while others are still ahead was not in priority: it says nothing about our order.
            if behind && order.queue_ahead() == 0 { qty } else { 0 }
        };
        if trade {
            self.trade(cause, event.instrument, (side, px, qty), 0, at, replies);
        } else {
            self.each_at(event.instrument, side, px, |order| _ = at(order));
        }
    }

    /// An order of the market was replaced and left a level that displays `cut` shares fewer than we consumed of it. Those
    /// stay consumed where the order is displayed now; else it is news there.
    #[cold]
    fn take_along(&mut self, instrument: u32, new_ref: u64, cut: u64) {
        let Some(order) = self.books.book(instrument).and_then(|b| b.order(new_ref)) else { return };
        let place = Place { instrument, side: order.side, px: order.px };
        let (others, qty) = (self.shown(place) - order.qty.0, cut.min(order.qty.0));
        let head = &mut self.instruments[instrument as usize].consumed;
        self.consumed.limit_to(head, place, others);
        if qty > 0 && self.consumed.available(place, u64::MAX) > 0 {
            self.consumed.take(head, place, qty);
        }
    }

    /// The best level of a side may have changed, in a book of quotes.
    fn quote(&mut self, instrument: u32, side: Side, was: Px, had: u64) {
        let best = self.books.book(instrument).and_then(|b| b.best(side));
        let (px, qty) = best.map_or((Px::NONE, 0), |d| (d.px, d.qty.0));
        if px == was {
            let place = Place { instrument, side, px };
            self.consumed.limit_to(&mut self.instruments[instrument as usize].consumed, place, qty);
            return self.level_moved(instrument, (side, px), had, qty, (true, false));
        }
        // Behind a better price a level is out of sight.
        if was != Px::NONE && (px == Px::NONE || resting::trades_at(side, was, px)) {
            let consumed = &mut self.instruments[instrument as usize].consumed;
            self.consumed.fell_back(consumed, side, px);
            self.consumed.limit_to(consumed, Place { instrument, side, px }, qty);
        }
        let mut next = self.instruments[instrument as usize].lists.heads[resting::half(side)];
        while next != NONE {
            let order = self.resting.get_mut(next);
            next = order.after;
            if order.px == px {
                // Our price is the best again; what happened meanwhile is unknown, so we stand at the end of the queue.
                (order.ahead, order.traded) = (qty, 0);
            } else if best.is_none() || order.accepts(px) {
                (order.ahead, order.traded) = (0, 0);
            }
        }
    }

    /// A trade print that names no displayed order.
    fn on_print(&mut self, cause: Cause, event: &Event, replies: &mut Replies) {
        let Trade { px, qty, .. } = *event.record();
        if !counts(event) || px == Px::NONE || qty.0 == 0 {
            return;
        }
        let (hidden, mut used) = (event.flags.has(Flags::HIDDEN), 0);
        for side in [Side::Buy, Side::Sell] {
            let met = event.side() != side;
            if !met && !hidden {
                // Whoever sold to our side was displayed, and what was displayed for us we had.
                continue;
            }
            let had = Place { instrument: event.instrument, side: side.opposite(), px };
            let had = if hidden || event.side() != Side::None { 0 } else { self.consumed.had(had) };
            let at = |order: &mut RestingOrder| {
                let waits = order.queue_ahead();
                if hidden {
                    return if met && waits == 0 { qty.0 } else { 0 };
                }
                order.traded += waits.min(qty.0);
                qty.0.saturating_sub(waits)
            };
            used = self.trade(cause, event.instrument, (side, px, qty.0), had + used, at, replies) - had;
        }
    }

    /// A trade against `side`, of which `used` shares cannot be ours any more; returns how many cannot be afterwards. Orders
    /// of ours at better prices are filled first. For an order at its price, `at` returns how many shares of the trade
    /// reach it, before what orders of ours ahead of it take.
    pub(super) fn trade(
        &mut self,
        cause: Cause,
        instrument: u32,
        trade: (Side, Px, u64),
        mut used: u64,
        mut at: impl FnMut(&mut RestingOrder) -> u64,
        replies: &mut Replies,
    ) -> u64 {
        let (side, px, qty) = trade;
        let mut next = self.instruments[instrument as usize].lists.heads[resting::half(side)];
        while next != NONE {
            let (this, order) = (next, self.resting.get_mut(next));
            if !order.accepts(px) {
                break;
            }
            next = order.after;
            let comes = if order.px == px { at(order) } else { qty };
            let fill = comes.saturating_sub(used).min(order.open());
            if fill > 0 {
                used += fill;
                self.fill_resting(cause, this, fill, replies);
            }
        }
        used
    }

    /// When the other side is at or through our price, what is displayed there fills us at our price.
    pub(super) fn crossed(&mut self, cause: Cause, instrument: u32, replies: &mut Replies) {
        let sim = &self.instruments[instrument as usize];
        if sim.lists.are_empty() || sim.is_halted() {
            return;
        }
        let Some(top) = self.books.book(instrument).map(|book| book.top()) else { return };
        let heads = sim.lists.heads;
        for (side, best) in [(Side::Buy, top.ask_px), (Side::Sell, top.bid_px)] {
            let head = heads[resting::half(side)];
            if head != NONE && best != Px::NONE && resting::trades_at(side, self.resting.get(head).px, best) {
                self.uncross(cause, (instrument, side, best), head, replies);
            }
        }
    }

    /// Fills our orders that cross `best`, the best price of the other side, from `next` on.
    #[cold]
    fn uncross(&mut self, cause: Cause, at: (u32, Side, Px), mut next: u32, replies: &mut Replies) {
        let (instrument, side, best) = at;
        while next != NONE {
            let (this, order) = (next, *self.resting.get(next));
            next = order.after;
            if !order.accepts(best) {
                return;
            }
            let qty = self.take(instrument, side, order.px, order.open());
            if qty > 0 {
                self.fill_resting(cause, this, qty, replies);
            }
        }
    }

    /// Takes what is displayed at or through `limit` opposite `side`, up to `wanted`; returns the quantity.
    fn take(&mut self, instrument: u32, side: Side, limit: Px, wanted: u64) -> u64 {
        let sim = &mut self.instruments[instrument as usize];
        let Some(book) = self.books.book(instrument) else { return 0 };
        let (other, mut taken) = (side.opposite(), 0);
        for level in book.depth(other) {
            if taken == wanted || !resting::trades_at(side, limit, level.px) {
                break;
            }
            let place = Place { instrument, side: other, px: level.px };
            let qty = self.consumed.available(place, level.qty.0).min(wanted - taken);
            if qty > 0 {
                self.consumed.take(&mut sim.consumed, place, qty);
                taken += qty;
            }
        }
        taken
    }
}

/// How many shares leave the order's queue position on a replace: all, unless it keeps the position.
fn leaves(replace: &Replace, px: Px, has: u64) -> u64 {
    let keeps = replace.new_ref == replace.order_ref && replace.px == px && (1..=has).contains(&replace.qty.0);
    if keeps { has - replace.qty.0 } else { has }
}

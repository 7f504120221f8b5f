//! A level of a book that knows no orders: it fell or rose, and what of ours stood behind.
//!
//! Most messages of such a feed tell one level whole, and most of these are of prices at which we have nothing. So they
//! have a way of their own: one search of the book both sets the level and tells what it displayed before, a mark says that no
//! order of ours rests there, and as long as the best prices stay nothing crosses that did not before. Bound: as `market.rs`.

use super::answers::Cause;
use super::consumed::Place;
use super::market::counts;
use super::queue::divide;
use super::resting::{NONE, RestingOrder};
use super::{Replies, SimulatedVenue};
use crate::book::{self, LevelChange, LevelUpdate};
use flow::records::{Exec, Level};
use flow::{Event, Flags, Kind, Px, Qty, Side};

impl SimulatedVenue {
    /// A level is told whole, on an instrument whose book is kept by level.
    #[inline]
    pub(super) fn told(&mut self, event: &Event, replies: &mut Replies) {
        let cause = Cause { id: event.id, now: event.ts };
        let idle = self.sim_instruments[event.instrument as usize].is_idle();
        if !idle {
            self.expire(cause, event.instrument, replies);
        }
        let Level { px, qty: Qty(qty), orders, .. } = *event.record();
        let books = self.book.books_mut();
        let book::Place::Book(at) = books.place(event.instrument) else { return };
        let change = LevelChange { side: event.side(), px, qty, orders };
        let closes = event.flags.has(Flags::LAST_OF_GROUP);
        let LevelUpdate { before, top } = books.apply_level(at, &change, closes);
        if idle {
            return;
        }
        let (before, after) = before.map_or_else(|_| self.unchanged(event, px), |before| (before, qty));
        self.changed(event, px, before, after);
        match top {
            Some((top, _)) => self.crossed_by(cause, event.instrument, &top, replies),
            None if closes && self.sim_instruments[event.instrument as usize].lists.crossed => {
                self.crossed(cause, event.instrument, replies);
            }
            None => {}
        }
    }

    /// What could not be booked changed nothing.
    #[cold]
    fn unchanged(&self, event: &Event, px: Px) -> (u64, u64) {
        let level = self.book(event.instrument).and_then(|b| b.level(event.side(), px));
        let qty = level.map_or(0, |l| l.qty.0);
        (qty, qty)
    }

    /// A level was told whole, or as a difference.
    #[inline]
    fn changed(&mut self, event: &Event, px: Px, before: u64, after: u64) {
        let (instrument, side) = (event.instrument, event.side());
        let sim_instrument = &mut self.sim_instruments[instrument as usize];
        self.consumed.fell(&mut sim_instrument.taken, Place { instrument, side, px }, after);
        if sim_instrument.lists.may_hold(side, px) {
            let restated = event.flags.has(Flags::SNAPSHOT) && before == 0;
            self.moved(instrument, (side, px), before, after, (event.kind == Kind::Level, restated));
        }
    }

    /// A level changed in a book that knows no orders.
    pub(super) fn level(&mut self, cause: Cause, event: &Event, strike: (Side, Px, u64), replies: &mut Replies) {
        let (side, px, before) = strike;
        let after = self.book.books().book(event.instrument).and_then(|b| b.level(side, px)).map_or(0, |l| l.qty.0);
        if let Some(exec) = event.get::<Exec>() {
            let (qty, place) = (exec.qty.0, Place { instrument: event.instrument, side, px });
            self.consumed.fell(&mut self.sim_instruments[event.instrument as usize].taken, place, after);
            let at = |own: &mut RestingOrder| {
                let beyond = qty.saturating_sub(own.waits_for());
                own.shrink(qty, false);
                (own.ahead, own.traded) = (own.ahead.min(after), own.traded.min(after));
                beyond
            };
            if counts(event) {
                self.trade(cause, event.instrument, (side, px, qty), at, replies);
            } else {
                self.each_at(event.instrument, side, px, |own| _ = at(own));
            }
            return;
        }
        self.changed(event, px, before, after);
    }

    /// A level fell or rose without a trade that is told here.
    pub(super) fn moved(&mut self, instrument: u32, at: (Side, Px), before: u64, after: u64, how: (bool, bool)) {
        let (whole, restated) = how;
        let mut next = self.resting.first_there(&mut self.sim_instruments[instrument as usize].lists, at.0, at.1);
        while next != NONE {
            let own = self.resting.get_mut(next);
            if own.px != at.1 {
                return;
            }
            next = own.after;
            if restated {
                (own.ahead, own.traded) = (after, 0);
                continue;
            }
            let gone = before.saturating_sub(after);
            // What is told as a total has all trades in it; what is told as a difference, as many as it is large.
            let known = if whole { own.traded } else { own.traded.min(gone) };
            own.shrink(known, true);
            let (gone, shown) = (gone.saturating_sub(known), before.saturating_sub(known));
            let from_before = divide(self.queue.as_ref(), gone, own.ahead, shown.saturating_sub(own.ahead));
            own.shrink(from_before, false);
            own.ahead = own.ahead.min(after);
            own.traded = own.traded.min(own.ahead);
        }
    }
}

//! Updates of price levels, where the feed reports levels and no orders.
//!
//! Most messages of such a feed set one level, and we have no order at most of those prices. So they take a short path:
//! one search of the book both sets the level and returns what it displayed before, a bit per price rules out that an
//! order of ours rests there, and while the touch stays the same nothing new can cross. Bound: as in `market.rs`.

use super::consumed::Place;
use super::market::counts;
use super::queue::divide;
use super::reports::Cause;
use super::resting::{NONE, RestingOrder};
use super::{Replies, SimulatedVenue};
use crate::book::{self, LevelChange, LevelUpdate};
use flow::records::{Exec, Level};
use flow::{Event, Flags, Kind, Px, Qty, Side};

impl SimulatedVenue {
    /// A level with its absolute total, in a book that is kept by level.
    #[inline]
    pub(super) fn on_level(&mut self, event: &Event, replies: &mut Replies) {
        let cause = Cause { id: event.id, now: event.ts };
        let idle = self.instruments[event.instrument as usize].is_idle();
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
        self.level_changed(event, px, before, after);
        match top {
            Some((top, _)) => self.crossed_by(cause, event.instrument, &top, replies),
            None if closes && self.instruments[event.instrument as usize].lists.crossed => {
                self.crossed(cause, event.instrument, replies);
            }
            None => {}
        }
    }

    /// A level that could not be booked did not change.
    #[cold]
    fn unchanged(&self, event: &Event, px: Px) -> (u64, u64) {
        let level = self.book(event.instrument).and_then(|b| b.level(event.side(), px));
        let qty = level.map_or(0, |l| l.qty.0);
        (qty, qty)
    }

    /// A level changed, by an absolute total or by a difference.
    #[inline]
    fn level_changed(&mut self, event: &Event, px: Px, before: u64, after: u64) {
        let (instrument, side) = (event.instrument, event.side());
        let sim = &mut self.instruments[instrument as usize];
        let snapshot = event.flags.has(Flags::SNAPSHOT);
        // Restated shares are the same shares, and a level that is restated as gone is merely out of sight.
        let same = if snapshot { after } else { before.min(after) };
        if same > 0 || !snapshot {
            self.consumed.limit_to(&mut sim.consumed, Place { instrument, side, px }, same);
        }
        if sim.lists.may_hold(side, px) {
            let restated = snapshot && before == 0;
            self.level_moved(instrument, (side, px), before, after, (event.kind == Kind::Level, restated));
        }
    }

    /// An order message of a feed without order references.
    pub(super) fn on_order_message(
        &mut self,
        cause: Cause,
        event: &Event,
        impact: (Side, Px, u64),
        replies: &mut Replies,
    ) {
        let (side, px, before) = impact;
        let after = self.book.books().book(event.instrument).and_then(|b| b.level(side, px)).map_or(0, |l| l.qty.0);
        if let Some(exec) = event.get::<Exec>() {
            let (qty, place) = (exec.qty.0, Place { instrument: event.instrument, side, px });
            self.consumed.limit_to(&mut self.instruments[event.instrument as usize].consumed, place, after);
            let at = |order: &mut RestingOrder| {
                let beyond = qty.saturating_sub(order.queue_ahead());
                order.shrink(qty, false);
                (order.ahead, order.traded) = (order.ahead.min(after), order.traded.min(after));
                beyond
            };
            if counts(event) {
                self.trade(cause, event.instrument, (side, px, qty), 0, at, replies);
            } else {
                self.each_at(event.instrument, side, px, |order| _ = at(order));
            }
            return;
        }
        self.level_changed(event, px, before, after);
    }

    /// A level changed without a trade in the same message.
    pub(super) fn level_moved(&mut self, instrument: u32, at: (Side, Px), before: u64, after: u64, how: (bool, bool)) {
        let (whole, restated) = how;
        let mut next = self.resting.first_at_pruning(&mut self.instruments[instrument as usize].lists, at.0, at.1);
        while next != NONE {
            let order = self.resting.get_mut(next);
            if order.px != at.1 {
                return;
            }
            next = order.after;
            if restated {
                (order.ahead, order.traded) = (after, 0);
                continue;
            }
            let gone = before.saturating_sub(after);
            // An absolute total accounts for every trade so far; a difference accounts for no more than its size.
            let known = if whole { order.traded } else { order.traded.min(gone) };
            order.shrink(known, true);
            let (gone, shown) = (gone.saturating_sub(known), before.saturating_sub(known));
            let from_before = divide(self.queue.as_ref(), gone, order.ahead, shown.saturating_sub(order.ahead));
            order.shrink(from_before, false);
            order.ahead = order.ahead.min(after);
            order.traded = order.traded.min(order.ahead);
        }
    }
}

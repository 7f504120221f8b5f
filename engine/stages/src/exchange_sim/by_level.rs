//! Updates of price levels, where the feed reports levels and no orders.
//!
//! Most messages of such a feed set one level, and we have no order at most of those prices. A bit per price rules out that one
//! of ours rests there, so that the book is not searched for what the level displayed before. Bound: as in `market.rs`.

use super::Replies;
use super::consumed::Place;
use super::market::counts;
use super::matching::Matching;
use super::queue::divide;
use super::reports::Cause;
use super::resting::{NONE, RestingOrder};
use flow::records::{Exec, Level};
use flow::{Event, Flags, Kind, Px, Side};

impl Matching<'_> {
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

    /// A level was set, or changed by an order message of a feed without order references.
    pub(super) fn on_level(&mut self, cause: Cause, event: &Event, impact: (Side, Px, u64), replies: &mut Replies) {
        let (side, px, before) = impact;
        // A level that was there, or is gone, displays what was told. Another one may not have been booked.
        let told = event.get::<Level>().map(|level| level.qty.0).filter(|qty| before > 0 || *qty == 0);
        let after = told.unwrap_or_else(|| self.shown(Place { instrument: event.instrument, side, px }));
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
            let from_before = divide(self.queue, gone, order.ahead, shown.saturating_sub(order.ahead));
            order.shrink(from_before, false);
            order.ahead = order.ahead.min(after);
            order.traded = order.traded.min(order.ahead);
        }
    }
}

//! Where an order stands when a book shows it, for measures that follow orders.
//!
//! A measure keeps no levels: which of them an order has joined only the book can say, and only then. Where nobody asks,
//! nothing is said; where nobody listens, nothing is looked at. A measure that compares levels with what they usually are asks for the best of them too.
//! Bound: nothing is kept. Worst case: two walks over [`RANKS`] levels an order.

use super::books::BookId;
use super::order::LevelChange;
use super::stage::{BookStage, KEPT};
use flow::records::{LevelsShown, OrderShown};
use flow::{Event, Flags, Kind, Out, Px, Qty, Side};

/// How many levels of a side are counted; an order further behind is only behind them.
const RANKS: usize = 10;

impl BookStage {
    /// Says of every order that it shows where it stands, as `order-shown`.
    #[must_use]
    pub fn saying_orders(mut self, says_orders: bool) -> BookStage {
        self.says_orders = says_orders;
        self
    }

    /// Says with every order what the best levels of its side are, as `levels-shown`.
    #[must_use]
    pub fn saying_levels(mut self, says_levels: bool) -> BookStage {
        self.says_levels = says_levels;
        self
    }

    /// Says that a level has an order more.
    #[inline(always)]
    pub(super) fn say_order(
        &self,
        book: BookId,
        event: &Event,
        order_ref: u64,
        qty: Qty,
        at: &LevelChange,
        out: &mut Out,
    ) {
        if self.says_orders {
            self.push_order(book, event, order_ref, qty, (at.side, at.px), out);
        }
    }

    /// Says that an order has new terms.
    #[inline]
    pub(super) fn say_order_anew(&self, book: BookId, event: &Event, order_ref: u64, out: &mut Out) {
        if self.says_orders
            && let Some(order) = self.books.view(book).order(order_ref)
        {
            self.push_order(book, event, order_ref, order.qty, (order.side, order.px), out);
        }
    }

    #[inline(never)]
    fn push_order(&self, book: BookId, event: &Event, order_ref: u64, qty: Qty, (side, px): (Side, Px), out: &mut Out) {
        // It is numbered whoever listens, and looked for only if somebody does.
        let is_wanted = out.wants(Kind::OrderShown);
        let view = self.books.view(book);
        let rank = if is_wanted { view.rank(side, px, RANKS) } else { 0 };
        let flags = Flags(event.flags.0 & KEPT).with_side(side);
        if self.says_levels {
            self.push_levels(book, event, side, flags, out);
        }
        let level_qty = if is_wanted { view.level(side, px).map_or(Qty(0), |level| level.qty) } else { Qty(0) };
        let shown = OrderShown { order_ref, px, qty, level_qty, rank: rank as u32, ..OrderShown::default() };
        out.push(event.instrument, flags, &shown);
    }

    /// Says what the best levels of a side are, five by five.
    fn push_levels(&self, book: BookId, event: &Event, side: Side, flags: Flags, out: &mut Out) {
        let mut best = [Qty(0); RANKS];
        if out.wants(Kind::LevelsShown) {
            best.iter_mut().zip(self.books.view(book).depth(side)).for_each(|(place, level)| *place = level.qty);
        }
        for five in best.chunks_exact(RANKS / 2) {
            let shown =
                LevelsShown { first: five[0], second: five[1], third: five[2], fourth: five[3], fifth: five[4] };
            out.push(event.instrument, flags, &shown);
        }
    }
}

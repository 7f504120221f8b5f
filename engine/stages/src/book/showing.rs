//! Where an order stands when a book shows it, for measures that follow orders.
//!
//! A measure keeps no levels: which of them an order has joined only the book can say, and only then. Where nobody asks,
//! nothing is said; where nobody listens, nothing is looked at. Bound: nothing is kept. Worst case: a walk over [`RANKS`] levels an order.

use super::books::BookId;
use super::order::LevelChange;
use super::stage::{BookStage, KEPT};
use flow::records::OrderShown;
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
        let rank = if is_wanted { self.books.view(book).rank(side, px, RANKS) as u32 } else { 0 };
        let flags = Flags(event.flags.0 & KEPT).with_side(side);
        out.push(event.instrument, flags, &OrderShown { order_ref, px, qty, rank, reserved: [0; 12] });
    }
}

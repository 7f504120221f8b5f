//! Icebergs: orders of which more is there than is displayed.
//!
//! An order that is executed for more than it displayed the book finds ([`AnomalyKind::Overfill`](flow::AnomalyKind)): that is native. Else
//! the hidden rest comes as new orders: one at the same side and price, soon after all of the last was executed, and of the same size. The
//! orders that were executed last are remembered, and of an order that comes it is asked whether it is such a refill.
//!
//! What an order displayed is known of a refill. Of the first of a chain only what was executed is, so a refill of that size is the first;
//! since two are needed, one at least is certain.
//!
//! Bound: four orders an instrument. Worst case: a look at each for an order that is added.

use flow::{Ns, Px, Side};
use serde::{Deserialize, Serialize};

/// Orders that are remembered.
const ORDERS: usize = 4;

/// An order that was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Executed {
    order_ref: u64,
    px: Px,
    /// What it displayed; 0 = not known.
    displayed: u64,
    executed: u64,
    /// Its last execution, or that of the order in whose place it came.
    ts: Ns,
    side: Side,
    refills: u8,
}

const NONE: Executed =
    Executed { order_ref: 0, px: Px::NONE, displayed: 0, executed: 0, ts: Ns(0), side: Side::None, refills: 0 };

/// The orders of an instrument that were executed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Icebergs {
    orders: [Executed; ORDERS],
    /// The order that the book has found to be executed for more than it displayed.
    overfilled: u64,
}

impl Default for Icebergs {
    fn default() -> Icebergs {
        Icebergs { orders: [NONE; ORDERS], overfilled: 0 }
    }
}

impl Icebergs {
    /// The book says that an order was executed for more than it displayed; the trade follows.
    #[cold]
    pub(super) fn overfilled(&mut self, order_ref: u64) {
        self.overfilled = order_ref;
    }

    /// An order was executed: how many refills led to it, and whether it was executed for more than it displayed.
    pub(super) fn trade(&mut self, order_ref: u64, side: Side, px: Px, qty: u64, ts: Ns) -> (u8, bool) {
        let is_native = order_ref == std::mem::replace(&mut self.overfilled, 0);
        // References begin again with another day.
        let is_it = |order: &&mut Executed| order.order_ref == order_ref && order.px == px && order.side == side;
        let known = self.orders.iter_mut().find(is_it);
        if let Some(order) = known {
            (order.executed, order.ts) = (order.executed.saturating_add(qty), ts);
            return (order.refills, is_native);
        }
        let oldest = self.orders.iter_mut().min_by_key(|order| order.ts).expect("there are some");
        *oldest = Executed { order_ref, px, displayed: 0, executed: qty, ts, side, refills: 0 };
        (0, is_native)
    }

    /// An order is added; `since` is how long ago the one in whose place it came may have been executed.
    #[inline]
    pub(super) fn add(&mut self, order_ref: u64, side: Side, px: Px, qty: u64, since: Ns) {
        let is_refilled = |order: &&mut Executed| {
            let size = if order.displayed == 0 { order.executed } else { order.displayed };
            order.px == px && order.side == side && order.ts >= since && order.executed >= size && size == qty
        };
        if let Some(order) = self.orders.iter_mut().find(is_refilled) {
            let refills = order.refills.saturating_add(1);
            *order = Executed { order_ref, displayed: qty, executed: 0, refills, ..*order };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::Sell;

    const PX: Px = Px(1_000);

    #[test]
    fn orders_of_one_size_in_the_place_of_one_another_are_refills() {
        let mut of = Icebergs::default();
        assert_eq!(of.trade(1, Sell, PX, 60, Ns(10)), (0, false));
        assert_eq!(of.trade(1, Sell, PX, 40, Ns(20)), (0, false));
        of.add(2, Sell, PX, 100, Ns(20));
        assert_eq!(of.trade(2, Sell, PX, 99, Ns(30)), (1, false));
        of.add(3, Sell, PX, 100, Ns(0));
        assert_eq!(of.trade(3, Sell, PX, 1, Ns(31)), (0, false), "the second has one share left");
        assert_eq!(of.trade(2, Sell, PX, 1, Ns(40)), (1, false));
        of.add(4, Sell, PX, 100, Ns(41));
        assert_eq!(of.trade(4, Sell, PX, 5, Ns(42)), (0, false), "too late");
    }

    #[test]
    fn side_price_and_size_must_be_the_same() {
        let begun = || {
            let mut of = Icebergs::default();
            of.trade(1, Sell, PX, 100, Ns(10));
            of
        };
        for (side, px, qty, refills) in [
            (Side::Buy, PX, 100, 0),
            (Sell, Px(1_001), 100, 0),
            (Sell, PX, 99, 0),
            (Sell, PX, 101, 0),
            (Sell, PX, 100, 1),
        ] {
            let mut of = begun();
            of.add(2, side, px, qty, Ns(0));
            assert_eq!(of.trade(2, side, px, 1, Ns(11)).0, refills, "{side:?} {px:?} {qty}");
        }
    }

    #[test]
    fn only_the_trade_right_after_it_is_overfilled() {
        let mut of = Icebergs::default();
        of.overfilled(7);
        assert_eq!(of.trade(7, Sell, PX, 9, Ns(1)), (0, true));
        assert_eq!(of.trade(7, Sell, PX, 9, Ns(2)), (0, false));
        of.overfilled(7);
        assert_eq!(of.trade(8, Sell, PX, 9, Ns(3)), (0, false));
    }

    #[test]
    fn the_order_that_was_executed_longest_ago_is_forgotten() {
        let mut of = Icebergs::default();
        for n in 1..=5 {
            of.trade(n, Sell, Px(n as i64), 100, Ns(n));
        }
        (1..=5).for_each(|n| of.add(10 + n, Sell, Px(n as i64), 100, Ns(0)));
        let refills: Vec<u8> = (2..=5).map(|n| of.trade(10 + n, Sell, Px(n as i64), 1, Ns(9)).0).collect();
        assert_eq!(refills, [1; 4]);
        assert_eq!(of.trade(11, Sell, Px(1), 1, Ns(9)).0, 0);
    }
}

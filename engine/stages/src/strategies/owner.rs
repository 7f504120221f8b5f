//! Whose orders they are: an order id holds account and strategy, so a report says it itself.
//!
//! Bound: a comparison.

use flow::records::Booked;
use flow::{Account, Booking, Event, OrderId, Side, StrategyId};

/// Whose orders they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) account: Account,
    pub(super) strategy: StrategyId,
}

impl Owner {
    /// Whether an order is one of its own.
    #[inline]
    pub(super) fn has(self, id: OrderId) -> bool {
        (id.account(), id.strategy()) == (self.account, self.strategy)
    }

    /// What the portfolio has booked of an order of its own, and what that adds to its position.
    pub(super) fn booked(self, event: &Event) -> Option<(&Booked, i64)> {
        let booked: &Booked = event.record();
        if !self.has(OrderId(booked.order_id)) {
            return None;
        }
        let qty = i64::try_from(booked.qty.0).unwrap_or(i64::MAX);
        let adds = (event.side() == Side::Buy) != (booked.what == Booking::Busted.code());
        Some((booked, if adds { qty } else { -qty }))
    }
}

//! A trade that a feed by order reports beside the change of the book that it causes.
//!
//! What an order then loses at the price and on the side of the last trade, at the same exchange time, was taken as far as that trade
//! printed. Bound: one trade.

use flow::{Ns, Px, Side};
use serde::{Deserialize, Serialize};

/// The last one of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Print {
    /// Exchange time.
    ts: Ns,
    px: Px,
    /// Whether it took bids.
    is_bid: bool,
    /// What of it no order has lost yet.
    left: u64,
}

impl Print {
    /// A trade, whose change of the book comes as a message of its own.
    pub(super) fn add(&mut self, ts: Ns, px: Px, aggressor: Side, qty: u64) {
        let is_more = (self.ts, self.px, self.is_bid) == (ts, px, aggressor == Side::Sell);
        let before = if is_more { self.left } else { 0 };
        *self = Print { ts, px, is_bid: aggressor == Side::Sell, left: before.saturating_add(qty) };
    }

    /// How much of a quantity that an order loses was traded.
    pub(super) fn takes(&mut self, ts: Ns, px: Px, is_bid: bool, qty: u64) -> u64 {
        if (self.ts, self.px, self.is_bid) != (ts, px, is_bid) {
            return 0;
        }
        let traded = self.left.min(qty);
        self.left -= traded;
        traded
    }
}

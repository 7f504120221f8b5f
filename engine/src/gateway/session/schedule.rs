//! When each order is asked for next.
//!
//! Bound: one entry an order. Worst case: two searches of a tree for a change.

use flow::OrderId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// The times; see the module.
#[derive(Default)]
pub(super) struct Schedule {
    times: BTreeMap<OrderId, Instant>,
    in_order: BTreeSet<(Instant, OrderId)>,
}

impl Schedule {
    /// The order is asked for at that time, and at no other.
    pub(super) fn set(&mut self, order: OrderId, at: Instant) {
        self.remove(order);
        self.times.insert(order, at);
        self.in_order.insert((at, order));
    }

    /// The order is not asked for.
    pub(super) fn remove(&mut self, order: OrderId) {
        if let Some(before) = self.times.remove(&order) {
            self.in_order.remove(&(before, order));
        }
    }

    /// Takes the first order that is due.
    pub(super) fn take(&mut self, now: Instant) -> Option<OrderId> {
        let (_, order) = self.in_order.first().copied().filter(|(at, _)| *at <= now)?;
        self.remove(order);
        Some(order)
    }

    /// No order is asked for.
    pub(super) fn clear(&mut self) {
        self.times.clear();
        self.in_order.clear();
    }
}

//! Orders of which a venue says that more is filled than it tells.
//!
//! Their positions are not known, so nothing more of their instruments passes at those venues. An order may have ended
//! here long before it is explained. Bound: as many as there may be open orders; of one more the venue counts as lost until it
//! has a session anew.

use flow::OrderId;

/// Those orders, each with its instrument's place.
pub(super) struct Unexplained {
    orders: Vec<(OrderId, usize)>,
    limit: usize,
}

impl Unexplained {
    /// None, and room for so many.
    pub(super) fn new(limit: usize) -> Unexplained {
        Unexplained { orders: Vec::with_capacity(limit), limit }
    }

    /// An order is one; `false` if there is no room.
    pub(super) fn add(&mut self, order: OrderId, at: usize) -> bool {
        if self.orders.iter().any(|(id, _)| *id == order) {
            return true;
        }
        let has_room = self.orders.len() < self.limit;
        if has_room {
            self.orders.push((order, at));
        }
        has_room
    }

    /// An order is explained.
    pub(super) fn remove(&mut self, order: OrderId) {
        self.orders.retain(|(id, _)| *id != order);
    }

    /// Whether there is none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (OrderId, usize)> {
        self.orders.iter().copied()
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.orders.clear();
    }
}

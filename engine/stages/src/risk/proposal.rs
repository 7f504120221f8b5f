//! What the gate is asked: a new order or a replace, in one form.

use super::open::Open;
use flow::records::Request;
use flow::{Ns, OrderId, Px, Side};

/// The order as it would leave, with what the checks need of the state.
#[derive(Clone, Copy)]
pub(super) struct Proposal {
    pub(super) request: Request,
    pub(super) instrument: u32,
    pub(super) side: Side,
    pub(super) now: Ns,
    /// The order to replace; 0 for a new one.
    pub(super) replaces: u64,
    /// The order to replace, if it is open, may be replaced, and is of the same instrument, side, account and strategy.
    pub(super) predecessor: Option<Open>,
    /// What may still be filled of it: the quantity without what its predecessor had executed.
    pub(super) open: u64,
    /// Place of its instrument's record; 0 is never listed.
    pub(super) at: usize,
    /// Limit price, or the opposite touch for an order without one.
    pub(super) price: Px,
}

impl Proposal {
    #[inline]
    pub(super) fn is_replace(&self) -> bool {
        self.replaces != 0
    }

    #[inline]
    pub(super) fn id(&self) -> OrderId {
        OrderId(self.request.order_id)
    }
}

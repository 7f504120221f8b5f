//! A proposal: a new order or a replace, in the one form that the checks read.

use super::exposure::Exposure;
use super::open::Open;
use flow::records::Request;
use flow::{Ns, OrderId, Px, Side};

/// The order as it would be sent, with the state that the checks need.
#[derive(Clone, Copy)]
pub(super) struct Proposal {
    pub(super) request: Request,
    pub(super) instrument: u32,
    pub(super) side: Side,
    pub(super) now: Ns,
    /// The order to replace; 0 for a new one.
    pub(super) replaces: u64,
    /// The order to replace, if it is open, may be replaced, and has the same instrument, side, account and strategy.
    pub(super) predecessor: Option<Open>,
    /// Quantity that may still be filled: the order's quantity less what its predecessor has executed.
    pub(super) open: u64,
    /// Index of its instrument's record; 0 is never listed.
    pub(super) at: usize,
    /// Limit price, or the opposite touch for a market order.
    pub(super) price: Px,
    /// What its account holds and has open of the instrument.
    pub(super) held: Exposure,
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

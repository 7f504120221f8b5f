//! What the gate is asked: a new order or a replace, in one form.

use super::gate::Gate;
use super::market::Market;
use super::open::Open;
use flow::records::{ReplaceRequest, Request};
use flow::{Event, Ns, OrderId, OrderType, Px, Side};

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
    pub(super) fn new(gate: &Gate, request: &Request, instrument: u32, side: Side, now: Ns) -> Proposal {
        let at = gate.place(instrument);
        let price = price(&gate.markets[at], request, side);
        let (open, request) = (request.qty.0, *request);
        Proposal { request, instrument, side, now, replaces: 0, predecessor: None, open, at, price }
    }

    /// Type and time in force are those of the order that is replaced.
    pub(super) fn replace(gate: &Gate, replace: &ReplaceRequest, event: &Event) -> Proposal {
        let ReplaceRequest { order_id, new_id, px, qty, .. } = *replace;
        let (instrument, side) = (event.instrument, event.side());
        let same = |o: &Open| {
            o.instrument == instrument && o.side == side && o.may_be_replaced() && o.id >> 40 == new_id >> 40
        };
        let predecessor = gate.open.get(order_id).filter(same);
        let order_type = predecessor.map_or(OrderType::Limit.code(), |o| o.order_type);
        let tif = predecessor.map_or(0, |o| o.tif);
        let request = Request { order_id: new_id, px, qty, order_type, tif, ..Default::default() };
        let open = qty.0.saturating_sub(predecessor.map_or(0, |o| o.executed));
        Proposal { replaces: order_id, predecessor, open, ..Proposal::new(gate, &request, instrument, side, event.ts) }
    }

    #[inline]
    pub(super) fn is_replace(&self) -> bool {
        self.replaces != 0
    }

    #[inline]
    pub(super) fn id(&self) -> OrderId {
        OrderId(self.request.order_id)
    }
}

#[inline]
fn price(market: &Market, request: &Request, side: Side) -> Px {
    if request.order_type == OrderType::Market.code() { market.touch(side.opposite()) } else { request.px }
}

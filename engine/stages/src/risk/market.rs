//! What the gate knows of an instrument.

use flow::records::{BookTop, Listing, Request};
use flow::{Ns, OrderType, Px, Side};

/// Terms, touch, position and what is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct Market {
    pub(super) bid: Px,
    pub(super) ask: Px,
    /// When the last top or trade came; [`Ns::NONE`] = never.
    pub(super) heard: Ns,
    /// Signed, over all accounts and strategies.
    pub(super) position: i64,
    /// What open orders may still fill, buys and sells.
    pub(super) open: [u64; 2],
    /// Smallest price step; 0 = not known.
    pub(super) tick: i64,
    /// Money per unit of price and quantity in 1e-9; 0 = not listed.
    pub(super) multiplier: i64,
    pub(super) decimals: u8,
    pub(super) source: u8,
}

/// Money of a notional is in 1e-9 of 1e-9; a scale beyond this does not fit its product.
const MAX_DECIMALS: u8 = 18;

impl Market {
    /// Not listed, nothing heard. Not all zero, so that filling memory with it touches the memory.
    pub(super) const UNKNOWN: Market = Market {
        bid: Px::NONE,
        ask: Px::NONE,
        heard: Ns::NONE,
        position: 0,
        open: [0; 2],
        tick: 0,
        multiplier: 0,
        decimals: 0,
        source: 0,
    };

    /// Takes the terms; such as cannot be are those of no listing.
    pub(super) fn list(&mut self, listing: &Listing, source: u8) {
        let valid = listing.multiplier > 0 && listing.tick_px.0 >= 0 && listing.qty_decimals <= MAX_DECIMALS;
        self.multiplier = if valid { listing.multiplier } else { 0 };
        self.tick = if valid { listing.tick_px.0 } else { 0 };
        self.decimals = if valid { listing.qty_decimals } else { 0 };
        self.source = source;
    }

    #[inline]
    pub(super) fn top(&mut self, top: &BookTop, now: Ns) {
        (self.bid, self.ask, self.heard) = (top.bid_px, top.ask_px, now);
    }

    /// Best price of that side; [`Px::NONE`] without one.
    #[inline]
    pub(super) fn touch(&self, side: Side) -> Px {
        match side {
            Side::Buy => self.bid,
            Side::Sell => self.ask,
            Side::None => Px::NONE,
        }
    }

    /// Limit price of a request, or the opposite touch for one without.
    #[inline]
    pub(super) fn price(&self, request: &Request, side: Side) -> Px {
        if request.order_type == OrderType::Market.code() { self.touch(side.opposite()) } else { request.px }
    }

    /// Open quantity of that side, to change it.
    #[inline]
    pub(super) fn open_mut(&mut self, side: Side) -> &mut u64 {
        &mut self.open[usize::from(side == Side::Sell)]
    }

    /// Open quantity of that side.
    #[inline]
    pub(super) fn open(&self, side: Side) -> u64 {
        self.open[usize::from(side == Side::Sell)]
    }
}

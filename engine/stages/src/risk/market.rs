//! What the gate knows about an instrument: terms, touch, and what the account that trades it alone holds and has open.

use super::exposure::Exposure;
use flow::records::{BookTop, Listing, Request};
use flow::{Account, Halts, InstrumentType, Ns, OrderType, Px, Side, Tick};
use serde::{Deserialize, Serialize};

/// Terms, touch, and the exposure of the first account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(align(64))]
pub(super) struct Market {
    pub(super) bid: Px,
    pub(super) ask: Px,
    /// Time of the last top or trade; [`Ns::NONE`] = never.
    pub(super) last_update: Ns,
    /// The first account to hold or to have open something of it, and what that is; saved with those of the others.
    #[serde(skip)]
    pub(super) first: Option<Account>,
    #[serde(skip)]
    pub(super) exposure: Exposure,
    pub(super) tick: Tick,
    /// Money per unit of price and quantity in 1e-9; 0 = not known.
    pub(super) multiplier: i64,
    pub(super) listed: bool,
    pub(super) decimals: u8,
    pub(super) source: u8,
    /// Whether an order may have a price of 0 or below.
    pub(super) signed: bool,
    pub(super) halts: Halts,
}

/// A notional is in units of 1e-18; with a larger quantity scale than this, its product would overflow.
const MAX_DECIMALS: u8 = 18;

impl Market {
    /// Not listed, no market data. Not all zero, so that filling memory with it touches every page.
    pub(super) const UNKNOWN: Market = Market {
        bid: Px::NONE,
        ask: Px::NONE,
        last_update: Ns::NONE,
        first: None,
        exposure: Exposure::NONE,
        tick: Tick::UNKNOWN,
        multiplier: 0,
        listed: false,
        decimals: 0,
        source: 0,
        signed: false,
        halts: Halts::NONE,
    };

    /// Takes the terms of a listing; with impossible terms the instrument counts as not listed.
    pub(super) fn list(&mut self, listing: &Listing, source: u8) {
        self.listed = listing.multiplier >= 0 && listing.tick_px.0 >= 0 && listing.qty_decimals <= MAX_DECIMALS;
        self.multiplier = if self.listed { listing.multiplier } else { 0 };
        self.tick = if self.listed { Tick::of(listing) } else { Tick::UNKNOWN };
        self.decimals = if self.listed { listing.qty_decimals } else { 0 };
        self.signed = InstrumentType::may_be_negative(listing.instrument_type);
        self.source = source;
    }

    /// Whether a listing could have made these terms.
    pub(super) fn is_possible(&self) -> bool {
        self.decimals <= MAX_DECIMALS && self.multiplier >= 0
    }

    #[inline]
    pub(super) fn top(&mut self, top: &BookTop, now: Ns) {
        (self.bid, self.ask, self.last_update) = (top.bid_px, top.ask_px, now);
    }

    /// Best price of this side; [`Px::NONE`] without one.
    #[inline]
    pub(super) fn touch(&self, side: Side) -> Px {
        match side {
            Side::Buy => self.bid,
            Side::Sell => self.ask,
            Side::None => Px::NONE,
        }
    }

    /// Limit price of a request, or the opposite touch for a market order.
    #[inline]
    pub(super) fn price(&self, request: &Request, side: Side) -> Px {
        if request.order_type == OrderType::Market.code() { self.touch(side.opposite()) } else { request.px }
    }
}

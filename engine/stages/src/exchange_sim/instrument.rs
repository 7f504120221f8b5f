//! What the venue keeps per instrument beside the book: contract terms, trading state, and the heads of our lists.
//!
//! One small record per instrument, so an event on an instrument where we have no orders costs one read and the book
//! update. Bound: 64 bytes per instrument.

use super::consumed;
use super::fees::Contract;
use super::resting::Lists;
use flow::records::{Listing, Status};
use flow::{BookKind, Halts, InstrumentType, Mic, Px, StatusKind, trimmed};

/// Closed by the session of its source.
const SESSION: u8 = 1;
/// Closed by its own trading status.
const OWN: u8 = 2;

/// Status codes after the close of an instrument: DBN's numbers for close and post-close.
const OVER: &[[u8; 4]] = &[*b"12\0\0", *b"13\0\0"];
/// The session code of Nasdaq's end of market hours.
const END_OF_MARKET: [u8; 4] = *b"M\0\0\0";
/// Nasdaq's session codes of an hour that begins: messages, system, market.
const BEGINNINGS: &[[u8; 4]] = &[*b"O\0\0\0", *b"S\0\0\0", *b"Q\0\0\0"];

/// One instrument.
#[derive(Clone, Copy)]
pub(super) struct SimInstrument {
    /// Our orders by side.
    pub(super) lists: Lists,
    /// Head of the list of levels that we consumed; see [`consumed`].
    pub(super) consumed: u32,
    pub(super) calendar: Mic,
    pub(super) multiplier: i64,
    pub(super) qty_decimals: u8,
    pub(super) source: u8,
    pub(super) book: u8,
    /// Whether prices of 0 and below are valid.
    pub(super) signed: bool,
    pub(super) halts: Halts,
    /// What closed it; 0 = it is open, or nothing is known of its hours.
    pub(super) closed: u8,
    pub(super) listed: bool,
}

const _: () = assert!(size_of::<SimInstrument>() == 64);

impl SimInstrument {
    pub(super) const UNLISTED: SimInstrument = SimInstrument {
        lists: Lists::EMPTY,
        consumed: consumed::NONE,
        calendar: Mic(*b"----"),
        multiplier: 0,
        qty_decimals: 0,
        source: 0,
        book: 0,
        signed: false,
        halts: Halts::NONE,
        closed: 0,
        listed: false,
    };

    /// Whether the market cannot affect us here: no resting orders, no consumed depth.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.lists.are_empty() && self.consumed == consumed::NONE
    }

    /// Whether trading is halted.
    #[inline]
    pub(super) fn is_halted(&self) -> bool {
        self.halts.any()
    }

    pub(super) fn contract(&self) -> Contract {
        Contract { multiplier: self.multiplier, qty_decimals: self.qty_decimals }
    }

    /// Whether the book is kept by order, so that queue positions are exact.
    pub(super) fn is_by_order(&self) -> bool {
        self.book == BookKind::ByOrder as u8
    }

    pub(super) fn is_by_level(&self) -> bool {
        self.book == BookKind::ByLevel as u8
    }

    /// Whether an order may have that limit price.
    pub(super) fn takes(&self, px: Px) -> bool {
        px != Px::NONE && px.0 > -i64::MAX && (self.signed || px.0 > 0)
    }

    /// Takes over the terms of a listing; returns whether the book starts anew.
    pub(super) fn list(&mut self, source: u8, listing: &Listing) -> bool {
        let anew = self.listed && (self.book, self.source) != (listing.book, source);
        self.calendar = Mic(listing.calendar);
        self.multiplier = listing.multiplier.max(0);
        self.qty_decimals = listing.qty_decimals;
        (self.source, self.book, self.listed) = (source, listing.book, true);
        self.signed = listing.instrument_type != InstrumentType::Equity as u8;
        anew
    }

    /// Updates the trading state.
    pub(super) fn status(&mut self, status: &Status) {
        self.halts.take(status);
        if StatusKind::from_code(status.what) == Some(StatusKind::Trading) {
            set(&mut self.closed, OWN, OVER.contains(&trimmed(status.code)));
        }
    }

    /// Updates the session of its source.
    pub(super) fn session(&mut self, status: &Status) {
        let code = trimmed(status.code);
        if code == END_OF_MARKET || BEGINNINGS.contains(&code) {
            set(&mut self.closed, SESSION, code == END_OF_MARKET);
        }
    }
}

fn set(bits: &mut u8, bit: u8, on: bool) {
    *bits = if on { *bits | bit } else { *bits & !bit };
}

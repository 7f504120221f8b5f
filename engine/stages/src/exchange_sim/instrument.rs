//! What the venue keeps per instrument beside the book: contract terms, trading state, and the heads of our lists.
//!
//! One small record per instrument, so an event on an instrument where we have no orders costs one read and the book
//! update. Bound: 64 bytes per instrument.

use super::consumed;
use super::fees::Contract;
use super::resting::Lists;
use flow::records::{Listing, Status};
use flow::{BookKind, Calendar, Halts, InstrumentType, MarketHours, Mic, Ns, Px, Sessions, StatusKind};

/// Closed by the session of its source.
const SESSION: u8 = 1;
/// Closed by its own trading status.
const OWN: u8 = 2;
/// Its venue tells when hours end: the calendar is not asked.
const TELLS: u8 = 4;

/// One instrument.
#[derive(Clone, Copy)]
pub(super) struct SimInstrument {
    /// Our orders by side.
    pub(super) lists: Lists,
    /// Head of the list of levels that we consumed; see [`consumed`].
    pub(super) consumed: u32,
    pub(super) calendar: Calendar,
    pub(super) multiplier: i64,
    pub(super) qty_decimals: u8,
    pub(super) source: u8,
    pub(super) book: u8,
    /// Whether prices of 0 and below are valid.
    pub(super) signed: bool,
    pub(super) halts: Halts,
    /// What closed it, and whether its venue tells that; 0 = it is open, or nothing is known of its hours.
    pub(super) closed: u8,
    pub(super) listed: bool,
}

const _: () = assert!(size_of::<SimInstrument>() == 64);

impl SimInstrument {
    pub(super) const UNLISTED: SimInstrument = SimInstrument {
        lists: Lists::EMPTY,
        consumed: consumed::NONE,
        calendar: Calendar::Utc,
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
        self.calendar = Calendar::of(Mic(listing.calendar));
        self.multiplier = listing.multiplier.max(0);
        self.qty_decimals = listing.qty_decimals;
        (self.source, self.book, self.listed) = (source, listing.book, true);
        self.signed = listing.instrument_type != InstrumentType::Equity as u8;
        anew
    }

    /// Updates the trading state, by a status of its own or of its whole source.
    pub(super) fn status(&mut self, status: &Status) {
        self.halts.take(status);
        let bit = if status.what == StatusKind::Session.code() { SESSION | TELLS } else { OWN };
        match MarketHours::of(status) {
            Some(MarketHours::Over) => self.closed |= bit,
            Some(MarketHours::On) => self.closed = self.closed & !bit | bit & TELLS,
            None => {}
        }
    }

    /// Whether a venue said that market hours are over here.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed & (SESSION | OWN) != 0
    }

    /// Whether market hours are over at an instant: its venue said so, or its calendar does and the venue says nothing.
    pub(super) fn is_over(&self, now: Ns, sessions: &Sessions) -> bool {
        let of_calendar = || sessions.at(self.calendar, now).is_some_and(|session| session.is_over(now));
        self.is_closed() || self.closed & TELLS == 0 && of_calendar()
    }
}

//! What the venue knows of an instrument beside its book: terms that matter here, whether it trades, our lists.
//!
//! One small record an instrument, so that an event on an instrument on which we have nothing costs a look at it and the
//! booking. Bound: 64 bytes an instrument.

use super::consumed;
use super::fees::Contract;
use super::resting::Lists;
use flow::records::{Listing, Status};
use flow::{BookKind, InstrumentType, Mic, Px};

/// Halted by the status of trading.
const TRADING: u8 = 1;
/// Halted by an operational halt.
const OPERATIONAL: u8 = 2;

/// Codes of a trading state in which nothing trades: Nasdaq's letters, then the numbers of DBN for halt, pause, suspend,
/// close and "not available".
const STILL: &[[u8; 4]] =
    &[*b"H\0\0\0", *b"P\0\0\0", *b"Q\0\0\0", *b"8\0\0\0", *b"9\0\0\0", *b"10\0\0", *b"12\0\0", *b"15\0\0"];

/// An instrument.
#[derive(Clone, Copy)]
pub(super) struct SimInstrument {
    /// Our orders by side.
    pub(super) lists: Lists,
    /// What we took of its levels.
    pub(super) taken: u32,
    pub(super) calendar: Mic,
    pub(super) multiplier: i64,
    pub(super) qty_decimals: u8,
    pub(super) source: u8,
    pub(super) book: u8,
    /// Whether prices of 0 and below are prices.
    pub(super) signed: bool,
    pub(super) halts: u8,
    pub(super) listed: bool,
}

const _: () = assert!(size_of::<SimInstrument>() == 64);

impl SimInstrument {
    pub(super) const UNLISTED: SimInstrument = SimInstrument {
        lists: Lists::EMPTY,
        taken: consumed::NONE,
        calendar: Mic(*b"----"),
        multiplier: Px::ONE,
        qty_decimals: 0,
        source: 0,
        book: 0,
        signed: false,
        halts: 0,
        listed: false,
    };

    /// Whether we have anything here that the market can touch.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.lists.are_empty() && self.taken == consumed::NONE
    }

    /// Whether nothing trades now.
    #[inline]
    pub(super) fn is_halted(&self) -> bool {
        self.halts != 0
    }

    pub(super) fn contract(&self) -> Contract {
        Contract { multiplier: self.multiplier, qty_decimals: self.qty_decimals }
    }

    /// Whether the book is by order, so that places in the queue are exact.
    pub(super) fn is_by_order(&self) -> bool {
        self.book == BookKind::ByOrder as u8
    }

    pub(super) fn is_by_level(&self) -> bool {
        self.book == BookKind::ByLevel as u8
    }

    /// Whether that price can stand in an order.
    pub(super) fn takes(&self, px: Px) -> bool {
        px != Px::NONE && px.0 > -i64::MAX && (self.signed || px.0 > 0)
    }

    /// Takes over what a listing says; whether the book begins anew.
    pub(super) fn list(&mut self, source: u8, listing: &Listing) -> bool {
        let anew = self.listed && (self.book, self.source) != (listing.book, source);
        self.calendar = Mic(listing.calendar);
        self.multiplier = if listing.multiplier == 0 { Px::ONE } else { listing.multiplier };
        self.qty_decimals = listing.qty_decimals;
        (self.source, self.book, self.listed) = (source, listing.book, true);
        self.signed = listing.instrument_type != InstrumentType::Equity as u8;
        anew
    }

    /// Takes note of a state.
    pub(super) fn status(&mut self, status: &Status) {
        let (bit, still) = match status.what {
            2 => (TRADING, STILL.contains(&trimmed(status.code))),
            3 => (OPERATIONAL, trimmed(status.code) == *b"H\0\0\0"),
            _ => return,
        };
        self.halts = if still { self.halts | bit } else { self.halts & !bit };
    }
}

/// A code with its padding as zeros.
fn trimmed(code: [u8; 4]) -> [u8; 4] {
    code.map(|b| if b == b' ' { 0 } else { b })
}

//! Fields of records in the pipeline's units.
//!
//! What a field says is the same in every record type: sides, times, lengths of bars, levels. Bound: [`DEPTH`] levels a side.

use crate::ladder::Rung;
use dbn::record::{BidAskPair, ConsolidatedBidAskPair};
use dbn::rtype;
use flow::records::Quote;
use flow::{Ns, Px, Qty, Side};
use std::ffi::c_char;

/// Levels on each side of an MBP-10 record.
pub(super) const DEPTH: usize = 10;

/// A top of book with nothing on either side.
pub(super) const NO_TOP: Quote =
    Quote { exchange_ts: Ns::NONE, bid_px: Px::NONE, bid_qty: Qty(0), ask_px: Px::NONE, ask_qty: Qty(0) };

/// A time that the record has: 0 says as little as an undefined one.
pub(super) fn told(ts: u64) -> Option<Ns> {
    Ns(ts).known().filter(|ts| ts.0 > 0)
}

pub(super) fn side(side: c_char) -> Side {
    match side as u8 {
        b'A' => Side::Sell,
        b'B' => Side::Buy,
        _ => Side::None,
    }
}

/// The bar length of a record type.
pub(super) fn bar_seconds(kind: u8) -> Option<u32> {
    match kind {
        rtype::OHLCV_1S => Some(1),
        rtype::OHLCV_1M => Some(60),
        rtype::OHLCV_1H => Some(3_600),
        rtype::OHLCV_1D | rtype::OHLCV_EOD => Some(86_400),
        _ => None,
    }
}

pub(super) fn best(pair: &BidAskPair) -> Quote {
    let (bid_qty, ask_qty) = (Qty(u64::from(pair.bid_sz)), Qty(u64::from(pair.ask_sz)));
    Quote { bid_px: Px(pair.bid_px), bid_qty, ask_px: Px(pair.ask_px), ask_qty, ..Quote::default() }
}

pub(super) fn best_of_all(pair: &ConsolidatedBidAskPair) -> Quote {
    let (bid_qty, ask_qty) = (Qty(u64::from(pair.bid_sz)), Qty(u64::from(pair.ask_sz)));
    Quote { bid_px: Px(pair.bid_px), bid_qty, ask_px: Px(pair.ask_px), ask_qty, ..Quote::default() }
}

/// The non-empty levels of one side.
pub(super) fn ladder(pairs: &[BidAskPair; DEPTH], side: Side, to: &mut Vec<Rung>) {
    let rung = |pair: &BidAskPair| match side {
        Side::Buy => Rung { px: pair.bid_px, qty: u64::from(pair.bid_sz), orders: pair.bid_ct },
        _ => Rung { px: pair.ask_px, qty: u64::from(pair.ask_sz), orders: pair.ask_ct },
    };
    to.clear();
    to.extend(pairs.iter().map(rung).filter(|rung| rung.px != i64::MAX && rung.qty > 0));
}

/// A code as text; no code of the specification has more than four digits.
pub(super) fn decimal(code: u16) -> [u8; 4] {
    let mut text = [0; 4];
    let digits = code.min(9_999).to_string();
    text[..digits.len()].copy_from_slice(digits.as_bytes());
    text
}

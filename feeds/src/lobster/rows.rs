//! Parses the rows of both CSV files as integers.
//!
//! A price is already an integer, and a time is read digit by digit, so nothing passes through a float here. LOBSTER itself
//! wrote some times through one (`43002.632812672004`): those are rounded to the nanosecond. Worst case: one pass over the
//! row.

use crate::ladder::{Rung, ordered};
use crate::text::{Fields, RowError};
use flow::{Ns, Side};

/// Columns of a message row; an orderbook row has a multiple of four.
pub(super) const MESSAGE_COLUMNS: usize = 6;

/// The price of an empty ask level; that of an empty bid level is its negative.
const EMPTY: i64 = 9_999_999_999;

/// A row of the message file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Time since midnight.
    pub(super) time: Ns,
    /// Whether the time was rounded, because it has more than nine decimals.
    pub(super) rounded: bool,
    pub(super) kind: i64,
    pub(super) order: i64,
    pub(super) qty: i64,
    pub(super) px: i64,
    pub(super) direction: i64,
}

/// Decimals of a second in nanoseconds.
const DECIMALS: usize = 9;

/// `34200.004241176` as nanoseconds, less than a day and a half; further decimals are rounded to the nearest.
fn nanoseconds(field: &[u8]) -> Option<(Ns, bool)> {
    let (seconds, fraction) = match memchr::memchr(b'.', field) {
        Some(dot) => (&field[..dot], &field[dot + 1..]),
        None => (field, &[][..]),
    };
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    if seconds.is_empty() || seconds.len() > 6 || !digits(seconds) || !digits(fraction) {
        return None;
    }
    let (kept, beyond) = fraction.split_at(fraction.len().min(DECIMALS));
    let number = |text: &[u8]| text.iter().fold(0u64, |sum, d| sum * 10 + u64::from(d - b'0'));
    let seconds = number(seconds);
    let up = beyond.first().is_some_and(|d| *d >= b'5');
    let nanos = number(kept) * 10u64.pow((DECIMALS - kept.len()) as u32) + u64::from(up);
    (seconds < 129_600).then_some((Ns(seconds * Ns::SECOND + nanos), !beyond.is_empty()))
}

/// Parses a row of the message file.
pub(super) fn message(row: &[u8]) -> Result<Message, RowError> {
    let mut fields = Fields::of(row, MESSAGE_COLUMNS)?;
    let (time, rounded) = fields.read("is not a time in seconds below 36 hours", nanoseconds)?;
    Ok(Message {
        time,
        rounded,
        kind: fields.integer()?,
        order: fields.integer()?,
        qty: fields.integer()?,
        px: fields.integer()?,
        direction: fields.integer()?,
    })
}

/// Parses a row of an orderbook file with `levels` levels into the two ladders, without the empty levels.
pub(super) fn book(row: &[u8], levels: usize, asks: &mut Vec<Rung>, bids: &mut Vec<Rung>) -> Result<(), RowError> {
    let mut fields = Fields::of(row, levels * 4)?;
    asks.clear();
    bids.clear();
    while !fields.ended() {
        for side in [&mut *asks, &mut *bids] {
            let start = fields.at();
            let (px, qty) = (fields.integer()?, fields.integer()?);
            match (px, qty) {
                _ if px.unsigned_abs() == EMPTY.unsigned_abs() => {}
                (1..EMPTY, 1..) => side.push(Rung { px, qty: qty as u64, orders: 0 }),
                _ => return Err(RowError { at: start, what: format!("an invalid level of {qty} at price {px}") }),
            }
        }
    }
    if !ordered(Side::Sell, asks) || !ordered(Side::Buy, bids) {
        return Err(RowError { at: 0, what: "the levels are not sorted from the best price".to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::columns;
    use proptest::prelude::*;

    #[test]
    fn a_message_row_is_read_exactly() {
        let read = message(b"34200.004241176,1,16113575,18,5853300,-1").unwrap();
        let time = Ns(34_200_004_241_176);
        let (order, qty, px) = (16_113_575, 18, 5_853_300);
        assert_eq!(read, Message { time, rounded: false, kind: 1, order, qty, px, direction: -1 });
        assert_eq!(message(b"34200.05990197,7,0,0,-1,-1").unwrap().time, Ns(34_200_059_901_970));
        assert_eq!(message(b"36023,7,0,0,-1,-1").unwrap().time, Ns(36_023_000_000_000));
    }

    #[test]
    fn decimals_beyond_the_nanosecond_are_rounded_and_said() {
        let read = |text: &str| nanoseconds(text.as_bytes()).map(|(ns, rounded)| (ns.0, rounded));
        assert_eq!(
            read("43002.632812672004"),
            Some((43_002_632_812_672, true)),
            "what a float makes of 43002.632812672"
        );
        assert_eq!(read("43002.632812671996"), Some((43_002_632_812_672, true)));
        assert_eq!(read("34200.0000000005"), Some((34_200_000_000_001, true)));
        assert_eq!(read("34200.0000000004999999999999999999999"), Some((34_200_000_000_000, true)));
        assert_eq!(read("34199.9999999999"), Some((34_200_000_000_000, true)), "into the next second");
        assert_eq!(read("34200.123456789"), Some((34_200_123_456_789, false)));
        assert_eq!(read("34200.12345678x9"), None);
        assert_eq!(read("34200.1234567890123x"), None);
    }

    #[test]
    fn a_book_row_leaves_empty_levels_out() {
        let (mut asks, mut bids) = (Vec::new(), Vec::new());
        book(b"5859400,200,5853300,18,9999999999,0,-9999999999,0", 2, &mut asks, &mut bids).unwrap();
        assert_eq!((asks.len(), bids.len()), (1, 1));
        assert_eq!(asks[0], Rung { px: 5_859_400, qty: 200, orders: 0 });
    }

    #[test]
    fn invalid_rows_report_the_column() {
        for (row, what) in [
            (&b"34200.1,1,2,3,4"[..], "5 columns"),
            (b"34200.1,1,2,3,4,1,9", "7 columns"),
            (b"34200.1,1,2,3,4,", "column 6"),
            (b"34200.1,1,2,3,-,1", "column 5"),
            (b"34200.1,1,2,3 ,4,1", "column 4"),
            (b"34200.123456789e1,1,2,3,4,1", "column 1"),
            (b"-1,1,2,3,4,1", "column 1"),
            (b".5,1,2,3,4,1", "column 1"),
            (b"999999,1,2,3,4,1", "column 1"),
            (b"34200.1,1,99999999999999999999,3,4,1", "column 3"),
        ] {
            let error = message(row).unwrap_err();
            assert!(error.what.contains(what), "{row:?}: {error:?}");
        }
        let (mut asks, mut bids) = (Vec::new(), Vec::new());
        let mut read = |row: &[u8]| book(row, 2, &mut asks, &mut bids).unwrap_err().what;
        assert!(read(b"10,1,9,1,9,1,8,1").contains("not sorted"));
        assert!(read(b"10,0,9,1,11,1,8,1").contains("level of 0"));
        assert!(read(b"10,1,9,1").contains("4 columns"));
    }

    proptest! {
        #[test]
        fn times_come_back(seconds in 0u64..86_400, nanos in 0u64..1_000_000_000) {
            let text = format!("{seconds}.{nanos:09}");
            prop_assert_eq!(nanoseconds(text.as_bytes()), Some((Ns(seconds * Ns::SECOND + nanos), false)));
            let short = text.trim_end_matches('0').trim_end_matches('.');
            prop_assert_eq!(nanoseconds(short.as_bytes()), Some((Ns(seconds * Ns::SECOND + nanos), false)));
        }

        #[test]
        fn no_row_panics(row in prop::collection::vec(prop::sample::select(&b"0123456789,.-+ x"[..]), 0..60)) {
            let (mut asks, mut bids) = (Vec::new(), Vec::new());
            let _ = message(&row);
            let _ = book(&row, columns(&row) / 4, &mut asks, &mut bids);
        }
    }
}

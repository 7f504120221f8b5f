//! Parses the rows of both CSV files as integers.
//!
//! A time has at most nine decimals and a price is already an integer, so nothing passes through a float. Worst case:
//! one pass over the row.

use crate::ladder::{Rung, ordered};
use atoi::FromRadix10SignedChecked;
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
    pub(super) kind: i64,
    pub(super) order: i64,
    pub(super) qty: i64,
    pub(super) px: i64,
    pub(super) direction: i64,
}

/// What is wrong with a row, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowError {
    pub(super) at: usize,
    pub(super) what: String,
}

/// Reads the fields of a row in order.
struct Fields<'a> {
    row: &'a [u8],
    at: usize,
    column: usize,
}

impl Fields<'_> {
    /// The next integer, which ends at a comma or at the end of the row.
    fn integer(&mut self) -> Result<i64, RowError> {
        let (value, used) = i64::from_radix_10_signed_checked(&self.row[self.at.min(self.row.len())..]);
        let digit_last = used > 0 && self.row[self.at + used - 1].is_ascii_digit();
        let ends = self.row.get(self.at + used).is_none_or(|b| *b == b',');
        match value {
            Some(value) if digit_last && ends => {
                self.step(used);
                Ok(value)
            }
            _ => Err(self.fault("is not an integer")),
        }
    }

    /// Seconds with up to nine decimals, as nanoseconds.
    fn time(&mut self) -> Result<Ns, RowError> {
        let rest = &self.row[self.at..];
        let field = &rest[..memchr::memchr(b',', rest).unwrap_or(rest.len())];
        let parsed = nanoseconds(field).ok_or_else(|| self.fault("is not a time in seconds below 36 hours"))?;
        self.step(field.len());
        Ok(Ns(parsed))
    }

    fn step(&mut self, used: usize) {
        self.at += used + 1;
        self.column += 1;
    }

    fn fault(&self, what: &str) -> RowError {
        let at = self.at.min(self.row.len());
        let rest = &self.row[at..];
        let end = memchr::memchr(b',', rest).unwrap_or(rest.len()).min(24);
        let field = String::from_utf8_lossy(&rest[..end]);
        RowError { at, what: format!("column {} {field:?} {what}", self.column + 1) }
    }

    fn ended(&self) -> bool {
        self.at > self.row.len()
    }
}

/// `34200.004241176` as nanoseconds; less than a day and a half.
fn nanoseconds(field: &[u8]) -> Option<u64> {
    let (seconds, fraction) = match memchr::memchr(b'.', field) {
        Some(dot) => (&field[..dot], &field[dot + 1..]),
        None => (field, &[][..]),
    };
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    if seconds.is_empty() || seconds.len() > 6 || fraction.len() > 9 || !digits(seconds) || !digits(fraction) {
        return None;
    }
    let number = |text: &[u8]| text.iter().fold(0u64, |sum, d| sum * 10 + u64::from(d - b'0'));
    let seconds = number(seconds);
    let nanos = number(fraction) * 10u64.pow(9 - fraction.len() as u32);
    (seconds < 129_600).then_some(seconds * Ns::SECOND + nanos)
}

/// The number of columns of a row.
pub(super) fn columns(row: &[u8]) -> usize {
    memchr::memchr_iter(b',', row).count() + 1
}

/// Parses a row of the message file.
pub(super) fn message(row: &[u8]) -> Result<Message, RowError> {
    expect_columns(row, MESSAGE_COLUMNS)?;
    let mut fields = Fields { row, at: 0, column: 0 };
    Ok(Message {
        time: fields.time()?,
        kind: fields.integer()?,
        order: fields.integer()?,
        qty: fields.integer()?,
        px: fields.integer()?,
        direction: fields.integer()?,
    })
}

/// Parses a row of an orderbook file with `levels` levels into the two ladders, without the empty levels.
pub(super) fn book(row: &[u8], levels: usize, asks: &mut Vec<Rung>, bids: &mut Vec<Rung>) -> Result<(), RowError> {
    expect_columns(row, levels * 4)?;
    let mut fields = Fields { row, at: 0, column: 0 };
    asks.clear();
    bids.clear();
    while !fields.ended() {
        for side in [&mut *asks, &mut *bids] {
            let start = fields.at;
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

fn expect_columns(row: &[u8], expected: usize) -> Result<(), RowError> {
    let found = columns(row);
    if found == expected {
        return Ok(());
    }
    Err(RowError { at: 0, what: format!("{found} columns instead of {expected}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_row_is_read_exactly() {
        let read = message(b"34200.004241176,1,16113575,18,5853300,-1").unwrap();
        let time = Ns(34_200_004_241_176);
        assert_eq!(read, Message { time, kind: 1, order: 16_113_575, qty: 18, px: 5_853_300, direction: -1 });
        assert_eq!(message(b"34200.05990197,7,0,0,-1,-1").unwrap().time, Ns(34_200_059_901_970));
        assert_eq!(message(b"36023,7,0,0,-1,-1").unwrap().time, Ns(36_023_000_000_000));
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
            (b"34200.1234567890,1,2,3,4,1", "column 1"),
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
            prop_assert_eq!(nanoseconds(text.as_bytes()), Some(seconds * Ns::SECOND + nanos));
            let short = text.trim_end_matches('0').trim_end_matches('.');
            prop_assert_eq!(nanoseconds(short.as_bytes()), Some(seconds * Ns::SECOND + nanos));
        }

        #[test]
        fn no_row_panics(row in prop::collection::vec(prop::sample::select(&b"0123456789,.-+ x"[..]), 0..60)) {
            let (mut asks, mut bids) = (Vec::new(), Vec::new());
            let _ = message(&row);
            let _ = book(&row, columns(&row) / 4, &mut asks, &mut bids);
        }
    }
}

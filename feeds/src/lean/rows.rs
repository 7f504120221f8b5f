//! Parses the rows of tick files as integers. Worst case: one pass over the row.

use crate::text::{Fields, RowError, columns};
use flow::{Px, Qty};

/// Decimals of a price.
const DECIMALS: u32 = 4;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// A row of a file of trades or of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Trade(Trade),
    Quote(Quote),
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trade {
    /// Milliseconds since midnight.
    pub(super) ms: u64,
    pub(super) px: Px,
    pub(super) qty: Qty,
    /// Name of the venue; zeros where it is too long to keep.
    pub(super) venue: [u8; 16],
    pub(super) conditions: u32,
    pub(super) is_suspicious: bool,
}

/// A quote; a side that it does not quote is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quote {
    /// Milliseconds since midnight.
    pub(super) ms: u64,
    pub(super) bid: Option<(Px, Qty)>,
    pub(super) ask: Option<(Px, Qty)>,
    pub(super) is_suspicious: bool,
}

impl Row {
    pub(super) fn ms(&self) -> u64 {
        match self {
            Row::Trade(trade) => trade.ms,
            Row::Quote(quote) => quote.ms,
        }
    }

    /// Parses a row of the columns of trades or of quotes.
    pub(super) fn of(row: &[u8], is_quote: bool) -> Result<Row, RowError> {
        if is_quote { quote(row).map(Row::Quote) } else { trade(row).map(Row::Trade) }
    }

    /// Whether a file whose first row this is has quotes; `None` if it has neither.
    pub(super) fn recognised(row: &[u8]) -> Option<bool> {
        let is_quote = columns(row) == QUOTE_COLUMNS;
        Row::of(row, is_quote).ok().map(|_| is_quote)
    }
}

const TRADE_COLUMNS: usize = 6;
const QUOTE_COLUMNS: usize = 8;

/// `14400464,1674100,100,P,20002000,0`: time, price, size, exchange, conditions, suspicious.
fn trade(row: &[u8]) -> Result<Trade, RowError> {
    let mut fields = Fields::of(row, TRADE_COLUMNS)?;
    let ms = time(&mut fields)?;
    let px = fields.read("is not a price above 0 in ten-thousandths", |text| px(text).filter(|px| px.0 > 0))?;
    let qty = fields.read("is not a size", qty)?;
    let venue = fields.read("is not an exchange", exchange)?;
    let conditions = fields.read("is not a hexadecimal number", conditions)?;
    Ok(Trade { ms, px, qty, venue, conditions, is_suspicious: fields.read("is neither 0 nor 1", flag)? })
}

/// `14400241,1800100,300,0,0,P,1,0`: time, bid and its size, ask and its size, exchange, conditions, suspicious.
fn quote(row: &[u8]) -> Result<Quote, RowError> {
    let mut fields = Fields::of(row, QUOTE_COLUMNS)?;
    let ms = time(&mut fields)?;
    let mut side = || {
        let px = fields.read("is not a price in ten-thousandths", px)?;
        let qty = fields.read("is not a size", qty)?;
        Ok((px.0 > 0).then_some((px, qty)))
    };
    let (bid, ask) = (side()?, side()?);
    fields.read("is not an exchange", exchange)?;
    fields.read("is not a hexadecimal number", conditions)?;
    Ok(Quote { ms, bid, ask, is_suspicious: fields.read("is neither 0 nor 1", flag)? })
}

pub(super) fn time(fields: &mut Fields) -> Result<u64, RowError> {
    fields.read("is not a time in milliseconds of a day", |text| digits(text, 8).filter(|ms| *ms < DAY_MS))
}

/// A number of at most so many digits.
pub(super) fn digits(text: &[u8], most: usize) -> Option<u64> {
    let fits = !text.is_empty() && text.len() <= most && text.iter().all(u8::is_ascii_digit);
    fits.then(|| text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

pub(super) fn px(text: &[u8]) -> Option<Px> {
    digits(text, 13).map(|px| Px::from_scaled(px as i64, DECIMALS))
}

pub(super) fn qty(text: &[u8]) -> Option<Qty> {
    digits(text, 18).map(Qty)
}

/// The letter of a venue, or its name: what tells a trade from a bar.
fn exchange(text: &[u8]) -> Option<[u8; 16]> {
    let is_name = text.iter().all(u8::is_ascii_alphanumeric) && text.iter().any(u8::is_ascii_alphabetic);
    let mut name = [0; 16];
    if let Some(kept) = name.get_mut(..text.len()) {
        kept.copy_from_slice(text);
    }
    is_name.then_some(name)
}

fn conditions(text: &[u8]) -> Option<u32> {
    let text = if text.is_empty() { "0" } else { std::str::from_utf8(text).ok()? };
    u32::from_str_radix(text, 16).ok()
}

fn flag(text: &[u8]) -> Option<bool> {
    match text {
        b"0" => Some(false),
        b"1" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_read_exactly() {
        let read = Row::of(b"14400464,1674100,100,P,20002000,0", false).unwrap();
        let px = Px::from_scaled(16_741, 2);
        let venue = *b"P\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let trade = Trade { ms: 14_400_464, px, qty: Qty(100), venue, conditions: 0x2000_2000, is_suspicious: false };
        assert_eq!(read, Row::Trade(trade));
        let read = Row::of(b"14400241,0,0,1818000,3000,P,1,1", true).unwrap();
        let ask = Some((Px::from_scaled(18_180, 2), Qty(3_000)));
        assert_eq!(read, Row::Quote(Quote { ms: 14_400_241, bid: None, ask, is_suspicious: true }));
    }

    #[test]
    fn a_venue_has_its_name_if_that_can_be_kept() {
        let venue = |name: &str| match Row::of(format!("1,2,3,{name},0,0").as_bytes(), false).unwrap() {
            Row::Trade(trade) => trade.venue,
            Row::Quote(_) => unreachable!("it has the columns of a trade"),
        };
        assert_eq!(venue("ABCDEFGHIJKLMNOP"), *b"ABCDEFGHIJKLMNOP");
        assert_eq!(venue("ABCDEFGHIJKLMNOPQ"), [0; 16]);
    }

    #[test]
    fn invalid_rows_report_the_column() {
        for (row, is_quote, what) in [
            (&b"1,2,3,P,0"[..], false, "5 columns"),
            (b"86400000,2,3,P,0,0", false, "column 1"),
            (b"1,0,3,P,0,0", false, "column 2"),
            (b"1,2.5,3,P,0,0", false, "column 2"),
            (b"1,2,-3,P,0,0", false, "column 3"),
            (b"1,2,3,P,xyz,0", false, "column 5"),
            (b"1,2,3,P,0,2", false, "column 6"),
            (b"1,2,3,4,5,P,0", true, "7 columns"),
            (b"1,2,3,4,x,P,0,0", true, "column 5"),
        ] {
            let error = Row::of(row, is_quote).unwrap_err();
            assert!(error.what.contains(what), "{row:?}: {error:?}");
        }
    }

    #[test]
    fn files_are_recognised_by_their_first_row() {
        assert_eq!(Row::recognised(b"14400464,1674100,100,P,20002000,0"), Some(false));
        assert_eq!(Row::recognised(b"14400241,1800100,300,0,0,P,1,0"), Some(true));
        // Bars, LOBSTER's messages, its book.
        for other in
            [&b"34200000,1674100,1674200,1674000,1674100,1"[..], b"34200.004,1,16113575,18,5853300,1", b"1,2,3,4"]
        {
            assert_eq!(Row::recognised(other), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn no_row_panics(row in prop::collection::vec(prop::sample::select(&b"0123456789,.-+P x"[..]), 0..60)) {
            let _ = Row::of(&row, false);
            let _ = Row::of(&row, true);
        }
    }
}

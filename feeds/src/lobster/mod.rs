//! LOBSTER: a message file, and the order book after every message.
//!
//! Row `i` of the orderbook file is the visible book after row `i` of the message file. Orders from before the first
//! message are missing in the message file, so a book built from messages alone drifts; a book copied from the rows has
//! no order flow. This feed combines the two: the messages drive, and the rows supply levels that no message explains
//! because they moved into or out of the visible range. See [`Lobster`].
//!
//! Bound: two rows and two ladders in memory. Worst case: O(N) for a row of N levels.

mod day;
mod days;
mod decoder;
mod role;
mod rows;

pub use decoder::Lobster;

use crate::reader::date;
use crate::text::Joined;
use crate::{Feed, Files, FindError, Open, OpenError, Opened, Request, drive};
use chrono::NaiveDate;
use day::{Day, VENUE};
use days::Pair;
use flow::{BookKind, Definition, InstrumentType, Ns, Px, TextParam};
use role::Role;
use std::io::Read;

const SYMBOL: TextParam = TextParam::new(
    "symbol",
    "",
    "Symbol of the listing, or the one to read of several; empty takes it from the file's name",
);

/// The entry in the registry.
pub const FEED: Feed = Feed {
    name: "lobster",
    doc: "feeds/docs/lobster.md",
    about: "LOBSTER message and orderbook files of one symbol, a day or several: the zip itself, or its CSV files",
    params: &[SYMBOL.param()],
    open: Open::Bytes { files: Files::Together, recognise: |head| Role::of(head).is_some(), find },
};

fn find(request: &Request) -> Result<Opened, FindError> {
    let shown = request.paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
    let (files, other) = days::files(&request.paths)?;
    if files.is_empty() {
        let path = request.paths.first().cloned().unwrap_or_default();
        return Err(FindError::other_feed(&path, &other.unwrap_or_default()));
    }
    let pairs = days::pairs(files, &shown, request.params.get(SYMBOL))?;
    let [first, ..] = &pairs[..] else { unreachable!("files make a pair, or an error") };
    let symbol = match request.params.get(SYMBOL) {
        "" => first.symbol.clone().unwrap_or_else(|| "UNKNOWN".to_owned()),
        given => given.to_owned(),
    };
    let (dates, warnings) = dates(request, &pairs, &shown)?;
    let decoder = Box::new(decoder(&symbol, &dates));
    let (messages, books): (Vec<_>, Vec<_>) = pairs.into_iter().map(|p| (p.messages.read, p.book.read)).unzip();
    let streams: Vec<Box<dyn Read + Send>> =
        vec![Box::new(Joined::new(messages.into_iter())), Box::new(Joined::new(books.into_iter()))];
    Ok(Opened { name: shown, warnings, decoder, streams, memory: 0, part: None })
}

/// The dates of the days, and a warning if one is not known.
fn dates(request: &Request, pairs: &[Pair], shown: &str) -> Result<(Vec<NaiveDate>, Vec<String>), OpenError> {
    if let [pair] = pairs {
        let zip = request.paths.first().and_then(|p| p.file_name()).map(|n| n.to_string_lossy()).unwrap_or_default();
        let named = pair.date.or_else(|| date::in_name(&zip));
        let day = request.date.or(named);
        let warning = day.is_none().then(|| date::unknown_warning(&pair.messages.name));
        return Ok((vec![day.unwrap_or(date::UNKNOWN)], warning.into_iter().collect()));
    }
    if request.date.is_some() {
        return Err(OpenError {
            what: format!("a date is given, but {shown} has {} days, each in the name of its files", pairs.len()),
            next: "leave the date out".to_owned(),
        });
    }
    Ok((pairs.iter().map(|pair| pair.date.unwrap_or(date::UNKNOWN)).collect(), Vec::new()))
}

/// A decoder for a symbol on trading days, at least one. Its windows are the message file and the orderbook file; in each a line
/// with the byte 1C alone ends a day before the last.
///
/// # Panics
/// When there is no day.
pub fn decoder(symbol: &str, days: &[NaiveDate]) -> Lobster {
    let definition = Definition {
        symbol: symbol.to_owned(),
        venue: VENUE,
        calendar: VENUE,
        currency: *b"USD\0",
        instrument_type: InstrumentType::Equity,
        book: BookKind::ByLevel,
        tick_px: Px::from_scaled(1, 2),
        price_decimals: 4,
        round_lot: 100,
        multiplier: Px::ONE,
        ..Definition::default()
    };
    Lobster::new(definition, days.iter().map(|day| Day::of(*day)).collect())
}

/// Decodes arbitrary bytes, for a fuzz target; the first two bytes say where the files split and how they are cut.
/// Never panics.
pub fn fuzz(bytes: &[u8]) {
    let [part, cut, rest @ ..] = bytes else { return };
    let (messages, book) = rest.split_at(rest.len() * usize::from(*part) / 255);
    let mut decoder = decoder("FUZZ", &[NaiveDate::default(); 2]);
    let mut last = Ns(0);
    // An error is as valid an outcome as success.
    let _ = drive::run(&mut decoder, &[messages, book], usize::from(*cut), 0, |event, _| last = event.ts);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_recognised_by_their_first_row() {
        let is = |head: &[u8]| match Role::of(head) {
            Some(Role::Messages) => "messages",
            Some(Role::Book) => "book",
            None => "neither",
        };
        assert_eq!(is(b"34200.004241176,1,16113575,18,5853300,1\n34200.0"), "messages");
        assert_eq!(is(b"5859400,200,5853300,18\r\n58"), "book");
        assert_eq!(is(b"5859400,200,5853300,18,9999999999,0,-9999999999,0,59"), "book");
        assert_eq!(is(b"\xef\xbb\xbf34200.004241176,1,16113575,18,5853300,1\r\n"), "messages");
        assert_eq!(is(b"\xef\xbb\xbf\r\n\n5859400,200,5853300,18\n"), "book");
        assert_eq!(is(b"43002.632812672004,1,16113575,18,5853300,1\n"), "messages");
        assert_eq!(is(b"5859400,200,5853300\n"), "neither");
        assert_eq!(is(b"\xef\xbb\xbf\n\n"), "neither");
        assert_eq!(is(b"time,price,size,side\n"), "neither");
        assert_eq!(is(b""), "neither");
        assert_eq!(is(b"===="), "neither");
    }
}

//! LEAN: ticks and bars of US equities, as QuantConnect's engine keeps them.
//!
//! A file of trades and a file of quotes for each day, both consolidated over all venues. Neither says who traded at whose
//! price, so the aggressor is inferred ([`flow::SigningRule`]); what each trade makes follows from its conditions
//! (`conditions`). Bars enter at their end (`bars`). Bound: a row of each file.

mod bars;
mod conditions;
mod days;
mod decoder;
mod rows;

pub use bars::Resolution;
pub use decoder::Lean;

use crate::reader::date;
use crate::text::Joined;
use crate::{Feed, Files, FindError, Open, OpenError, Opened, Request};
use chrono::NaiveDate;
use decoder::{Day, Prints, Rows};
use flow::{
    BookKind, BoolParam, ChoiceParam, Definition, InstrumentType, Mic, Px, SIGNING, SigningRule, TextParam, choices,
    midnight, zone_of,
};
use std::io::{self, Read};

/// No venue: the trades and quotes of all of them.
const VENUE: Mic = Mic(*b"EQUS");
const CALENDAR: Mic = Mic(*b"XNYS");

const SYMBOL: TextParam =
    TextParam::new("symbol", "", "Symbol of the listing; empty takes it from the names of files and folders");
const PRINTS: ChoiceParam<Prints> = ChoiceParam::new(
    "prints",
    choices! { "by-conditions" => Prints::ByConditions, "all" => Prints::All },
    "by-conditions",
    "which prints make a price: by their conditions, or all of them",
);
const VENUES: BoolParam =
    BoolParam::new("venues", false, "say before every trade at which venue it was, as a `trade-venue`");

/// The entry in the registry.
pub const FEED: Feed = Feed {
    name: "lean",
    doc: "feeds/docs/lean.md",
    about: "LEAN ticks or bars of one symbol of US equities, a day or several: trades, quotes, or both",
    params: &[SYMBOL.param(), SIGNING.param(), PRINTS.param(), VENUES.param()],
    open: Open::Bytes { files: Files::Merged, recognise: days::is_known, find },
};

fn find(request: &Request) -> Result<Opened, FindError> {
    let shown = request.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let found = days::found(&request.paths)?;
    if found.days.is_empty() {
        let (path, head) =
            found.other.unwrap_or_else(|| (request.paths.first().cloned().unwrap_or_default(), Vec::new()));
        return Err(FindError::other_feed(&path, &head));
    }
    let symbol = match request.params.get(SYMBOL) {
        "" => found.symbol.unwrap_or_else(|| "UNKNOWN".to_owned()),
        given => given.to_owned(),
    };
    let known: Vec<_> = found.days.keys().copied().collect();
    let rows = found.rows.unwrap_or(Rows::Ticks);
    let (dates, warnings) = match rows {
        Rows::Bars(resolution) if resolution.is_dated() => (vec![date::UNKNOWN], Vec::new()),
        _ => dates(request, &known, &shown)?,
    };
    let has_quotes = rows == Rows::Ticks || found.days.values().any(|[_, quotes]| quotes.is_some());
    let choices = (request.params.get(SIGNING), request.params.get(PRINTS));
    let decoder = decoder_of(definition(&symbol, has_quotes), &dates, rows, choices);
    let decoder = decoder.saying_venues(request.params.get(VENUES));
    let nothing = || Box::new(io::empty()) as Box<dyn Read + Send>;
    let (trades, quotes): (Vec<_>, Vec<_>) =
        found.days.into_values().map(|files| files.map(|file| file.unwrap_or_else(nothing)).into()).unzip();
    let streams: Vec<Box<dyn Read + Send>> =
        vec![Box::new(Joined::new(trades.into_iter())), Box::new(Joined::new(quotes.into_iter()))];
    Ok(Opened { name: shown, warnings, decoder: Box::new(decoder), streams, memory: 0, part: None })
}

/// The dates of the days, and a warning if one is not known.
fn dates(
    request: &Request,
    known: &[Option<NaiveDate>],
    shown: &str,
) -> Result<(Vec<NaiveDate>, Vec<String>), OpenError> {
    if let [one] = known {
        let day = request.date.or(*one);
        let warning = day.is_none().then(|| date::unknown_warning(shown));
        return Ok((vec![day.unwrap_or(date::UNKNOWN)], warning.into_iter().collect()));
    }
    let fault = |what: String, next: &str| OpenError { what, next: next.to_owned() };
    if request.date.is_some() {
        let what = format!("a date is given, but {shown} has {} days, each in the name of its files", known.len());
        return Err(fault(what, "leave the date out"));
    }
    let dates: Option<Vec<_>> = known.iter().copied().collect();
    let what = || format!("a file of {shown} has no day in its name, and there are several days");
    let dates = dates.ok_or_else(|| fault(what(), "name the files as LEAN does, YYYYMMDD_trade.zip"))?;
    Ok((dates, Vec::new()))
}

/// A decoder for a symbol on trading days, at least one, with the parameters' defaults. Its windows are the file of trades and the
/// file of quotes; in each a line with the byte 1C alone ends a day before the last.
///
/// # Panics
/// When there is no day.
pub fn decoder(symbol: &str, dates: &[NaiveDate]) -> Lean {
    decoder_of(definition(symbol, true), dates, Rows::Ticks, (SigningRule::LeeReady, Prints::ByConditions))
}

/// [`decoder`] for bars: its windows are the bars of trades and the bars of quotes. Rows of hours and days have their dates, so
/// any one day does for them.
///
/// # Panics
/// When there is no day.
pub fn bar_decoder(symbol: &str, resolution: Resolution, dates: &[NaiveDate]) -> Lean {
    let choices = (SigningRule::LeeReady, Prints::ByConditions);
    decoder_of(definition(symbol, true), dates, Rows::Bars(resolution), choices)
}

fn definition(symbol: &str, has_quotes: bool) -> Definition {
    Definition {
        symbol: symbol.to_owned(),
        venue: VENUE,
        calendar: CALENDAR,
        currency: *b"USD\0",
        instrument_type: InstrumentType::Equity,
        book: if has_quotes { BookKind::Quotes } else { BookKind::None },
        tick_px: Px::from_scaled(1, 2),
        price_decimals: 4,
        round_lot: 100,
        multiplier: Px::ONE,
        ..Definition::default()
    }
}

fn decoder_of(definition: Definition, dates: &[NaiveDate], rows: Rows, choices: (SigningRule, Prints)) -> Lean {
    let day = |date: &NaiveDate| Day { date: *date, midnight: midnight(*date, zone_of(CALENDAR)) };
    Lean::new(definition, dates.iter().map(day).collect(), rows, choices)
}

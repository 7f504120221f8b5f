//! The parameters of the feed, and what they say of a file and of a listing.

use super::columns::Mapped;
use super::plan::Settings;
use super::time::Stamp;
use crate::OpenError;
use crate::bar;
use crate::text::{decimal, first};
use chrono_tz::Tz;
use flow::{
    CALENDARS, Calendar, ChoiceParam, Definition, ListParam, Listed, Mic, Param, Params, Px, TextParam, choices,
};

const COLUMNS: ListParam = ListParam::new(
    "columns",
    "",
    "columns with other names, or by number from 1: time=ts,open=2; also clock, high, low, close, volume, vwap, trades",
);
const ZONE: TextParam =
    TextParam::new("zone", "", "IANA name of the zone of times without an offset, as America/New_York, or UTC");
const STAMP: ChoiceParam<Option<bool>> = ChoiceParam::new(
    "stamp",
    choices! { "by-header" => None, "start" => Some(false), "end" => Some(true) },
    "by-header",
    "whether a time is the start or the end of its bar; a vendor's known header tells",
);
const INTERVAL: TextParam = TextParam::new(
    "interval",
    "",
    "length of a bar, 1s or 5s to 1d; empty takes it from the file's name, as SPY_1min.csv",
);
const ORDER: ChoiceParam<Option<bool>> = ChoiceParam::new(
    "order",
    choices! { "by-times" => None, "oldest-first" => Some(false), "newest-first" => Some(true) },
    "by-times",
    "order of the rows; the first two times that differ tell",
);
/// The symbol of every file.
pub(super) const SYMBOL: TextParam =
    TextParam::new("symbol", "", "symbol of the listing; empty takes the file's name up to the first _ or point");
const VENUE: TextParam =
    TextParam::new("venue", "", "venue of the listing, up to four letters (MIC); empty is not known");
const CALENDAR: TextParam = TextParam::new(
    "calendar",
    "",
    "calendar of the listing (MIC), ---- for days of UTC; empty takes the venue's. Bars of a day need one",
);
const TICK: TextParam = TextParam::new("tick", "", "price step of the listing, as 0.01; empty is not known");

/// All of them.
pub(super) const PARAMS: &[Param] = &[
    COLUMNS.param(),
    ZONE.param(),
    STAMP.param(),
    INTERVAL.param(),
    ORDER.param(),
    SYMBOL.param(),
    VENUE.param(),
    CALENDAR.param(),
    TICK.param(),
];

fn fault(name: &str, value: &str, next: &str) -> OpenError {
    OpenError { what: format!("csv.{name}: {value:?} is not valid"), next: next.to_owned() }
}

/// A parameter that is a text, as `read` reads it; `next` says what it may be.
fn read<T>(
    params: &Params,
    param: TextParam,
    next: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, OpenError> {
    match params.get(param) {
        "" => Ok(None),
        text => read(text).map(Some).ok_or_else(|| fault(param.name(), text, next)),
    }
}

/// What the parameters say of how a file is read.
pub(super) fn of(params: &Params) -> Result<Settings, OpenError> {
    let mapped = |text: &String| {
        let next = "write part=column, where the part is time, clock, open, high, low, close, volume, vwap or trades";
        Mapped::of(text).ok_or_else(|| fault("columns", text, next))
    };
    Ok(Settings {
        columns: params.get(COLUMNS).iter().map(mapped).collect::<Result<_, _>>()?,
        zone: read(params, ZONE, "write a zone's name, as America/New_York, Europe/London or UTC", |text| {
            text.parse::<Tz>().ok()
        })?,
        is_end: params.get(STAMP),
        interval_s: read(
            params,
            INTERVAL,
            "write 1s, or a length from 5s to 1d that divides a day evenly",
            bar::seconds,
        )?,
        is_newest_first: params.get(ORDER),
        calendar: calendar(params)?.map(Calendar::of),
    })
}

fn mic(text: &str) -> Option<Mic> {
    let mut code = [0; 4];
    let fits = text.len() <= 4 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    fits.then(|| code[..text.len()].copy_from_slice(text.as_bytes()))?;
    Some(Mic(code))
}

/// The code of the calendar, if one is known.
fn calendar(params: &Params) -> Result<Option<Mic>, OpenError> {
    let known = |text: &str| CALENDARS.iter().find(|(code, _)| *code == text).and_then(|(code, _)| code_of(code));
    let given =
        read(params, CALENDAR, "write a code of the page on sessions, as XNYS, GLBX or XLON, or ----", |text| {
            if text == "----" { code_of(text) } else { known(text) }
        })?;
    Ok(given.or_else(|| known(params.get(VENUE))))
}

fn code_of(text: &str) -> Option<Mic> {
    text.as_bytes().try_into().ok().map(Mic)
}

/// The listing of a symbol.
pub(super) fn definition(symbol: &str, params: &Params) -> Result<Definition, OpenError> {
    let venue = read(params, VENUE, "write up to four capital letters or digits, as XNAS", mic)?.unwrap_or_default();
    let tick = read(params, TICK, "write a price above 0, as 0.01", |text| {
        decimal::px(text.as_bytes()).ok().filter(|px| px.0 > 0)
    })?;
    Ok(Definition {
        symbol: symbol.to_owned(),
        venue,
        calendar: calendar(params)?.unwrap_or_default(),
        tick_px: tick.unwrap_or_default(),
        price_decimals: tick.map_or(Listed::SHORTEST, decimals),
        ..Definition::default()
    })
}

/// Decimals of a price step.
fn decimals(tick: Px) -> u8 {
    (0..9).rev().find(|more| tick.0 % 10_i64.pow(*more + 1) == 0).map_or(9, |zeros| 8 - zeros as u8)
}

/// Whether the first row can be one of bars: text with five columns, and with names in it or a time.
pub(super) fn is_table(head: &[u8]) -> bool {
    let (row, _) = first(head);
    let is_text = std::str::from_utf8(row).is_ok_and(|row| !row.contains(|c: char| c.is_control() && c != '\t'));
    let delimiter = *b"\t;,".iter().find(|d| row.contains(d)).unwrap_or(&b',');
    let fields: Vec<&[u8]> = row.split(|b| *b == delimiter).collect();
    let are_names = fields.iter().all(|field| decimal::px(field).is_err());
    is_text && fields.len() >= 5 && (are_names || fields.iter().any(|field| Stamp::of(field).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_tells_the_decimals() {
        let places =
            [(1_000_000_000, 0), (10_000_000, 2), (250_000_000, 2), (1, 9), (50_000_000_000, 0), (15_625_000, 6)];
        for (tick, expected) in places {
            assert_eq!(decimals(Px(tick)), expected, "{tick}");
        }
    }

    #[test]
    fn rows_of_other_feeds_are_no_table() {
        assert!(is_table(b"ts,o,h,l,c\n"));
        assert!(is_table(b"2024-03-01 09:30,1,2,1,2\n"));
        for head in [&b"14400464,1674100,100,P,20002000,0\n"[..], b"5859400,200,5853300,18\n", b"\0\x0cS,,,,,\n", b""] {
            assert!(!is_table(head), "{head:?}");
        }
    }
}

//! The rows of bar files, and what their folders say of them.
//!
//! LEAN keeps `minute/SYMBOL/YYYYMMDD_trade.zip` and `second/…` for a day each, with times in milliseconds from midnight, and
//! `hour/SYMBOL.zip` and `daily/SYMBOL.zip` for all days, with the date in each row. A time is the start of its bar. No row
//! says how long a bar is, so that is told by the name of the member or of the folder. Worst case: one pass over the row.

use super::rows::{digits, px, qty, time};
use crate::bar::Span;
use crate::text::{Fields, RowError, columns};
use chrono::{NaiveDateTime, TimeZone};
use flow::{Calendar, Ns, Px, Qty};
use std::path::Path;

/// How long the bars of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A trade date.
    Daily,
}

use Resolution::{Daily, Hour, Minute, Second};

/// The calendar whose trade dates are the days.
const CALENDAR: Calendar = Calendar::UsEquities;

impl Resolution {
    const ALL: [(Resolution, &str); 4] = [(Second, "second"), (Minute, "minute"), (Hour, "hour"), (Daily, "daily")];

    pub(super) fn called(name: &str) -> Option<Resolution> {
        Self::ALL.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(resolution, _)| *resolution)
    }

    /// The resolution in the name of a member, else in those of the folders, from the last one up.
    pub(super) fn of(path: &Path, member: &str) -> Option<Resolution> {
        let by_member = member.split(['_', '.', '/', '\\']).find_map(Resolution::called);
        let folders = path.ancestors().skip(1).filter_map(Path::file_name);
        by_member.or_else(|| folders.filter_map(|name| Resolution::called(&name.to_string_lossy())).next())
    }

    /// Whether each row has its date.
    pub(super) fn is_dated(self) -> bool {
        matches!(self, Hour | Daily)
    }

    fn seconds(self) -> u32 {
        match self {
            Second => 1,
            Minute => 60,
            Hour => 3_600,
            Daily => crate::bar::DAY_S,
        }
    }
}

/// A bar of trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TradeBar {
    pub(super) span: Span,
    /// Open, high, low, close.
    pub(super) prices: [Px; 4],
    pub(super) volume: Qty,
}

/// The last quote of a bar of quotes; a side without one is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QuoteBar {
    pub(super) span: Span,
    pub(super) bid: Option<(Px, Qty)>,
    pub(super) ask: Option<(Px, Qty)>,
}

/// A row of bars of trades or of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BarRow {
    Trades(TradeBar),
    Quotes(QuoteBar),
}

const TRADE_COLUMNS: usize = 6;
const QUOTE_COLUMNS: usize = 11;

/// Parses a row of bars of trades or of quotes, of a day that began at `midnight`.
pub(super) fn row(row: &[u8], is_quote: bool, resolution: Resolution, midnight: Ns) -> Result<BarRow, RowError> {
    let mut fields = Fields::of(row, if is_quote { QUOTE_COLUMNS } else { TRADE_COLUMNS })?;
    let span = span(&mut fields, resolution, midnight)?;
    if is_quote {
        let mut side = || {
            let px = prices(&mut fields)?.map(|[.., close]| close);
            let qty = fields.read("is not a size", |text| if text.is_empty() { Some(Qty(0)) } else { qty(text) })?;
            Ok(px.map(|px| (px, qty)))
        };
        let (bid, ask) = (side()?, side()?);
        return Ok(BarRow::Quotes(QuoteBar { span, bid, ask }));
    }
    let at = fields.at();
    let prices =
        prices(&mut fields)?.ok_or_else(|| RowError { at, what: "a bar of trades without prices".to_owned() })?;
    let volume = fields.read("is not a volume", qty)?;
    Ok(BarRow::Trades(TradeBar { span, prices, volume }))
}

/// `34200000` or `19980102 09:00`: the start of a bar.
fn span(fields: &mut Fields, resolution: Resolution, midnight: Ns) -> Result<Span, RowError> {
    if !resolution.is_dated() {
        let at = fields.at();
        let ms = time(fields)?;
        let start_s = (midnight.0 / Ns::SECOND + ms / 1_000).cast_signed();
        let span = Span::starting(start_s, resolution.seconds()).filter(|_| ms % 1_000 == 0);
        return span.ok_or_else(|| RowError { at, what: format!("column 1 \"{ms}\" is not a whole second") });
    }
    fields.read("is not a time as 19980102 09:00, from 1970 on", |text| {
        let shown = NaiveDateTime::parse_from_str(std::str::from_utf8(text).ok()?, "%Y%m%d %H:%M").ok()?;
        match resolution {
            Daily => Span::of_date(shown.date(), CALENDAR),
            _ => {
                let start = CALENDAR.zone().from_local_datetime(&shown).earliest()?;
                Span::starting(start.timestamp(), resolution.seconds())
            }
        }
    })
}

/// Open, high, low and close; `None` where all of them are empty or 0.
fn prices(fields: &mut Fields) -> Result<Option<[Px; 4]>, RowError> {
    let at = fields.at();
    let mut next = || {
        fields.read("is not a price in ten-thousandths", |text| if text.is_empty() { Some(Px(0)) } else { px(text) })
    };
    let prices = [next()?, next()?, next()?, next()?];
    let [open, high, low, close] = prices;
    if prices == [Px(0); 4] {
        return Ok(None);
    }
    if low <= Px(0) || low > open.min(close) || high < open.max(close) {
        return Err(RowError { at, what: "four prices are not open, high, low and close".to_owned() });
    }
    Ok(Some(prices))
}

/// Whether a file whose first row this is has bars of quotes; `None` if it has no bars.
pub(super) fn recognised(first: &[u8]) -> Option<bool> {
    let is_quote = columns(first) == QUOTE_COLUMNS;
    let is_dated = first.get(8) == Some(&b' ') && first.get(..8).is_some_and(|date| digits(date, 8).is_some());
    row(first, is_quote, if is_dated { Hour } else { Second }, Ns(0)).ok().map(|_| is_quote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Mic, midnight, zone_of};
    use proptest::prelude::*;

    #[test]
    fn rows_are_read_exactly() {
        let day = chrono::NaiveDate::from_ymd_opt(2013, 10, 7).unwrap();
        let midnight = midnight(day, zone_of(Mic(*b"XNYS")));
        let read = row(b"14400000,1674100,1674100,1672500,1672700,3197", false, Minute, midnight).unwrap();
        let start_s = (midnight.0 / Ns::SECOND) as u32 + 14_400;
        let span = Span { start_s, end: Ns(u64::from(start_s + 60) * Ns::SECOND), interval_s: 60 };
        let prices = [1_674_100, 1_674_100, 1_672_500, 1_672_700].map(|px| Px::from_scaled(px, 4));
        assert_eq!(read, BarRow::Trades(TradeBar { span, prices, volume: Qty(3_197) }));
        let read = row(b"14400000,,,,,,1680000,1680000,1672600,1672700,20000", true, Minute, midnight).unwrap();
        let ask = Some((Px::from_scaled(1_672_700, 4), Qty(20_000)));
        assert_eq!(read, BarRow::Quotes(QuoteBar { span, bid: None, ask }));
    }

    #[test]
    fn rows_of_hours_and_days_have_their_date() {
        let span = |text: &str, resolution| match row(text.as_bytes(), false, resolution, Ns(0)).unwrap() {
            BarRow::Trades(bar) => bar.span,
            other => panic!("{other:?}"),
        };
        // 2 January 1998 in New York: midnight is 05:00 UTC.
        let midnight = 883_717_200;
        let hour = span("19980102 09:00,973100,975300,970300,970300,384500", Hour);
        assert_eq!((hour.start_s, hour.end.0 / Ns::SECOND), (midnight + 9 * 3_600, u64::from(midnight) + 10 * 3_600));
        let day = span("19980102 00:00,973100,975300,965300,973600,2150000", Daily);
        assert_eq!(
            (day.start_s, day.end.0 / Ns::SECOND, day.interval_s),
            (midnight, u64::from(midnight) + 86_400, 86_400)
        );
    }

    #[test]
    fn invalid_rows_report_the_column() {
        for (text, is_quote, what) in [
            (&b"0,1,1,1,1"[..], false, "5 columns"),
            (b"500,1,1,1,1,1", false, "not a whole second"),
            (b"0,1,1,1,1.5,1", false, "column 5"),
            (b"0,2,3,1,4,1", false, "four prices are not open"),
            (b"0,0,0,0,0,1", false, "without prices"),
            (b"0,1,1,1,1,x", false, "column 6"),
            (b"0,1,1,1,1,1,2,2,2,2,", true, ""),
            (b"0,1,1,1,1,1,2,2,2,2,x", true, "column 11"),
        ] {
            match row(text, is_quote, Second, Ns(0)) {
                Ok(_) => assert_eq!(what, "", "{text:?}"),
                Err(error) => assert!(!what.is_empty() && error.what.contains(what), "{text:?}: {error:?}"),
            }
        }
    }

    #[test]
    fn files_are_recognised_by_their_first_row() {
        assert_eq!(recognised(b"34200000,1674100,1674200,1674000,1674100,1"), Some(false));
        assert_eq!(recognised(b"19980102 09:00,973100,975300,970300,970300,384500"), Some(false));
        assert_eq!(recognised(b"0,1,1,1,1,1,2,2,2,2,1"), Some(true));
        // Ticks, LOBSTER's messages with and without a fraction of a second, bars of futures.
        for other in [
            &b"14400464,1674100,100,P,20002000,0"[..],
            b"34200.004,1,16113575,18,5853300,1",
            b"34200,1,16113575,18,5853300,1",
            b"0,1676.5,1676.5,1676.5,1676.5,9",
        ] {
            assert_eq!(recognised(other), None, "{other:?}");
        }
    }

    #[test]
    fn names_and_folders_tell_the_resolution() {
        let of = |path: &str, member: &str| Resolution::of(Path::new(path), member);
        assert_eq!(of("20131007_trade.zip", "20131007_spy_minute_trade.csv"), Some(Minute));
        assert_eq!(of("usa/second/spy/20131007_trade.zip", "x.csv"), Some(Second));
        assert_eq!(of("usa/daily/spy.zip", "spy.csv"), Some(Daily));
        assert_eq!(of("usa/hour/spy.zip", "spy.csv"), Some(Hour));
        assert_eq!(of("spy.zip", "spy.csv"), None);
    }

    proptest! {
        #[test]
        fn no_row_panics(text in prop::collection::vec(prop::sample::select(&b"0123456789,: .-x"[..]), 0..60)) {
            for resolution in [Second, Daily, Hour] {
                let _ = row(&text, false, resolution, Ns(0));
                let _ = row(&text, true, resolution, Ns(0));
            }
            let _ = recognised(&text);
        }
    }
}

//! A row as a bar. Worst case: one pass over the row for every part.

use super::columns::{Columns, PARTS, Part};
use super::decimal::{average, count, px, qty};
use super::plan::Plan;
use super::time::{FORMS, Stamp};
use crate::bar::{self, Span};
use crate::text::RowError;
use chrono::{LocalResult, NaiveDateTime, TimeZone, Timelike};
use flow::Px;
use flow::records::{Bar, BarFlow};
use std::ops::Range;

/// A bar of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) span: Span,
    pub(super) bar: Bar,
    pub(super) flow: BarFlow,
}

/// The fields of a row that are parts of a bar.
struct Parts<'a> {
    row: &'a [u8],
    columns: &'a Columns,
    places: [Range<usize>; PARTS],
}

impl<'a> Parts<'a> {
    fn of(row: &'a [u8], columns: &'a Columns) -> Result<Parts<'a>, RowError> {
        let mut places = [const { 0..0 }; PARTS];
        match columns.places(row, &mut places) {
            found if found == columns.count => Ok(Parts { row, columns, places }),
            found => Err(RowError { at: 0, what: format!("{found} columns instead of {}", columns.count) }),
        }
    }

    fn text(&self, part: Part) -> &'a [u8] {
        &self.row[self.places[part as usize].clone()]
    }

    fn fault(&self, part: Part, what: &str) -> RowError {
        let text = String::from_utf8_lossy(self.text(part));
        let cut: String = text.chars().take(32).collect();
        let what = format!("column {} ({}) {cut:?} {what}", self.columns.number(part), part.name());
        RowError { at: self.places[part as usize].start, what }
    }

    /// A part as `read` reads it.
    fn read<T>(&self, part: Part, read: impl FnOnce(&[u8]) -> Result<T, &'static str>) -> Result<T, RowError> {
        read(self.text(part)).map_err(|what| self.fault(part, what))
    }

    /// A part that a file may be without, and a row too.
    fn optional<T>(
        &self,
        part: Part,
        absent: T,
        read: impl FnOnce(&[u8]) -> Result<T, &'static str>,
    ) -> Result<T, RowError> {
        if self.text(part).is_empty() { Ok(absent) } else { self.read(part, read) }
    }

    fn stamp(&self) -> Result<Stamp, RowError> {
        if !self.columns.has(Part::Clock) {
            return self.read(Part::Time, Stamp::of);
        }
        let (date, clock) = (self.text(Part::Time), self.text(Part::Clock));
        let mut joined = [b' '; 64];
        let end = date.len() + 1 + clock.len();
        if end > joined.len() {
            return Err(self.fault(Part::Time, "is too long for a date"));
        }
        joined[..date.len()].copy_from_slice(date);
        joined[date.len() + 1..end].copy_from_slice(clock);
        self.read(Part::Time, |_| Stamp::of(&joined[..end]))
    }
}

/// The time of a row.
pub(super) fn stamp(row: &[u8], columns: &Columns) -> Result<Stamp, RowError> {
    Parts::of(row, columns)?.stamp()
}

/// What a time shows in seconds, to compare times of one form.
pub(super) fn shown_seconds(stamp: &Stamp) -> i64 {
    match stamp {
        Stamp::Date(date) => date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp(),
        Stamp::Clock(shown) => shown.and_utc().timestamp(),
        Stamp::Offset(shown, ahead) => shown.and_utc().timestamp() - i64::from(*ahead),
        Stamp::Unix(second) => *second,
    }
}

impl Plan {
    /// Reads a row.
    pub(super) fn row(&self, row: &[u8]) -> Result<Row, RowError> {
        let parts = Parts::of(row, &self.columns)?;
        let stamp = parts.stamp()?;
        if stamp.form() != self.form {
            let what = format!("is {}, but the first row has {}", FORMS[stamp.form()], FORMS[self.form]);
            return Err(parts.fault(Part::Time, &what));
        }
        let span = self.span(&stamp).map_err(|what| parts.fault(Part::Time, what))?;
        let [open, high, low, close] =
            [Part::Open, Part::High, Part::Low, Part::Close].map(|part| parts.read(part, px));
        let (open, high, low, close) = (open?, high?, low?, close?);
        if high < low.max(open).max(close) {
            return Err(parts.fault(Part::High, "is not the highest price of the row"));
        }
        if low > open.min(close) {
            return Err(parts.fault(Part::Low, "is not the lowest price of the row"));
        }
        let Span { start_s, interval_s, .. } = span;
        let unknown = BarFlow::UNKNOWN;
        let flow = BarFlow {
            volume: parts.optional(Part::Volume, unknown.volume, qty)?,
            vwap: parts.optional(Part::Vwap, Px::NONE, average)?,
            trades: parts.optional(Part::Trades, unknown.trades, count)?,
            interval_s,
            ..unknown
        };
        Ok(Row { span, bar: Bar { open, high, low, close, start_s, interval_s }, flow })
    }

    /// What time a bar covers.
    fn span(&self, stamp: &Stamp) -> Result<Span, &'static str> {
        const RANGE: &str = "is not between 1970 and 2105";
        if let Stamp::Date(date) = stamp {
            return Span::of_date(*date, self.calendar).ok_or(RANGE);
        }
        let second = self.second(stamp)?;
        let before_end = second - i64::from(self.is_end);
        let span = match stamp {
            _ if self.interval_s != bar::DAY_S => {
                let length = if self.is_end { i64::from(self.interval_s) } else { 0 };
                Span::starting(second - length, self.interval_s)
            }
            // A midnight is how a date is written where every column of times has a clock.
            Stamp::Clock(shown) | Stamp::Offset(shown, _) if !self.is_end && is_midnight(shown) => {
                Span::of_date(shown.date(), self.calendar)
            }
            _ => Span::of_day_at(before_end, self.calendar),
        };
        span.ok_or(RANGE)
    }

    /// Seconds since 1970.
    fn second(&self, stamp: &Stamp) -> Result<i64, &'static str> {
        match (stamp, self.zone) {
            (Stamp::Clock(shown), Some(zone)) => match zone.from_local_datetime(shown) {
                LocalResult::Single(at) => Ok(at.timestamp()),
                LocalResult::Ambiguous(..) => Err("is a time that the clocks of its zone show twice: give its offset"),
                LocalResult::None => Err("is a time that the clocks of its zone skip: check csv.zone"),
            },
            _ => Ok(shown_seconds(stamp)),
        }
    }
}

fn is_midnight(shown: &NaiveDateTime) -> bool {
    shown.num_seconds_from_midnight() == 0
}

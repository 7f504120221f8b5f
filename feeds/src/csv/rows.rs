//! A row as a bar. Worst case: one pass over the row for every part.

use super::columns::Part;
use super::parts::Parts;
use super::plan::Plan;
use super::time::{FORMS, Stamp};
use crate::bar::{self, Span};
use crate::text::RowError;
use crate::text::decimal::{average, count, px, qty};
use chrono::{LocalResult, NaiveDateTime, TimeZone, Timelike};
use flow::Px;
use flow::records::{Bar, BarFlow};

/// A bar of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) span: Span,
    pub(super) bar: Bar,
    pub(super) flow: BarFlow,
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
            _ => Ok(stamp.shown_seconds()),
        }
    }
}

fn is_midnight(shown: &NaiveDateTime) -> bool {
    shown.num_seconds_from_midnight() == 0
}

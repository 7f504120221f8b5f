//! An instant as people name it: a time, a time of day of the journal's date, or the number of an input.
//!
//! Times are read as by `--from` and `--to` of the rows: what names no zone is UTC.

use super::error::InstantError;
use super::written::written;
use crate::rows::{FilterError, parse_time};
use chrono::{DateTime, Days, NaiveDate, NaiveTime};
use flow::{Event, Ns};
use std::fmt;

/// Before the number of an input.
const SEQ: &str = "seq:";
/// The forms of a time of day.
const OF_DAY: [&str; 2] = ["%H:%M:%S%.f", "%H:%M"];

/// An instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After the last input up to that time.
    Time(Ns),
    /// The same, at that time of the day of the journal, UTC.
    OfDay(NaiveTime),
    /// After that input.
    Input(u64),
}

/// A text that names no instant.
#[derive(Debug, thiserror::Error)]
pub enum NoMoment {
    /// It is no time.
    #[error("{0}; or a time of day in UTC, as 13:30:00.5, or the number of an input, as seq:81204")]
    Time(FilterError),
    /// It is no number.
    #[error("{0:?} is not the number of an input: write seq: and digits")]
    Seq(String),
}

/// Reads an instant.
///
/// # Errors
/// When the text names none.
pub fn parse_moment(text: &str) -> Result<Moment, NoMoment> {
    if let Some(number) = text.strip_prefix(SEQ) {
        let number = number.replace(',', "");
        return number.parse().map(Moment::Input).map_err(|_| NoMoment::Seq(text.to_owned()));
    }
    match OF_DAY.iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok()) {
        Some(time) => Ok(Moment::OfDay(time)),
        None => parse_time(text).map(Moment::Time).map_err(NoMoment::Time),
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Time(ts) => f.write_str(&written(*ts)),
            Moment::OfDay(time) => write!(f, "{time} UTC"),
            Moment::Input(seq) => write!(f, "input {seq}"),
        }
    }
}

/// The time that a time of day is in a journal with these first and last inputs.
pub(super) fn on_its_day(time: NaiveTime, first: &Event, last: &Event) -> Result<Ns, InstantError> {
    let asked = Moment::OfDay(time).to_string();
    let date = |ts: Ns| DateTime::from_timestamp_nanos(ts.0.cast_signed()).date_naive();
    let at =
        |date: NaiveDate| Ns(date.and_time(time).and_utc().timestamp_nanos_opt().unwrap_or_default().cast_unsigned());
    let days = |day: &NaiveDate| day.checked_add_days(Days::new(1)).filter(|next| *next <= date(last.ts));
    let all: Vec<_> = std::iter::successors(Some(date(first.ts)), days).map(at).collect();
    let mut within = all.iter().filter(|ts| (first.ts..=last.ts).contains(ts));
    match (within.next(), within.next()) {
        (Some(one), None) => Ok(*one),
        (Some(one), Some(other)) => Err(InstantError::Ambiguous { asked, one: *one, other: *other }),
        (None, _) => {
            let side = if all[0] < first.ts { "before the first input" } else { "after the last input" };
            Err(InstantError::Outside { asked, side, first: Box::new(*first), last: Box::new(*last) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_a_time_a_time_of_day_or_a_number() {
        assert_eq!(parse_moment("seq:81204").unwrap(), Moment::Input(81_204));
        assert_eq!(parse_moment("seq:81,204").unwrap(), Moment::Input(81_204));
        assert_eq!(parse_moment("1580389141091295878").unwrap(), Moment::Time(Ns(1_580_389_141_091_295_878)));
        assert_eq!(parse_moment("2020-01-30T14:00:00+02:00").unwrap(), parse_moment("2020-01-30T12:00:00").unwrap());
        assert_eq!(parse_moment("13:30:00.5").unwrap().to_string(), "13:30:00.500 UTC");
        assert_eq!(parse_moment("13:30").unwrap().to_string(), "13:30:00 UTC");
        for wrong in ["", "seq:", "seq:x", "25:00", "yesterday"] {
            assert!(parse_moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_of_day_lies_on_the_day_of_the_journal_that_has_it() {
        let at = |text: &str| Event { ts: parse_time(text).unwrap(), ..bytemuck::Zeroable::zeroed() };
        let time = |text: &str| match parse_moment(text).unwrap() {
            Moment::OfDay(time) => time,
            other => panic!("{other}"),
        };
        let (first, last) = (at("2020-01-30T22:00:00"), at("2020-01-31T03:00:00"));
        let found = |text: &str| on_its_day(time(text), &first, &last);
        assert_eq!(found("23:00").unwrap(), at("2020-01-30T23:00:00").ts);
        assert_eq!(found("02:00").unwrap(), at("2020-01-31T02:00:00").ts);
        let error = found("12:00").unwrap_err().to_string();
        assert!(error.starts_with("12:00:00 UTC is before the first input of the journal: its inputs are"), "{error}");
        let last = at("2020-01-31T23:00:00");
        let error = on_its_day(time("22:30"), &first, &last).unwrap_err().to_string();
        assert!(error.contains("at 2020-01-30T22:30:00Z and at 2020-01-31T22:30:00Z: name the date too"), "{error}");
    }
}

//! Bar intervals and their boundaries.
//!
//! Below a day, boundaries are multiples of the interval since the Unix epoch. A day is a calendar day in the time zone of
//! the listing's calendar, so a bar never straddles two sessions; twice a year it has 23 or 25 hours.

use chrono::{DateTime, Datelike, NaiveDate, TimeZone};
use chrono_tz::Tz;
use std::fmt;
use std::str::FromStr;

use crate::{Mic, Ns};

/// Length of a bar: 5 s to 1 d.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    seconds: u32,
}

/// Why a text is not an interval.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a bar length: write a number and s, m, h or d, from 5s to 1d, that divides a day evenly")]
pub struct IntervalError(String);

impl Interval {
    const DAY: u32 = 86_400;

    /// Length in seconds; 86,400 for a calendar day.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// Whether it is a calendar day.
    pub fn is_day(self) -> bool {
        self.seconds == Self::DAY
    }

    /// The interval of that many seconds, if it is valid.
    pub fn from_seconds(seconds: u32) -> Option<Interval> {
        let fits = (5..=Self::DAY).contains(&seconds) && Self::DAY.is_multiple_of(seconds);
        fits.then_some(Interval { seconds })
    }

    /// Start and end of the bar that holds `ts`.
    pub fn bounds(self, ts: Ns, zone: Tz) -> (Ns, Ns) {
        if self.is_day() {
            return day_bounds(ts, zone);
        }
        let length = u64::from(self.seconds) * Ns::SECOND;
        let start = ts.0 - ts.0 % length;
        (Ns(start), Ns(start + length))
    }
}

fn day_bounds(ts: Ns, zone: Tz) -> (Ns, Ns) {
    let local = DateTime::from_timestamp_nanos(ts.0 as i64).with_timezone(&zone).date_naive();
    let next = local.succ_opt().unwrap_or(NaiveDate::MAX);
    (midnight(local, zone), midnight(next, zone))
}

/// First instant of a date in a zone; where clocks skip midnight, the first instant after it.
pub fn midnight(date: NaiveDate, zone: Tz) -> Ns {
    let naive = (0..3).find_map(|hour| {
        let local = zone.with_ymd_and_hms(date.year(), date.month(), date.day(), hour, 0, 0);
        local.earliest()
    });
    let at = naive.expect("one of the first hours of a day exists");
    Ns(u64::try_from(at.timestamp_nanos_opt().unwrap_or(0)).unwrap_or(0))
}

/// The calendars that are known, each a market with its time zone.
pub const CALENDARS: &[(&str, Tz)] = &[
    ("XNAS", Tz::America__New_York),
    ("XBOS", Tz::America__New_York),
    ("XPSX", Tz::America__New_York),
    ("XNYS", Tz::America__New_York),
    ("XASE", Tz::America__New_York),
    ("ARCX", Tz::America__New_York),
    ("BATS", Tz::America__New_York),
    ("IEXG", Tz::America__New_York),
    ("EQUS", Tz::America__New_York),
    ("OPRA", Tz::America__New_York),
    ("XCME", Tz::America__Chicago),
    ("GLBX", Tz::America__Chicago),
    ("XCBT", Tz::America__Chicago),
    ("XCBO", Tz::America__Chicago),
    ("XLON", Tz::Europe__London),
    ("XEUR", Tz::Europe__Berlin),
];

/// Time zone of a market's calendar; UTC for one that is not in [`CALENDARS`]. Meant for the start of a bar or a day.
pub fn zone_of(calendar: Mic) -> Tz {
    let known = CALENDARS.iter().find(|(market, _)| market.as_bytes() == calendar.0);
    known.map_or(Tz::UTC, |(_, zone)| *zone)
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || IntervalError(text.to_owned());
        let (number, unit) = text.split_at(text.len().saturating_sub(1));
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => Self::DAY,
            _ => return Err(fault()),
        };
        let seconds = number.parse::<u32>().ok().and_then(|n| n.checked_mul(unit)).ok_or_else(fault)?;
        Interval::from_seconds(seconds).ok_or_else(fault)
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            Self::DAY => write!(f, "1d"),
            s if s % 3_600 == 0 => write!(f, "{}h", s / 3_600),
            s if s % 60 == 0 => write!(f, "{}m", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendars_are_markets_in_time_zones() {
        for (market, zone) in CALENDARS {
            assert_eq!(zone_of(Mic(market.as_bytes().try_into().unwrap())), *zone, "{market} stands there once");
            assert_ne!(*zone, Tz::UTC, "{market}");
        }
        assert_eq!(zone_of(Mic(*b"XXXX")), Tz::UTC);
    }

    #[test]
    fn names_come_back_and_bad_ones_are_refused() {
        for good in ["5s", "30s", "1m", "5m", "1h", "1d"] {
            assert_eq!(good.parse::<Interval>().unwrap().to_string(), good);
        }
        assert_eq!("60s".parse::<Interval>().unwrap().to_string(), "1m");
        for bad in ["", "s", "1s", "7s", "2d", "5", "-5s", "5 s", "1w"] {
            assert!(bad.parse::<Interval>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_is_the_calendars() {
        let zone = zone_of(Mic(*b"XNAS"));
        let at = |h: u32, d: u32| {
            Ns(zone.with_ymd_and_hms(2026, 3, d, h, 30, 0).unwrap().timestamp_nanos_opt().unwrap() as u64)
        };
        let day: Interval = "1d".parse().unwrap();
        let (start, end) = day.bounds(at(12, 8), zone);
        assert_eq!((end.0 - start.0) / Ns::SECOND, 23 * 3_600, "clocks go forward");
        assert_eq!(day.bounds(at(23, 8), zone), (start, end));
        assert_eq!(day.bounds(end, zone).0, end);
    }
}

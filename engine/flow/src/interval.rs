//! Bar intervals and their boundaries.
//!
//! Below a day, boundaries are multiples of the interval since the Unix epoch. A day is a trade date of the listing's
//! [calendar](Calendar), so a bar never straddles two sessions; twice a year it may have 23 or 25 hours.

use crate::{Calendar, Ns};
use std::fmt;
use std::str::FromStr;

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

    /// Length in seconds; 86,400 for a trade date.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// Whether it is a trade date.
    pub fn is_day(self) -> bool {
        self.seconds == Self::DAY
    }

    /// The interval of that many seconds, if it is valid.
    pub fn from_seconds(seconds: u32) -> Option<Interval> {
        let fits = (5..=Self::DAY).contains(&seconds) && Self::DAY.is_multiple_of(seconds);
        fits.then_some(Interval { seconds })
    }

    /// Start and end of the bar that holds `ts`.
    pub fn bounds(self, ts: Ns, calendar: Calendar) -> (Ns, Ns) {
        if self.is_day() {
            let day = calendar.trade_date(ts);
            return (day.start, day.end);
        }
        let length = u64::from(self.seconds) * Ns::SECOND;
        let start = ts.0 - ts.0 % length;
        (Ns(start), Ns(start + length))
    }
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
        let day: Interval = "1d".parse().unwrap();
        // Noon in New York on 8 March 2026, when clocks go forward there.
        let noon = Ns(1_772_985_600 * Ns::SECOND);
        let (start, end) = day.bounds(noon, Calendar::UsEquities);
        assert_eq!((end.0 - start.0) / Ns::SECOND, 23 * 3_600);
        assert_eq!(day.bounds(Ns(end.0 - 1), Calendar::UsEquities), (start, end));
        assert_eq!(day.bounds(end, Calendar::UsEquities).0, end);
        assert_eq!(day.bounds(noon, Calendar::Utc).0, Ns(1_772_928_000 * Ns::SECOND));
    }
}

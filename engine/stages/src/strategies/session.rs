//! A strategy's trading hours, in exchange time.
//!
//! Hours are wall-clock times of the listing's calendar. The bounds of the current day are looked up once and kept, so an
//! event costs two comparisons. Clocks change in the first hours of a day: a time from three o'clock on is counted back
//! from the end of the day, an earlier one from its start.
//!
//! Bound: two instants per instrument. Worst case: one time zone lookup per day and instrument.

use flow::{Interval, Mic, Ns, ParamError, Params, TextParam, zone_of};
use serde::{Deserialize, Serialize};

const DAY_S: u64 = 86_400;
/// Second of the day from which on no calendar's clock changes.
const SETTLED_S: u64 = 3 * 3_600;

/// Start of the hours in which it enters.
pub(super) const SESSION_START: TextParam =
    TextParam::new("session_start", "09:35", "first entry, wall clock of the listing's calendar");
/// End of those hours.
pub(super) const SESSION_END: TextParam =
    TextParam::new("session_end", "15:55", "no entry from here on, and what is open is closed");

/// Trading hours, in seconds of the day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Hours {
    pub(super) start_s: u64,
    pub(super) end_s: u64,
}

impl Hours {
    /// Reads `session_start` and `session_end`.
    ///
    /// When one is not a time of day, or the end is not after the start.
    pub(super) fn read(stage: &str, params: &Params) -> Result<Hours, ParamError> {
        let read = |time: TextParam| {
            let (name, text) = (time.name(), params.get(time));
            let (hours, minutes) = text.split_once(':').unwrap_or((text, ""));
            let time = hours.parse::<u64>().ok().zip(minutes.parse::<u64>().ok());
            let time = time.filter(|(h, m)| *m < 60 && h * 60 + m <= 24 * 60).map(|(h, m)| h * 3_600 + m * 60);
            let valid = "valid: a time of day from 00:00 to 24:00, the end after the start".to_owned();
            time.ok_or(ParamError { key: format!("{stage}.{name}"), found: text.to_owned(), valid })
        };
        let hours = Hours { start_s: read(SESSION_START)?, end_s: read(SESSION_END)? };
        if hours.start_s >= hours.end_s {
            let valid = "valid: a time of day after session_start".to_owned();
            let (key, found) = (format!("{stage}.session_end"), params.get(SESSION_END).to_owned());
            return Err(ParamError { key, found, valid });
        }
        Ok(hours)
    }
}

/// An instant relative to the trading hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// Before the hours of its day.
    Before,
    /// Within the hours.
    Window,
    /// After the hours.
    After,
}

/// The bounds of the day that was looked up last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Day {
    start: Ns,
    end: Ns,
}

impl Day {
    /// No day yet.
    pub(super) const NONE: Day = Day { start: Ns::NONE, end: Ns(0) };

    /// Where an instant lies relative to the hours of its day.
    #[inline]
    pub(super) fn place(&mut self, now: Ns, calendar: Mic, hours: Hours) -> Within {
        if now < self.start || now >= self.end {
            let day = Interval::from_seconds(DAY_S as u32).expect("a day is an interval");
            (self.start, self.end) = day.bounds(now, zone_of(calendar));
        }
        if now < self.at(hours.start_s) {
            Within::Before
        } else if now < self.at(hours.end_s) {
            Within::Window
        } else {
            Within::After
        }
    }

    fn at(self, second: u64) -> Ns {
        if second >= SETTLED_S {
            Ns(self.end.0.saturating_sub((DAY_S - second) * Ns::SECOND))
        } else {
            Ns(self.start.0.saturating_add(second * Ns::SECOND))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_of_the_wall_clock_also_where_it_changes() {
        let hours = Hours { start_s: 34_200, end_s: 57_600 };
        let hour = 3_600 * Ns::SECOND;
        // 2026-03-06 14:30 UTC and, from the day of the change on, 13:30 UTC are half past nine in New York.
        for open in [1_772_807_400, 1_773_063_000, 1_772_976_600] {
            let (mut day, open) = (Day::NONE, open * Ns::SECOND);
            let mut at = |ns: u64| day.place(Ns(ns), Mic(*b"XNAS"), hours);
            assert_eq!((at(open - 1), at(open), at(open + 1)), (Within::Before, Within::Window, Within::Window));
            assert_eq!((at(open + 13 * hour / 2 - 1), at(open + 13 * hour / 2)), (Within::Window, Within::After));
        }
    }
}

//! A strategy's trading hours, in exchange time.
//!
//! Hours are wall-clock times of the listing's calendar on its trade date: a time in the evening is that of the evening on
//! which the date began. On a half-day, as the `session` of the date says, their end comes earlier by as much as the close
//! does. The hours of the current date are looked up once and kept, so an event costs two comparisons.
//!
//! Bound: four instants per instrument. Worst case: one lookup of the calendar per date and instrument.

use flow::{Calendar, Ns, ParamError, Params, Sessions, TextParam};
use serde::{Deserialize, Serialize};

/// Start of the hours in which it enters.
pub(super) const SESSION_START: TextParam =
    TextParam::new("session_start", "09:35", "first entry, wall clock of the listing's calendar");
/// End of those hours.
pub(super) const SESSION_END: TextParam =
    TextParam::new("session_end", "15:55", "no entry from here on, and what is open is closed");

/// Trading hours, in seconds of the day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Hours {
    pub(super) start_s: u32,
    pub(super) end_s: u32,
}

impl Hours {
    /// Reads `session_start` and `session_end`.
    ///
    /// When one is not a time of day, or the end is not after the start.
    pub(super) fn read(stage: &str, params: &Params) -> Result<Hours, ParamError> {
        let read = |time: TextParam| {
            let (name, text) = (time.name(), params.get(time));
            let (hours, minutes) = text.split_once(':').unwrap_or((text, ""));
            let time = hours.parse::<u32>().ok().zip(minutes.parse::<u32>().ok());
            let time =
                time.filter(|(h, m)| *h <= 24 && *m < 60 && h * 60 + m <= 24 * 60).map(|(h, m)| h * 3_600 + m * 60);
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
    /// Before the hours of its date.
    Before,
    /// Within the hours.
    Window,
    /// After the hours.
    After,
}

/// The trade date that was looked up last, and its hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Day {
    start: Ns,
    end: Ns,
    from: Ns,
    until: Ns,
    /// How much earlier than usual its hours end, in seconds.
    early_s: u32,
}

impl Day {
    /// No date yet.
    pub(super) const NONE: Day = Day { start: Ns::NONE, end: Ns(0), from: Ns::NONE, until: Ns(0), early_s: 0 };

    /// Where an instant lies relative to the hours of its date.
    #[inline]
    pub(super) fn place(&mut self, now: Ns, calendar: Calendar, hours: Hours, sessions: &Sessions) -> Within {
        if now < self.start || now >= self.end {
            *self = Day::of(now, calendar, hours, sessions);
        }
        if now < self.from {
            Within::Before
        } else if now < self.until {
            Within::Window
        } else {
            Within::After
        }
    }

    #[cold]
    fn of(now: Ns, calendar: Calendar, hours: Hours, sessions: &Sessions) -> Day {
        let day = calendar.trade_date(now);
        let early_s = sessions.at(calendar, now).map_or(0, |session| session.early_s);
        let (from, until) = (calendar.clock(&day, hours.start_s), calendar.clock(&day, hours.end_s));
        let until = Ns(until.0.saturating_sub(u64::from(early_s) * Ns::SECOND));
        Day { start: day.start, end: day.end, from, until, early_s }
    }

    /// How long it is until the hours of the date, or since them, as seconds below zero.
    pub(super) fn outside_s(&self, now: Ns) -> f64 {
        let away = self.from.0.saturating_sub(now.0).max(now.0.saturating_sub(self.until.0));
        -(away as f64 / Ns::SECOND as f64)
    }

    /// When the hours of the date end, as a second of the local day.
    pub(super) fn end_s(&self, hours: Hours) -> u32 {
        hours.end_s.saturating_sub(self.early_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::Session;

    const HOUR: u64 = 3_600 * Ns::SECOND;

    #[test]
    fn a_window_is_of_the_wall_clock_also_where_it_changes() {
        let hours = Hours { start_s: 34_200, end_s: 57_600 };
        // 2026-03-06 14:30 UTC and, from the day of the change on, 13:30 UTC are half past nine in New York.
        for open in [1_772_807_400, 1_773_063_000, 1_772_976_600] {
            let (mut day, open) = (Day::NONE, open * Ns::SECOND);
            let mut at = |ns: u64| day.place(Ns(ns), Calendar::UsEquities, hours, &Sessions::default());
            assert_eq!((at(open - 1), at(open), at(open + 1)), (Within::Before, Within::Window, Within::Window));
            assert_eq!((at(open + 13 * HOUR / 2 - 1), at(open + 13 * HOUR / 2)), (Within::Window, Within::After));
        }
    }

    #[test]
    fn on_a_half_day_the_end_moves_with_the_close() {
        let hours = Hours { start_s: 34_200, end_s: 57_300 };
        // 2026-11-27, the day after Thanksgiving: 14:30 UTC is half past nine in New York.
        let open = 1_795_789_800 * Ns::SECOND;
        let day = Calendar::UsEquities.trade_date(Ns(open));
        let [start_s, end_s] = [day.start, day.end].map(|at| (at.0 / Ns::SECOND) as u32);
        let calendar = Calendar::UsEquities.code();
        let mut sessions = Sessions::default();
        sessions.take(&Session { calendar, start_s, end_s, early_s: 3 * 3_600, ..Session::default() });
        let mut day = Day::NONE;
        let end = open + 3 * HOUR + 25 * 60 * Ns::SECOND;
        let mut at = |ns: u64| day.place(Ns(ns), Calendar::UsEquities, hours, &sessions);
        assert_eq!((at(open), at(end - 1), at(end)), (Within::Window, Within::Window, Within::After));
        assert_eq!(at(open + 24 * HOUR + 4 * HOUR), Within::Window, "the next day is none");
        assert_eq!(day.end_s(hours), 57_300);
    }

    #[test]
    fn an_evening_is_that_on_which_the_date_began() {
        let hours = Hours { start_s: 0, end_s: 15 * 3_600 };
        // 2026-11-23, a Monday: its trade date began on Sunday at 17:00 in Chicago, 23:00 UTC.
        let sunday = 1_795_388_400 * Ns::SECOND;
        let mut day = Day::NONE;
        let mut at = |ns: u64| day.place(Ns(ns), Calendar::Cme, hours, &Sessions::default());
        assert_eq!(
            (at(sunday), at(sunday + 22 * HOUR - 1), at(sunday + 22 * HOUR)),
            (Within::Window, Within::Window, Within::After)
        );
    }
}

//! Bar intervals and their boundaries.
//!
//! Below an hour, boundaries are multiples of the interval since the Unix epoch, which hours of a market are too. Bars of an hour and
//! more would straddle the open, so they begin anew there: at the first instant of a trade date, where its market hours begin, and
//! where they end. The last bar before each of these is as long as there is time. A day is the whole trade date; twice a year it may
//! have 23 or 25 hours.

use crate::records::Session;
use crate::{Calendar, Calendars, Hours, Ns};
use std::fmt;
use std::str::FromStr;

/// Length of a bar: 5 s to 1 d.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    seconds: u32,
}

/// A trade date with its market hours: what bars of an hour and more are cut by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarDay {
    /// Its first instant.
    pub start: Ns,
    /// The first instant of the next one.
    pub end: Ns,
    /// Market hours begin; [`Ns::NONE`] if there are none or they are not known.
    pub open: Ns,
    /// Market hours end; [`Ns::NONE`] likewise.
    pub close: Ns,
}

impl BarDay {
    /// The trade date of an instant, if nothing is known of its hours.
    pub fn without_hours(calendar: Calendar, ts: Ns) -> BarDay {
        let day = calendar.trade_date(ts);
        BarDay { start: day.start, end: day.end, open: Ns::NONE, close: Ns::NONE }
    }

    /// The trade date of an instant as these calendars have it.
    pub fn of(calendars: &Calendars, calendar: Calendar, ts: Ns) -> BarDay {
        let (day, hours) = calendars.day(calendar, ts);
        let (open, close) = if let Hours::Open(day) = hours { (day.open, day.close) } else { (Ns::NONE, Ns::NONE) };
        BarDay { start: day.start, end: day.end, open, close }
    }

    /// The bar of so many nanoseconds that holds `ts`.
    fn cut(self, ts: Ns, length: u64) -> (Ns, Ns) {
        let from = [self.open, self.close].into_iter().filter(|from| *from <= ts).fold(self.start, Ns::max);
        let until = [self.open, self.close].into_iter().filter(|until| *until > ts).fold(self.end, Ns::min);
        let start = from.0 + (ts.0 - from.0) / length * length;
        (Ns(start), Ns(start + length).min(until))
    }
}

impl From<&Session> for BarDay {
    fn from(session: &Session) -> BarDay {
        let second = |second: u32| Ns(u64::from(second) * Ns::SECOND);
        let (start, end) = (second(session.start_s), second(session.end_s));
        BarDay { start, end, open: session.open_ts, close: session.close_ts }
    }
}

/// Why a text is not an interval.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a bar length: write a number and s, m, h or d, from 5s to 1d, that divides a day evenly")]
pub struct IntervalError(String);

impl Interval {
    const DAY: u32 = 86_400;
    const HOUR: u32 = 3_600;

    /// Length in seconds; 86,400 for a trade date.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// Whether it is a trade date.
    pub fn is_day(self) -> bool {
        self.seconds == Self::DAY
    }

    /// Whether its bars follow trade dates and market hours, and not the clock alone.
    pub fn follows_hours(self) -> bool {
        self.seconds >= Self::HOUR
    }

    /// The interval of that many seconds, if it is valid.
    pub fn from_seconds(seconds: u32) -> Option<Interval> {
        let fits = (5..=Self::DAY).contains(&seconds) && Self::DAY.is_multiple_of(seconds);
        fits.then_some(Interval { seconds })
    }

    /// Start and end of the bar that holds `ts`; `day`, the trade date of `ts`, is asked only for intervals that follow hours.
    pub fn bounds(self, ts: Ns, day: impl FnOnce() -> BarDay) -> (Ns, Ns) {
        let length = u64::from(self.seconds) * Ns::SECOND;
        if self.is_day() {
            let day = day();
            return (day.start, day.end);
        }
        if self.follows_hours() {
            return day().cut(ts, length);
        }
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
        let of = |ts, calendar| day.bounds(ts, || BarDay::without_hours(calendar, ts));
        let (start, end) = of(noon, Calendar::UsEquities);
        assert_eq!((end.0 - start.0) / Ns::SECOND, 23 * 3_600);
        assert_eq!(of(Ns(end.0 - 1), Calendar::UsEquities), (start, end));
        assert_eq!(of(end, Calendar::UsEquities).0, end);
        assert_eq!(of(noon, Calendar::Utc).0, Ns(1_772_928_000 * Ns::SECOND));
    }

    /// The bars of a trade date in minutes from `zero` on, as they follow one another.
    fn bars(text: &str, calendar: Calendar, zero: u64) -> Vec<(i64, i64)> {
        let (interval, calendars) = (text.parse::<Interval>().unwrap(), Calendars::of_this_build());
        let day = BarDay::of(&calendars, calendar, Ns(zero * Ns::SECOND));
        let minutes = |ts: Ns| (ts.0 / Ns::SECOND).cast_signed().wrapping_sub(zero.cast_signed()) / 60;
        let (mut ts, mut found) = (day.start, Vec::new());
        while ts < day.end {
            let (start, end) = interval.bounds(ts, || day);
            assert_eq!(start, ts, "no gap between two bars");
            assert_eq!(interval.bounds(Ns(end.0 - 1), || day), (start, end), "the last instant is in the same bar");
            found.push((minutes(start), minutes(end)));
            ts = end;
        }
        found
    }

    /// Minutes from midnight in New York.
    fn clock(hour: i64, minute: i64) -> i64 {
        hour * 60 + minute
    }

    #[test]
    fn hours_of_a_market_begin_at_its_open_also_on_a_half_day() {
        // Midnights in New York: Friday 2026-11-20, a full day; Friday 2026-11-27, a half-day.
        let (full, half) = (1_795_150_800, 1_795_755_600);
        let found = bars("1h", Calendar::UsEquities, full);
        let open = found.iter().position(|bar| bar.0 == clock(9, 30)).unwrap();
        assert_eq!(
            found[open - 1],
            (clock(9, 0), clock(9, 30)),
            "what comes before the open is as long as there is time"
        );
        let hours: Vec<_> = found[open..open + 7].to_vec();
        let wanted = [(9, 10, 30), (10, 11, 30), (11, 12, 30), (12, 13, 30), (13, 14, 30), (14, 15, 30), (15, 16, 0)];
        assert_eq!(hours, wanted.map(|(from, to, minute)| (clock(from, 30), clock(to, minute))));
        assert_eq!(found[open + 7], (clock(16, 0), clock(17, 0)));
        let four = bars("4h", Calendar::UsEquities, full);
        assert_eq!(four[3..5], [(clock(9, 30), clock(13, 30)), (clock(13, 30), clock(16, 0))]);
        let found = bars("1h", Calendar::UsEquities, half);
        let last = found.iter().position(|bar| bar.0 == clock(12, 30)).unwrap();
        assert_eq!(found[last..last + 2], [(clock(12, 30), clock(13, 0)), (clock(13, 0), clock(14, 0))]);
        let four = bars("4h", Calendar::UsEquities, half);
        assert_eq!(four[3], (clock(9, 30), clock(13, 0)));
    }

    #[test]
    fn hours_of_a_market_go_with_its_clock_when_that_changes() {
        // Friday 2026-03-06 and Monday 2026-03-09, noon UTC: the market opens at 14:30 and at 13:30.
        let (friday, monday) = (1_772_798_400, 1_773_057_600);
        let open = |noon: u64| {
            let found = bars("1h", Calendar::UsEquities, noon);
            let at = found.iter().position(|(start, end)| start % 60 != 0 && end - start == 60).unwrap();
            found[at].0
        };
        assert_eq!((open(friday), open(monday)), (clock(2, 30), clock(1, 30)));
        // The Sunday between has 23 hours and no session.
        assert_eq!(bars("1h", Calendar::UsEquities, friday + 2 * 86_400).len(), 23);
        assert_eq!(bars("4h", Calendar::UsEquities, friday + 2 * 86_400).len(), 6);
    }

    #[test]
    fn hours_of_futures_are_those_of_their_trade_date() {
        // Tuesday 2026-11-24, noon UTC: the date began on Monday at 17:00 in Chicago, 23:00 UTC.
        let found = bars("4h", Calendar::Cme, 1_795_521_600);
        let began = -13 * 60;
        let of_hours = [0, 4, 8, 12, 16, 20].map(|hour| began + hour * 60);
        assert_eq!(found.iter().map(|bar| bar.0).collect::<Vec<_>>()[..6], of_hours);
        assert_eq!(found[5..], [(began + 20 * 60, began + 23 * 60), (began + 23 * 60, began + 24 * 60)]);
        // Friday 2026-11-27, a half-day: hours end at noon in Chicago, 18:00 UTC.
        let found = bars("4h", Calendar::Cme, 1_795_780_800);
        assert_eq!(found[4..6], [(began + 16 * 60, began + 19 * 60), (began + 19 * 60, began + 23 * 60)]);
    }

    #[test]
    fn without_hours_bars_are_those_of_the_clock() {
        let noon = Ns((1_772_985_600 + 1_234) * Ns::SECOND);
        let hour: Interval = "1h".parse().unwrap();
        let epoch = Ns(noon.0 / (3_600 * Ns::SECOND) * 3_600 * Ns::SECOND);
        let calendars = Calendars::of_this_build();
        assert_eq!(hour.bounds(noon, || BarDay::of(&calendars, Calendar::Utc, noon)).0, epoch);
        assert_eq!(hour.bounds(noon, || BarDay::without_hours(Calendar::Utc, noon)).0, epoch);
        let half: Interval = "30m".parse().unwrap();
        assert_eq!(half.bounds(noon, || unreachable!("it goes by the clock alone")).0, epoch);
    }
}

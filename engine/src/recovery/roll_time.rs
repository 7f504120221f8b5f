//! When a journal rolls: at times of day in a time zone, or never by itself.
//!
//! Where clocks go forward over that time it is the first moment after, and where they go back the first of the two. Bound:
//! a look at two days.

use chrono::{DateTime, Days, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use flow::Ns;

/// When a journal rolls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollTime(Option<(Vec<NaiveTime>, Tz)>);

impl RollTime {
    /// What is valid, for people.
    pub const VALID: &str =
        "valid: times of day and their time zone, as \"20:00 America/New_York\" or \"00:00 12:00 UTC\", or never";

    /// The time in the setting; `None` if it is none.
    pub fn parse(text: &str) -> Option<RollTime> {
        if text == "never" {
            return Some(RollTime(None));
        }
        let (times, zone) = text.rsplit_once(' ')?;
        let times = times.split_whitespace().map(|time| NaiveTime::parse_from_str(time, "%H:%M").ok());
        let times = times.collect::<Option<Vec<_>>>().filter(|times| !times.is_empty())?;
        Some(RollTime(Some((times, zone.parse().ok()?))))
    }

    /// The first time after `now`.
    pub(super) fn after(&self, now: Ns) -> Option<Ns> {
        let (times, zone) = self.0.as_ref()?;
        let now = DateTime::<Utc>::from_timestamp_nanos(i64::try_from(now.0).ok()?);
        let date = now.with_timezone(zone).date_naive();
        let dates = (0..=2).filter_map(|days| date.checked_add_days(Days::new(days)));
        let all = dates.flat_map(|date| times.iter().map(move |time| moment(date.and_time(*time), *zone)));
        let next = all.filter(|at| *at > now).min()?;
        next.timestamp_nanos_opt().and_then(|ns| u64::try_from(ns).ok()).map(Ns)
    }
}

/// The moment of a local time: the first of two, and of none the first after.
fn moment(mut local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    loop {
        match zone.from_local_datetime(&local).earliest() {
            Some(at) => return at.with_timezone(&Utc),
            None => local += TimeDelta::minutes(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ns(text: &str) -> Ns {
        let at = DateTime::parse_from_rfc3339(text).expect("a time");
        Ns(at.timestamp_nanos_opt().expect("in range").cast_unsigned())
    }

    #[test]
    fn the_next_time_of_day_comes_in_its_zone() {
        let evening = RollTime::parse("20:00 America/New_York").expect("a time");
        let after = |text| evening.after(ns(text)).expect("it comes");
        assert_eq!(after("2026-11-25T15:00:00Z"), ns("2026-11-26T01:00:00Z"));
        assert_eq!(after("2026-11-26T00:59:59.999999999Z"), ns("2026-11-26T01:00:00Z"));
        assert_eq!(after("2026-11-26T01:00:00Z"), ns("2026-11-27T01:00:00Z"), "not twice");
        assert_eq!(after("2026-07-01T15:00:00Z"), ns("2026-07-02T00:00:00Z"), "in summer");
    }

    #[test]
    fn a_time_that_the_clocks_leave_out_or_repeat_comes_once() {
        let twice = RollTime::parse("12:00 00:00 UTC").expect("times");
        assert_eq!(twice.after(ns("2026-07-01T15:00:00Z")), Some(ns("2026-07-02T00:00:00Z")));
        assert_eq!(twice.after(ns("2026-07-02T00:00:00Z")), Some(ns("2026-07-02T12:00:00Z")));
        let night = RollTime::parse("02:30 America/New_York").expect("a time");
        assert_eq!(night.after(ns("2026-03-08T06:00:00Z")), Some(ns("2026-03-08T07:00:00Z")), "02:30 is left out");
        let night = RollTime::parse("01:30 America/New_York").expect("a time");
        assert_eq!(night.after(ns("2026-11-01T05:00:00Z")), Some(ns("2026-11-01T05:30:00Z")));
        assert_eq!(night.after(ns("2026-11-01T05:30:00Z")), Some(ns("2026-11-02T06:30:00Z")), "the second one is none");
    }

    #[test]
    fn never_never_comes_and_no_time_is_a_fault() {
        assert_eq!(RollTime::parse("never").expect("a rule").after(Ns(5)), None);
        for fault in ["", "20:00", "8pm UTC", "24:00 UTC", "20:00 Mars/Base", "Never"] {
            assert_eq!(RollTime::parse(fault), None, "{fault}");
        }
    }
}

//! Which dates are sessions: the rules of the markets.
//!
//! What follows from the date alone is here; what a market decided once (a funeral, a storm, a jubilee) stands in the
//! [exceptions](super::exceptions). Each rule is in force from [`COVERED`] on; `tests/oracles/calendar_oracle.py` compares
//! every date since with other people's calendars. Worst case: a few comparisons of dates.

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// The first date of which the rules know whether it is a session.
pub(super) const COVERED: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a date");

/// What a date is at a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Session {
    /// It trades its usual hours.
    Full,
    /// It closes early, at this second of the local day.
    Early(u32),
    /// It does not trade.
    Closed,
}

/// The second of the day at a time.
pub(super) const fn at(hour: u32, minute: u32) -> u32 {
    hour * 3_600 + minute * 60
}

fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Whether a date is such a weekday of a month, on one of seven days.
fn is_in_week(date: NaiveDate, month: u32, first: u32, weekday: Weekday) -> bool {
    date.month() == month && (first..first + 7).contains(&date.day()) && date.weekday() == weekday
}

/// Easter Sunday of the date's year, by the tables of the Gregorian calendar.
fn easter(year: i32) -> NaiveDate {
    let (golden, century) = (year % 19, year / 100);
    let moon = (century - century / 4 - (8 * century + 13) / 25 + 19 * golden + 15) % 30;
    let full = moon - moon / 28 * (1 - moon / 28 * (29 / (moon + 1)) * ((21 - golden) / 11));
    let weekday = (year + year / 4 + full + 2 - century + century / 4) % 7;
    let day = full - weekday;
    let month = 3 + (day + 40) / 44;
    let day = day + 28 - 31 * (month / 4);
    NaiveDate::from_ymd_opt(year, month as u32, day as u32).expect("Easter is in March or April")
}

/// How many days a date is after Easter Sunday.
fn after_easter(date: NaiveDate) -> i64 {
    (date - easter(date.year())).num_days()
}

/// Whether the holiday of that month and day is kept on the date: on a Saturday's Friday, on a Sunday's Monday.
fn is_observed(date: NaiveDate, month: u32, day: u32) -> bool {
    let falls_on = |of: Option<NaiveDate>| of.is_some_and(|of| (of.month(), of.day()) == (month, day));
    match date.weekday() {
        Weekday::Sat | Weekday::Sun => false,
        Weekday::Fri if falls_on(date.succ_opt()) => true,
        Weekday::Mon if falls_on(date.pred_opt()) => true,
        _ => falls_on(Some(date)),
    }
}

/// New Year's Day. On a Saturday the stock exchanges of New York do not keep it: the Friday is of the old year.
fn is_new_year(date: NaiveDate) -> bool {
    date.month() == 1 && is_observed(date, 1, 1)
}

/// The holidays of the United States on which stocks do not trade but index futures do, for a while.
fn is_us_holiday(date: NaiveDate) -> bool {
    is_in_week(date, 1, 15, Weekday::Mon)
        || is_in_week(date, 2, 15, Weekday::Mon)
        || is_in_week(date, 5, 25, Weekday::Mon)
        || date.year() >= 2022 && is_observed(date, 6, 19)
        || is_observed(date, 7, 4)
        || is_in_week(date, 9, 1, Weekday::Mon)
        || is_in_week(date, 11, 22, Weekday::Thu)
}

/// The holidays on which neither trades.
fn is_us_closure(date: NaiveDate) -> bool {
    is_new_year(date) || after_easter(date) == -2 || is_observed(date, 12, 25)
}

/// The day after Thanksgiving, Christmas Eve, and the day before the Fourth of July, where it is a session of its own.
fn is_us_half_day(date: NaiveDate) -> bool {
    let is_early_in_week = !matches!(date.weekday(), Weekday::Fri | Weekday::Sat | Weekday::Sun);
    is_in_week(date, 11, 23, Weekday::Fri)
        || (date.month(), date.day()) == (12, 24) && is_early_in_week
        || (date.month(), date.day()) == (7, 3) && is_early_in_week
}

/// US equities: half-days end at 13:00.
pub(super) fn us_equities(date: NaiveDate) -> Session {
    if is_weekend(date) || is_us_closure(date) || is_us_holiday(date) {
        Session::Closed
    } else if is_us_half_day(date) {
        Session::Early(at(13, 0))
    } else {
        Session::Full
    }
}

/// Index futures of CME: on the holidays and half-days of stocks they end at noon.
pub(super) fn cme(date: NaiveDate) -> Session {
    if is_weekend(date) || is_us_closure(date) {
        Session::Closed
    } else if is_us_holiday(date) || is_us_half_day(date) {
        Session::Early(at(12, 0))
    } else {
        Session::Full
    }
}

/// Christmas and Boxing Day, with the weekdays that are kept for them when they fall on a weekend.
fn is_british_christmas(date: NaiveDate) -> bool {
    let kept_for = match date.weekday() {
        Weekday::Mon | Weekday::Tue => 25..=28,
        _ => 25..=26,
    };
    date.month() == 12 && kept_for.contains(&date.day())
}

/// The last session before a date.
fn is_last_session_before(date: NaiveDate, month: u32, day: u32) -> bool {
    let eve = NaiveDate::from_ymd_opt(date.year(), month, day).expect("a day of every year");
    let back = match eve.weekday() {
        Weekday::Sat => 1,
        Weekday::Sun => 2,
        _ => 0,
    };
    date == eve - Days::new(back)
}

/// London's shares: the last sessions before Christmas and the New Year end at 12:30.
pub(super) fn london(date: NaiveDate) -> Session {
    let bank_holiday = is_in_week(date, 5, 1, Weekday::Mon)
        || is_in_week(date, 5, 25, Weekday::Mon)
        || is_in_week(date, 8, 25, Weekday::Mon);
    // A New Year's Day on a weekend is kept on the Monday.
    let new_year = date.month() == 1 && (date.day() == 1 || date.day() <= 3 && date.weekday() == Weekday::Mon);
    if is_weekend(date)
        || bank_holiday
        || new_year
        || is_british_christmas(date)
        || matches!(after_easter(date), -2 | 1)
    {
        Session::Closed
    } else if is_last_session_before(date, 12, 24) || is_last_session_before(date, 12, 31) {
        Session::Early(at(12, 30))
    } else {
        Session::Full
    }
}

/// A market that trades on all weekdays.
pub(super) fn weekdays(date: NaiveDate) -> Session {
    if is_weekend(date) { Session::Closed } else { Session::Full }
}

//! A trading day: where its times count from, and what its files still tell.

use chrono::NaiveDate;
use flow::{Mic, Ns, midnight, zone_of};

/// The venue whose data LOBSTER reconstructs, and its calendar.
pub(super) const VENUE: Mic = Mic(*b"XNAS");

/// LOBSTER's first day.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2007, 6, 27).expect("a date");
/// From this day on Nasdaq masks the side of a hidden execution, and the direction is 1 whatever the side was.
const SIDES_MASKED: NaiveDate = NaiveDate::from_ymd_opt(2014, 7, 14).expect("a date");

/// A trading day.
#[derive(Clone, Copy)]
pub(super) struct Day {
    pub(super) date: NaiveDate,
    /// Where its times count from.
    pub(super) midnight: Ns,
    /// Whether the direction of a hidden execution is its side: before the masking, and not on an unknown day.
    pub(super) tells_hidden_side: bool,
}

impl Day {
    pub(super) fn of(date: NaiveDate) -> Day {
        let tells_hidden_side = (FIRST_DAY..SIDES_MASKED).contains(&date);
        Day { date, midnight: midnight(date, zone_of(VENUE)), tells_hidden_side }
    }
}

//! Prints the hours of every trade date from 2000 to 2027, for `tests/oracles/calendar_oracle.py`.
//!
//! A line has the calendar, the date, and the times of pre-market, open, close and post-market in nanoseconds of Unix time;
//! a date on which a market does not trade has no line.

use chrono::NaiveDate;
use flow::{Calendar, Calendars, Hours, Ns};

fn main() {
    let calendars = Calendars::of_this_build();
    let (first, last) = (NaiveDate::from_ymd_opt(2000, 1, 1), NaiveDate::from_ymd_opt(2027, 12, 31));
    let (first, last) = (first.expect("a date"), last.expect("a date"));
    for calendar in Calendar::ALL {
        let mut day = calendar.trade_date(Ns(flow::midnight(first, calendar.zone()).0 + 12 * 3_600 * Ns::SECOND));
        while day.date <= last {
            if let Hours::Open(hours) = calendars.hours(*calendar, &day) {
                let times = [hours.pre, hours.open, hours.close, hours.post].map(|ts| ts.0.to_string()).join(",");
                println!("{},{},{times}", calendar.name(), day.date);
            }
            day = calendar.trade_date(day.end);
        }
    }
}

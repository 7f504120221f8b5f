//! The calendars against a reference that looks at a clock on the wall every half an hour, over 18 years; and single dates.
//!
//! The reference knows nothing of where a trade date begins in UTC: it reads the local time and counts. What other people's
//! calendars say is compared by `tests/oracles/calendar_oracle.py`.

use chrono::{DateTime, Days, NaiveDate, TimeZone, Timelike};
use chrono_tz::Tz;
use flow::{Calendar, Calendars, Hours, MarketDay, Ns, SessionPhase, TradeDate};

const HALF_AN_HOUR: u64 = 1_800 * Ns::SECOND;

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn local(ts: Ns, zone: Tz) -> DateTime<Tz> {
    DateTime::from_timestamp_nanos(ts.0 as i64).with_timezone(&zone)
}

fn at(zone: Tz, text: &str) -> Ns {
    let shown = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a time");
    Ns(zone.from_local_datetime(&shown).unwrap().timestamp_nanos_opt().unwrap() as u64)
}

/// The trade date by the clock on the wall: from an hour of the evening on it is tomorrow's.
fn by_the_clock(calendar: Calendar, ts: Ns) -> NaiveDate {
    let evening = |zone: Tz, minutes: u32| {
        let shown = local(ts, zone);
        let is_evening = shown.hour() * 60 + shown.minute() >= minutes;
        shown.date_naive() + Days::new(u64::from(is_evening))
    };
    match calendar {
        Calendar::Utc => local(ts, Tz::UTC).date_naive(),
        Calendar::UsEquities => local(ts, Tz::America__New_York).date_naive(),
        // Its present hours began with Monday 19 November 2012, on the evening before.
        Calendar::Cme if ts < at(Tz::America__Chicago, "2012-11-18 12:00") => {
            evening(Tz::America__Chicago, 15 * 60 + 30)
        }
        Calendar::Cme => evening(Tz::America__Chicago, 17 * 60),
        Calendar::Fx => evening(Tz::America__New_York, 17 * 60),
        Calendar::London => local(ts, Tz::Europe__London).date_naive(),
        Calendar::Eurex => local(ts, Tz::Europe__Berlin).date_naive(),
    }
}

#[test]
fn a_trade_date_is_what_the_clock_on_the_wall_says() {
    let (from, to) = (at(Tz::UTC, "2010-01-01 12:00"), at(Tz::UTC, "2028-01-02 00:00"));
    for calendar in Calendar::ALL {
        let (mut ts, mut last): (Ns, Option<TradeDate>) = (from, None);
        while ts < to {
            let day = calendar.trade_date(ts);
            assert_eq!(day.date, by_the_clock(*calendar, ts), "{calendar:?} at {:?}", local(ts, calendar.zone()));
            assert!(day.start <= ts && ts < day.end, "{calendar:?} {day:?}");
            if let Some(last) = last.filter(|last| *last != day) {
                assert_eq!(
                    (last.end, last.date.succ_opt()),
                    (day.start, Some(day.date)),
                    "{calendar:?}: without a gap"
                );
                assert_eq!(calendar.trade_date(Ns(day.start.0 - 1)), last, "{calendar:?}: to the nanosecond");
                assert_eq!(calendar.trade_date(day.start), day);
            }
            last = Some(day);
            ts = Ns(ts.0 + HALF_AN_HOUR);
        }
    }
}

#[test]
fn a_clock_shows_each_time_of_a_date_once() {
    for calendar in Calendar::ALL {
        let mut ts = at(Tz::UTC, "2019-12-30 12:00");
        while ts < at(Tz::UTC, "2021-01-05 00:00") {
            let day = calendar.trade_date(ts);
            for second in (0..=86_400).step_by(3_600) {
                let shown = calendar.clock(&day, second);
                assert!(day.start <= shown && shown <= day.end, "{calendar:?} {day:?} {second}");
                let clock = local(shown, calendar.zone());
                let skipped = (day.end.0 - day.start.0) / Ns::SECOND == 23 * 3_600;
                if !matches!(second, 0 | 86_400) && !skipped {
                    assert_eq!(clock.num_seconds_from_midnight(), second, "{calendar:?} {day:?}");
                }
            }
            ts = day.end;
        }
    }
}

/// The hours of a date, by the clocks of the market: date, open, close, early; `None` if it is closed.
fn hours(calendar: Calendar, of: &str) -> Option<(String, String, bool)> {
    let day = calendar.trade_date(at(calendar.zone(), &format!("{of} 09:00")));
    assert_eq!(day.date, date(of));
    match Calendars::of_this_build().hours(calendar, &day) {
        Hours::Closed => None,
        Hours::Unknown => panic!("{of} is covered"),
        Hours::Open(hours) => {
            let shown = |ts: Ns| local(ts, calendar.zone()).format("%a %H:%M").to_string();
            Some((shown(hours.open), shown(hours.close), hours.early_s > 0))
        }
    }
}

#[test]
fn holidays_half_days_and_what_was_decided_once() {
    let open = |from: &str, to: &str, early: bool| Some((from.to_owned(), to.to_owned(), early));
    for closed in ["2026-11-26", "2018-12-05", "2025-01-09", "2012-10-29", "2026-07-03", "2022-06-20", "2026-11-28"] {
        assert_eq!(hours(Calendar::UsEquities, closed), None, "{closed}");
    }
    assert_eq!(hours(Calendar::UsEquities, "2026-11-27"), open("Fri 09:30", "Fri 13:00", true));
    assert_eq!(hours(Calendar::UsEquities, "2026-07-02"), open("Thu 09:30", "Thu 16:00", false));
    assert_eq!(hours(Calendar::UsEquities, "2021-12-31"), open("Fri 09:30", "Fri 16:00", false));
    assert_eq!(hours(Calendar::Cme, "2026-11-23"), open("Sun 17:00", "Mon 16:00", false));
    assert_eq!(hours(Calendar::Cme, "2026-11-26"), open("Wed 17:00", "Thu 12:00", true));
    assert_eq!(hours(Calendar::Cme, "2023-04-07"), open("Thu 17:00", "Fri 08:15", true));
    assert_eq!(hours(Calendar::Cme, "2024-03-29"), None);
    assert_eq!(hours(Calendar::Cme, "2012-11-16"), open("Thu 15:30", "Fri 15:15", false));
    assert_eq!(hours(Calendar::London, "2022-09-19"), None);
    assert_eq!(hours(Calendar::London, "2022-05-30"), open("Mon 08:00", "Mon 16:30", false));
    assert_eq!(hours(Calendar::London, "2027-12-24"), open("Fri 08:00", "Fri 12:30", true));
    assert_eq!(hours(Calendar::Fx, "2026-11-23"), open("Sun 17:00", "Mon 17:00", false));
    assert_eq!(hours(Calendar::Fx, "2026-11-22"), None);
}

#[test]
fn a_day_goes_through_its_phases_and_a_half_day_sooner() {
    let phases = |of: &str| {
        let calendars = Calendars::of_this_build();
        let (day, hours) = calendars.day(Calendar::UsEquities, at(Tz::America__New_York, &format!("{of} 00:00")));
        let (mut ts, mut found) = (day.start, Vec::new());
        while ts < day.end {
            found.push((local(ts, Tz::America__New_York).format("%H:%M").to_string(), hours.phase(ts).name()));
            let next = hours.next_change(ts).unwrap_or(day.end);
            assert_eq!(hours.phase(Ns(next.0 - 1)), hours.phase(ts), "nothing changes in between");
            ts = next;
        }
        found.iter().map(|(time, phase)| format!("{time} {phase}")).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(phases("2026-03-06"), "00:00 closed, 04:00 pre, 09:30 open, 16:00 post, 20:00 closed");
    assert_eq!(phases("2026-03-09"), "00:00 closed, 04:00 pre, 09:30 open, 16:00 post, 20:00 closed");
    assert_eq!(phases("2026-11-27"), "00:00 closed, 04:00 pre, 09:30 open, 13:00 post, 17:00 closed");
    assert_eq!(phases("2026-11-26"), "00:00 closed");
    assert_eq!(phases("1999-12-31"), "00:00 unknown");
}

#[test]
fn a_configuration_overrules_the_build_and_a_wrong_line_is_named() {
    let mut calendars = Calendars::of_this_build();
    let text = "# none\n\nXNYS 2026-11-30 closed # a storm\nXNAS 2026-12-01 12:30\nXNYS 2018-12-05 open\n";
    calendars.overrule(text).expect("three lines");
    let of = |text: &str| {
        let ts = at(Tz::America__New_York, &format!("{text} 12:00"));
        calendars.day(Calendar::UsEquities, ts).1
    };
    assert_eq!(of("2026-11-30"), Hours::Closed);
    assert!(matches!(of("2026-12-01"), Hours::Open(MarketDay { early_s: 12_600, .. })));
    assert!(matches!(of("2018-12-05"), Hours::Open(MarketDay { early_s: 0, .. })));
    assert_eq!(of("2026-12-01").phase(at(Tz::America__New_York, "2026-12-01 12:30")), SessionPhase::Post);
    for wrong in ["XNYS 2026-11-30", "XXXX 2026-11-30 closed", "XNYS 2026-13-30 closed", "XNYS 2026-11-30 24:00"] {
        let fault = calendars.overrule(&format!("XNYS 2026-11-30 open\n{wrong}\n")).expect_err(wrong);
        assert_eq!((fault.line, fault.found.as_str()), (2, wrong));
    }
}

#[test]
fn codes_stand_for_calendars() {
    for (code, calendar) in flow::CALENDARS {
        assert_eq!(Calendar::of(flow::Mic(code.as_bytes().try_into().unwrap())), *calendar, "{code} stands there once");
        assert_eq!(flow::zone_of(flow::Mic(code.as_bytes().try_into().unwrap())), calendar.zone());
    }
    assert_eq!(Calendar::of(flow::Mic(*b"XXXX")), Calendar::Utc);
}

/// A damaged file may hold any time: the last trade date has no end, and none ends before it begins.
#[test]
fn time_does_not_end_where_nanoseconds_do() {
    let last = i64::MAX as u64;
    for calendar in flow::CALENDARS.iter().map(|(_, calendar)| *calendar).chain([Calendar::Utc]) {
        for ts in [0, 1, last - 200_000 * Ns::SECOND, last - 1, last, last + 1, u64::MAX - 1] {
            let day = calendar.trade_date(Ns(ts));
            assert!(day.start < day.end && Ns(ts.min(last)) < day.end, "{calendar:?} {ts}: {day:?}");
        }
    }
}

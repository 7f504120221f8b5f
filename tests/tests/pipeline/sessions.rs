//! Trade dates of a future, in a whole run: a generated week of ES around Thanksgiving, with its definition, that crosses 17:00
//! in Chicago, a Sunday, a holiday and a half-day. Bars of a day, CVD and orders for the day go by the trade date, and so they
//! do in every shape of the pipeline.

use crate::harness::{add_file, inputs, same, set, small, taken};
use crate::week::{File, chicago};
use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use chrono_tz::America::Chicago;
use flow::records::{Bar, BarFlow, Cancelled, Cvd, Fill, Reject, Route, Session, Trade};
use flow::{Action, CancelReason, Event, Kind, Kinds, Ns, RejectReason, Side, Tif};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tidegate::config::Settings;
use tidegate::run::{Options, execute};

/// The trade date of an instant, by the clock on a wall in Chicago.
fn trade_date(ts: Ns) -> NaiveDate {
    let shown = DateTime::from_timestamp_nanos(ts.0 as i64).with_timezone(&Chicago);
    if shown.hour() >= 17 { shown.date_naive().succ_opt().expect("a date") } else { shown.date_naive() }
}

/// When market hours of a trade date end.
fn close(date: NaiveDate) -> Ns {
    Ns(chicago(date.day(), if matches!(date.day(), 26 | 27) { 12 } else { 16 }, 0))
}

fn settings(seed: u64, preset: &str) -> Settings {
    let mut settings = small();
    for one in [
        "pipeline.stages=book,bars,cvd,random,orders,risk,router",
        "random.every=1",
        "random.max_open=64",
        "random.qty=2",
        "risk.max_data_age_ms=86400000",
        "risk.max_notional=1000000000",
        "risk.max_quantity=1000",
        "risk.max_position=100000",
        &format!("random.seed={seed}"),
        &format!("pipeline.preset={preset}"),
    ] {
        set(&mut settings, one);
    }
    add_file(&mut settings, "dbn", &File::definition(), None);
    add_file(&mut settings, "dbn", &File::week(), None);
    settings
}

/// Volume bought less volume sold by trade date, and the last of it that was told on each.
fn flow_by_date(events: &[Event]) -> (BTreeMap<NaiveDate, i64>, BTreeMap<NaiveDate, i64>) {
    let (mut expected, mut told) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        let date = trade_date(event.ts);
        if let Some(trade) = event.get::<Trade>() {
            let signed = trade.qty.0 as i64 * if event.side() == Side::Buy { 1 } else { -1 };
            *expected.entry(date).or_insert(0) += signed;
        } else if let Some(cvd) = event.get::<Cvd>() {
            assert_eq!(Some(&cvd.cvd), expected.get(&date), "{event:?}");
            told.insert(date, cvd.cvd);
        }
    }
    (expected, told)
}

#[test]
fn bars_of_a_day_and_cvd_go_by_the_trade_date() {
    let kinds = Kinds::of(&[Kind::Trade, Kind::Cvd, Kind::Bar, Kind::BarFlow]);
    let events = taken(&settings(1, "fused"), kinds).events;
    let (expected, told) = flow_by_date(&events);
    let days: Vec<u32> = expected.keys().map(NaiveDate::day).collect();
    assert_eq!(days, [24, 25, 26, 27, 30], "no trade is of the Sunday");
    assert_eq!(told, expected);
    let day = |bar: &Bar| bar.interval_s == 86_400;
    let bars: Vec<_> =
        events.iter().filter_map(|e| e.get::<Bar>().filter(|bar| day(bar)).map(|bar| (e.ts, *bar))).collect();
    let flows = events.iter().filter_map(Event::get::<BarFlow>).filter(|flow| flow.interval_s == 86_400);
    let net: Vec<i64> = flows.map(|flow| flow.buy_volume.0 as i64 - flow.sell_volume.0 as i64).collect();
    assert_eq!(net, expected.into_values().collect::<Vec<_>>());
    let starts: Vec<u64> = bars.iter().map(|(_, bar)| u64::from(bar.start_s) * Ns::SECOND).collect();
    assert_eq!(starts, [23, 24, 25, 26, 29].map(|evening| chicago(evening, 17, 0)));
    // They close where the next date begins; the last when the input ends.
    assert_eq!(
        bars[..4].iter().map(|(ts, _)| ts.0).collect::<Vec<_>>(),
        [24, 25, 26, 27].map(|day| chicago(day, 17, 0))
    );
}

/// What the calendar said: time, phase, day of the trade date, whether it closes early.
fn said(settings: &Settings) -> Vec<String> {
    let events = taken(settings, Kinds::of(&[Kind::Session])).events;
    let said: Vec<_> = inputs(&events).iter().filter_map(|e| e.get::<Session>().map(|s| (*e, *s))).collect();
    let shown = |(event, session): &(Event, Session)| {
        let at = DateTime::from_timestamp_nanos(event.ts.0 as i64).with_timezone(&Chicago);
        let phase = flow::SessionPhase::from_code(session.phase).expect("a phase").name();
        let early = if session.early_s > 0 { " early" } else { "" };
        format!("{} {phase} {}{early}", at.format("%a %H:%M"), session.date % 100)
    };
    said.iter().map(shown).collect()
}

#[test]
fn a_calendar_says_what_its_market_does() {
    let expected = [
        "Tue 12:00 open 24",
        "Tue 16:00 closed 24",
        "Tue 17:00 open 25",
        "Wed 16:00 closed 25",
        "Wed 17:00 open 26 early",
        "Thu 12:00 closed 26 early",
        "Thu 17:00 open 27 early",
        "Fri 12:00 closed 27 early",
        "Fri 17:00 closed 28",
        "Sat 17:00 closed 29",
        "Sun 17:00 open 30",
        "Mon 16:00 closed 30",
    ];
    assert_eq!(said(&settings(1, "fused")), expected);
}

#[test]
fn a_configuration_knows_of_a_session_what_the_build_does_not() {
    let file = |name: &str, text: &str| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).expect("the folder of the tests is writable");
        let mut settings = settings(1, "fused");
        set(&mut settings, &format!("pipeline.calendar_file={}", path.display()));
        std::fs::remove_file(&path).expect("it was read with the setting");
        settings
    };
    let settings = file("closures.txt", "# a storm\nGLBX 2026-11-25 10:00\nGLBX 2026-11-27 closed\n");
    let said = said(&settings);
    assert_eq!(
        said[2..6],
        [
            "Tue 17:00 open 25 early",
            "Wed 10:00 closed 25 early",
            "Wed 17:00 open 26 early",
            "Thu 12:00 closed 26 early"
        ]
    );
    assert_eq!(said[6..8], ["Thu 17:00 closed 27", "Fri 17:00 closed 28"]);
    let wrong = execute(&file("wrong.txt", "# a storm\nGLBX 2026-11-25 noon\n"), Options::default());
    let fault = wrong.map(|_| ()).expect_err("noon is no time of day").to_string();
    assert!(fault.contains("pipeline.calendar_file") && fault.contains("line 2"), "{fault}");
}

#[test]
fn orders_for_the_day_end_with_the_trade_date_and_on_a_half_day_at_noon() {
    let kinds = Kinds::of(&[Kind::Route, Kind::Fill, Kind::Cancelled, Kind::Reject]);
    let (mut dates, mut fills, mut late) = (BTreeSet::new(), 0, 0);
    for seed in 1..=16 {
        let run = taken(&settings(seed, "fused"), kinds);
        if seed < 4 {
            let split = taken(&settings(seed, "split"), kinds);
            same(&split.events, &run.events, "whatever the cuts");
            assert_eq!((&split.outcome_hash, &split.state_hash), (&run.outcome_hash, &run.state_hash));
        }
        let mut of_day = BTreeMap::new();
        for event in &run.events {
            if let Some(route) = event.get::<Route>() {
                let replaced = of_day.get(&route.replaces).copied().filter(|_| route.action == Action::Replace.code());
                let is_new = route.action == Action::New.code() && route.tif == Tif::Day.code();
                if let Some(date) = replaced.or(is_new.then(|| trade_date(event.ts))) {
                    of_day.insert(route.order_id, date);
                }
            } else if let Some(fill) = event.get::<Fill>() {
                if let Some(date) = of_day.get(&fill.order_id) {
                    assert!(event.ts.0 < close(*date).0 + 1_000_000, "{date}: {event:?}");
                    fills += 1;
                }
            } else if let Some(cancelled) = event.get::<Cancelled>() {
                if cancelled.reason == CancelReason::EndOfDay.code() {
                    let date = of_day[&cancelled.order_id];
                    let late_by = event.ts.0.checked_sub(close(date).0);
                    assert!(late_by.is_some_and(|ns| ns < 1_000_000), "{date}: {event:?}");
                    dates.insert(date.day());
                }
            } else if let Some(reject) = event.get::<Reject>().filter(|r| r.reason == RejectReason::Closed.code()) {
                assert!(event.ts > close(of_day[&reject.order_id]), "{event:?}");
                late += 1;
            }
        }
    }
    assert_eq!(dates.into_iter().collect::<Vec<_>>(), [24, 25, 26, 27, 30]);
    assert!(fills > 20 && late > 0, "{fills} fills, {late} orders after a close");
}

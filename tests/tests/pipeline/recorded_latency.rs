//! Latencies that were measured, in a whole run: orders and answers take as long as the file gives, in every shape.
//!
//! The file's times rise and fall over the day, so that every order finds its own; what is expected of each is interpolated
//! here once more, by hand.

use crate::harness::{Day, add_day, same, set, small, taken};
use flow::records::{Ack, Sent};
use flow::{Event, Kind, Kinds, Ns};
use std::collections::BTreeMap;
use std::fmt::Write;
use tidegate::config::Settings;
use tidegate_tests::amount;

/// Rows of (time, there, back): a row every ten minutes of the synthetic day, of 20 to 420 us.
fn rows(first: Ns) -> Vec<(u64, u64, u64)> {
    let row = |n: u64| (first.0 + n * 600 * Ns::SECOND, 20_000 + n * 7_919 % 400_000, 30_000 + n * 104_729 % 300_000);
    (0..60).map(row).collect()
}

/// What holds at a time: between two rows in proportion, before and after them the nearest.
fn at(rows: &[(u64, u64, u64)], now: u64, of: impl Fn(&(u64, u64, u64)) -> u64) -> u64 {
    match rows.iter().position(|r| r.0 > now) {
        Some(0) => of(&rows[0]),
        None => of(&rows[rows.len() - 1]),
        Some(next) => {
            let (left, right) = (&rows[next - 1], &rows[next]);
            let (from, to) = (of(left) as f64, of(right) as f64);
            (from + (to - from) * (now - left.0) as f64 / (right.0 - left.0) as f64).floor() as u64
        }
    }
}

fn settings(messages: u64) -> Settings {
    let mut settings = small();
    for one in [
        "pipeline.stages=book,bars,cvd,random,orders,risk,router",
        "random.every=5",
        "sim.max_own_orders=4096",
        "sim.max_orders=65536",
        "sim.max_levels=65536",
        "sim.max_books=64",
        "risk.max_messages=8192",
    ] {
        set(&mut settings, one);
    }
    add_day(&mut settings, Day { seed: 12, messages, symbols: 4, live_orders: 200 });
    settings
}

/// The recorded run, its file, and the rows in it.
fn recorded(messages: u64) -> (Settings, Vec<(u64, u64, u64)>) {
    let mut settings = settings(messages);
    let first = taken(&settings, Kinds::of(&[Kind::Add])).events[0].ts;
    let rows = rows(first);
    let mut text = "ts_ns,order_ns,reply_ns\n".to_owned();
    for (ts, there, back) in &rows {
        writeln!(text, "{ts},{there},{back}").expect("a string takes it");
    }
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("latency-{messages}.csv"));
    std::fs::write(&file, text).expect("the folder of the tests is writable");
    set(&mut settings, "sim.latency=recorded");
    set(&mut settings, &format!("sim.latency_file={}", file.display()));
    (settings, rows)
}

/// Sent and acked: when they came after their route, and when the file gives.
fn checked(events: &[Event], rows: &[(u64, u64, u64)]) -> (usize, usize) {
    let mut routes = BTreeMap::new();
    let (mut there, mut exact, mut answered) = (0, 0, 0);
    for event in events {
        if event.kind == Kind::Route {
            // What left first arrives first.
            let arrival = event.ts.0 + at(rows, event.ts.0, |r| r.1);
            there = there.max(arrival);
            routes.insert(event.id.0, (event.ts.0, there));
        } else if let Some(sent) = event.get::<Sent>() {
            let (left, arrives) = routes[&sent.cause];
            assert!(event.ts.0 >= left && event.ts.0 >= left + 20_000, "{event:?}: {left}, {arrives}");
        } else if let Some(ack) = event.get::<Ack>() {
            let (left, arrives) = routes[&ack.cause];
            let due = arrives + at(rows, arrives, |r| r.2);
            assert!(event.ts.0 + 1 >= due, "an answer {} ns early, route at {left}: {event:?}", due - event.ts.0);
            answered += 1;
            exact += usize::from(event.ts.0.abs_diff(due) <= 1);
        }
    }
    (answered, exact)
}

#[test]
fn orders_and_answers_take_as_long_as_was_recorded() {
    let (settings, rows) = recorded(amount(20_000, 200_000));
    let reference = taken(&settings, Kinds::ALL);
    let (answered, exact) = checked(&reference.events, &rows);
    println!("{answered} answers, {exact} of them at the nanosecond that the file gives");
    assert!(answered > 500 && exact * 10 > answered * 9, "{exact} of {answered}");
    for (n, shape) in ["split", "cuts"].into_iter().enumerate() {
        let mut shaped = settings.clone();
        set(&mut shaped, &format!("pipeline.preset={shape}"));
        set(&mut shaped, if shape == "cuts" { "pipeline.cuts=book,orders,tail" } else { "pipeline.cuts=" });
        set(&mut shaped, ["pipeline.ring=phase", "pipeline.ring=disruptor"][n]);
        let found = taken(&shaped, Kinds::ALL);
        same(&reference.events, &found.events, shape);
        assert_eq!(
            (reference.outcome_hash.as_str(), &reference.state_hash),
            (found.outcome_hash.as_str(), &found.state_hash)
        );
    }
}

//! Orders for the day when market hours end: none is filled after that, and what is left of each is cancelled, once.
//!
//! The venue says when its hours end, at 16:00 or on a half-day at 13:00. What happens afterwards would fill every order that
//! still rests, so an order that has not ended shows; and a stock in which nothing happens any more shows whether its orders
//! end all the same.

use crate::harness::{add_file, same, set, small, taken};
use flow::records::{Cancelled, Fill, Reject, Route};
use flow::{Action, CancelReason, Event, Kind, Kinds, Ns, RejectReason, Tif};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tidegate::config::Settings;

/// Midnight of 30 January 2020 in New York.
const MIDNIGHT: u64 = 1_580_360_400_000_000_000;
const HOUR: u64 = 3_600;
/// Stocks of the day: in all but the first, trading is over when market hours are.
const STOCKS: u16 = 70;

/// A file of ITCH in the making.
struct File(Vec<u8>);

impl File {
    /// Appends a message at so many milliseconds after midnight.
    fn push(&mut self, code: u8, locate: u16, ms: u64, rest: &[u8]) {
        let time = (ms * 1_000_000).to_be_bytes();
        self.0.extend((11 + rest.len() as u16).to_be_bytes());
        self.0.push(code);
        self.0.extend(locate.to_be_bytes());
        self.0.extend([0; 2]);
        self.0.extend(&time[2..]);
        self.0.extend(rest);
    }

    fn system(&mut self, ms: u64, code: u8) {
        self.push(b'S', 0, ms, &[code]);
    }

    fn add(&mut self, locate: u16, ms: u64, order: u64, side: u8, cents: u32) {
        let price = (cents * 100).to_be_bytes();
        let rest = [&order.to_be_bytes()[..], &[side], &100_u32.to_be_bytes(), &name(locate), &price].concat();
        self.push(b'A', locate, ms, &rest);
    }
}

fn name(locate: u16) -> [u8; 8] {
    let mut name = *b"S       ";
    name[1..4].copy_from_slice(format!("{locate:03}").as_bytes());
    name
}

/// Stocks with quotes a few cents wide until a minute before the close, and executions through every price an hour after it.
fn day(close_s: u64) -> PathBuf {
    let mut file = File(Vec::new());
    file.system(3 * HOUR * 1_000, b'O');
    for locate in 1..=STOCKS {
        let rest = [&name(locate)[..], b"QN\0\0\0dNCZ PNN1N\0\0\0\0N"].concat();
        file.push(b'R', locate, 3 * HOUR * 1_000 + 1, &rest);
    }
    file.system(34_200_000, b'Q');
    // Far away, so that a book has both sides also after the close.
    file.add(1, 34_200_001, 1, b'B', 9_900);
    file.add(1, 34_200_001, 2, b'S', 10_100);
    let (mut order, close) = (10, close_s * 1_000);
    for second in (close_s - 600..close_s - 60).step_by(10) {
        for locate in [1, 1 + (second / 10 % u64::from(STOCKS)) as u16] {
            for (side, cents) in [(b'B', 9_995 + second as u32 % 7), (b'S', 10_005 + second as u32 % 5)] {
                order += 1;
                file.add(locate, second * 1_000, order, side, cents);
                file.push(b'D', locate, second * 1_000 + 9_000, &order.to_be_bytes());
            }
        }
    }
    let mut messages = sorted(&file.0);
    file.0.clear();
    messages.drain(..).for_each(|message| file.0.extend(message));
    file.system(close, b'M');
    for second in (60..600).step_by(20) {
        order += 1;
        let at = close + second * 1_000;
        file.add(1, at, order, b'B', 9_995 + second as u32 % 7);
        file.push(b'D', 1, at + 9_000, &order.to_be_bytes());
    }
    let late = close + HOUR * 1_000;
    for (at, side, cents) in [(late, b'B', 9_000), (late + 1_000, b'S', 11_000)] {
        order += 1;
        file.add(1, at, order, side, cents);
        let executed = [&order.to_be_bytes()[..], &100_u32.to_be_bytes(), &order.to_be_bytes()].concat();
        file.push(b'E', 1, at + 10, &executed);
    }
    file.system(20 * HOUR * 1_000, b'E');
    file.system(20 * HOUR * 1_000 + 1, b'C');
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("day-orders-{close_s}.itch"));
    std::fs::write(&path, file.0).expect("the folder of the tests is writable");
    path
}

/// The messages by time; each of its ten seconds is written before the next.
fn sorted(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut messages, mut rest) = (Vec::new(), bytes);
    while let [high, low, ..] = rest {
        let (message, behind) = rest.split_at(2 + usize::from(u16::from_be_bytes([*high, *low])));
        messages.push(message.to_vec());
        rest = behind;
    }
    messages.sort_by_key(|message| message[7..13].to_vec());
    messages
}

fn settings(close_s: u64, seed: u64, preset: &str) -> Settings {
    let mut settings = small();
    for one in [
        "pipeline.stages=book,bars,random,orders,risk,router",
        "random.every=1",
        "random.max_open=64",
        "risk.max_data_age_ms=86400000",
        &format!("random.seed={seed}"),
        &format!("pipeline.preset={preset}"),
    ] {
        set(&mut settings, one);
    }
    add_file(&mut settings, "itch", &day(close_s), Some("2020-01-30"));
    settings
}

/// Checks the orders of a day that closes then; how many ended with it, in how many stocks, and how many came too late.
fn checked(events: &[Event], close_s: u64) -> (usize, usize, usize) {
    let close = Ns(MIDNIGHT + close_s * Ns::SECOND);
    let (mut day, mut ended) = (BTreeSet::new(), BTreeMap::new());
    let (mut stocks, mut late) = (BTreeSet::new(), 0);
    for event in events {
        if let Some(route) = event.get::<Route>() {
            let replaces = day.contains(&route.replaces) && route.action == Action::Replace.code();
            if replaces || route.action == Action::New.code() && route.tif == Tif::Day.code() {
                day.insert(route.order_id);
            }
        } else if let Some(fill) = event.get::<Fill>() {
            let slack = 1_000_000;
            assert!(!day.contains(&fill.order_id) || event.ts.0 < close.0 + slack, "{event:?}");
        } else if let Some(cancelled) = event.get::<Cancelled>() {
            if cancelled.reason == CancelReason::EndOfDay.code() {
                assert!(day.contains(&cancelled.order_id), "{event:?}");
                assert!(event.ts >= close && event.ts.0 < close.0 + 1_000_000, "at once: {event:?}");
                assert_eq!(ended.insert(cancelled.order_id, event.instrument), None, "once: {event:?}");
                stocks.insert(event.instrument);
            }
        } else if let Some(reject) = event.get::<Reject>() {
            late += usize::from(reject.reason == RejectReason::Closed.code());
            assert!(reject.reason != RejectReason::Closed.code() || event.ts > close, "{event:?}");
        }
    }
    (ended.len(), stocks.len(), late)
}

#[test]
fn none_is_filled_after_market_hours_and_what_is_left_is_cancelled() {
    let kinds = Kinds::of(&[Kind::Route, Kind::Fill, Kind::Cancelled, Kind::Reject]);
    let (mut ended, mut stocks, mut late) = (0, 0, 0);
    for seed in 1..=6 {
        for close_s in [13 * HOUR, 16 * HOUR] {
            let fused = taken(&settings(close_s, seed, "fused"), kinds);
            let found = checked(&fused.events, close_s);
            (ended, stocks, late) = (ended + found.0, stocks.max(found.1), late + found.2);
            let split = taken(&settings(close_s, seed, "split"), kinds);
            same(&split.events, &fused.events, "whatever the cuts");
            assert_eq!(split.outcome_hash, fused.outcome_hash);
            assert_eq!(split.state_hash, fused.state_hash);
        }
    }
    assert!(ended > 20 && stocks > 3, "{ended} orders in {stocks} stocks");
    assert!(late > 0, "some came after the close");
}

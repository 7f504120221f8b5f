//! Bars that the clock does not end: the worked numbers, sizes, sessions, broken trades, and that no trade is lost.

use crate::harness::{self, INSTRUMENTS};
use crate::measures_indicators::{STOCK, alone};
use crate::measures_state::{cents, minute};
use crate::measures_trades::{counted, day, trades};
use crate::measures_vwap::{breaks, trade};
use flow::records::{EventBar, EventBarFlow};
use flow::{Event, EventBarBy, Flags, Qty, Seen, Side};
use proptest::prelude::*;
use stages::Space;
use stages::measures::event_bars::EventBars;
use stages::measures::{Host, Measure, One};
use std::collections::BTreeMap;

type Stages = crate::harness::Pipeline<Host<One<EventBars>>>;

/// The bars that an event ends.
fn feed(pipeline: &mut Stages, event: &Event) -> Vec<(EventBar, EventBarFlow)> {
    let emitted = pipeline.feed(event);
    emitted.chunks(2).map(|bar| (*bar[0].0.record(), *bar[1].0.record())).collect()
}

const WORKED: [(i64, u64); 3] = [(1_000, 100), (1_010, 300), (1_002, 200)];

/// How many of the worked trades a bar of them has, and what is left for the next.
fn trades_of(by: &str, size: &str) -> Vec<u32> {
    let mut pipeline: Stages = alone("event-bars", &[("by", by), ("size", size)]);
    let worked = (0..).zip(WORKED).map(|(at, (px, qty))| trade((0, at), px, qty));
    worked.flat_map(|event| feed(&mut pipeline, &event)).map(|(_, flow)| flow.trades).collect()
}

#[test]
fn the_worked_bar_of_volume() {
    let mut pipeline: Stages = alone("event-bars", &[("by", "volume"), ("size", "500")]);
    let [first, second, third] = [0, 1, 2].map(|at| trade((0, at as u32), WORKED[at].0, WORKED[at].1));
    let bought = Event { flags: second.flags.with_side(Side::Buy), ..second };
    assert!(feed(&mut pipeline, &first).is_empty() && feed(&mut pipeline, &bought).is_empty());
    let bars = feed(&mut pipeline, &Event { flags: third.flags.with_side(Side::Sell), ..third });
    let bar = EventBar {
        open: cents(1_000),
        high: cents(1_010),
        low: cents(1_000),
        close: cents(1_002),
        start_s: minute(0, 0),
        by: EventBarBy::Volume.code(),
        whole: Seen::Yes.code(),
        ..EventBar::default()
    };
    let flow = EventBarFlow {
        volume: Qty(600),
        vwap: flow::Px(10_056_666_667),
        buy_volume: Qty(300),
        sell_volume: Qty(200),
        trades: 3,
        last_s: minute(0, 2),
    };
    assert_eq!(bars, [(bar, flow)]);
}

#[test]
fn a_bar_ends_with_the_trade_that_brings_it_to_its_size() {
    assert_eq!(trades_of("trades", "1"), [1, 1, 1]);
    assert_eq!(trades_of("trades", "2"), [2]);
    assert_eq!(trades_of("volume", "400"), [2]);
    assert_eq!(trades_of("volume", "401"), [3]);
    assert_eq!(trades_of("value", "1000"), [1, 1, 1]);
    assert_eq!(trades_of("value", "1000.01"), [2, 1]);
    assert_eq!(trades_of("range", "0.1"), [2]);
    assert_eq!(trades_of("range", "0.100000001"), [0; 0]);
}

#[test]
fn part_of_a_trade_is_no_size() {
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    let refused = |by, size| {
        let params = harness::params("event-bars", &[("by", by), ("size", size)]);
        EventBars::new(&params, space).err().map(|e| (e.key, e.found))
    };
    let of = |found: &str| Some(("event-bars.size".to_owned(), found.to_owned()));
    assert_eq!([refused("trades", "0.5"), refused("volume", "10.5")], [of("0.5"), of("10.5")]);
    assert_eq!([refused("value", "0.5"), refused("range", "10.5")], [None, None]);
}

#[test]
fn what_a_session_leaves_is_emitted_with_the_next_and_is_not_whole() {
    let mut pipeline: Stages = alone("event-bars", &[("by", "volume"), ("size", "500")]);
    assert!(feed(&mut pipeline, &trade((0, 0), 1_000, 100)).is_empty());
    let inferred = Event { flags: Flags::INFERRED_AGGRESSOR.with_side(Side::Buy), ..trade((0, 1), 1_000, 100) };
    assert!(feed(&mut pipeline, &inferred).is_empty());
    // The first trade of the next day is large enough for a bar of its own.
    let emitted = pipeline.feed(&trade((1, 0), 2_000, 500));
    let inferred = emitted.iter().map(|e| e.0.flags.has(Flags::INFERRED_AGGRESSOR)).collect::<Vec<_>>();
    assert_eq!(inferred, [true, true, false, false]);
    let bars: Vec<EventBar> = emitted.iter().filter_map(|e| e.0.get::<EventBar>().copied()).collect();
    let said = |bar: &EventBar| (bar.close, bar.start_s, Seen::from_code(bar.whole).unwrap());
    let expected = [(cents(1_000), minute(0, 0), Seen::No), (cents(2_000), minute(1, 0), Seen::Yes)];
    assert_eq!(bars.iter().map(said).collect::<Vec<_>>(), expected);
    assert!(feed(&mut pipeline, &trade((2, 0), 1_000, 1)).is_empty(), "nothing was left");
}

#[test]
fn a_broken_trade_leaves_the_bar_that_is_open() {
    let mut pipeline: Stages = alone("event-bars", &[("by", "volume"), ("size", "500")]);
    let [low, middle, high] = [(0, 1_000), (1, 1_005), (2, 1_010)].map(|(at, px)| trade((0, at), px, 100));
    [low, middle, high].iter().for_each(|event| assert!(feed(&mut pipeline, event).is_empty()));
    assert!(feed(&mut pipeline, &breaks((0, 3), &middle)).is_empty());
    let (bar, flow) = feed(&mut pipeline, &trade((0, 4), 1_006, 300))[0];
    assert_eq!((flow.volume, flow.trades, bar.doubtful), (Qty(500), 3, Seen::No.code()), "it gave no price");
    // Of the bar that has ended nothing is taken any more.
    assert!(feed(&mut pipeline, &trade((0, 5), 1_000, 100)).is_empty());
    assert!(feed(&mut pipeline, &breaks((0, 6), &high)).is_empty());
    let next = trade((0, 7), 1_020, 100);
    feed(&mut pipeline, &next);
    feed(&mut pipeline, &breaks((0, 8), &next));
    let (bar, flow) = feed(&mut pipeline, &trade((0, 9), 1_000, 400))[0];
    assert_eq!((flow.volume, flow.trades, bar.doubtful), (Qty(500), 2, Seen::Yes.code()));
    assert_eq!((bar.high, flow.vwap), (cents(1_020), cents(1_000)), "nobody remembers the prices between");
}

#[test]
fn a_bar_whose_only_trade_is_broken_is_none() {
    let mut pipeline: Stages = alone("event-bars", &[("size", "2")]);
    let first = trade((0, 0), 1_000, 100);
    feed(&mut pipeline, &first);
    feed(&mut pipeline, &breaks((0, 1), &first));
    assert!(feed(&mut pipeline, &trade((0, 2), 1_100, 1)).is_empty());
    let (bar, flow) = feed(&mut pipeline, &trade((0, 3), 1_100, 1))[0];
    assert_eq!((bar.low, bar.start_s, flow.trades), (cents(1_100), minute(0, 2), 2));
    assert!(feed(&mut pipeline, &Event { flags: Flags::VOLUME_ONLY, ..trade((0, 4), 1, 1_000) }).is_empty());
    assert!(feed(&mut pipeline, &Event { instrument: 0, ..trade((0, 4), 1, 1_000) }).is_empty());
    assert_eq!(STOCK, 2, "the trades are of the stock");
}

proptest! {
    #[test]
    fn no_trade_is_lost_and_none_counts_twice(trades in trades(), size in 1..200_u64) {
        let size = size.to_string();
        let mut pipeline: Stages = alone("event-bars", &[("by", "volume"), ("size", size.as_str())]);
        let size: u64 = size.parse().unwrap();
        // The trades of the open bar of each instrument: their session and quantities.
        let mut open: BTreeMap<u32, (u64, Vec<u64>)> = BTreeMap::new();
        for event in &trades {
            let mut expected = Vec::new();
            if let Some((instrument, qty, _)) = counted(event) {
                let today = day(instrument, event.ts);
                let (session, held) = open.entry(instrument).or_default();
                if *session != today && !held.is_empty() {
                    expected.push((std::mem::take(held), Seen::No));
                }
                *session = today;
                held.push(qty);
                if held.iter().sum::<u64>() >= size {
                    expected.push((std::mem::take(held), Seen::Yes));
                }
            }
            let bar = |(held, whole): &(Vec<u64>, Seen)| (held.iter().sum::<u64>(), held.len() as u32, whole.code());
            let found: Vec<_> = feed(&mut pipeline, event).iter().map(|(b, f)| (f.volume.0, f.trades, b.whole)).collect();
            prop_assert_eq!(found, expected.iter().map(bar).collect::<Vec<_>>());
        }
    }
}

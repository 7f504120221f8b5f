//! Bars and reference under the same trades, broken trades and ticks; and every trade ends up in exactly one bar of each length.

use crate::bars_reference::BarReference;
use crate::harness::{self, Emitted, INSTRUMENTS, Pipeline};
use crate::stream::listing;
use flow::records::{BarFlow, BrokenTrade, Tick, Trade};
use flow::{BookKind, Event, Flags, InstrumentType, Kind, Ns, Px, Qty, Side};
use proptest::prelude::*;
use stages::bars::BarStage;
use stages::{STAGES, Space};

/// 2026-01-12 04:59:30 UTC: half a minute before midnight in New York.
const START: u64 = 1_768_193_970;
const LENGTHS: &[(&str, &[u64])] = &[
    ("1m", &[60]),
    ("1d,5s,1m", &[5, 60, 86_400]),
    ("5s,30s,1m,5m,30m,1h,12h,1d", &[5, 30, 60, 300, 1_800, 3_600, 43_200, 86_400]),
];

/// Seconds until the next event, what it is, and its numbers.
type Step = (u32, u8, u8, u8, u8);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let gap = prop_oneof![10 => 0..4_u32, 4 => 0..70_u32, 1 => 0..100_000_u32];
    prop::collection::vec((gap, any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>()), 1..300)
}

fn pipeline(intervals: &str) -> Pipeline<BarStage> {
    let params = harness::params("bars", &[("intervals", intervals)]);
    let mut pipeline =
        Pipeline::new(BarStage::new(&params, Space { instruments: INSTRUMENTS, fills: 64, positions: 64 }).unwrap());
    for event in (1..10).flat_map(|i| listing(i, BookKind::None, InstrumentType::Equity)) {
        if event.kind == Kind::Listing {
            pipeline.feed(&event);
        }
    }
    pipeline
}

/// A tick of a slice that fits the stage, one of the trades that stand, broken, or a new trade of that number.
fn event(step: Step, ts: u64, lengths: usize, standing: &[Event], match_id: u64) -> Event {
    let (_, what, instrument, px, qty) = step;
    let ts = Ns(ts * Ns::SECOND);
    if let (60..100, Some(trade)) = (what, standing.iter().rev().nth(usize::from(px % 12))) {
        let Trade { exchange_ts, px, qty, match_id, .. } = *trade.record();
        let broken = BrokenTrade { exchange_ts, trade_ts: trade.ts, px, qty, match_id };
        return Event::new(ts, trade.instrument, trade.flags.with(Flags::LAST_OF_GROUP), &broken);
    }
    let slice = (flow::Out::CAP / (2 * lengths)) as u32;
    if what < 60 {
        let first = u32::from(instrument) % INSTRUMENTS;
        let tick = Tick { first, last: first + u32::from(qty) % slice, interval_s: 5, ..Default::default() };
        return Event::new(ts, 0, Flags::LAST_OF_GROUP, &tick);
    }
    let sides = [Side::Buy, Side::Sell, Side::None];
    let flags = match what {
        255 => Flags::SNAPSHOT,
        230..255 => Flags::VOLUME_ONLY,
        _ => Flags::NONE,
    };
    let trade = Trade { px: Px(i64::from(px) - 20), qty: Qty(u64::from(qty % 7)), match_id, ..Default::default() };
    Event::new(ts, 1 + u32::from(instrument) % 9, flags.with_side(sides[usize::from(what) % 3]), &trade)
}

fn volume(emitted: &[Emitted], length: u32) -> u64 {
    emitted.iter().filter_map(|s| s.0.get::<BarFlow>()).filter(|f| f.interval_s == length).map(|f| f.volume.0).sum()
}

fn run(steps: &[Step], (intervals, lengths): (&str, &[u64])) {
    let (mut pipeline, mut reference) = (pipeline(intervals), BarReference::new(lengths));
    let (mut all, mut traded, mut ts, mut standing) = (Vec::new(), 0, START, Vec::<Event>::new());
    let ends = (0..INSTRUMENTS)
        .map(|i| Event::new(Ns(0), 0, Flags::NONE, &Tick { first: i, last: i, interval_s: 5, ..Default::default() }));
    for (match_id, step) in (1..).zip(steps) {
        ts += u64::from(step.0);
        let event = event(*step, ts, lengths.len(), &standing, match_id);
        let emitted = pipeline.feed(&event);
        assert_eq!(emitted, reference.feed(&event), "after {event:?}");
        all.extend(emitted);
        if let Some(broken) = event.get::<BrokenTrade>() {
            standing.retain(|trade| trade.record::<Trade>().match_id != broken.match_id);
        } else if event.kind == Kind::Trade {
            standing.push(event);
            traded += if event.flags.has(Flags::SNAPSHOT) { 0 } else { event.record::<Trade>().qty.0 };
        }
    }
    for tick in ends.map(|e| Event { ts: Ns((ts + 100_000) * Ns::SECOND), ..e }) {
        let emitted = pipeline.feed(&tick);
        assert_eq!(emitted, reference.feed(&tick));
        all.extend(emitted);
        assert!(pipeline.feed(&tick).is_empty(), "a bar closed twice");
    }
    for length in lengths {
        let taken = reference.taken.get(length).copied().unwrap_or_default();
        let barred = volume(&all, *length as u32);
        assert_eq!(barred + taken + reference.left_over(*length), traded, "every trade is in one bar of {length} s");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn bars_are_the_twins(steps in steps(), lengths in 0..LENGTHS.len()) {
        run(&steps, LENGTHS[lengths]);
    }
}

#[test]
fn lengths_that_are_none_are_refused() {
    let build = |intervals: &str| {
        let params = harness::params("bars", &[("intervals", intervals)]);
        (flow::find(STAGES, "bars").unwrap().build)(&params, Space { instruments: 4, fills: 64, positions: 64 })
            .map(|s| s.ticks())
    };
    for bad in ["", "7s", "2d", "1m,x", "5s,10s,15s,30s,1m,5m,15m,30m,1h"] {
        let fault = build(bad).unwrap_err();
        assert_eq!(fault.key, "bars.intervals", "{bad}");
    }
    let ticks = build("1m,5s,60s").unwrap();
    assert_eq!(ticks.intervals.iter().map(|i| i.to_string()).collect::<Vec<_>>(), ["5s", "1m"]);
    assert_eq!(ticks.per_instrument, 4);
}

/// That market hours end addresses more instruments than bars could be closed for at once, and closes none.
#[test]
fn the_end_of_market_hours_closes_no_bar() {
    let mut pipeline = pipeline("5s,1m");
    for instrument in 1..10 {
        let trade = Trade { px: Px(7), qty: Qty(1), ..Default::default() };
        pipeline.feed(&Event::new(Ns(START * Ns::SECOND), instrument, Flags::NONE, &trade));
    }
    let at = Ns((START + 3_600) * Ns::SECOND);
    let tick = |interval_s, last| {
        Event::new(at, 0, Flags::LAST_OF_GROUP, &Tick { first: 1, last, interval_s, ..Default::default() })
    };
    assert!(pipeline.feed(&tick(Tick::CLOSE, 9)).is_empty());
    assert_eq!(pipeline.feed(&tick(60, 9)).len(), 9 * 2 * 2);
}

//! Pace: the worked numbers, and a reference that keeps every trade.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::measures_trades::opening;
use flow::records::{BrokenTrade, Pace, Trade};
use flow::{Event, Flags, Ns, Px, Qty, Real, Seen, Side};
use proptest::prelude::*;
use stages::Space;
use stages::measures::pace::Pace as PaceMeasure;
use stages::measures::{Host, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// 2026-01-12 15:00 UTC.
const START: u64 = 1_768_230_000;

fn pipeline(window: &str) -> Pipeline<Host<One<PaceMeasure>>> {
    let mut pipeline = Pipeline::new(Host::alone(&harness::params("pace", &[("window", window)]), SPACE).unwrap());
    opening().0.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    pipeline
}

fn trade(tenths: u64, instrument: u32, side: Side, qty: u64) -> Event {
    let ts = Ns(START * Ns::SECOND + tenths * 100_000_000);
    Event::new(ts, instrument, Flags::side_only(side), &Trade { px: Px(1), qty: Qty(qty), ..Trade::default() })
}

fn breaks(tenths: u64, broken: &Event) -> Event {
    let Trade { px, qty, .. } = *broken.record();
    let record = BrokenTrade { px, qty, trade_ts: broken.ts, ..BrokenTrade::default() };
    Event::new(Ns(START * Ns::SECOND + tenths * 100_000_000), broken.instrument, broken.flags, &record)
}

fn feed(pipeline: &mut Pipeline<Host<One<PaceMeasure>>>, event: &Event) -> Option<Pace> {
    pipeline.feed(event).first().map(|emitted| *emitted.0.record())
}

#[test]
fn the_worked_numbers() {
    let mut pipeline = pipeline("60");
    let mut last = |tenths, side, qty| {
        let pace = feed(&mut pipeline, &trade(tenths, 1, side, qty)).unwrap();
        (pace.trades, pace.volume.0, pace.delta, pace.largest_qty.0, f64::from(pace.mean_qty), pace.whole)
    };
    let [no, yes] = [Seen::No, Seen::Yes].map(Seen::code);
    assert_eq!(last(4, Side::Buy, 300), (1, 300, 300, 300, 300.0, no));
    assert_eq!(last(300, Side::Sell, 100), (2, 400, 200, 300, 200.0, no));
    assert_eq!(last(599, Side::None, 200), (3, 600, 200, 300, 200.0, no));
    // The second in which the first trade came is over a minute old.
    assert_eq!(last(600, Side::Buy, 40), (3, 340, -60, 200, 340.0 / 3.0, no));
    assert_eq!(last(604, Side::Buy, 60), (4, 400, 0, 200, 100.0, yes));
    assert_eq!(last(100_000, Side::Sell, 5), (1, 5, -5, 5, 5.0, yes));
}

#[test]
fn a_broken_trade_leaves_the_window_if_it_is_in_it() {
    let mut pipeline = pipeline("60");
    let (first, second) = (trade(0, 1, Side::Buy, 50), trade(200, 1, Side::Sell, 20));
    feed(&mut pipeline, &first);
    feed(&mut pipeline, &second);
    let pace = feed(&mut pipeline, &breaks(250, &first)).unwrap();
    assert_eq!((pace.trades, pace.volume, pace.delta, pace.largest_qty), (1, Qty(20), -20, Qty(20)));
    let third = trade(300, 1, Side::Sell, 1);
    assert_eq!(feed(&mut pipeline, &third).unwrap().trades, 2);
    let pace = feed(&mut pipeline, &breaks(310, &second)).unwrap();
    assert_eq!((pace.trades, pace.delta), (1, -1));
    let pace = feed(&mut pipeline, &breaks(320, &third)).unwrap();
    assert_eq!((pace.trades, pace.mean_qty, pace.largest_qty), (0, Real::NONE, Qty(0)), "none is left");
    assert_eq!(feed(&mut pipeline, &breaks(900, &third)), None, "it would have left by itself");
}

/// Tenths of a second since the last, instrument, side, quantity.
fn steps() -> impl Strategy<Value = Vec<(u64, u32, u8, u64)>> {
    let gap = prop_oneof![9 => 0..30_u64, 1 => 0..900_u64];
    prop::collection::vec((gap, 1..4_u32, 0..3_u8, 1..50_u64), 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn pace_is_the_references(steps in steps(), save_at in 0..300_usize) {
        let (mut pipeline, mut all, mut tenths) = (pipeline("30"), Vec::<Event>::new(), 0);
        for (at, (gap, instrument, side, qty)) in steps.into_iter().enumerate() {
            if at == save_at {
                let (listings, saved) = (opening().1, harness::saved(&pipeline.stage, &opening().1));
                let mut loaded = self::pipeline("30");
                harness::load(&mut loaded.stage, &listings, &saved).unwrap();
                prop_assert!(harness::saved(&loaded.stage, &listings) == saved);
                pipeline = loaded;
            }
            tenths += gap;
            all.push(trade(tenths, instrument, [Side::None, Side::Buy, Side::Sell][usize::from(side)], qty));
            let pace = feed(&mut pipeline, &all[at]).unwrap();
            // Half a second is a piece of thirty seconds.
            let piece = |event: &Event| event.ts.0 / 500_000_000;
            let of: Vec<&Event> = all.iter().filter(|event| event.instrument == instrument).collect();
            let within: Vec<&&Event> = of.iter().filter(|event| piece(event) + 60 > piece(&all[at])).collect();
            let qty = |event: &Event| event.record::<Trade>().qty.0;
            let sum = |side: Side| within.iter().filter(|e| e.side() == side).map(|e| qty(e)).sum::<u64>();
            let volume: u64 = within.iter().map(|event| qty(event)).sum();
            let is_whole = all[at].ts.0 - of[0].ts.0 >= 30 * Ns::SECOND;
            let expected = Pace {
                volume: Qty(volume),
                delta: sum(Side::Buy) as i64 - sum(Side::Sell) as i64,
                mean_qty: Real::of(volume as f64 / within.len() as f64),
                largest_qty: Qty(within.iter().map(|event| qty(event)).max().unwrap()),
                trades: within.len() as u32,
                window_s: 30,
                whole: u8::from(is_whole),
                instance: 0,
            };
            prop_assert_eq!(pace, expected);
        }
    }
}

//! Bars of an hour and more follow the market hours that were told: from the open on, up to the close, and no further.

use crate::harness::{self, INSTRUMENTS, Pipeline, load, saved};
use crate::measures_flow::{CLOSE, DAY, MIDNIGHT, OPEN, session};
use crate::measures_trades::opening;
use flow::records::{Bar, BarFlow, BrokenTrade, CorrectedBar, Tick, Trade};
use flow::{Event, Flags, Kind, Ns, Px, Qty};
use stages::Space;
use stages::bars::BarStage;

/// A stock of New York, by its number in the opening.
const STOCK: u32 = 2;
const MINUTE: u32 = 60;
/// One in the afternoon.
const EARLY: u32 = 46_800;

fn stage(intervals: &str) -> BarStage {
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    BarStage::new(&harness::params("bars", &[("intervals", intervals)]), space).unwrap()
}

fn pipeline(intervals: &str) -> Pipeline<BarStage> {
    let mut pipeline = Pipeline::new(stage(intervals));
    let listings = opening().0.into_iter().filter(|event| event.kind == Kind::Listing);
    listings.for_each(|event| assert!(pipeline.feed(&event).is_empty()));
    pipeline
}

fn at(day: u32, second: u32) -> Ns {
    Ns(u64::from(MIDNIGHT + day * DAY + second) * Ns::SECOND)
}

fn trade(day: u32, second: u32, match_id: u64) -> Event {
    let trade = Trade { px: Px(7), qty: Qty(1), match_id, ..Trade::default() };
    Event::new(at(day, second), STOCK, Flags::NONE, &trade)
}

/// The bars of a day with a trade every ten minutes: start, in seconds of the day, and trades.
fn bars(pipeline: &mut Pipeline<BarStage>, day: u32, length: u32) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    for second in (0..DAY + 1).step_by(600) {
        let tick = Tick { first: STOCK, last: STOCK, interval_s: 5, ..Tick::default() };
        let tick = Event::new(at(day, second), 0, Flags::LAST_OF_GROUP, &tick);
        let emitted = pipeline.feed(&tick);
        let of_length = emitted.iter().filter_map(|e| e.0.get::<Bar>()).filter(|bar| bar.interval_s == length);
        let starts: Vec<u32> = of_length.map(|bar| bar.start_s - MIDNIGHT - day * DAY).collect();
        let flows = emitted.iter().filter_map(|e| e.0.get::<BarFlow>()).filter(|flow| flow.interval_s == length);
        found.extend(starts.into_iter().zip(flows.map(|flow| flow.trades)));
        if second < DAY {
            pipeline.feed(&trade(day, second, u64::from(second)));
        }
    }
    found
}

#[test]
fn hours_begin_at_the_open_and_end_at_the_close() {
    for (close, interval, length) in
        [(CLOSE, "1h", 3_600), (EARLY, "1h", 3_600), (CLOSE, "4h", 14_400), (EARLY, "4h", 14_400)]
    {
        let mut pipeline = pipeline(&format!("1m,{interval}"));
        pipeline.feed(&session(0, close));
        let found = bars(&mut pipeline, 0, length);
        // Cut by hand: from midnight, from the open and from the close on.
        let mut wanted = Vec::new();
        for (from, until) in [(0, OPEN), (OPEN, close), (close, DAY)] {
            for start in (from..until).step_by(length as usize) {
                wanted.push((start, (until.min(start + length) - start) / 600));
            }
        }
        assert_eq!(found, wanted, "{interval}, hours end at {close}");
    }
}

#[test]
fn a_date_without_hours_is_cut_from_its_beginning_and_minutes_go_by_the_clock() {
    let mut holiday = pipeline("4h");
    holiday.feed(&session(0, 0));
    let wanted: Vec<_> = (0..6).map(|bar| (bar * 14_400, 24)).collect();
    assert_eq!(bars(&mut holiday, 0, 14_400), wanted);
    assert_eq!(bars(&mut pipeline("4h"), 0, 14_400), wanted, "nothing was told");
    let mut half_hours = pipeline("30m");
    half_hours.feed(&session(0, EARLY));
    assert_eq!(bars(&mut half_hours, 0, 1_800).len(), 48);
}

/// A bar of the date before is corrected by the hours of that date, also from a saved state.
#[test]
fn a_broken_trade_of_the_date_before_is_found_in_its_bar() {
    let mut pipeline = pipeline("1h");
    pipeline.feed(&session(0, EARLY));
    let (first, second) = (trade(0, EARLY - 10 * MINUTE, 1), trade(0, EARLY - 5 * MINUTE, 2));
    [&first, &second].iter().for_each(|trade| _ = pipeline.feed(trade));
    pipeline.feed(&session(1, CLOSE));
    assert_eq!(pipeline.feed(&trade(1, OPEN + 1, 3)).len(), 2, "the bar of the day before");
    let listings = opening().1;
    let bytes = saved(&pipeline.stage, &listings);
    let mut again = stage("1h");
    load(&mut again, &listings, &bytes).unwrap();
    assert_eq!(saved(&again, &listings), bytes);
    let broken = BrokenTrade { px: Px(7), qty: Qty(1), match_id: 1, trade_ts: first.ts, ..BrokenTrade::default() };
    let broken = Event::new(at(1, OPEN + 2), STOCK, Flags::LAST_OF_GROUP, &broken);
    for mut pipeline in [pipeline, Pipeline::new(again)] {
        let emitted = pipeline.feed(&broken);
        let bar: CorrectedBar = *emitted[0].0.record();
        assert_eq!(
            bar.start_s,
            MIDNIGHT + EARLY - 30 * MINUTE,
            "it began at half past twelve, as long as there was time"
        );
    }
}

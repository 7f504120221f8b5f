//! Untested prices: when a session leaves one, what ends it, and what is not known.

use crate::harness::Pipeline;
use crate::lasting::{memory, told};
use crate::measures_flow::{CLOSE, session};
use crate::measures_state::{alone, cents, minute, profile};
use flow::records::{self, ProfileArea, ProfileRow, Trade};
use flow::{Event, Flags, LeftPrice, LeftStep, Ns, ProfileOf, Px, Qty, Side};
use stages::measures::untested::Untested;
use stages::measures::{Host, One};

use LeftPrice::{High, Low, Poc};
use LeftStep::{Forgotten, Made, Touched};

type Stages = Pipeline<Host<One<Untested>>>;
/// What has become of what, its price in cents, and the sessions that have begun since.
type Step = (LeftStep, LeftPrice, i64, u8);

const STOCK: u32 = 2;

fn new(set: &[(&str, &str)]) -> Stages {
    alone("untested", set)
}

fn at(day: u32, number: u32) -> Ns {
    Ns(u64::from(minute(day, number)) * Ns::SECOND)
}

/// A trade in a minute of a day's session, at a price in cents.
fn trade(pipeline: &mut Stages, day: u32, number: u32, px: i64) -> Vec<records::Untested> {
    let trade = Trade { px: cents(px), qty: Qty(1), ..Trade::default() };
    let event = Event::new(at(day, number), STOCK, Flags::side_only(Side::Buy), &trade);
    pipeline.feed(&event).iter().map(|e| *e.0.record()).collect()
}

/// A row of the profile as a trade left it.
fn row(pipeline: &mut Stages, px: i64, [bought, sold]: [u64; 2]) {
    let row = ProfileRow {
        px: cents(px),
        volume: Qty(bought + sold),
        buy_volume: Qty(bought),
        sell_volume: Qty(sold),
        ..ProfileRow::default()
    };
    assert!(pipeline.feed(&Event::new(at(0, 0), STOCK, Flags::NONE, &row)).is_empty());
}

/// The first trade of a day, and the profile of the one before. Rows are ten cents high.
fn begin(pipeline: &mut Stages, day: u32, px: i64, poc: i64) -> Vec<records::Untested> {
    assert!(pipeline.feed(&session(day, CLOSE)).is_empty());
    let mut all = trade(pipeline, day, 0, px);
    for event in profile(minute(day, 0), ProfileOf::Previous, [poc, poc, poc]) {
        all.extend(pipeline.feed(&event).iter().map(|e| *e.0.record::<records::Untested>()));
    }
    all
}

fn short(all: &[records::Untested]) -> Vec<Step> {
    let of = |one: &records::Untested| (LeftStep::from_code(one.what).unwrap(), LeftPrice::from_code(one.of).unwrap());
    all.iter().map(|one| (of(one).0, of(one).1, one.px.0 * 100 / Px::ONE, one.sessions)).collect()
}

/// A day whose highest row, from 10.50 on, was traded by both sides, and whose lowest, from 10.00 on, was only bought.
fn first_day(pipeline: &mut Stages) {
    assert!(trade(pipeline, 0, 0, 1_005).is_empty());
    row(pipeline, 1_000, [5, 0]);
    row(pipeline, 1_050, [3, 0]);
    row(pipeline, 1_020, [3, 9]);
    row(pipeline, 1_050, [3, 2]);
}

#[test]
fn a_session_leaves_prices_and_trades_end_them() {
    let mut pipeline = new(&[]);
    first_day(&mut pipeline);
    let made = begin(&mut pipeline, 1, 1_020, 1_024);
    assert_eq!(short(&made), [(Made, Poc, 1_024, 1), (Made, High, 1_050, 1)]);
    let poc = records::Untested {
        px: cents(1_024),
        row_px: cents(10),
        trade_px: Px::NONE,
        session_s: minute(0, 0),
        sessions: 1,
        of: Poc.code(),
        what: Made.code(),
        ..records::Untested::default()
    };
    assert_eq!(made[0], poc);
    assert!(trade(&mut pipeline, 1, 1, 1_023).is_empty());
    let touched = trade(&mut pipeline, 1, 2, 1_030);
    assert_eq!(
        touched,
        [records::Untested { trade_px: cents(1_030), what: Touched.code(), ..poc }],
        "price went over it"
    );
    assert!(trade(&mut pipeline, 1, 3, 1_024).is_empty(), "it is over");
    assert!(trade(&mut pipeline, 1, 4, 1_059).is_empty(), "not beyond the row of the high");
    assert_eq!(short(&trade(&mut pipeline, 1, 5, 1_060)), [(Touched, High, 1_050, 1)]);
    assert!(trade(&mut pipeline, 1, 6, 2_000).is_empty());
}

#[test]
fn lows_are_the_mirror_and_one_trade_ends_all_that_it_passes() {
    let mut pipeline = new(&[]);
    for (day, low) in [(0, 1_000), (1, 1_010), (2, 1_020)] {
        let made = begin(&mut pipeline, day, low + 5, low + 2);
        assert_eq!(made.len(), if day == 0 { 0 } else { 2 }, "of the day before the first nothing is known");
        row(&mut pipeline, low, [1, 1]);
        row(&mut pipeline, low + 20, [1, 0]);
    }
    let touched = trade(&mut pipeline, 2, 1, 999);
    let expected =
        [(Touched, Poc, 1_012, 2), (Touched, Poc, 1_022, 1), (Touched, Low, 1_000, 2), (Touched, Low, 1_010, 1)];
    assert_eq!(short(&touched), expected);
    assert!(trade(&mut pipeline, 2, 2, 1_050).is_empty());
}

#[test]
fn a_gap_touches_nothing_and_the_first_trade_of_a_session_may() {
    let mut pipeline = new(&[]);
    first_day(&mut pipeline);
    assert_eq!(short(&begin(&mut pipeline, 1, 1_010, 1_024)).len(), 2);
    // Nothing traded between 10.10 and 10.40: the point of control is naked still.
    assert_eq!(short(&begin(&mut pipeline, 2, 1_040, 1_040)), [(Made, Poc, 1_040, 1), (Touched, Poc, 1_040, 1)]);
    assert_eq!(short(&trade(&mut pipeline, 2, 1, 1_020)), [(Touched, Poc, 1_024, 2)]);
}

#[test]
fn outside_market_hours_nothing_counts() {
    let mut pipeline = new(&[]);
    first_day(&mut pipeline);
    begin(&mut pipeline, 1, 1_020, 1_024);
    assert!(trade(&mut pipeline, 1, 390, 1_070).is_empty());
    assert_eq!(short(&trade(&mut pipeline, 1, 389, 1_070)).len(), 2);
}

#[test]
fn what_lies_too_far_back_is_forgotten() {
    let mut pipeline = new(&[("sessions", "1")]);
    first_day(&mut pipeline);
    begin(&mut pipeline, 1, 1_010, 1_024);
    let next = begin(&mut pipeline, 2, 1_010, 1_005);
    assert_eq!(short(&next), [(Forgotten, Poc, 1_024, 1), (Forgotten, High, 1_050, 1), (Made, Poc, 1_005, 1)]);
}

#[test]
fn of_an_extreme_whose_trades_were_broken_nothing_is_said() {
    let mut pipeline = new(&[]);
    first_day(&mut pipeline);
    row(&mut pipeline, 1_050, [0, 0]);
    row(&mut pipeline, 1_040, [1, 1]);
    assert_eq!(short(&begin(&mut pipeline, 1, 1_020, 1_024)), [(Made, Poc, 1_024, 1)]);
    row(&mut pipeline, 1_020, [1, 1]);
    row(&mut pipeline, 1_020, [0, 0]);
    row(&mut pipeline, 1_030, [1, 1]);
    let next = begin(&mut pipeline, 2, 1_025, 1_024);
    assert_eq!(short(&next), [(Made, Poc, 1_024, 1), (Made, High, 1_030, 1)], "beyond it one is known again");
}

#[test]
fn what_finds_no_room_leaves_no_extreme_and_other_instances_leave_nothing() {
    let mut pipeline = new(&[]);
    first_day(&mut pipeline);
    trade(&mut pipeline, 1, 0, 1_020);
    let [first, area] = profile(minute(1, 0), ProfileOf::Previous, [1_024; 3]);
    let other = records::Profile { instance: 1, ..*first.record() };
    let full = ProfileArea { left_out: Qty(1), ..*area.record() };
    let feed = |pipeline: &mut Stages, first: &records::Profile| -> Vec<records::Untested> {
        assert!(pipeline.feed(&Event::new(at(1, 0), STOCK, Flags::NONE, first)).is_empty());
        let area = Event::new(at(1, 0), STOCK, Flags::NONE, &full);
        pipeline.feed(&area).iter().map(|e| *e.0.record()).collect()
    };
    assert!(feed(&mut pipeline, &other).is_empty());
    assert_eq!(short(&feed(&mut pipeline, first.record())), [(Made, Poc, 1_024, 1)]);
}

#[test]
fn prices_outlive_a_journal() {
    let mut whole = new(&[("sessions", "3")]);
    first_day(&mut whole);
    begin(&mut whole, 1, 1_020, 1_024);
    row(&mut whole, 1_020, [1, 1]);
    let mut next = told(new(&[("sessions", "3")]), &memory(&whole.stage));
    assert_eq!(memory(&next.stage), memory(&whole.stage));
    for pipeline in [&mut whole, &mut next] {
        assert_eq!(short(&trade(pipeline, 1, 1, 1_030)), [(Touched, Poc, 1_024, 1)]);
        let made = begin(pipeline, 2, 1_015, 1_026);
        assert_eq!(
            short(&made),
            [(Made, Poc, 1_026, 1), (Made, High, 1_020, 1), (Made, Low, 1_020, 1), (Touched, Low, 1_020, 1)]
        );
    }
    assert_eq!(memory(&next.stage), memory(&whole.stage));
}

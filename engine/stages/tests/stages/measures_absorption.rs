//! Absorptions: the worked case of the page, what ends one, and what is known of the orders that were taken.

use crate::harness::Pipeline;
use crate::measures_state::{alone, cents, minute};
use flow::records::{Absorption, AbsorptionOrders, Add, BookTop, BrokenTrade, Clear, Listing, Replace, Trade};
use flow::{BookKind, Event, Flags, Ns, Px, Qty, Real, Side};
use stages::measures::absorption::Absorption as AbsorptionMeasure;
use stages::measures::{Host, One};

type Stages = Pipeline<Host<One<AbsorptionMeasure>>>;
type Row = (Side, Absorption, AbsorptionOrders);

const STOCK: u32 = 2;
const BUY: Side = Side::Buy;
const SELL: Side = Side::Sell;

/// Rows of a cent. The first minute trades 100 in each of four rows.
fn new(set: &[(&str, &str)]) -> Stages {
    let set: Vec<_> = [("row_ticks", "10000000")].iter().chain(set).copied().collect();
    let mut pipeline = alone("absorption", &set);
    list(&mut pipeline, BookKind::ByOrder);
    for px in 1_000..1_004 {
        assert!(trade(&mut pipeline, 0, SELL, px, 100, 0).is_empty());
    }
    pipeline
}

fn list(pipeline: &mut Stages, book: BookKind) {
    let listing = Listing { calendar: *b"XNAS", book: book.code(), ..Listing::default() };
    assert!(pipeline.feed(&Event::new(at(0), STOCK, Flags::NONE, &listing)).is_empty());
}

/// A second of the first day's session.
fn at(second: u64) -> Ns {
    Ns((u64::from(minute(0, 0)) + second) * Ns::SECOND)
}

fn told(pipeline: &mut Stages, event: &Event) -> Vec<Row> {
    let all = pipeline.feed(event);
    all.chunks(2).map(|pair| (pair[0].0.side(), *pair[0].0.record(), *pair[1].0.record())).collect()
}

fn trade(pipeline: &mut Stages, second: u64, side: Side, px: i64, qty: u64, order_ref: u64) -> Vec<Row> {
    let trade = Trade { px: cents(px), qty: Qty(qty), order_ref, ..Trade::default() };
    told(pipeline, &Event::new(at(second), STOCK, Flags::side_only(side), &trade))
}

fn broken(pipeline: &mut Stages, second: u64, (trade_second, side, px, qty): (u64, Side, i64, u64)) -> Vec<Row> {
    let record = BrokenTrade { trade_ts: at(trade_second), px: cents(px), qty: Qty(qty), ..BrokenTrade::default() };
    told(pipeline, &Event::new(at(second), STOCK, Flags::side_only(side), &record))
}

fn add(pipeline: &mut Stages, second: u64, order_ref: u64) {
    let add = Add { px: cents(1_002), qty: Qty(100), order_ref, ..Add::default() };
    assert!(pipeline.feed(&Event::new(at(second), STOCK, Flags::side_only(SELL), &add)).is_empty());
}

fn top(pipeline: &mut Stages, second: u64) -> Vec<Row> {
    told(pipeline, &Event::new(at(second), STOCK, Flags::NONE, &BookTop::default()))
}

/// Three hundred are bought at 10.02, three times the mean.
fn three_hundred(pipeline: &mut Stages) {
    add(pipeline, 30, 1);
    assert!(trade(pipeline, 70, BUY, 1_002, 120, 1).is_empty());
    add(pipeline, 75, 2);
    assert!(trade(pipeline, 80, BUY, 1_002, 100, 2).is_empty());
    assert!(trade(pipeline, 100, BUY, 1_002, 80, 1).is_empty());
}

/// What a row of the first minute has in the mean, once that has ended.
fn short(told: &[Row]) -> Vec<(Side, i64, u64, u32, u64)> {
    let of =
        |(side, one, orders): &Row| (*side, one.row_px.0 * 100 / Px::ONE, one.qty.0, one.trades, orders.after_qty.0);
    told.iter().map(of).collect()
}

#[test]
fn the_worked_case() {
    let mut pipeline = new(&[]);
    three_hundred(&mut pipeline);
    assert!(trade(&mut pipeline, 110, BUY, 1_002, 50, 2).is_empty());
    assert!(trade(&mut pipeline, 130, SELL, 1_000, 10, 0).is_empty(), "30 s after it price may still go through");
    let expected = (
        BUY,
        Absorption {
            row_px: cents(1_002),
            height_px: cents(1),
            qty: Qty(300),
            mean_qty: Real::of(100.0),
            trades: 3,
            ..Absorption::default()
        },
        AbsorptionOrders {
            first_ts: at(70),
            reached_ts: at(100),
            after_qty: Qty(50),
            stood_qty: Qty(200),
            came_qty: Qty(100),
        },
    );
    assert_eq!(top(&mut pipeline, 131), [expected]);
    assert!(top(&mut pipeline, 200).is_empty(), "it is told once");
}

#[test]
fn a_trade_beyond_the_row_ends_it_before_it_is_told_and_before_it_is_enough() {
    let mut pipeline = new(&[]);
    three_hundred(&mut pipeline);
    assert!(trade(&mut pipeline, 130, Side::None, 1_003, 1, 0).is_empty());
    assert!(top(&mut pipeline, 200).is_empty());
    // The mean is 701 ÷ 6 by now: 351 would be enough.
    assert!(trade(&mut pipeline, 210, BUY, 1_002, 350, 0).is_empty());
    assert!(trade(&mut pipeline, 211, SELL, 1_003, 1, 0).is_empty());
    assert!(trade(&mut pipeline, 212, BUY, 1_002, 1, 0).is_empty());
    assert!(top(&mut pipeline, 300).is_empty());
    // Below the row price may go: that is what an absorption of buyers looks like.
    assert!(trade(&mut pipeline, 310, BUY, 1_002, 400, 0).is_empty());
    assert!(trade(&mut pipeline, 311, SELL, 990, 1, 0).is_empty());
    assert_eq!(short(&top(&mut pipeline, 341)), [(BUY, 1_002, 400, 1, 0)]);
}

#[test]
fn sales_are_the_mirror_and_each_row_waits_by_itself() {
    let mut pipeline = new(&[]);
    assert!(trade(&mut pipeline, 70, SELL, 1_001, 300, 0).is_empty());
    assert!(trade(&mut pipeline, 71, BUY, 1_003, 300, 0).is_empty());
    assert!(trade(&mut pipeline, 72, SELL, 1_002, 350, 0).is_empty());
    assert!(trade(&mut pipeline, 73, SELL, 1_002, 7, 0).is_empty());
    assert!(trade(&mut pipeline, 74, SELL, 1_001, 8, 0).is_empty(), "which goes through 10.02");
    let told = trade(&mut pipeline, 105, SELL, 1_001, 1, 0);
    assert_eq!(short(&told), [(BUY, 1_003, 300, 1, 0), (SELL, 1_001, 300, 1, 8)]);
}

#[test]
fn the_window_ends_and_there_is_no_mean_in_the_first_minute() {
    let mut pipeline = new(&[]);
    assert!(trade(&mut pipeline, 20, BUY, 1_004, 9_000, 0).is_empty());
    assert!(top(&mut pipeline, 59).is_empty());
    assert!(trade(&mut pipeline, 60, SELL, 1_000, 1, 0).is_empty());
    // 9,400 in five rows: three times their mean are 5,640.
    assert!(trade(&mut pipeline, 80, BUY, 1_004, 5_600, 0).is_empty());
    assert!(trade(&mut pipeline, 81, BUY, 1_004, 39, 0).is_empty());
    assert!(top(&mut pipeline, 119).is_empty(), "the 9,000 were a minute before, to the second");
    let mut pipeline = new(&[]);
    assert!(trade(&mut pipeline, 60, BUY, 1_002, 200, 0).is_empty());
    assert!(trade(&mut pipeline, 119, BUY, 1_002, 100, 0).is_empty());
    assert_eq!(short(&top(&mut pipeline, 150)), [(BUY, 1_002, 300, 2, 0)]);
    let mut pipeline = new(&[]);
    assert!(trade(&mut pipeline, 60, BUY, 1_002, 200, 0).is_empty());
    // The mean is still that of the first two minutes: (400 + 200) ÷ (4 + 1).
    assert!(trade(&mut pipeline, 120, BUY, 1_002, 359, 0).is_empty());
    assert!(top(&mut pipeline, 151).is_empty());
}

#[test]
fn what_is_told_or_waits_counts_for_no_other() {
    let mut pipeline = new(&[]);
    assert!(trade(&mut pipeline, 70, BUY, 1_002, 300, 0).is_empty());
    assert!(trade(&mut pipeline, 71, BUY, 1_002, 900, 0).is_empty());
    assert_eq!(short(&trade(&mut pipeline, 101, BUY, 1_002, 299, 0)), [(BUY, 1_002, 300, 1, 900)]);
    assert!(top(&mut pipeline, 140).is_empty());
}

#[test]
fn of_feeds_without_orders_nothing_is_said_of_them() {
    let mut pipeline = new(&[]);
    assert!(trade(&mut pipeline, 70, BUY, 1_002, 300, 0).is_empty());
    let told = top(&mut pipeline, 101);
    assert_eq!((told[0].2.stood_qty, told[0].2.came_qty), (Qty::NONE, Qty::NONE));
    let mut pipeline = new(&[("orders", "false")]);
    assert!(trade(&mut pipeline, 70, BUY, 1_002, 300, 1).is_empty());
    let told = top(&mut pipeline, 101);
    assert_eq!((told[0].2.stood_qty, told[0].2.came_qty), (Qty::NONE, Qty::NONE));
}

/// What an absorption says of orders: 60 of one that nobody saw come, 140 of one that was displayed before it, 100 of one that came.
fn by_orders(set: &[(&str, &str)], prepare: impl FnOnce(&mut Stages)) -> (Qty, Qty) {
    let mut pipeline = new(set);
    prepare(&mut pipeline);
    add(&mut pipeline, 65, 2);
    assert!(trade(&mut pipeline, 70, BUY, 1_002, 60, 1).is_empty());
    let replace = Replace { order_ref: 3, new_ref: 4, px: cents(1_002), qty: Qty(100), ..Replace::default() };
    assert!(pipeline.feed(&Event::new(at(70), STOCK, Flags::NONE, &replace)).is_empty());
    assert!(trade(&mut pipeline, 71, BUY, 1_002, 140, 2).is_empty());
    assert!(trade(&mut pipeline, 72, BUY, 1_002, 100, 4).is_empty());
    let told = top(&mut pipeline, 103);
    (told[0].2.stood_qty, told[0].2.came_qty)
}

#[test]
fn an_order_that_is_not_remembered_stood_before_if_the_book_has_all_orders() {
    assert_eq!(by_orders(&[], |_| {}), (Qty(200), Qty(100)));
    assert_eq!(by_orders(&[], |pipeline| list(pipeline, BookKind::ByLevel)), (Qty(140), Qty(100)));
    // Sixteen are remembered, and the last that is forgotten came with the first trade.
    let many = |pipeline: &mut Stages| (100..130).for_each(|order_ref| add(pipeline, 64, order_ref));
    assert_eq!(by_orders(&[("max_orders", "16")], many), (Qty(200), Qty(100)));
    let late = |pipeline: &mut Stages| (100..130).for_each(|order_ref| add(pipeline, 70, order_ref));
    assert_eq!(by_orders(&[("max_orders", "16")], late), (Qty(140), Qty(100)));
    let cleared = |pipeline: &mut Stages| {
        add(pipeline, 70, 1);
        assert!(pipeline.feed(&Event::new(at(70), STOCK, Flags::NONE, &Clear::default())).is_empty());
    };
    assert_eq!(by_orders(&[], cleared), (Qty(200), Qty(100)));
}

#[test]
fn broken_trades_are_taken_out() {
    let mut pipeline = new(&[]);
    three_hundred(&mut pipeline);
    assert!(broken(&mut pipeline, 101, (80, BUY, 1_002, 100)).is_empty());
    assert!(top(&mut pipeline, 200).is_empty(), "200 are too few");
    // (400 + 200) ÷ 5 is the mean by now.
    assert!(trade(&mut pipeline, 210, BUY, 1_002, 360, 0).is_empty());
    assert!(trade(&mut pipeline, 211, BUY, 1_002, 40, 0).is_empty());
    assert!(broken(&mut pipeline, 212, (211, BUY, 1_002, 40)).is_empty());
    assert_eq!(short(&top(&mut pipeline, 241)), [(BUY, 1_002, 360, 1, 0)]);
    // Out of a window that is not full, and out of the mean.
    let mut pipeline = new(&[]);
    assert!(broken(&mut pipeline, 61, (0, SELL, 1_000, 100)).is_empty());
    assert!(trade(&mut pipeline, 70, BUY, 1_002, 100, 0).is_empty());
    assert!(broken(&mut pipeline, 71, (70, BUY, 1_002, 100)).is_empty());
    assert!(trade(&mut pipeline, 72, BUY, 1_002, 224, 0).is_empty());
    assert!(trade(&mut pipeline, 73, BUY, 1_002, 1, 0).is_empty());
    let told = top(&mut pipeline, 104);
    assert_eq!((short(&told), told[0].1.mean_qty), (vec![(BUY, 1_002, 225, 2, 0)], Real::of(75.0)));
}

#[test]
fn a_session_begins_with_nothing_and_hours_are_kept() {
    let mut pipeline = new(&[]);
    assert!(trade(&mut pipeline, 60, BUY, 1_002, 299, 0).is_empty());
    assert!(trade(&mut pipeline, 86_400, BUY, 1_002, 1, 0).is_empty(), "another day");
    assert!(top(&mut pipeline, 86_500).is_empty());
    let mut pipeline = new(&[]);
    assert!(trade(&mut pipeline, 23_399, BUY, 1_002, 299, 0).is_empty());
    assert!(trade(&mut pipeline, 23_400, BUY, 1_002, 1, 0).is_empty(), "the hours are over");
    assert!(top(&mut pipeline, 23_500).is_empty());
}

#[test]
fn of_what_finds_no_room_nothing_is_told() {
    let mut pipeline = new(&[("max_trades", "16")]);
    // Some of them find no room, and the window begins anew behind each of those.
    (0..100).for_each(|_| assert!(trade(&mut pipeline, 70, BUY, 1_002, 1, 0).is_empty()));
    assert!(trade(&mut pipeline, 80, BUY, 1_002, 215, 0).is_empty());
    assert!(top(&mut pipeline, 119).is_empty());
    assert!(trade(&mut pipeline, 200, BUY, 1_002, 500, 0).is_empty());
    assert_eq!(short(&top(&mut pipeline, 231)), [(BUY, 1_002, 500, 1, 0)]);
}

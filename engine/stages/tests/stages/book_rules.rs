//! The rules that are easiest to read as a short story.

use crate::harness::{self, kinds};
use crate::stream::listing;
use flow::records::{Add, Anomaly, BookTop, Cancel, Clear, Exec, Level, Replace, Trade};
use flow::{AnomalyKind, BookKind, Event, Flags, InstrumentType, Kind, Ns, Px, Qty, Record, Side};

fn event<R: Record>(side: Side, record: &R) -> Event {
    Event { source: 1, ..Event::new(Ns(5), 1, Flags::LAST_OF_GROUP.with_side(side), record) }
}

fn add(order_ref: u64, side: Side, px: i64, qty: u64) -> Event {
    event(side, &Add { order_ref, px: Px(px), qty: Qty(qty), ..Default::default() })
}

fn pipeline() -> harness::Pipeline<stages::book::BookStage> {
    let mut pipeline = harness::book(100, 100, 4);
    for event in listing(1, BookKind::ByOrder, InstrumentType::Equity).iter().filter(|e| e.kind == Kind::Listing) {
        assert!(pipeline.feed(event).is_empty());
    }
    pipeline
}

#[test]
fn an_execution_trades_at_the_resting_price_against_the_other_side() {
    let mut pipeline = pipeline();
    assert_eq!(kinds(&pipeline.feed(&add(1, Side::Sell, 100, 50))), [Kind::Level, Kind::BookTop]);
    let exec = Exec { order_ref: 1, px: Px::NONE, qty: Qty(20), match_id: 9, ..Default::default() };
    let emitted = pipeline.feed(&event(Side::None, &exec));
    assert_eq!(kinds(&emitted), [Kind::Trade, Kind::Level, Kind::BookTop]);
    let trade: &Trade = emitted[0].0.record();
    assert_eq!((emitted[0].0.side(), trade.px, trade.qty, trade.match_id), (Side::Buy, Px(100), Qty(20), 9));
    let top: &BookTop = emitted[2].0.record();
    assert_eq!((top.bid_px, top.ask_px, top.ask_qty), (Px::NONE, Px(100), Qty(30)));
    let emitted = pipeline.feed(&event(Side::None, &Exec { px: Px(99), qty: Qty(40), ..exec }));
    assert_eq!(kinds(&emitted), [Kind::Anomaly, Kind::Trade, Kind::Level, Kind::BookTop]);
    assert_eq!(emitted[0].0.record::<Anomaly>().what, AnomalyKind::Overfill as u16);
    assert_eq!(emitted[1].0.record::<Trade>().px, Px(99));
    assert_eq!(emitted[2].0.record::<Level>().qty, Qty(0));
    assert_eq!(pipeline.stage.books().live_orders(), 0);
}

#[test]
fn a_replace_keeps_its_place_only_when_it_asks_for_no_more() {
    let mut pipeline = pipeline();
    for order_ref in 1..=3 {
        pipeline.feed(&add(order_ref, Side::Buy, 100, 10));
    }
    let replace = |order_ref, new_ref, px, qty| {
        event(Side::None, &Replace { order_ref, new_ref, px: Px(px), qty: Qty(qty), ..Default::default() })
    };
    let ahead = |pipeline: &harness::Pipeline<stages::book::BookStage>, reference| {
        pipeline.stage.books().book(1).unwrap().ahead(reference).map(|a| (a.qty.0, a.orders))
    };
    pipeline.feed(&replace(2, 2, 100, 4));
    assert_eq!((ahead(&pipeline, 2), ahead(&pipeline, 3)), (Some((10, 1)), Some((14, 2))));
    pipeline.feed(&replace(2, 2, 100, 5));
    assert_eq!((ahead(&pipeline, 2), ahead(&pipeline, 3)), (Some((20, 2)), Some((10, 1))));
    assert!(pipeline.feed(&replace(1, 7, 100, 10)).is_empty(), "neither total nor number of orders changed");
    assert_eq!((ahead(&pipeline, 1), ahead(&pipeline, 7)), (None, Some((15, 2))));
    let emitted = pipeline.feed(&replace(3, 8, 101, 10));
    assert_eq!(kinds(&emitted), [Kind::Level, Kind::Level, Kind::BookTop]);
    assert!(!emitted[0].0.flags.has(Flags::LAST_OF_GROUP) && emitted[1].0.flags.has(Flags::LAST_OF_GROUP));
    let emitted = pipeline.feed(&replace(99, 100, 100, 10));
    assert_eq!(kinds(&emitted), [Kind::Anomaly]);
    assert_eq!(pipeline.stage.books().live_orders(), 3, "nothing is added for an unknown order");
}

#[test]
fn the_top_waits_for_the_end_of_the_group_and_crossing_is_told_once() {
    let mut pipeline = pipeline();
    pipeline.feed(&add(1, Side::Buy, 100, 10));
    pipeline.feed(&add(2, Side::Sell, 102, 10));
    let mut open = add(3, Side::Buy, 103, 10);
    open.flags = open.flags.without(Flags::LAST_OF_GROUP);
    assert_eq!(kinds(&pipeline.feed(&open)), [Kind::Level], "crossed, but in the middle of a group");
    let cancel = Cancel { order_ref: 3, qty: Qty(10), ..Default::default() };
    assert_eq!(kinds(&pipeline.feed(&event(Side::None, &cancel))), [Kind::Level], "the top is the last one emitted");
    let emitted = pipeline.feed(&add(4, Side::Buy, 102, 10));
    assert_eq!(kinds(&emitted), [Kind::Level, Kind::BookTop, Kind::Anomaly]);
    let crossed: &Anomaly = emitted[2].0.record();
    assert_eq!((crossed.what, crossed.px, crossed.detail), (AnomalyKind::CrossedBook as u16, Px(102), 102));
    assert_eq!(kinds(&pipeline.feed(&add(5, Side::Buy, 103, 10))), [Kind::Level, Kind::BookTop], "crossed already");
}

#[test]
fn a_clear_of_one_book_tells_its_top_and_one_of_a_source_tells_nothing() {
    let mut pipeline = pipeline();
    pipeline.feed(&add(1, Side::Buy, 100, 10));
    let emitted = pipeline.feed(&event(Side::None, &Clear::default()));
    assert_eq!(kinds(&emitted), [Kind::BookTop]);
    assert_eq!(emitted[0].0.record::<BookTop>().bid_px, Px::NONE);
    assert!(pipeline.feed(&event(Side::None, &Clear::default())).is_empty());
    pipeline.feed(&add(1, Side::Buy, 100, 10));
    let all = Event { instrument: 0, ..event(Side::None, &Clear::default()) };
    assert!(pipeline.feed(&all).is_empty());
    assert_eq!((pipeline.stage.books().live_orders(), pipeline.stage.books().live_levels()), (0, 0));
    assert_eq!(kinds(&pipeline.feed(&add(1, Side::Buy, 100, 10))), [Kind::Level, Kind::BookTop]);
}

/// Nothing rests at the least price that a number can hold, and a search for it ends.
#[test]
fn nothing_rests_at_the_least_number() {
    let mut pipeline = harness::book(16, 16, 4);
    let add = flow::records::Add { order_ref: 1, px: Px(100), qty: Qty(5), ..Default::default() };
    pipeline.feed(&crate::stream::listing(1, flow::BookKind::ByOrder, flow::InstrumentType::Equity)[1]);
    pipeline.feed(&Event::new(Ns(1), 1, Flags::side_only(Side::Sell), &add));
    let book = pipeline.stage.books().book(1).expect("it is listed");
    assert!(book.level(Side::Sell, Px(100)).is_some());
    assert!(book.level(Side::Sell, Px(i64::MIN)).is_none() && book.level(Side::Buy, Px(i64::MIN)).is_none());
}

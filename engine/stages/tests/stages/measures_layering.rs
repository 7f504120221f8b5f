//! Layering-like orders: the worked case of the page, what a wave is, and what keeps one from being told.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use flow::records::{Add, Clear, Delete, Exec, Layering, LayeringLevels, Listing, Replace, Trade};
use flow::{BookKind, Event, EventId, Flags, Kind, Kinds, Ns, Out, Px, Qty, Record, Side, Stage};
use stages::Space;
use stages::book::BookStage;
use stages::measures::layering::Layering as LayeringMeasure;
use stages::measures::{Host, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
const STOCK: u32 = 2;
const MS: u64 = 1_000_000;
const BID: Side = Side::Buy;
const ASK: Side = Side::Sell;

type Row = (Side, Layering, LayeringLevels);

/// A book, and the measure behind it.
struct Market {
    book: Pipeline<BookStage>,
    behind: Host<One<LayeringMeasure>>,
    out: Out,
    seq: u64,
    references: u64,
}

impl Market {
    /// At 10.00, 9.99 and 9.98, and at 10.02, 10.03 and 10.04, rest 100 each, and have for five minutes.
    fn new(kind: BookKind, set: &[(&str, &str)]) -> Market {
        let mut book = harness::book(1_024, 256, 8);
        book.stage = book.stage.saying_orders(true).saying_levels(true);
        let behind = Host::alone(&harness::params("layering", set), SPACE).unwrap();
        let mut market = Market { book, behind, out: Out::new(32, Kinds::ALL), seq: 0, references: 1_000 };
        let listing = Listing { tick_px: cents(1), book: kind.code(), ..Listing::default() };
        market.send(0, Side::None, &listing);
        for px in [1_000, 999, 998] {
            market.add(0, BID, px, 100);
            market.add(0, ASK, 2_002 - px, 100);
        }
        for piece in 0..30 {
            for (side, px) in [(BID, 997), (ASK, 1_005)] {
                let added = market.add(10_000 * piece, side, px, 1);
                assert!(market.delete(10_000 * piece, added).is_empty());
            }
        }
        market
    }

    fn send<R: Record>(&mut self, ms: u64, side: Side, record: &R) -> Vec<Row> {
        self.seq += 1;
        // The first five minutes are over at 0.
        let event = Event::new(Ns((400_000 + ms) * MS), STOCK, Flags::LAST_OF_GROUP.with_side(side), record);
        let event = Event { id: EventId::new(self.seq, 0, 0), ..event };
        let of_book = self.book.feed(&event).into_iter().map(|one| Event { ts: event.ts, ..one.0 });
        let shown = of_book.map(|one| Event { id: EventId::new(self.seq, 8, 0), ..one });
        let mut emitted = Vec::new();
        for seen in std::iter::once(event).chain(shown) {
            if self.behind.reads().has(seen.kind) {
                self.out.begin(&seen);
                self.behind.on_event(&seen, &mut self.out);
                emitted.extend_from_slice(self.out.events());
            }
        }
        emitted.chunks(2).map(|pair| (pair[0].side(), *pair[0].record(), *pair[1].record())).collect()
    }

    /// Adds an order, and gives its reference.
    fn add(&mut self, ms: u64, side: Side, px: i64, qty: u64) -> u64 {
        self.references += 1;
        let order_ref = self.references;
        let add = Add { px: cents(px), qty: Qty(qty), order_ref, ..Add::default() };
        assert!(self.send(ms, side, &add).is_empty());
        order_ref
    }

    fn delete(&mut self, ms: u64, order_ref: u64) -> Vec<Row> {
        self.send(ms, Side::None, &Delete { order_ref, ..Delete::default() })
    }

    fn exec(&mut self, ms: u64, order_ref: u64, qty: u64) -> Vec<Row> {
        self.send(ms, Side::None, &Exec { order_ref, qty: Qty(qty), ..Exec::default() })
    }
}

fn cents(cents: i64) -> Px {
    Px(cents * Px::ONE / 100)
}

/// The time of the last sample.
const T: u64 = 295_000;

fn at(ms: u64) -> Ns {
    Ns((400_000 + T + ms) * MS)
}

#[test]
fn the_worked_case() {
    let mut market = Market::new(BookKind::ByOrder, &[("least_levels", "2")]);
    let first = market.add(T, BID, 1_000, 250);
    let second = market.add(T + 400, BID, 999, 300);
    assert!(market.delete(T + 900, second).is_empty());
    assert!(market.exec(T + 1_200, first, 20).is_empty());
    let layering = Layering {
        nearest_px: cents(1_000),
        displayed_qty: Qty(550),
        pulled_qty: Qty(530),
        taken_qty: Qty(20),
        orders: 2,
        levels: 2,
        ..Layering::default()
    };
    let levels = LayeringLevels {
        furthest_px: cents(999),
        level_qty: Qty(750),
        median_qty: Qty(200),
        began_ts: at(0),
        grown_ts: at(400),
    };
    assert_eq!(market.delete(T + 1_300, first), [(BID, layering, levels)]);
}

/// Three levels of asks grow by so much, so many ms apart; then all is deleted at once.
fn three(market: &mut Market, qty: u64, apart: u64, deleted_at: u64) -> Vec<Row> {
    let orders: Vec<u64> = (0..3).map(|n| market.add(T + n * apart, ASK, 1_002 + n as i64, qty)).collect();
    orders.into_iter().flat_map(|order| market.delete(T + deleted_at, order)).collect()
}

#[test]
fn levels_grow_enough_together_and_are_pulled_in_time() {
    for (qty, apart, deleted_at, is_told) in [
        (200, 250, 2_500, true),
        (199, 250, 2_500, false),
        (200, 251, 2_500, false),
        (200, 250, 2_501, false),
        (200, 0, 0, true),
    ] {
        let mut market = Market::new(BookKind::ByOrder, &[]);
        let told = three(&mut market, qty, apart, deleted_at);
        assert_eq!(told.len(), usize::from(is_told), "{qty} {apart} {deleted_at}");
        if let Some((side, layering, levels)) = told.first() {
            assert_eq!((*side, layering.levels, layering.displayed_qty), (ASK, 3, Qty(600)));
            assert_eq!((layering.nearest_px, levels.furthest_px), (cents(1_002), cents(1_004)));
        }
    }
}

#[test]
fn what_is_executed_keeps_it_from_being_told() {
    for (taken, is_told) in [(30, true), (31, false)] {
        let mut market = Market::new(BookKind::ByOrder, &[]);
        let orders: Vec<u64> = (0..3).map(|n| market.add(T, ASK, 1_002 + n, 200)).collect();
        assert!(market.exec(T + 10, orders[0], taken).is_empty());
        let told: Vec<_> = orders.into_iter().flat_map(|order| market.delete(T + 20, order)).collect();
        assert_eq!(told.len(), usize::from(is_told), "{taken} of 600");
    }
}

#[test]
fn a_trade_that_comes_first_takes_what_the_cancel_behind_it_says() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    let orders: Vec<u64> = (0..3).map(|n| market.add(T, ASK, 1_002 + n, 200)).collect();
    let trade = Trade { px: cents(1_002), qty: Qty(200), ..Trade::default() };
    assert!(market.send(T + 10, BID, &trade).is_empty());
    let told: Vec<_> = orders.into_iter().flat_map(|order| market.delete(T + 10, order)).collect();
    assert!(told.is_empty(), "a third was traded");
}

#[test]
fn a_level_that_was_large_before_has_not_grown_and_a_fourth_joins() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    let before = market.add(T - 1_000, ASK, 1_003, 200);
    assert!(three(&mut market, 200, 0, 10).is_empty(), "one was there");
    assert!(market.delete(T + 20, before).is_empty());
    let mut market = Market::new(BookKind::ByOrder, &[("least_levels", "2"), ("pulled_part", "100")]);
    let told = three(&mut market, 200, 250, 2_500);
    assert_eq!(told[0].1.levels, 3, "the third is of the wave of two");
    assert_eq!(told[0].1.displayed_qty, Qty(600));
}

#[test]
fn a_replace_pulls_and_what_comes_in_its_place_is_new() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    let orders: Vec<u64> = (0..3).map(|n| market.add(T, ASK, 1_002 + n, 200)).collect();
    let told: Vec<_> = orders
        .into_iter()
        .flat_map(|order_ref| {
            let replace =
                Replace { order_ref, new_ref: order_ref + 500, px: cents(1_010), qty: Qty(200), ..Replace::default() };
            market.send(T + 600, Side::None, &replace)
        })
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].1.pulled_qty, told[0].1.orders), (Qty(600), 3));
}

#[test]
fn a_book_that_is_emptied_and_a_feed_by_level_tell_nothing() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    let orders: Vec<u64> = (0..3).map(|n| market.add(T, ASK, 1_002 + n, 200)).collect();
    assert!(market.send(T, Side::None, &Clear::default()).is_empty());
    assert!(orders.into_iter().all(|order| market.delete(T + 1, order).is_empty()));
    let mut market = Market::new(BookKind::ByLevel, &[]);
    assert!(three(&mut market, 200, 0, 10).is_empty());
}

#[test]
fn orders_that_are_not_remembered_are_not_pulled() {
    let mut market = Market::new(BookKind::ByOrder, &[("max_orders", "16")]);
    let orders: Vec<u64> = (0..3).map(|n| market.add(T, ASK, 1_002 + n, 200)).collect();
    for _ in 0..16 {
        market.add(T + 1, BID, 1_000, 1);
    }
    assert!(orders.into_iter().all(|order| market.delete(T + 10, order).is_empty()));
}

#[test]
fn the_book_says_its_levels_only_where_a_measure_asks() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    market.seq += 1;
    let add = Add { px: cents(1_001), qty: Qty(7), order_ref: 1, ..Add::default() };
    let event = Event::new(Ns(1), STOCK, Flags::LAST_OF_GROUP.with_side(BID), &add);
    let said = harness::kinds(&market.book.feed(&event));
    assert_eq!(said[..3], [Kind::LevelsShown, Kind::LevelsShown, Kind::OrderShown]);
}

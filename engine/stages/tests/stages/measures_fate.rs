//! Liquidity fate behind the book: the worked case, every way to end, what cannot be told, and sums that add up on any stream.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::stream::{opening, steps};
use flow::records::{
    Add, Cancel, Clear, Contract, Delete, Exec, Fate, FateApart, FateShown, Level, Listing, Name, Replace, Trade,
};
use flow::{
    BookKind, Event, EventId, FateBy, FatePart, Flags, InstrumentType, Kinds, Ns, Out, Px, Qty, Record, Side, Stage,
    StateWriter,
};
use proptest::prelude::*;
use stages::Space;
use stages::book::BookStage;
use stages::measures::fate::Fate as FateMeasure;
use stages::measures::{Host, One};
use std::collections::BTreeMap;

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
const STOCK: u32 = 2;
const MS: u64 = 1_000_000;
/// 2024-05-08 14:30 UTC.
const START: u64 = 1_715_178_600 * Ns::SECOND;

/// The measure with its buffer: it sees every event under the number of its input.
struct Measure {
    host: Host<One<FateMeasure>>,
    out: Out,
}

impl Measure {
    fn new(set: &[(&str, &str)]) -> Measure {
        Measure { host: Host::alone(&harness::params("fate", set), SPACE).unwrap(), out: Out::new(36, Kinds::ALL) }
    }

    /// What it emits for the input, and for what the book emits for that.
    fn rows(&mut self, book: &mut Pipeline<BookStage>, input: &Event) -> Vec<Event> {
        let place = |e: &Event| Event { id: EventId::new(input.id.seq(), 8, 0), ts: input.ts, ..*e };
        let of_book = if book.stage.reads().has(input.kind) { book.feed(input) } else { Vec::new() };
        let mut rows = Vec::new();
        for event in std::iter::once(*input).chain(of_book.iter().map(|e| place(&e.0))) {
            if self.host.reads().has(event.kind) {
                self.out.begin(&event);
                self.host.on_event(&event, &mut self.out);
                assert!(self.out.events().len() <= self.host.fan_out());
                rows.extend_from_slice(self.out.events());
            }
        }
        rows
    }
}

/// A book and the measure behind it, and what it emitted last.
struct Market {
    book: Pipeline<BookStage>,
    fate: Measure,
    seq: u64,
    rows: Vec<Event>,
}

fn cents(cents: i64) -> Px {
    Px(cents * 10_000_000)
}

impl Market {
    fn new(kind: BookKind, set: &[(&str, &str)]) -> Market {
        let mut book = harness::book(64, 256, 8);
        book.stage = book.stage.saying_orders(true);
        let mut market = Market { book, fate: Measure::new(set), seq: 0, rows: Vec::new() };
        let listing = Listing {
            tick_px: cents(1),
            venue: *b"XNAS",
            calendar: *b"XNAS",
            instrument_type: InstrumentType::Equity as u8,
            book: kind as u8,
            ..Listing::default()
        };
        let name = Name { len: 1, parts: 1, ..Name::default() };
        market.send(0, Side::None, Flags::NONE, &name);
        market.send(0, Side::None, Flags::NONE, &listing);
        market
    }

    /// An input so many nanoseconds after the start; the rows are those that it emits.
    fn send<R: Record>(&mut self, after: u64, side: Side, flags: Flags, record: &R) {
        self.seq += 1;
        let flags = flags.with(Flags::LAST_OF_GROUP).with_side(side);
        let input = Event { id: EventId::new(self.seq, 0, 0), ..Event::new(Ns(START + after), STOCK, flags, record) };
        self.rows = self.fate.rows(&mut self.book, &input);
    }

    fn add(&mut self, after: u64, side: Side, order_ref: u64, px: Px, qty: u64) {
        self.send(after, side, Flags::NONE, &Add { order_ref, px, qty: Qty(qty), ..Add::default() });
    }

    fn exec(&mut self, after: u64, order_ref: u64, qty: u64) {
        self.send(after, Side::None, Flags::NONE, &Exec { order_ref, px: Px::NONE, qty: Qty(qty), ..Exec::default() });
    }

    fn delete(&mut self, after: u64, order_ref: u64) {
        self.send(after, Side::None, Flags::NONE, &Delete { order_ref, px: Px::NONE, ..Delete::default() });
    }

    fn replace(&mut self, after: u64, order_ref: u64, new_ref: u64, px: Px, qty: u64) {
        let replace = Replace { order_ref, new_ref, px, qty: Qty(qty), ..Replace::default() };
        self.send(after, Side::None, Flags::NONE, &replace);
    }

    /// Ends the interval with a message that changes nothing, and gives its sums: taken, pulled, moved by side and part, and what
    /// is displayed, still, unknown and unseen.
    fn sums(&mut self, after: u64) -> Sums {
        self.send(after, Side::None, Flags::NONE, &Cancel { order_ref: 999, px: Px::NONE, ..Cancel::default() });
        Sums::of(&self.rows)
    }
}

#[derive(Debug, Default, PartialEq)]
struct Sums {
    ended: BTreeMap<(u8, Side, FatePart), [u64; 3]>,
    shown: BTreeMap<(Side, FatePart), [u64; 4]>,
}

impl Sums {
    fn of(rows: &[Event]) -> Sums {
        let mut sums = Sums::default();
        let part = |code| FatePart::from_code(code).unwrap();
        for (at, row) in rows.iter().enumerate() {
            if let Some(fate) = row.get::<Fate>() {
                let ended = [fate.taken.0, fate.pulled.0, fate.moved.0];
                assert!(sums.ended.insert((fate.parts_by, row.side(), part(fate.part)), ended).is_none(), "twice");
            } else if let Some(shown) = row.get::<FateShown>() {
                let fate: &Fate = rows[at - 1].get().expect("its fate stands before it");
                assert_eq!(
                    (fate.parts_by, fate.part, rows[at - 1].side()),
                    (FateBy::Rank.code(), shown.part, row.side())
                );
                let ended = fate.taken.0 + fate.pulled.0 + fate.moved.0 + fate.expired.0;
                assert_eq!(shown.displayed.0, ended + shown.still.0 + shown.unknown.0 + shown.unseen.0);
                let left = [shown.displayed.0, shown.still.0, shown.unknown.0, shown.unseen.0];
                assert!(sums.shown.insert((row.side(), part(shown.part)), left).is_none(), "twice");
            }
        }
        sums.check();
        sums
    }

    /// Ranks, distances and ages divide the same.
    fn check(&self) {
        for side in [Side::Buy, Side::Sell] {
            let sum = |by: FateBy, how: usize| -> u64 {
                let its = self
                    .ended
                    .iter()
                    .filter(|((b, s, part), _)| (*b, *s) == (by.code(), side) && *part != FatePart::Before);
                its.map(|(_, ended)| ended[how]).sum()
            };
            for how in 0..3 {
                let by_rank = sum(FateBy::Rank, how);
                assert_eq!([by_rank; 2], [sum(FateBy::Distance, how), sum(FateBy::Age, how)], "{side:?} {how}");
                assert_eq!(sum(FateBy::ChainAge, how), if how == 2 { 0 } else { by_rank });
            }
        }
    }

    fn at(&self, by: FateBy, side: Side, part: FatePart) -> [u64; 3] {
        self.ended.get(&(by.code(), side, part)).copied().unwrap_or_default()
    }

    fn left(&self, side: Side, part: FatePart) -> [u64; 4] {
        self.shown.get(&(side, part)).copied().unwrap_or_default()
    }
}

use FateBy::{Age, ChainAge, Distance, Rank};
use FatePart::{Before, Best, Level1, Level3, Tick1, Within10ms, Within10s};
use Side::{Buy, Sell};

#[test]
fn the_worked_case_of_the_page() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    market.add(0, Buy, 1, cents(1_000), 300);
    market.exec(4 * MS, 1, 200);
    market.add(5 * MS, Buy, 2, cents(1_000), 50);
    market.replace(6 * MS, 1, 3, cents(999), 150);
    market.delete(2_006 * MS, 3);
    let sums = market.sums(60_000 * MS);
    assert_eq!((sums.at(Rank, Buy, Level1), sums.left(Buy, Level1)), ([200, 0, 100], [350, 50, 0, 0]));
    assert_eq!((sums.at(Rank, Buy, Level3), sums.left(Buy, Level3)), ([0, 150, 0], [150, 0, 0, 0]));
    assert_eq!((sums.at(Distance, Buy, Best), sums.at(Distance, Buy, Tick1)), ([200, 0, 100], [0, 150, 0]));
    assert_eq!((sums.at(Age, Buy, Within10ms), sums.at(Age, Buy, Within10s)), ([200, 0, 100], [0, 150, 0]));
    assert_eq!((sums.at(ChainAge, Buy, Within10ms), sums.at(ChainAge, Buy, Within10s)), ([200, 0, 0], [0, 150, 0]));
    assert!(market.sums(120_000 * MS).shown.is_empty(), "nothing has changed");
}

#[test]
fn less_at_the_same_price_is_pulled_whatever_the_reference() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    market.add(0, Sell, 1, cents(1_000), 100);
    market.replace(0, 1, 1, cents(1_000), 80);
    market.replace(0, 1, 2, cents(1_000), 70);
    market.replace(0, 2, 2, cents(1_000), 70);
    assert_eq!(market.sums(60_000 * MS).at(Rank, Sell, Level1), [0, 30, 0]);
    market.replace(60_000 * MS, 2, 2, cents(1_000), 71);
    market.replace(60_000 * MS, 2, 3, cents(1_001), 71);
    market.replace(60_000 * MS, 3, 4, cents(1_001), 0);
    let sums = market.sums(120_000 * MS);
    assert_eq!((sums.at(Rank, Sell, Level1), sums.left(Sell, Level1)), ([0, 101, 141], [242, 0, 0, 0]));
}

#[test]
fn a_trade_takes_what_the_next_message_of_its_time_and_price_removes() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    market.add(0, Sell, 1, cents(1_000), 10);
    market.add(0, Sell, 2, cents(1_000), 10);
    let trade = |exchange_ts, qty| Trade { exchange_ts, px: cents(1_000), qty: Qty(qty), ..Trade::default() };
    let cancel = |exchange_ts, order_ref, qty| Cancel {
        exchange_ts,
        order_ref,
        px: cents(1_000),
        qty: Qty(qty),
        ..Cancel::default()
    };
    market.send(1, Buy, Flags::NONE, &trade(Ns(7), 4));
    market.send(1, Sell, Flags::NONE, &cancel(Ns(7), 1, 6));
    market.send(1, Sell, Flags::NONE, &cancel(Ns(7), 1, 1));
    market.send(2, Buy, Flags::NONE, &trade(Ns(8), 4));
    market.send(3, Sell, Flags::NONE, &cancel(Ns(9), 2, 4));
    market.send(4, Side::None, Flags::HIDDEN, &trade(Ns(10), 9));
    let sums = market.sums(60_000 * MS);
    assert_eq!((sums.at(Rank, Sell, Level1), sums.left(Sell, Level1)), ([4, 7, 0], [20, 9, 0, 0]));
    let apart: Vec<_> = market.rows.iter().filter_map(|row| row.get::<FateApart>()).collect();
    assert_eq!((apart.len(), apart[0].hidden, apart[0].left_out), (1, Qty(9), Qty(0)));
}

#[test]
fn what_rested_before_stands_by_itself() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    let add = |order_ref| Add { order_ref, px: cents(1_000), qty: Qty(10), ..Add::default() };
    market.send(0, Buy, Flags::SNAPSHOT, &add(1));
    market.exec(0, 1, 3);
    market.exec(0, 77, 5);
    let cancel = Cancel { order_ref: 78, px: cents(990), qty: Qty(6), ..Cancel::default() };
    market.send(0, Sell, Flags::NONE, &cancel);
    market.send(0, Buy, Flags::NONE, &add(2));
    let sums = market.sums(60_000 * MS);
    assert_eq!((sums.at(Rank, Buy, Before), sums.left(Buy, Before)), ([3, 0, 0], [10, 0, 7, 0]));
    assert_eq!((sums.at(Rank, Sell, Before), sums.left(Sell, Before)), ([0, 6, 0], [6, 0, 0, 0]));
    assert_eq!((sums.at(Rank, Side::None, Before), sums.left(Side::None, Before)), ([5, 0, 0], [5, 0, 0, 0]));
    assert!(sums.ended.keys().all(|(by, ..)| *by == Rank.code()), "rank, age and distance are not known");
    // The next day has what is left of both as before.
    let day = 86_400_000 * MS;
    assert_eq!(market.sums(day), Sums::default(), "it was emitted already");
    market.delete(day, 2);
    market.delete(day, 1);
    let sums = market.sums(day + 60_000 * MS);
    assert_eq!((sums.at(Rank, Buy, Before), sums.left(Buy, Before)), ([0, 17, 0], [17, 0, 0, 0]));
    assert_eq!(sums.shown.len(), 1);
}

#[test]
fn a_clear_loses_what_rests_and_a_new_session_does_not() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    market.add(0, Buy, 1, cents(1_000), 10);
    market.send(1, Side::None, Flags::NONE, &Clear::default());
    market.add(2, Buy, 1, cents(1_000), 20);
    let day = 86_400_000 * MS;
    market.send(day, Side::None, Flags::NONE, &Clear::default());
    assert_eq!(Sums::of(&market.rows).left(Buy, Level1), [30, 20, 10, 0]);
    market.add(day, Sell, 1, cents(1_000), 5);
    assert_eq!(market.sums(day + 60_000 * MS).shown.into_iter().collect::<Vec<_>>(), [((Sell, Level1), [5, 5, 0, 0])]);
}

#[test]
fn what_rests_when_a_contract_ends_expires() {
    let mut market = Market::new(BookKind::ByOrder, &[]);
    market.send(0, Side::None, Flags::NONE, &Contract { expiry: Ns(START + MS), ..Contract::default() });
    market.add(0, Buy, 1, cents(1_000), 10);
    market.exec(0, 1, 4);
    assert_eq!(market.sums(60_000 * MS).left(Buy, Level1), [10, 6, 0, 0], "its session goes on");
    let day = 86_400_000 * MS;
    assert_eq!(market.sums(day).left(Buy, Level1), [10, 0, 0, 0]);
    let expired: Vec<_> = market.rows.iter().filter_map(|row| row.get::<Fate>()).map(|fate| fate.expired.0).collect();
    assert_eq!(expired.iter().sum::<u64>(), 6);
    assert_eq!(market.sums(day + 60_000 * MS), Sums::default());
}

#[test]
fn by_level_an_order_out_of_sight_is_unknown_until_its_price_comes_back() {
    let mut market = Market::new(BookKind::ByLevel, &[]);
    let level = |px, qty| Level { px: cents(px), qty: Qty(qty), ..Level::default() };
    market.add(0, Buy, 1, cents(1_000), 10);
    market.add(0, Buy, 2, cents(1_001), 5);
    market.send(0, Buy, Flags::SNAPSHOT, &level(1_000, 0));
    let sums = market.sums(60_000 * MS);
    assert_eq!(sums.left(Buy, Level1), [15, 5, 10, 0]);
    market.send(60_000 * MS, Buy, Flags::SNAPSHOT, &level(1_000, 30));
    let delete = |order_ref, px, qty| Delete { order_ref, px: cents(px), qty: Qty(qty), ..Delete::default() };
    market.send(60_000 * MS, Buy, Flags::NONE, &delete(2, 1_001, 3));
    market.send(60_000 * MS, Buy, Flags::NONE, &delete(50, 1_000, 4));
    let sums = market.sums(120_000 * MS);
    assert_eq!((sums.at(Rank, Buy, Level1), sums.left(Buy, Level1)), ([0, 3, 0], [15, 10, 0, 2]));
    assert_eq!((sums.at(Rank, Buy, Before), sums.left(Buy, Before)), ([0, 4, 0], [4, 0, 0, 0]));
}

#[test]
fn what_finds_no_room_is_left_out_and_named() {
    let mut market = Market::new(BookKind::ByOrder, &[("max_orders", "16")]);
    for order_ref in 1..=18 {
        market.add(0, Sell, order_ref, cents(1_000), 10);
    }
    market.exec(0, 17, 10);
    market.exec(0, 1, 10);
    let sums = market.sums(60_000 * MS);
    assert_eq!((sums.at(Rank, Sell, Level1), sums.left(Sell, Level1)), ([10, 0, 0], [160, 150, 0, 0]));
    let apart = market.rows.iter().find_map(|row| row.get::<FateApart>()).expect("two had no room");
    assert_eq!((apart.hidden, apart.left_out), (Qty(0), Qty(20)));
    assert!(
        sums.shown.keys().all(|(side, _)| *side != Side::None),
        "an execution of one of these is of no order before"
    );
}

proptest! {
    #[test]
    fn sums_add_up_on_any_stream(steps in steps(200)) {
        let mut book = harness::book(64, 256, 8);
        book.stage = book.stage.saying_orders(true);
        let mut fate = Measure::new(&[("every", "3600")]);
        let inputs = opening().0.into_iter().chain((1..).zip(&steps).map(|(i, s)| s.event(i * 1_300 * Ns::SECOND)));
        for (seq, input) in (1..).zip(inputs) {
            let input = Event { id: EventId::new(seq, 0, 0), ..input };
            Sums::of(&fate.rows(&mut book, &input));
        }
    }

    /// What is shown beforehand is sometimes right, sometimes not, sometimes short: it must not matter.
    #[test]
    fn what_it_is_shown_ahead_changes_nothing(steps in steps(400)) {
        let (openings, listings) = opening();
        let stream = (1..).zip(&steps).map(|(i, step)| step.event(i * 1_300 * Ns::SECOND));
        let inputs: Vec<Event> = openings.into_iter().chain(stream).collect();
        let run = |is_shown: bool| {
            let mut book = harness::book(64, 256, 8);
            book.stage = book.stage.saying_orders(true);
            let mut fate = Measure::new(&[("every", "3600"), ("max_orders", "16")]);
            let mut rows = Vec::new();
            for (at, input) in inputs.iter().enumerate() {
                if is_shown {
                    fate.host.prefetch(&inputs[if at % 3 == 0 { at * 2 / 3 } else { at + 1 }..]);
                }
                rows.extend(fate.rows(&mut book, &Event { id: EventId::new(1 + at as u64, 0, 0), ..*input }));
            }
            let mut writer = StateWriter::new(&listings);
            fate.host.save(&mut writer);
            (rows, writer.into_bytes())
        };
        prop_assert!(run(true) == run(false));
    }
}

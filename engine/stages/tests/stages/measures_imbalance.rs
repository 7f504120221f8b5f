//! Imbalance behind the book stage, against sums over the book's own depth at every top that it emits.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::stream::{listing, opening, steps};
use flow::records::{Add, BookTop, Delete, Imbalance, Level};
use flow::{BookKind, Event, Flags, InstrumentType, Kind, Ns, Px, Qty, Real, Side, Stage};
use proptest::prelude::*;
use stages::Space;
use stages::book::BookStage;
use stages::measures::imbalance::Imbalance as ImbalanceMeasure;
use stages::measures::{Host, One};

fn pipeline(levels: u32, weighting: &str, max_levels: u32) -> Pipeline<Host<One<ImbalanceMeasure>>> {
    let (levels, max) = (levels.to_string(), max_levels.to_string());
    let set = [("levels", &*levels), ("weighting", weighting), ("max_levels", &max), ("max_books", "8")];
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    Pipeline::new(Host::alone(&harness::params("imbalance", &set), space).unwrap())
}

/// Weight of the k-th level by its definition.
fn weight(weighting: &str, k: usize) -> f64 {
    match weighting {
        "equal" => 1.0,
        "harmonic" => 1.0 / k as f64,
        _ => libm::exp(-0.5 * (k as f64 - 1.0)),
    }
}

fn near(a: Real, b: f64) -> bool {
    a.known().map_or(b.is_nan(), |a| (a - b).abs() < 1e-12 && a.abs() <= 1.0)
}

/// The nearest of the candidates around a quotient; the even one of two that are as near.
fn quotient(a: i128, b: i128) -> Px {
    let near = (a / b - 1..=a / b + 1).min_by_key(|v| ((v * b - a).abs(), v % 2 != 0));
    Px(near.unwrap() as i64)
}

/// What must be measured at a top, from the book as it stands.
fn check(found: &Imbalance, top: &BookTop, book: &BookStage, instrument: u32, levels: u32, weighting: &str) {
    assert_eq!((found.levels, found.reserved), (levels, [0; 2]));
    let side = |side: Side| book.books().book(instrument).unwrap().depth(side).take(levels as usize);
    let weighed = |s| side(s).enumerate().map(|(i, l)| weight(weighting, i + 1) * l.qty.0 as f64).sum::<f64>();
    if top.bid_px == Px::NONE || top.ask_px == Px::NONE {
        assert_eq!(
            (found.l1, found.depth, found.mid, found.weighted_mid),
            (Real::NONE, Real::NONE, Px::NONE, Px::NONE)
        );
        return;
    }
    let ratio = |b: f64, a: f64| (b - a) / (b + a);
    let [b, a] = [top.bid_qty.0, top.ask_qty.0];
    assert!(near(found.l1, ratio(b as f64, a as f64)));
    assert!(near(found.depth, ratio(weighed(Side::Buy), weighed(Side::Sell))), "{found:?} at {top:?}");
    let [pb, pa, b, a] = [top.bid_px.0.into(), top.ask_px.0.into(), i128::from(b), i128::from(a)];
    assert_eq!((found.mid, found.weighted_mid), (quotient(pb + pa, 2), quotient(pa * b + pb * a, a + b)));
}

/// Hands an input and what the book emits to the measure; gives every top with what was measured.
fn both(
    book: &mut Pipeline<BookStage>,
    pipeline: &mut Pipeline<Host<One<ImbalanceMeasure>>>,
    event: &Event,
) -> Vec<(BookTop, Event)> {
    let mut found = Vec::new();
    if pipeline.stage.reads().has(event.kind) {
        assert!(pipeline.feed(event).is_empty());
    }
    for emitted in book.feed(event) {
        if pipeline.stage.reads().has(emitted.0.kind) {
            let measured = pipeline.feed_from(1, &emitted.0);
            assert_eq!(measured.len(), usize::from(emitted.0.kind == Kind::BookTop));
            found.extend(measured.iter().map(|m| (*emitted.0.record::<BookTop>(), m.0)));
        }
    }
    found
}

const WEIGHTINGS: [&str; 3] = ["equal", "harmonic", "exponential"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn depth_is_the_books(steps in steps(400), levels in 1..8_u32, weighting in 0..3_usize) {
        let (weighting, opening, mut book) = (WEIGHTINGS[weighting], opening().0, harness::book(64, 256, 8));
        let mut pipeline = pipeline(levels, weighting, 256);
        for event in opening.iter().copied().chain(steps.iter().map(|s| s.event(2))) {
            for (top, measured) in both(&mut book, &mut pipeline, &event) {
                prop_assert_eq!(measured.instrument, event.instrument);
                check(measured.record(), &top, &book.stage, event.instrument, levels, weighting);
            }
        }
    }

    #[test]
    fn a_ladder_that_is_not_whole_is_silent(steps in steps(400)) {
        let (opening, mut book, mut pipeline) = (opening().0, harness::book(64, 64, 6), pipeline(5, "equal", 16));
        for event in opening.iter().copied().chain(steps.iter().map(|s| s.event(2))) {
            for (top, measured) in both(&mut book, &mut pipeline, &event) {
                let found: &Imbalance = measured.record();
                // Absent, or right.
                if found.l1 != Real::NONE && found.depth == Real::NONE {
                    continue;
                }
                check(found, &top, &book.stage, event.instrument, 5, "equal");
            }
        }
    }
}

fn level(side: Side, px: i64, qty: u64) -> Event {
    let record = Level { px: Px(px * 10_000_000), qty: Qty(qty), ..Default::default() };
    Event { source: 1, ..Event::new(Ns(1), 3, Flags::LAST_OF_GROUP.with_side(side), &record) }
}

#[test]
fn the_worked_numbers() {
    let bids = [(10_000, 300), (9_999, 200), (9_998, 500)].map(|(px, qty)| level(Side::Buy, px, qty));
    let asks = [(10_002, 100), (10_003, 400), (10_004, 300)].map(|(px, qty)| level(Side::Sell, px, qty));
    for (weighting, depth) in WEIGHTINGS.into_iter().zip(["0.111111", "0.172414", "0.143892"]) {
        let (mut book, mut pipeline) = (harness::book(64, 64, 6), pipeline(3, weighting, 64));
        let worst_first = bids.iter().rev().chain(asks.iter().rev());
        let found = opening().0.iter().chain(worst_first).flat_map(|e| both(&mut book, &mut pipeline, e)).last();
        let found: &Imbalance = &found.unwrap().1.record::<Imbalance>().to_owned();
        assert_eq!(
            (found.l1, found.mid, found.weighted_mid),
            (Real::of(0.5), Px(100_010_000_000), Px(100_015_000_000))
        );
        assert_eq!(format!("{:.6}", f64::from(found.depth)), depth, "{weighting}");
    }
}

/// An instrument is listed again as an equity while an order rests below zero: its level leaves the ladder with the order.
#[test]
fn a_level_below_zero_leaves_with_its_order() {
    let (mut book, mut pipeline) = (harness::book(64, 64, 8), pipeline(2, "equal", 64));
    let order = |order_ref, side, px, qty| {
        let record = Add { order_ref, px: Px(px), qty: Qty(qty), ..Default::default() };
        Event::new(Ns(1), 1, Flags::LAST_OF_GROUP.with_side(side), &record)
    };
    let gone = Event::new(Ns(1), 1, Flags::NONE, &Delete { order_ref: 1, ..Default::default() });
    let listed = |instrument_type| {
        let events = listing(1, BookKind::ByOrder, instrument_type);
        events.into_iter().find(|event| event.kind == Kind::Listing).unwrap()
    };
    let [future, equity] = [InstrumentType::Future, InstrumentType::Equity].map(listed);
    let rest = [gone, order(2, Side::Buy, 100, 3), order(3, Side::Sell, 101, 1)];
    let events = [future, order(1, Side::Sell, -5, 1), equity].into_iter().chain(rest);
    let tops: Vec<_> = events.flat_map(|event| both(&mut book, &mut pipeline, &event)).collect();
    assert_eq!(tops.last().unwrap().1.record::<Imbalance>().depth, Real::of(0.5));
}

#[test]
fn the_touch_alone_reads_no_levels() {
    let reads = pipeline(1, "equal", 64).stage.reads();
    assert_eq!(reads.iter().collect::<Vec<_>>(), [Kind::Listing, Kind::BookTop], "a listing takes memory");
}

#[test]
fn halves_are_even_and_the_largest_touch_does_not_overflow() {
    let mut pipeline = pipeline(1, "equal", 64);
    let mut found = |bid: (i64, u64), ask: (i64, u64)| {
        let top = BookTop {
            bid_px: Px(bid.0),
            bid_qty: Qty(bid.1),
            ask_px: Px(ask.0),
            ask_qty: Qty(ask.1),
            exchange_ts: Ns(1),
        };
        *pipeline.feed(&Event::new(Ns(1), 1, Flags::NONE, &top))[0].0.record::<Imbalance>()
    };
    assert_eq!(found((1, 1), (2, 1)).mid, Px(2));
    assert_eq!(found((2, 1), (3, 1)).weighted_mid, Px(2));
    assert_eq!(found((-2, 1), (-1, 1)).mid, Px(-2));
    let most = found((i64::MAX - 2, u64::MAX), (i64::MAX - 1, u64::MAX));
    assert_eq!((most.l1, most.mid, most.weighted_mid), (Real::of(0.0), Px(i64::MAX - 1), Px::NONE));
}

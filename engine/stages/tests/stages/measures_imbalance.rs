//! Imbalance behind the book stage, against sums over the book's own depth at every top that it emits.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::stream::{listing, opening, steps};
use flow::records::{Add, BookTop, Delete, Imbalance, Level, WeighedDepth};
use flow::{BookKind, Event, EventId, Flags, InstrumentType, Kind, Kinds, Ns, Out, Params, Px, Qty, Real, Side, Stage};
use proptest::prelude::*;
use stages::book::{BookStage, Weighing};
use stages::measures::imbalance::Imbalance as ImbalanceMeasure;
use stages::measures::{Host, Measure, One};
use stages::{Instance, Instanced, Instances, Part, Space};
use std::collections::BTreeMap;

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };

fn params(levels: u32, weighting: &str) -> Params {
    harness::params("imbalance", &[("levels", &levels.to_string()), ("weighting", weighting)])
}

fn pipeline(levels: u32, weighting: &str) -> Pipeline<Host<One<ImbalanceMeasure>>> {
    Pipeline::new(Host::alone(&params(levels, weighting), SPACE).unwrap())
}

/// A book with these limits that such a measure asks for its depth.
fn asked(orders: u32, limits: (u32, u32), levels: u32, weighting: &str) -> Pipeline<BookStage> {
    let asked: Vec<Weighing> = ImbalanceMeasure::weighing(&params(levels, weighting)).into_iter().collect();
    harness::book_weighing(orders, limits.0, limits.1, &asked)
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
    pipeline.next_input();
    for emitted in book.feed(event) {
        if pipeline.stage.reads().has(emitted.0.kind) {
            let measured = pipeline.feed_again(&emitted.0);
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
        let (weighting, opening) = (WEIGHTINGS[weighting], opening().0);
        let (mut book, mut pipeline) = (asked(64, (256, 8), levels, weighting), pipeline(levels, weighting));
        for event in opening.iter().copied().chain(steps.iter().map(|s| s.event(2))) {
            for (top, measured) in both(&mut book, &mut pipeline, &event) {
                prop_assert_eq!(measured.instrument, event.instrument);
                check(measured.record(), &top, &book.stage, event.instrument, levels, weighting);
            }
        }
    }

    /// Where the book has no room for a level it has none: the depth is that of the others.
    #[test]
    fn a_book_that_is_full_has_the_depth_that_it_keeps(steps in steps(400)) {
        let (opening, mut book, mut pipeline) = (opening().0, asked(64, (16, 6), 5, "equal"), pipeline(5, "equal"));
        for event in opening.iter().copied().chain(steps.iter().map(|s| s.event(2))) {
            for (top, measured) in both(&mut book, &mut pipeline, &event) {
                check(measured.record(), &top, &book.stage, event.instrument, 5, "equal");
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
        let (mut book, mut pipeline) = (asked(64, (64, 6), 3, weighting), pipeline(3, weighting));
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

/// An instrument is listed again as an equity while an order rests below zero: its level leaves the book with the order.
#[test]
fn a_level_below_zero_leaves_with_its_order() {
    let (mut book, mut pipeline) = (asked(64, (64, 8), 2, "equal"), pipeline(2, "equal"));
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
    let reads = pipeline(1, "equal").stage.reads();
    assert_eq!(
        reads.iter().collect::<Vec<_>>(),
        [Kind::Listing, Kind::Gap, Kind::BookTop],
        "a listing takes memory, a gap marks"
    );
    assert_eq!(ImbalanceMeasure::weighing(&params(1, "equal")), None);
}

#[test]
fn halves_are_even_and_the_largest_touch_does_not_overflow() {
    let mut pipeline = pipeline(1, "equal");
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

/// A `weighed-depth` is of one input, one instrument and one weighing.
#[test]
fn the_depth_of_anything_else_is_unknown() {
    let mut stage = Host::<One<ImbalanceMeasure>>::alone(&params(2, "equal"), SPACE).unwrap();
    let told = |levels, weighting, lambda| {
        let (bid, ask) = (Real::of(3.0), Real::of(1.0));
        WeighedDepth { bid, ask, lambda, levels, weighting, ..Default::default() }
    };
    let own = told(2, 1, Real::NONE);
    let top = BookTop { bid_px: Px(1), bid_qty: Qty(1), ask_px: Px(2), ask_qty: Qty(1), exchange_ts: Ns(1) };
    let mut found = |depth: &WeighedDepth, seq: u64, instrument: u32| {
        let mut out = Out::new(36, Kinds::ALL);
        let depth = Event::new(Ns(1), instrument, Flags::NONE, depth);
        let top = Event::new(Ns(1), 1, Flags::NONE, &top);
        for event in [Event { id: EventId::new(seq, 8, 0), ..depth }, Event { id: EventId::new(9, 8, 0), ..top }] {
            out.begin(&event);
            stage.on_event(&event, &mut out);
        }
        out.events()[0].record::<Imbalance>().depth
    };
    assert_eq!(found(&own, 9, 1), Real::of(0.5));
    assert_eq!(found(&own, 8, 1), Real::NONE, "of another input");
    assert_eq!(found(&own, 9, 2), Real::NONE, "of another instrument");
    for other in [told(3, 1, Real::NONE), told(2, 2, Real::NONE), told(2, 3, Real::of(0.5))] {
        assert_eq!(found(&other, 9, 1), Real::NONE, "of another weighing");
    }
}

/// The stages of a pipeline of the book and instances of imbalance, each with levels and weighting.
fn several(of: &[(u32, &str)]) -> Vec<Box<dyn Stage>> {
    let mut instances = Instances::PLAIN;
    for at in 0..of.len() {
        let instance = Instance { name: format!("i{at}"), uses: "imbalance", given: 0, number: 0 };
        instances.add(Instanced::Measures, instance);
    }
    instances.number(&Instances::PLAIN).unwrap();
    let named = |(at, (levels, weighting)): (usize, &(u32, &str))| (format!("i{at}"), params(*levels, weighting));
    let mut all: BTreeMap<String, Params> = of.iter().enumerate().map(named).collect();
    all.insert("book".to_owned(), harness::params("book", &[]));
    let parts = instances.uncut(|name| all.contains_key(name));
    let build = |part: &Part| part.build(|name| &all[name], &instances, SPACE).unwrap();
    parts.iter().map(build).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Each instance has its own depth, whoever else asks the book; equal ones ask once.
    #[test]
    fn instances_with_different_weighings_do_not_mix(
        steps in steps(300),
        of in prop::collection::vec((1..6_u32, 0..3_usize), 2..6),
    ) {
        let of: Vec<(u32, &str)> = of.into_iter().map(|(levels, weighting)| (levels, WEIGHTINGS[weighting])).collect();
        let mut stages = several(&of);
        let [book, measures] = &mut stages[..] else { panic!("a book and a host") };
        let mut different: Vec<_> = of.iter().filter(|(levels, _)| *levels > 1).collect();
        different.sort_unstable();
        different.dedup();
        let (mut told, mut measured) = (Out::new(8, harness::EVERYTHING), Out::new(36, Kinds::ALL));
        let reads = measures.reads();
        let mut naive = harness::book(64, 256, 8);
        let inputs = opening().0.into_iter().chain(steps.iter().map(|s| s.event(2)));
        for (seq, input) in (1..).zip(inputs) {
            let input = Event { id: EventId::new(seq, 0, 0), ..input };
            told.begin(&input);
            book.on_event(&input, &mut told);
            naive.feed(&input);
            let depths = told.events().iter().filter(|e| e.kind == Kind::WeighedDepth).count();
            let tops = told.events().iter().filter(|e| e.kind == Kind::BookTop).count();
            prop_assert_eq!(depths, tops * different.len(), "one for each that differs, before each top");
            for event in std::iter::once(&input).chain(told.events()).filter(|e| reads.has(e.kind)) {
                measured.begin(event);
                measures.on_event(event, &mut measured);
                let found: Vec<&Imbalance> = measured.events().iter().map(|e| e.record()).collect();
                prop_assert_eq!(found.len(), if event.kind == Kind::BookTop { of.len() } else { 0 });
                for (found, (levels, weighting)) in found.iter().zip(&of) {
                    check(found, event.record(), &naive.stage, event.instrument, *levels, weighting);
                }
            }
        }
    }

    /// Who asks, or listens, changes nothing else: the same events with the same ids.
    #[test]
    fn telling_the_depth_changes_no_other_event(steps in steps(300)) {
        let inputs: Vec<Event> = opening().0.into_iter().chain(steps.iter().map(|s| s.event(2))).collect();
        let run = |asks: bool, wanted: Kinds| {
            let asked = [Weighing::new(5, flow::Weighting::Equal, 0.0), Weighing::new(2, flow::Weighting::Harmonic, 0.0)];
            let mut book = harness::book(64, 256, 8).stage.weighing(if asks { &asked } else { &[] });
            let mut out = Out::new(8, wanted);
            let each = inputs.iter().zip(1..).flat_map(|(input, seq)| {
                out.begin(&Event { id: EventId::new(seq, 0, 0), ..*input });
                book.on_event(input, &mut out);
                out.events().to_vec()
            });
            each.collect::<Vec<Event>>()
        };
        let plain = run(false, harness::EVERYTHING);
        prop_assert_eq!(&run(true, Kinds::ALL), &plain, "nobody listens");
        let told = run(true, harness::EVERYTHING);
        let (inside, others): (Vec<Event>, Vec<Event>) = told.into_iter().partition(|e| e.kind.is_inside());
        prop_assert_eq!(&others, &plain);
        prop_assert_eq!(inside.len(), 2 * plain.iter().filter(|e| e.kind == Kind::BookTop).count());
    }
}

#[test]
fn only_who_looks_behind_the_touch_asks_the_book() {
    let emits = |of: &[(u32, &str)]| several(of)[0].emits().has(Kind::WeighedDepth);
    assert!(!emits(&[(1, "equal"), (1, "harmonic")]) && emits(&[(1, "equal"), (2, "harmonic")]));
    let fan_out = |of: &[(u32, &str)]| several(of)[0].fan_out();
    assert_eq!(fan_out(&[(2, "equal"), (2, "equal"), (3, "equal")]), fan_out(&[(1, "equal")]) + 2);
}

#[test]
fn the_imbalance_of_a_crossed_touch_says_so() {
    let mut pipeline = pipeline(1, "equal");
    opening().0.iter().filter(|e| e.kind == Kind::Listing).for_each(|e| drop(pipeline.feed(e)));
    for badge in [Flags::NONE, Flags::CROSSED] {
        let top = BookTop { bid_px: Px(2), bid_qty: Qty(1), ask_px: Px(3), ask_qty: Qty(1), ..BookTop::default() };
        let emitted = pipeline.feed(&Event::new(Ns(1), 1, Flags::LAST_OF_GROUP.with(badge), &top));
        assert_eq!(emitted[0].0.flags.has(Flags::CROSSED), badge == Flags::CROSSED);
    }
}

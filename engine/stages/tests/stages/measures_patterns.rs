//! Patterns of trades, venue scores and toxicity: the worked numbers, what a feed cannot tell, and references that keep every trade.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::measures_trades;
use flow::records::{
    Add, Anomaly, BookTop, ImbalanceVariability, Listing, PatternScore, Toxicity, ToxicityParts, Trade, TradePattern,
    TradeVenue, VenueScore, Vpin,
};
use flow::{
    AnomalyKind, Event, Flags, HiddenTrade, IcebergTrade, Kind, Ns, Px, Qty, Real, Side, Tell, ToxicityLabel,
    ToxicityWeights,
};
use proptest::prelude::*;
use stages::Space;
use stages::measures::patterns::Patterns;
use stages::measures::toxicity::Toxicity as Blend;
use stages::measures::venues::Venues;
use stages::measures::{Host, Measure, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
const STOCK: u32 = 2;
const MS: u64 = 1_000_000;

type Stages<M> = Pipeline<Host<One<M>>>;

fn new<M: Measure>(name: &str, set: &[(&str, &str)]) -> Stages<M> {
    Pipeline::new(Host::alone(&harness::params(name, set), SPACE).unwrap())
}

/// A stock of this round lot at Nasdaq.
fn listed<M: Measure>(mut pipeline: Stages<M>, round_lot: u32) -> Stages<M> {
    let listing = Listing { round_lot, multiplier: Px::ONE, venue: *b"XNAS", ..Listing::default() };
    assert!(pipeline.feed(&Event::new(Ns(0), STOCK, Flags::NONE, &listing)).is_empty());
    pipeline
}

fn patterns(set: &[(&str, &str)], round_lot: u32) -> Stages<Patterns> {
    listed(new("patterns", set), round_lot)
}

fn cents(cents: i64) -> Px {
    Px::from_scaled(cents, 2)
}

/// A trade at a time in milliseconds.
fn trade(ms: u64, flags: Flags, px: i64, qty: u64, order_ref: u64) -> Event {
    let trade = Trade { px: cents(px), qty: Qty(qty), order_ref, ..Trade::default() };
    Event::new(Ns(ms * MS), STOCK, flags, &trade)
}

const BOUGHT: Flags = Flags::side_only(Side::Buy);
const SOLD: Flags = Flags::side_only(Side::Sell);

/// What a trade shows, and the score after it.
fn of(pipeline: &mut Stages<Patterns>, event: &Event) -> (Option<TradePattern>, Option<PatternScore>) {
    let all = pipeline.feed(event);
    (all.iter().find_map(|e| e.0.get().copied()), all.iter().find_map(|e| e.0.get().copied()))
}

fn shown(pipeline: &mut Stages<Patterns>, event: &Event) -> Option<TradePattern> {
    of(pipeline, event).0
}

fn top(bid: i64, ask: i64) -> Event {
    let top = BookTop { bid_px: cents(bid), ask_px: cents(ask), ..BookTop::default() };
    Event::new(Ns(0), STOCK, Flags::NONE, &top)
}

#[test]
fn odd_lots_and_blocks_go_by_the_listing() {
    let mut stage = patterns(&[], 100);
    assert_eq!(shown(&mut stage, &trade(0, BOUGHT, 1_000, 100, 0)), None);
    let odd = shown(&mut stage, &trade(1, BOUGHT, 1_000, 99, 0)).unwrap();
    let expected = TradePattern {
        px: cents(1_000),
        qty: Qty(99),
        weight: Real::of(0.7),
        round_lot: 100,
        odd_lot: Tell::Yes.code(),
        block: Tell::No.code(),
        sweep: Tell::No.code(),
        hidden: HiddenTrade::Unknown.code(),
        iceberg: IcebergTrade::Unknown.code(),
        levels: 1,
        ..TradePattern::default()
    };
    assert_eq!(odd, expected);
    let block = |stage: &mut _, px, qty| shown(stage, &trade(2, SOLD, px, qty, 0)).map(|p| p.block);
    assert_eq!(block(&mut stage, 100, 10_000), Some(Tell::Yes.code()), "by its quantity");
    assert_eq!(block(&mut stage, 100, 9_999), None);
    assert_eq!(block(&mut stage, 20_000, 1_000), Some(Tell::Yes.code()), "by its value");
    assert_eq!(block(&mut stage, 19_999, 1_000), None);
}

#[test]
fn a_round_lot_that_is_not_known_makes_no_odd_lot() {
    let mut stage = patterns(&[("block_qty", "5")], 0);
    assert_eq!(shown(&mut stage, &trade(0, BOUGHT, 1_000, 1, 0)), None);
    let block = shown(&mut stage, &trade(1, BOUGHT, 1_000, 5, 0)).unwrap();
    assert_eq!((block.odd_lot, block.round_lot), (Tell::Unknown.code(), u32::MAX));
    let mut tiers = patterns(&[("round_lots", "tiers-2025")], 0);
    let odd = |stage: &mut _, px, qty| shown(stage, &trade(0, Flags::NONE, px, qty, 0)).map(|p| p.round_lot);
    assert_eq!(odd(&mut tiers, 25_000, 99), Some(100));
    assert_eq!(odd(&mut tiers, 25_001, 40), None);
    assert_eq!(odd(&mut tiers, 25_001, 39), Some(40));
    assert_eq!(odd(&mut tiers, 1_000_001, 1), None, "a round lot is one share");
}

#[test]
fn a_sweep_takes_three_prices_within_its_time() {
    let mut stage = patterns(&[], 100);
    let mut levels = |ms, flags, px| shown(&mut stage, &trade(ms, flags, px, 100, 0)).map(|p| (p.levels, p.sweep));
    let sweep = |levels| Some((levels, Tell::Yes.code()));
    assert_eq!(levels(0, BOUGHT, 1_000), None);
    assert_eq!(levels(50, BOUGHT, 1_001), None);
    assert_eq!(levels(60, Flags::NONE, 990), None, "a trade without an aggressor says nothing");
    assert_eq!(levels(100, BOUGHT, 1_002), sweep(3));
    assert_eq!(levels(100, BOUGHT, 1_002), sweep(3), "at the same price too");
    assert_eq!(levels(151, BOUGHT, 1_003), None, "the trade at 10.01 is too long ago");
    assert_eq!(levels(160, SOLD, 1_002), None);
}

#[test]
fn hidden_orders_are_told_or_lie_inside_the_spread() {
    let mut stage = patterns(&[], 100);
    let hidden = |stage: &mut _, flags, px| shown(stage, &trade(0, flags, px, 100, 0)).map(|p| p.hidden);
    assert_eq!(hidden(&mut stage, Flags::HIDDEN, 1_000), Some(HiddenTrade::Reported.code()));
    assert!(stage.feed(&top(1_000, 1_002)).is_empty());
    assert_eq!(hidden(&mut stage, Flags::NONE, 1_001), Some(HiddenTrade::Inside.code()));
    assert_eq!(hidden(&mut stage, BOUGHT, 1_002), None);
    assert_eq!(hidden(&mut stage, SOLD, 1_000), None);
    assert_eq!(hidden(&mut stage, Flags::AUCTION, 1_001), None, "an auction has a price of its own");
}

#[test]
fn two_refills_make_an_iceberg() {
    let mut stage = patterns(&[], 100);
    let add = |ms: u64, order_ref, qty| {
        let add = Add { px: cents(1_000), qty: Qty(qty), order_ref, ..Add::default() };
        Event::new(Ns(ms * MS), STOCK, SOLD, &add)
    };
    assert_eq!(shown(&mut stage, &trade(0, BOUGHT, 1_000, 300, 1)), None);
    for (order_ref, ms) in [(2, 300), (3, 500)] {
        assert!(stage.feed(&add(ms, order_ref, 300)).is_empty());
        let found = shown(&mut stage, &trade(ms + 10, BOUGHT, 1_000, 300, order_ref));
        let expected = (order_ref == 3).then_some((IcebergTrade::Synthetic.code(), 2));
        assert_eq!(found.map(|p| (p.iceberg, p.refills)), expected, "{order_ref}");
    }
    let over = Anomaly { what: AnomalyKind::Overfill.code(), detail: 9, ..Anomaly::default() };
    assert!(stage.feed(&Event::new(Ns(600 * MS), STOCK, Flags::NONE, &over)).is_empty());
    let native = shown(&mut stage, &trade(600, BOUGHT, 1_000, 100, 9)).unwrap();
    assert_eq!((native.iceberg, native.refills), (IcebergTrade::Native.code(), 0));
}

#[test]
fn the_score_is_half_a_mean_weight_from_neutral() {
    let mut stage = patterns(&[("every", "0"), ("window", "3")], 100);
    let score = |stage: &mut _, px, qty| of(stage, &trade(0, SOLD, px, qty, 0)).1.unwrap();
    assert_eq!(score(&mut stage, 1_000, 100).score, Real::of(0.5));
    // 50 shares weigh 0.7, 100 nothing: 0.5 + 35 / 150 / 2.
    assert_eq!(score(&mut stage, 1_000, 50).score, Real::of(0.5 + 350_000.0 / 1_500_000.0 / 2.0));
    let block = score(&mut stage, 1_000, 10_000);
    assert_eq!(block.score, Real::of(0.5 + (350_000.0 - 50_000_000.0) / (10_150.0 * 10_000.0) / 2.0));
    assert_eq!((block.odd_lots, block.sweeps, block.blocks, block.trades, block.window), (1, 0, 1, 3, 3));
    let later = score(&mut stage, 1_000, 100);
    assert_eq!((later.trades, later.volume), (3, Qty(10_150)), "the first has left");
}

#[test]
fn a_score_comes_once_a_second() {
    let mut stage = patterns(&[], 100);
    let said = [0, 1, 999, 1_000, 1_001, 2_000].map(|ms| of(&mut stage, &trade(ms, BOUGHT, 1_000, 100, 0)).1.is_some());
    assert_eq!(said, [true, false, false, true, false, true]);
}

fn at(venue: &str) -> Event {
    let mut name = [0; 24];
    name[..venue.len()].copy_from_slice(venue.as_bytes());
    Event::new(Ns(0), STOCK, Flags::NONE, &TradeVenue { venue: name, ..TradeVenue::default() })
}

#[test]
fn venues_weigh_by_quantity_and_those_without_a_value_are_left_out() {
    let mut stage = listed(new::<Venues>("venues", &[("every", "0")]), 100);
    let mut score = |venue: Option<&str>, qty| {
        venue.into_iter().for_each(|venue| assert!(stage.feed(&at(venue)).is_empty()));
        let all = stage.feed(&trade(0, BOUGHT, 1_000, qty, 0));
        let row: VenueScore = *all[0].0.record();
        (row.score.known(), row.valued, row.trades)
    };
    assert_eq!(score(None, 500), (None, 0, 1), "Nasdaq, by the listing, has no value");
    assert_eq!(score(Some("K"), 100), (Some(0.8), 1, 2));
    assert_eq!(score(Some("IEX"), 300), (Some((0.8 * 100.0 + 0.2 * 300.0) / 400.0), 2, 3));
    assert_eq!(score(Some("Q"), 900).0, Some(0.35));
    assert_eq!(score(None, 100).1, 2, "what was said is of one trade");
}

#[test]
fn the_venue_of_a_listing_holds_where_trades_say_none() {
    let mut stage = listed(new::<Venues>("venues", &[("values", "NSDQ=0.6"), ("every", "0")]), 100);
    let row: VenueScore = *stage.feed(&trade(0, BOUGHT, 1_000, 10, 0))[0].0.record();
    assert_eq!((row.score, row.valued_volume), (Real::of(0.6), Qty(10)));
}

#[test]
fn tables_that_cannot_be_read_are_refused() {
    for (key, list) in
        [("values", "IEX"), ("values", "IEX=2"), ("values", "=0.5"), ("aliases", "V"), ("values", "X=nan")]
    {
        let params = harness::params("venues", &[(key, list)]);
        let fault = Host::<One<Venues>>::alone(&params, SPACE).err().expect("refused");
        assert_eq!(fault.key, format!("venues.{key}"));
    }
}

#[test]
fn all_four_components_have_their_weights() {
    let mut stage = listed_without(&[]);
    let book = ImbalanceVariability { variability: Real::of(0.4), ..ImbalanceVariability::default() };
    let other = ImbalanceVariability { variability: Real::of(0.9), instance: 1, ..ImbalanceVariability::default() };
    let venue = VenueScore { score: Real::of(0.2), ..VenueScore::default() };
    let pattern = PatternScore { score: Real::of(0.6), ..PatternScore::default() };
    for event in [
        Event::new(Ns(0), STOCK, Flags::NONE, &book),
        Event::new(Ns(0), STOCK, Flags::NONE, &other),
        Event::new(Ns(0), STOCK, Flags::NONE, &venue),
        Event::new(Ns(0), STOCK, Flags::NONE, &pattern),
    ] {
        assert!(stage.feed(&event).is_empty());
    }
    let vpin = Vpin { vpin: Real::of(0.8), ..Vpin::default() };
    let all = stage.feed(&Event::new(Ns(0), STOCK, Flags::NONE, &vpin));
    let (row, parts): (Toxicity, ToxicityParts) = (*all[0].0.record(), *all[1].0.record());
    near(row.toxicity, 0.5 * 0.8 + 0.25 * 0.2 + 0.2 * 0.6 + 0.05 * 0.4);
    near(row.venue_weight, 0.25);
    near(parts.book_weight, 0.05);
    assert_eq!(parts.book, Real::of(0.4));
}

/// The blend of these scores, if they are known.
fn blend(set: &[(&str, &str)], [vpin, venue, pattern]: [Option<f64>; 3]) -> (Toxicity, ToxicityParts) {
    let mut stage = listed_without(set);
    if let Some(venue) = venue {
        let score = VenueScore { score: Real::of(venue), ..VenueScore::default() };
        assert!(stage.feed(&Event::new(Ns(0), STOCK, Flags::NONE, &score)).is_empty());
    }
    if let Some(pattern) = pattern {
        let score = PatternScore { score: Real::of(pattern), ..PatternScore::default() };
        assert!(stage.feed(&Event::new(Ns(0), STOCK, Flags::NONE, &score)).is_empty());
    }
    let vpin = Vpin { vpin: Real::of(vpin), ..Vpin::default() };
    let all = stage.feed(&Event::new(Ns(0), STOCK, Flags::NONE, &vpin));
    (*all[0].0.record(), *all[1].0.record())
}

fn listed_without(set: &[(&str, &str)]) -> Stages<Blend> {
    new("toxicity", set)
}

fn near(found: Real, expected: f64) {
    let found = found.known().unwrap();
    assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
}

#[test]
fn the_published_numbers_are_those_with_the_others_at_one_half() {
    for (pattern, published) in [(0.359, 0.472), (0.610, 0.522), (0.393, 0.479)] {
        let (row, parts) = blend(&[("neutral_default", "true")], [None, None, Some(pattern)]);
        let toxicity = row.toxicity.known().unwrap();
        assert_eq!((toxicity * 1_000.0).round(), published * 1_000.0, "{toxicity}");
        assert_eq!((row.label, row.vpin_weight), (ToxicityLabel::Neutral.code(), Real::of(0.5)));
        assert_eq!((parts.vpin, parts.venue), (Real::NONE, Real::NONE));
    }
}

#[test]
fn what_is_not_known_leaves_its_weight_to_the_others() {
    let (row, parts) = blend(&[], [Some(0.6), None, Some(0.4)]);
    near(row.toxicity, (0.5 * 0.6 + 0.2 * 0.4) / 0.7);
    near(row.vpin_weight, 0.5 / 0.7);
    near(row.pattern_weight, 0.2 / 0.7);
    assert_eq!((row.venue_weight, parts.book_weight), (Real::of(0.0), Real::of(0.0)));
    assert_eq!((parts.venue, parts.book, parts.pattern), (Real::NONE, Real::NONE, Real::of(0.4)));
    let (row, _) = blend(&[("weights", "no-venues")], [Some(0.6), Some(0.9), Some(0.4)]);
    near(row.toxicity, (0.7 * 0.6 + 0.25 * 0.4) / 0.95);
    assert_eq!(row.weights, ToxicityWeights::NoVenues.code());
    let (row, _) = blend(&[], [None; 3]);
    assert_eq!((row.toxicity, row.label), (Real::NONE, ToxicityLabel::Unknown.code()));
    let own = [("weights", "own"), ("vpin_weight", "0"), ("venue_weight", "1"), ("pattern_weight", "0.5")];
    near(blend(&own, [Some(0.6), Some(0.9), Some(0.3)]).0.toxicity, (0.9 + 0.15) / 1.5);
}

#[test]
fn labels_have_their_limits() {
    let label = |vpin| blend(&[], [Some(vpin), None, None]).0.label;
    let expected = [ToxicityLabel::Informed, ToxicityLabel::Neutral, ToxicityLabel::Neutral, ToxicityLabel::Toxic];
    assert_eq!([0.3, 0.301, 0.699, 0.7].map(label), expected.map(ToxicityLabel::code));
}

/// Marks of the trades so far, anew from all of them: (odd lot, sweep, block).
fn reference(trades: &[(Side, i64, u64, u64)]) -> [bool; 3] {
    let &(side, _, qty, ms) = trades.last().unwrap();
    let mut run = Vec::new();
    for (of, at, _, time) in trades.iter().rev().filter(|t| t.0 != Side::None) {
        let worse =
            run.last().is_none_or(|(last, _): &(i64, u64)| if side == Side::Buy { at <= last } else { at >= last });
        if *of != side || !worse {
            break;
        }
        run.push((*at, *time));
    }
    let mut fresh: Vec<i64> = run.iter().filter(|(_, time)| time + 100 >= ms).map(|(at, _)| *at).collect();
    fresh.dedup();
    [qty < 100, side != Side::None && fresh.len() >= 3, qty >= 300]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn patterns_and_score_are_those_of_all_trades(
        steps in prop::collection::vec((0..60_u64, 0..5_usize, -1..4_i64, 1..4_u64), 1..120)
    ) {
        let mut stage = patterns(&[("block_qty", "300"), ("every", "0"), ("window", "10")], 100);
        let (mut all, mut ms, mut px) = (Vec::new(), 0, 1_000);
        for (wait, side, up, qty) in steps {
            let side = [Side::Buy, Side::Buy, Side::Sell, Side::Buy, Side::None][side];
            (ms, px) = (ms + wait, px + if side == Side::Sell { -up } else { up });
            all.push((side, px, qty * 99, ms));
            let (pattern, score) = of(&mut stage, &trade(ms, Flags::side_only(side), px, qty * 99, 0));
            let marks = reference(&all);
            let told = pattern.map_or([false; 3], |p| [p.odd_lot, p.sweep, p.block].map(|told| told == Tell::Yes.code()));
            prop_assert_eq!(told, marks);
            prop_assert_eq!(pattern.is_some(), marks.contains(&true));
            let window = all.len().saturating_sub(10);
            let weight = |end: usize| {
                let [odd, sweep, block] = reference(&all[..=end]).map(f64::from);
                (odd * 0.7 + sweep * 0.9 - block * 0.5).clamp(-1.0, 1.0) * all[end].2 as f64
            };
            let weighed: f64 = (window..all.len()).map(weight).sum();
            let volume: u64 = all[window..].iter().map(|t| t.2).sum();
            let expected = (0.5 + weighed / volume as f64 / 2.0).clamp(0.0, 1.0);
            let score = score.unwrap().score.known().unwrap();
            prop_assert!((score - expected).abs() < 1e-9, "{} is not {}", score, expected);
        }
    }

    #[test]
    fn trades_that_do_not_count_change_nothing(trades in measures_trades::trades()) {
        let counts = |event: &&Event| measures_trades::counted(event).is_some();
        let rows = |trades: &[Event]| {
            let mut stage = new::<Patterns>("patterns", &[("every", "0"), ("block_qty", "9")]);
            trades.iter().flat_map(|event| stage.feed(event)).collect::<Vec<_>>()
        };
        let only: Vec<Event> = trades.iter().filter(counts).copied().collect();
        prop_assert_eq!(rows(&trades), rows(&only));
        prop_assert!(rows(&only).iter().filter(|row| row.0.kind == Kind::PatternScore).count() == only.len());
    }
}

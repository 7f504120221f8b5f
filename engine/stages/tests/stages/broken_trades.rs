//! Trades that the venue breaks: the book emits them whole, and they leave what is open as if they had never been.

use crate::harness::{self, Emitted, INSTRUMENTS, Pipeline, kinds};
use crate::measures_trades::opening;
use flow::records::{Add, Anomaly, Bar, BarFlow, Break, BrokenTrade, CorrectedBar, CorrectedBarFlow, Cvd};
use flow::records::{Exec, Listing, Tick, Trade, Vpin, VpinFlow};
use flow::{AnomalyKind, BookKind, Event, Flags, Kind, Ns, Px, Qty, Real, Record, Side, Stage};
use proptest::prelude::*;
use stages::Space;
use stages::bars::BarStage;
use stages::book::BookStage;
use stages::measures::{Host, One, cvd, vpin};
use std::collections::BTreeMap;

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// 2026-01-12 15:00 UTC.
const START: u64 = 1_768_230_000;
const LAST: Flags = Flags::LAST_OF_GROUP;

fn at<R: Record>(second: u64, instrument: u32, flags: Flags, record: &R) -> Event {
    Event::new(Ns((START + second) * Ns::SECOND), instrument, flags, record)
}

fn trade(second: u64, instrument: u32, side: Side, (px, qty): (i64, u64), match_id: u64) -> Event {
    let (px, qty, exchange_ts) = (Px(px), Qty(qty), Ns(second));
    at(second, instrument, LAST.with_side(side), &Trade { exchange_ts, px, qty, match_id, ..Trade::default() })
}

fn breaks(second: u64, instrument: u32, match_id: u64) -> Event {
    at(second, instrument, LAST, &Break { exchange_ts: Ns(9), match_id, ..Break::default() })
}

/// The anomaly among these, with its detail.
fn wrong(emitted: &[Emitted]) -> Option<(AnomalyKind, u64)> {
    let anomaly = emitted.iter().find_map(|e| e.0.get::<Anomaly>())?;
    Some((AnomalyKind::from_code(anomaly.what).unwrap(), anomaly.detail))
}

/// The book, and a stage behind it.
struct Chain<S> {
    book: Pipeline<BookStage>,
    behind: Pipeline<S>,
}

impl<S: Stage> Chain<S> {
    fn new(book: Pipeline<BookStage>, behind: S) -> Chain<S> {
        let mut chain = Chain { book, behind: Pipeline::new(behind) };
        opening().0.iter().for_each(|listing| drop(chain.feed(listing)));
        chain
    }

    /// What the stage behind makes of an input, and of what the book makes of it.
    fn feed(&mut self, event: &Event) -> Vec<Emitted> {
        let to_book = self.book.stage.reads().has(event.kind);
        let of_book = if to_book { self.book.feed(event) } else { Vec::new() };
        let of_book = of_book.iter().map(|e| Event { ts: event.ts, ..e.0 });
        let all = std::iter::once(*event).chain(of_book);
        let read: Vec<Event> = all.filter(|e| self.behind.stage.reads().has(e.kind)).collect();
        read.iter().flat_map(|e| self.behind.feed(e)).collect()
    }
}

fn bars(intervals: &str, prints: &str) -> BarStage {
    BarStage::new(&harness::params("bars", &[("intervals", intervals), ("max_prints", prints)]), SPACE).unwrap()
}

fn cvd_stage() -> Host<One<cvd::Cvd>> {
    Host::alone(&harness::params("cvd", &[]), SPACE).unwrap()
}

fn vpin_stage(quantity: &str) -> Host<One<vpin::Vpin>> {
    Host::alone(&harness::params("vpin", &[("bucket_qty", quantity), ("window", "1")]), SPACE).unwrap()
}

/// Ends the bars of all instruments.
fn end(second: u64) -> Event {
    at(second, 0, LAST, &Tick { first: 0, last: 8, interval_s: 60, ..Tick::default() })
}

#[test]
fn the_book_tells_a_broken_trade_as_it_was() {
    let mut book = harness::book(100, 100, 8);
    book.feed(&at(0, 1, LAST, &Listing { book: BookKind::ByOrder as u8, ..Listing::default() }));
    let (px, qty) = (Px(100), Qty(50));
    book.feed(&at(0, 1, LAST.with_side(Side::Sell), &Add { order_ref: 1, px, qty, ..Add::default() }));
    let exec = Exec { exchange_ts: Ns(3), order_ref: 1, px: Px::NONE, qty: Qty(20), match_id: 7 };
    book.feed(&at(1, 1, LAST.with(Flags::HIDDEN), &exec));
    let fed = trade(2, 1, Side::None, (101, 5), 8);
    assert!(book.feed(&Event { flags: fed.flags.with(Flags::AUCTION), ..fed }).is_empty(), "it is there already");

    let emitted = book.feed(&breaks(5, 1, 7));
    let ts = |second| Ns((START + second) * Ns::SECOND);
    let of = |exchange_ts, second, px, qty, match_id| {
        let (px, qty) = (Px(px), Qty(qty));
        BrokenTrade { exchange_ts: Ns(exchange_ts), trade_ts: ts(second), px, qty, match_id }
    };
    assert_eq!(kinds(&emitted), [Kind::BrokenTrade]);
    assert_eq!(*emitted[0].0.record::<BrokenTrade>(), of(3, 1, 100, 20, 7));
    assert_eq!(emitted[0].0.flags, LAST.with(Flags::HIDDEN).with_side(Side::Buy));
    assert_eq!(wrong(&book.feed(&breaks(6, 1, 7))), Some((AnomalyKind::UnknownBreak, 7)), "it is broken");
    assert_eq!(wrong(&book.feed(&breaks(6, 2, 8))), Some((AnomalyKind::UnknownBreak, 8)), "of another instrument");
    assert_eq!(wrong(&book.feed(&breaks(6, 0, 8))), Some((AnomalyKind::UnknownBreak, 8)));
    assert_eq!(wrong(&book.feed(&breaks(6, 1, 0))), Some((AnomalyKind::UnknownBreak, 0)), "no number");

    let listings = opening().1;
    let bytes = harness::saved(&book.stage, &listings);
    let mut loaded = harness::book(100, 100, 8);
    harness::load(&mut loaded.stage, &listings, &bytes).unwrap();
    assert_eq!(harness::saved(&loaded.stage, &listings), bytes);
    let emitted = loaded.feed(&breaks(7, 1, 8));
    assert_eq!(*emitted[0].0.record::<BrokenTrade>(), of(2, 2, 101, 5, 8));
    assert_eq!(emitted[0].0.flags, LAST.with(Flags::AUCTION));
    assert_eq!(wrong(&loaded.feed(&breaks(7, 1, 7))), Some((AnomalyKind::UnknownBreak, 7)), "broken before the cut");
}

#[test]
fn the_last_trades_are_remembered_and_the_newest_of_a_number_is_meant() {
    let mut book = harness::book(100, 100, 8);
    book.feed(&trade(0, 1, Side::Buy, (1, 1), 1));
    for match_id in 1..=harness::PRINTS as u64 {
        book.feed(&trade(1, 1, Side::Buy, (2, 2), match_id));
        book.feed(&trade(1, 1, Side::Buy, (3, 3), 0));
    }
    assert_eq!(
        book.feed(&breaks(2, 1, 1))[0].0.record::<BrokenTrade>().px,
        Px(2),
        "one without a number takes no place"
    );
    book.feed(&trade(2, 2, Side::Buy, (2, 2), 40));
    book.feed(&trade(2, 2, Side::Buy, (2, 2), 41));
    assert_eq!(wrong(&book.feed(&breaks(3, 1, 2))), Some((AnomalyKind::UnknownBreak, 2)), "too old");
    assert_eq!(kinds(&book.feed(&breaks(3, 1, 3))), [Kind::BrokenTrade]);
}

/// With the parameters as they are, a break finds a trade of a quiet stock when the rest of a busy market has traded a quarter of
/// a million times since.
#[test]
fn a_break_that_comes_an_hour_later_finds_its_trade() {
    const BUSY: u64 = 250_000;
    let book = Pipeline::new(BookStage::new(&harness::params("book", &[]), SPACE));
    let bars = BarStage::new(&harness::params("bars", &[("intervals", "4h")]), SPACE).unwrap();
    let mut chain = Chain::new(book, bars);
    for (match_id, px) in [(1, 90), (2, 500), (3, 100)] {
        chain.feed(&trade(match_id, 1, Side::Buy, (px, 10), match_id));
    }
    for n in 0..BUSY {
        chain.feed(&trade(4 + n * 3_600 / BUSY, 2, Side::Sell, (50, 1), 10 + n));
    }
    assert!(chain.feed(&breaks(3_700, 1, 2)).is_empty());
    let emitted = chain.feed(&end(4 * 3_600));
    assert_eq!(bar(&emitted, 4 * 3_600), Some(([90, 100, 90, 100], [20, 20, 0], 95, 2)));
}

/// The bar of that length that ends at the next tick: prices, volume, average, bought, sold, trades.
fn bar(emitted: &[Emitted], length: u32) -> Option<([i64; 4], [u64; 3], i64, u32)> {
    let bar = emitted.iter().filter_map(|e| e.0.get::<Bar>()).find(|b| b.interval_s == length)?;
    let flow = emitted.iter().filter_map(|e| e.0.get::<BarFlow>()).find(|b| b.interval_s == length)?;
    let prices = [bar.open, bar.high, bar.low, bar.close].map(|px| px.0);
    Some((prices, [flow.volume, flow.buy_volume, flow.sell_volume].map(|q| q.0), flow.vwap.0, flow.trades))
}

/// Prices; volume, bought and sold; average; trades.
type Numbers = ([Px; 4], [u64; 3], Px, u32);

/// The corrected bar of that length.
fn corrected(emitted: &[Emitted], length: u32) -> Option<Numbers> {
    let bar = emitted.iter().filter_map(|e| e.0.get::<CorrectedBar>()).find(|b| b.interval_s == length)?;
    let flow = emitted.iter().filter_map(|e| e.0.get::<CorrectedBarFlow>()).find(|b| b.interval_s == length)?;
    let volumes = [flow.volume, flow.buy_volume, flow.sell_volume].map(|q| q.0);
    Some(([bar.open, bar.high, bar.low, bar.close], volumes, flow.vwap, flow.trades))
}

#[test]
fn a_broken_trade_leaves_the_bars_that_are_open() {
    let mut chain = Chain::new(harness::book(100, 100, 8), bars("5s,1m", "100"));
    let trades = [(1, Side::Buy, 110, 10), (2, Side::Sell, 120, 10), (6, Side::Buy, 100, 10), (7, Side::None, 105, 20)];
    let mut closed = Vec::new();
    for (n, (second, side, px, qty)) in (1..).zip(trades) {
        closed.extend(chain.feed(&trade(second, 1, side, (px, qty), n)));
    }
    let first = Some(([110, 120, 110, 120], [20, 10, 10], 115, 2));
    assert_eq!(bar(&closed, 5), first, "the trade at 6 s has closed it");
    let emitted = chain.feed(&breaks(8, 1, 2));
    assert_eq!(kinds(&emitted), [Kind::CorrectedBar, Kind::CorrectedBarFlow], "of the five seconds that have closed");
    assert_eq!(corrected(&emitted, 5), Some(([110; 4].map(Px), [10, 10, 0], Px(110), 1)));
    assert!(chain.feed(&breaks(8, 1, 3)).is_empty());
    let emitted = chain.feed(&end(60));
    // Of the second five seconds one trade is left, and the minute has lost its highest and its lowest.
    assert_eq!(bar(&emitted, 5), Some(([105, 105, 105, 105], [20, 0, 0], 105, 1)));
    assert_eq!(bar(&emitted, 60), Some(([110, 110, 105, 105], [30, 10, 0], 107, 2)), "3,200 of 30");
}

#[test]
fn a_bar_without_a_trade_is_no_bar() {
    let mut chain = Chain::new(harness::book(100, 100, 8), bars("1m", "100"));
    chain.feed(&trade(1, 1, Side::Buy, (110, 10), 1));
    assert!(chain.feed(&breaks(2, 1, 1)).is_empty() && chain.feed(&end(60)).is_empty());
    chain.feed(&trade(61, 1, Side::Buy, (110, 10), 1));
    chain.feed(&breaks(62, 1, 1));
    chain.feed(&trade(63, 1, Side::Sell, (90, 1), 2));
    assert_eq!(bar(&chain.feed(&end(120)), 60), Some(([90; 4], [1, 0, 1], 90, 1)));
}

#[test]
fn prices_that_cannot_be_told_anew_stay_and_an_anomaly_says_so() {
    let mut chain = Chain::new(harness::book(100, 100, 8), bars("5s,1m", "16"));
    chain.feed(&trade(0, 1, Side::Buy, (100, 1), 1));
    for n in 2..=17 {
        chain.feed(&trade(6, 1, Side::Buy, (100 + n as i64 % 5, 1), n));
    }
    // The book remembers trades 2 to 17, the bars too: the minute has one more.
    assert!(chain.feed(&breaks(7, 1, 3)).is_empty(), "103 is no price of a bar");
    let emitted = chain.feed(&breaks(7, 1, 4));
    assert_eq!(wrong(&emitted), Some((AnomalyKind::UncorrectedBar, 60)));
    assert_eq!(emitted[0].0.record::<Anomaly>().px, Px(104));
    assert_eq!(emitted.len(), 1, "the five seconds have all their trades");
    let emitted = chain.feed(&end(60));
    assert_eq!(bar(&emitted, 5), Some(([102, 104, 100, 102], [14, 14, 0], 102, 14)));
    assert_eq!(bar(&emitted, 60).map(|b| (b.0, b.1)), Some(([100, 104, 100, 102], [15, 15, 0])));
}

/// The bar of a minute that has closed is added up again, as long as all of its trades are remembered.
#[test]
fn a_closed_bar_is_corrected_if_all_of_its_trades_are_remembered() {
    let volume_only = |event: Event| Event { flags: event.flags.with(Flags::VOLUME_ONLY), ..event };
    let mut chain = Chain::new(harness::book(100, 100, 8), bars("1m", "16"));
    chain.feed(&trade(1, 1, Side::Buy, (110, 10), 1));
    chain.feed(&volume_only(trade(2, 1, Side::None, (500, 40), 2)));
    chain.feed(&trade(3, 1, Side::Sell, (90, 30), 3));
    assert_eq!(bar(&chain.feed(&end(60)), 60), Some(([110, 110, 90, 90], [80, 10, 30], 95, 2)));

    assert_eq!(corrected(&chain.feed(&breaks(61, 1, 2)), 60).unwrap().1, [40, 10, 30], "volume alone");
    assert_eq!(corrected(&chain.feed(&breaks(62, 1, 1)), 60), Some(([90; 4].map(Px), [30, 0, 30], Px(90), 1)));
    let none = ([Px::NONE; 4], [0; 3], Px::NONE, 0);
    assert_eq!(corrected(&chain.feed(&breaks(63, 1, 3)), 60), Some(none), "there is no such bar");

    // Of the next minute the first trade is forgotten.
    chain.feed(&trade(61, 1, Side::Buy, (1, 1), 4));
    (5..=20).for_each(|n| drop(chain.feed(&trade(62, 1, Side::Buy, (2, 1), n))));
    chain.feed(&end(120));
    let emitted = chain.feed(&breaks(121, 1, 6));
    assert_eq!((wrong(&emitted), emitted.len()), (Some((AnomalyKind::UncorrectedBar, 60)), 1));
}

#[test]
fn a_bar_that_has_saturated_stays() {
    let mut chain = Chain::new(harness::book(100, 100, 8), bars("1m", "100"));
    for n in 1..=2 {
        chain.feed(&trade(n, 1, Side::Buy, (100, u64::MAX), n));
    }
    assert_eq!(wrong(&chain.feed(&breaks(3, 1, 1))), Some((AnomalyKind::UncorrectedBar, 60)));
    assert_eq!(bar(&chain.feed(&end(60)), 60).map(|b| b.3), Some(2));
    chain.feed(&trade(61, 1, Side::Buy, (100, 7), 3));
    assert_eq!(wrong(&chain.feed(&breaks(62, 1, 2))), None, "without it the minute is one trade, which fits");
}

#[test]
fn a_broken_trade_leaves_the_sums_of_its_session() {
    let mut chain = Chain::new(harness::book(100, 100, 8), cvd_stage());
    let day = 86_400;
    chain.feed(&trade(0, 1, Side::Buy, (1, 7), 1));
    chain.feed(&trade(day, 1, Side::Buy, (1, 100), 2));
    chain.feed(&trade(day + 1, 1, Side::Sell, (1, 30), 3));
    chain.feed(&trade(day + 2, 1, Side::None, (1, 5), 4));
    assert!(chain.feed(&breaks(day + 3, 1, 1)).is_empty(), "of yesterday");
    let mut sums = |n| {
        let emitted = chain.feed(&breaks(day + 3, 1, n));
        let Cvd { cvd, buy_qty, sell_qty, unsigned_qty, trades, .. } = *emitted[0].0.record::<Cvd>();
        (emitted.len(), cvd, [buy_qty.0, sell_qty.0, unsigned_qty.0], trades)
    };
    assert_eq!(sums(2), (1, -30, [0, 30, 5], 2));
    assert_eq!(sums(4), (1, -30, [0, 30, 0], 1));
    assert_eq!(sums(3), (1, 0, [0, 0, 0], 0));
}

#[test]
fn a_broken_trade_leaves_the_open_bucket_only_if_all_of_it_is_there() {
    let mut chain = Chain::new(harness::book(100, 100, 8), vpin_stage("100"));
    chain.feed(&trade(1, 1, Side::Buy, (1, 90), 1));
    chain.feed(&trade(2, 1, Side::Buy, (1, 30), 2));
    chain.feed(&trade(2, 1, Side::Sell, (1, 10), 3));
    chain.feed(&trade(3, 1, Side::Sell, (1, 40), 4));
    // 80 are in the open bucket: 20 of trade 2, and trades 3 and 4. Only 4 is certain to be there as a whole.
    for n in 1..=3 {
        assert!(chain.feed(&breaks(4, 1, n)).is_empty());
    }
    assert!(chain.feed(&trade(5, 1, Side::None, (1, 29), 5)).is_empty());
    assert!(chain.feed(&breaks(5, 1, 4)).is_empty());
    // 30 are left, and 70 more close it: 20 + 70 bought.
    assert!(chain.feed(&trade(6, 1, Side::Buy, (1, 69), 6)).is_empty());
    let emitted = chain.feed(&trade(6, 1, Side::Buy, (1, 1), 7));
    assert_eq!(emitted[0].0.record::<Vpin>().vpin, Real::of(0.8));
    let flow: &VpinFlow = emitted[1].0.record();
    assert_eq!((flow.bucket_buy_qty, flow.bucket_sell_qty), (Qty(90), Qty(10)));
    // The session has lost all four.
    assert_eq!((flow.buy_qty, flow.sell_qty, flow.unsigned_qty), (Qty(70), Qty(0), Qty(29)));
}

/// Seconds until the trade, instrument, side, price, quantity, and which of the trades before it is broken after it, if any.
type Step = (u64, u32, u8, i64, u64, Option<usize>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let broken = prop::option::weighted(0.4, 0..12_usize);
    prop::collection::vec((0..40_u64, 1..4_u32, 0..3_u8, 90..110_i64, 0..9_u64, broken), 1..200)
}

/// The trades and breaks, and the trades that were never broken; at the end one trade of each instrument.
fn streams(steps: &[Step]) -> (Vec<Event>, Vec<Event>) {
    let (mut all, mut standing, mut second) = (Vec::new(), Vec::<Event>::new(), 0);
    for (n, (gap, instrument, side, px, qty, broken)) in (1..).zip(steps) {
        second += gap;
        let side = [Side::None, Side::Buy, Side::Sell][usize::from(*side)];
        let next = trade(second, *instrument, side, (*px, *qty), n);
        all.push(next);
        standing.push(next);
        if let Some(place) = broken.and_then(|back| standing.len().checked_sub(1 + back)) {
            let gone = standing.remove(place);
            all.push(breaks(second, gone.instrument, gone.record::<Trade>().match_id));
        }
    }
    for instrument in 1..4 {
        let last = trade(second + 1, instrument, Side::Buy, (100, 1), 0);
        all.push(last);
        standing.push(last);
    }
    (all, standing)
}

/// What a stage emits at the end of a day after these inputs, the last it emitted of each instrument, and what it saves.
fn after<S: Stage>(stage: S, inputs: &[Event]) -> (Vec<Emitted>, Vec<Emitted>, Vec<u8>) {
    let params = harness::params("book", &[]);
    let mut chain = Chain::new(Pipeline::new(BookStage::new(&params, SPACE)), stage);
    let emitted: Vec<Emitted> = inputs.iter().flat_map(|event| chain.feed(event)).collect();
    let last = (1..4).filter_map(|i| emitted.iter().rev().find(|e| e.0.instrument == i).copied()).collect();
    let saved = harness::saved(&chain.behind.stage, &opening().1);
    let ticks = chain.behind.stage.reads().has(Kind::Tick);
    (if ticks { chain.feed(&end(86_400)) } else { Vec::new() }, last, saved)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn what_is_open_ends_as_if_a_broken_trade_had_never_been(steps in steps()) {
        let (all, standing) = streams(&steps);
        let ends = |inputs: &[Event]| after(bars("1d", "16384"), inputs).0;
        prop_assert_eq!(ends(&all), ends(&standing));
        let sums = |inputs: &[Event]| {
            let (_, last, saved) = after(cvd_stage(), inputs);
            (last, saved)
        };
        prop_assert_eq!(sums(&all), sums(&standing));
        let buckets = |inputs: &[Event]| after(vpin_stage("1000000"), inputs).2;
        prop_assert_eq!(buckets(&all), buckets(&standing));
    }

    /// Whatever is broken and when: the bars, each as it was told last, are those of the trades that stand.
    #[test]
    fn corrected_bars_are_those_of_the_trades_that_stand(steps in steps()) {
        let (all, standing) = streams(&steps);
        prop_assert_eq!(told_last(&all), told_last(&standing));
    }
}

/// The bars of a stream by instrument, length and start, each as it was told last; without those that have lost all trades.
fn told_last(inputs: &[Event]) -> BTreeMap<(u32, u32, u32), Numbers> {
    let mut chain =
        Chain::new(Pipeline::new(BookStage::new(&harness::params("book", &[]), SPACE)), bars("5s,1m", "16384"));
    let mut emitted: Vec<Emitted> = inputs.iter().flat_map(|event| chain.feed(event)).collect();
    emitted.extend(chain.feed(&end(86_400)));
    let mut told = BTreeMap::new();
    for pair in emitted.chunks(2) {
        let [first, second] = pair else { panic!("a bar without its flow: {pair:?}") };
        let instrument = first.0.instrument;
        if let (Some(bar), Some(flow)) = (first.0.get::<Bar>(), second.0.get::<BarFlow>()) {
            let volumes = [flow.volume, flow.buy_volume, flow.sell_volume].map(|q| q.0);
            let prices = [bar.open, bar.high, bar.low, bar.close];
            told.insert((instrument, bar.interval_s, bar.start_s), (prices, volumes, flow.vwap, flow.trades));
        } else {
            let bar: &CorrectedBar = first.0.record();
            let now = corrected(pair, bar.interval_s).unwrap();
            told.insert((instrument, bar.interval_s, bar.start_s), now);
        }
    }
    told.retain(|_, bar| bar.3 > 0);
    told
}

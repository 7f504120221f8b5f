//! The strategies for tests: buy-and-hold and random, the latter in a loop with `orders` and a venue of a few lines.

use crate::harness::{self, Behind, Emitted, INSTRUMENTS, Pipeline, kinds};
use crate::orders_harness::{ack, anomalies, cancelled, event, listing, refused, reject};
use flow::records::{Ack, BookTop, CancelRequest, EndOfInput, Fill, Intent, Listing, Name, ReplaceRequest, Request};
use flow::{Account, Action, Event, Flags, InstrumentType, Kind, Listings, Ns, OrderId, Px, Qty, Side, Tick};
use stages::orders::OrdersStage;
use stages::strategies::{
    BUY_AND_HOLD, BuyAndHoldStage, MAX_SYMBOLS, RANDOM, RandomStage, STRATEGIES, Setup, StrategyEntry,
};
use stages::{Instances, Space};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 1_024, positions: 64 };

fn top(instrument: u32, bid: i64, ask: i64) -> Event {
    let record = BookTop { exchange_ts: Ns(1), bid_px: Px(bid), ask_px: Px(ask), bid_qty: Qty(1), ask_qty: Qty(1) };
    event(instrument, Side::None, &record)
}

/// The pieces of a symbol.
pub(crate) fn named(instrument: u32, symbol: &str) -> Vec<Event> {
    let parts = symbol.len().div_ceil(24) as u8;
    let piece = |(part, bytes): (usize, &[u8])| {
        let mut name = Name { part: part as u8, parts, len: bytes.len() as u8, ..Default::default() };
        name.text[..bytes.len()].copy_from_slice(bytes);
        event(instrument, Side::None, &name)
    };
    symbol.as_bytes().chunks(24).enumerate().map(piece).collect()
}

#[test]
fn a_strategy_keeps_its_number_and_its_position() {
    let named: Vec<_> =
        (0..9).filter_map(|n| Instances::PLAIN.strategy(flow::StrategyId(n)).map(str::to_owned)).collect();
    assert_eq!(named, ["momentum", "buy-and-hold", "random", "trend", "reversion"]);
    let positions: Vec<_> = STRATEGIES.iter().map(StrategyEntry::position).collect();
    assert_eq!(positions, [72, 73, 74, 75, 76]);
}

#[test]
fn it_buys_once_where_the_book_has_both_sides() {
    let params = harness::params("buy-and-hold", &[("qty", "7"), ("account", "9")]);
    let mut pipeline = Pipeline::new(BuyAndHoldStage::new(&params, Setup::plain(BUY_AND_HOLD, SPACE)).unwrap());
    for not_yet in [top(1, 5, Px::NONE.0), top(1, 6, 5), top(1, 5, 5), top(0, 5, 6), top(99, 5, 6)] {
        assert!(pipeline.feed_whole(&not_yet).is_empty(), "{not_yet:?}");
    }
    let emitted = pipeline.feed_whole(&top(1, 5, 6));
    assert_eq!(kinds(&emitted), [Kind::Intent, Kind::Signal, Kind::Reason]);
    let intent: &Intent = emitted[0].0.record();
    assert_eq!((intent.qty, intent.account.0, intent.strategy, intent.px), (Qty(7), 9, BUY_AND_HOLD, Px::NONE));
    assert_eq!((intent.action, intent.order_type, emitted[0].0.side()), (1, 2, Side::Buy));
    let listings = Listings::default();
    let bytes = harness::saved(&pipeline.stage, &listings);
    let mut other = Pipeline::new(BuyAndHoldStage::new(&params, Setup::plain(BUY_AND_HOLD, SPACE)).unwrap());
    harness::load(&mut other.stage, &listings, &bytes).unwrap();
    assert_eq!(harness::saved(&other.stage, &listings), bytes);
    assert!(other.feed_whole(&top(1, 5, 6)).is_empty() && !other.feed_whole(&top(2, 5, 6)).is_empty());
    other.feed_whole(&event(0, Side::None, &EndOfInput::default()));
    assert!(other.feed_whole(&top(3, 5, 6)).is_empty());
}

#[test]
fn symbols_are_matched_whole_whatever_their_length() {
    let long = "UD:1V: VT 2412345678 with a long tail";
    let params = harness::params("buy-and-hold", &[("symbols", &format!("AB,{long}"))]);
    let mut pipeline = Pipeline::new(BuyAndHoldStage::new(&params, Setup::plain(BUY_AND_HOLD, SPACE)).unwrap());
    let symbols = ["AB", "A", "ABC", long, &long[..24], &long[..30], "B"];
    for (instrument, symbol) in (1..).zip(symbols) {
        named(instrument, symbol).iter().for_each(|e| drop(pipeline.feed(e)));
    }
    let mut other = Pipeline::new(BuyAndHoldStage::new(&params, Setup::plain(BUY_AND_HOLD, SPACE)).unwrap());
    harness::load(&mut other.stage, &Listings::default(), &harness::saved(&pipeline.stage, &Listings::default()))
        .unwrap();
    for pipeline in [&mut pipeline, &mut other] {
        let bought: Vec<u32> = (1..9).filter(|i| !pipeline.feed_whole(&top(*i, 5, 6)).is_empty()).collect();
        assert_eq!(bought, [1, 4]);
    }
    let many = (0..=MAX_SYMBOLS).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    let params = harness::params("buy-and-hold", &[("symbols", &many)]);
    assert_eq!(
        BuyAndHoldStage::new(&params, Setup::plain(BUY_AND_HOLD, SPACE)).err().unwrap().key,
        "buy-and-hold.symbols"
    );
}

/// Strategy, orders and venue in a loop.
struct Market {
    random: Pipeline<Behind<RandomStage>>,
    orders: Pipeline<Behind<OrdersStage>>,
    /// What comes back, after as many more inputs as the latency is.
    returns: VecDeque<(u64, Event)>,
    /// At the venue: instrument, side, price, what is left.
    resting: BTreeMap<u64, (u32, Side, i64, u64)>,
    inputs: u64,
    latency: u64,
    seen: BTreeSet<&'static str>,
    emitted: Vec<Emitted>,
    anomalies: Vec<(u16, u64)>,
    /// Executions so far.
    fills: Vec<Event>,
    matches: u64,
}

fn random(seed: &str) -> Pipeline<Behind<RandomStage>> {
    let params = harness::params("random", &[("seed", seed), ("every", "2"), ("qty", "10"), ("max_position", "60")]);
    Pipeline::new(Behind::new(SPACE, RandomStage::new(&params, Setup::plain(RANDOM, SPACE)).unwrap()))
}

fn orders() -> Pipeline<Behind<OrdersStage>> {
    Pipeline::new(Behind::showing(SPACE, OrdersStage::new(&harness::params("orders", &[("max_orders", "64")]), SPACE)))
}

impl Market {
    fn new(seed: &str, latency: u64) -> Market {
        let (returns, resting, seen) = Default::default();
        let (emitted, anomalies, fills) = Default::default();
        let (random, orders) = (random(seed), orders());
        Market { random, orders, returns, resting, inputs: 0, latency, seen, emitted, anomalies, fills, matches: 0 }
    }

    fn input(&mut self, input: &Event) {
        self.inputs += 1;
        if input.kind == Kind::Fill {
            self.fills.push(*input);
        }
        let now = Event { ts: Ns(self.inputs * 1_000_000), ..*input };
        if flow::Stage::reads(&self.random.stage).has(now.kind) {
            for wanted in self.random.feed_whole(&now) {
                self.emitted.push(wanted);
                if wanted.0.kind == Kind::Intent {
                    self.orders(&Event { ts: now.ts, ..wanted.0 });
                }
            }
        }
        if flow::Stage::reads(&self.orders.stage).has(now.kind) {
            self.orders(&now);
        }
    }

    fn orders(&mut self, event: &Event) {
        for emitted in self.orders.feed(event) {
            self.anomalies.extend(anomalies(&[emitted]));
            self.venue(&emitted.0);
        }
    }

    fn back(&mut self, event: Event) {
        self.returns.push_back((self.inputs + self.latency, event));
    }

    fn fill(&mut self, instrument: u32, id: u64, side: Side, px: i64, qty: u64) {
        self.matches += 1;
        let match_id = self.matches;
        let fill = Fill { order_id: id, px: Px(px), qty: Qty(qty), match_id, ..Default::default() };
        self.back(event(instrument, side, &fill));
    }

    fn venue(&mut self, event: &Event) {
        let (at, side) = (event.instrument, event.side());
        if let Some(r) = event.get::<Request>() {
            let id = OrderId(r.order_id);
            self.seen.insert(if r.group != 0 { "group" } else { ["", "day", "gtc", "ioc", "fok"][usize::from(r.tif)] });
            if r.px == Px::NONE {
                self.seen.insert("market");
            }
            if id.counter().is_multiple_of(11) {
                return self.back(refused(at, id));
            }
            self.back(ack(at, id, OrderId(0)));
            match (r.tif, id.counter() % 3) {
                (3 | 4, 0) => self.back(cancelled(at, id)),
                (3 | 4, _) => self.fill(at, id.0, side, 100, r.qty.0),
                _ => drop(self.resting.insert(id.0, (at, side, r.px.0, r.qty.0))),
            }
        } else if let Some(r) = event.get::<CancelRequest>() {
            self.seen.insert("cancel");
            match self.resting.remove(&r.order_id) {
                Some(_) => self.back(cancelled(at, OrderId(r.order_id))),
                None => self.back(reject(at, OrderId(r.order_id), Action::Cancel)),
            }
        } else if let Some(r) = event.get::<ReplaceRequest>() {
            self.seen.insert("replace");
            let (old, new) = (OrderId(r.order_id), OrderId(r.new_id));
            let taken = !new.counter().is_multiple_of(5);
            match taken.then(|| self.resting.remove(&old.0)).flatten() {
                Some((at, side, _, left)) => {
                    self.back(ack(at, new, old));
                    self.resting.insert(new.0, (at, side, r.px.0, left));
                }
                None => self.back(reject(at, new, Action::Replace)),
            }
        }
    }

    fn run(&mut self, from: u64, to: u64) {
        for i in from..to {
            let instrument = 1 + (i % 3) as u32;
            self.input(&top(instrument, 100 + (i * 7 % 5) as i64, 106 + (i * 3 % 4) as i64));
            while self.returns.front().is_some_and(|r| r.0 <= self.inputs) {
                let event = self.returns.pop_front().unwrap().1;
                self.input(&event);
            }
            let due = self.resting.iter().find(|_| i % 9 == 0).map(|(id, o)| (*id, *o));
            if let Some((id, (at, side, px, left))) = due {
                let qty = left.div_ceil(2);
                self.fill(at, id, side, px, qty);
                match left - qty {
                    0 => drop(self.resting.remove(&id)),
                    left => drop(self.resting.insert(id, (at, side, px, left))),
                }
            }
        }
    }
}

#[test]
fn random_trades_in_every_way_and_asks_for_nothing_illegal() {
    for latency in [0, 1, 5] {
        let mut market = Market::new("7", latency);
        (1..=3).for_each(|i| market.input(&listing(i)));
        market.run(0, 40_000);
        let all = ["cancel", "day", "fok", "group", "gtc", "ioc", "market", "replace"];
        assert_eq!(market.seen.iter().copied().collect::<Vec<_>>(), all);
        let wishes = market.emitted.iter().filter(|s| s.0.kind == Kind::Intent).count();
        assert!(wishes > 15_000, "{wishes}");
        assert!(market.anomalies.is_empty(), "{latency}: {:?}", &market.anomalies[..1]);
        let held: Vec<_> = market.orders.stage.portfolio.positions().map(|p| p.3.qty.unsigned_abs()).collect();
        assert!(held.len() == 3 && held.iter().all(|q| *q < 400), "{held:?}");
        let ids = market.emitted.iter().filter_map(|s| s.0.get::<Intent>()).all(|i| i.strategy == RANDOM);
        assert!(ids && market.emitted.iter().all(|s| !s.0.flags.has(Flags::SNAPSHOT)));
        let before = market.emitted.len();
        market.input(&event(0, Side::None, &EndOfInput::default()));
        market.run(40_000, 40_100);
        assert_eq!(market.emitted.len(), before, "silent after the end of input");
    }
}

#[test]
fn random_is_a_function_of_seed_and_events_and_goes_on_from_a_saved_state() {
    let listings = Listings::default();
    let emitted = |seed: &str, save: bool| {
        let mut market = Market::new(seed, 2);
        (1..=3).for_each(|i| market.input(&listing(i)));
        market.run(0, 1_000);
        if save {
            let bytes =
                [harness::saved(&market.random.stage, &listings), harness::saved(&market.orders.stage, &listings)];
            (market.random, market.orders) = (random("99"), orders());
            harness::load(&mut market.random.stage, &listings, &bytes[0]).unwrap();
            harness::load(&mut market.orders.stage, &listings, &bytes[1]).unwrap();
            assert_eq!(harness::saved(&market.random.stage, &listings), bytes[0]);
        }
        market.run(1_000, 2_000);
        market.emitted
    };
    let first = emitted("7", false);
    assert!(first == emitted("7", true) && first != emitted("8", false));
}

/// Tops that no order could have set: finer than the tick, about one dollar, and below zero.
#[test]
fn every_price_of_random_is_on_the_tick_and_what_joins_does_not_cross() {
    let us = Listing { currency: *b"USD\0", calendar: *b"XNAS", ..Default::default() };
    let stock = Listing { tick_px: Px(100_000), instrument_type: InstrumentType::Equity as u8, ..us };
    let spread = Listing { tick_px: Px(250_000_000), instrument_type: InstrumentType::Spread as u8, ..us };
    for (terms, middle) in [(stock, 76_779_900_000), (stock, 1_000_000_000), (spread, -17_100_000_000), (spread, 0)] {
        let (tick, mut pipeline) = (Tick::of(&terms), random("5"));
        pipeline.feed(&event(1, Side::None, &terms));
        let (mut joined, mut crossed, mut replaced) = (0, 0, 0);
        for i in 0..4_000_i64 {
            let bid = middle + i * 7_919_000 % 90_000_000;
            let (bid, ask) = (Px(bid), Px(bid + 1 + i % 5 * 1_000_000));
            for Emitted(emitted) in pipeline.feed_whole(&top(1, bid.0, ask.0)) {
                let Some(intent) = emitted.get::<Intent>().filter(|w| w.px != Px::NONE) else { continue };
                assert!(tick.is_on(intent.px), "{intent:?} at {bid:?} {ask:?}");
                let buys = emitted.side() == Side::Buy;
                match (intent.action, intent.tif) {
                    (2, _) => drop(pipeline.feed(&cancelled(1, OrderId(intent.order_id)))),
                    (3, _) => {
                        replaced += 1;
                        let new = OrderId::new(Account(1), RANDOM, i as u64 + 1);
                        pipeline.feed(&ack(1, new, OrderId(intent.order_id)));
                    }
                    (_, 1 | 2) => {
                        joined += 1;
                        assert!(
                            if buys { intent.px <= bid } else { intent.px >= ask },
                            "{intent:?} at {bid:?} {ask:?}"
                        );
                        let order_id = OrderId::new(Account(1), RANDOM, i as u64 + 1).0;
                        pipeline.feed(&event(1, emitted.side(), &Ack { order_id, ..Default::default() }));
                    }
                    _ => {
                        crossed += 1;
                        assert!(
                            if buys { intent.px >= ask } else { intent.px <= bid },
                            "{intent:?} at {bid:?} {ask:?}"
                        );
                    }
                }
            }
        }
        assert!(joined > 5 && crossed > 5 && replaced > 5, "{joined} joined, {crossed} crossed, {replaced} replaced");
    }
}

/// The venue takes back a part of what it executed: the strategy's own idea of its positions stays that of the orders,
/// which it shows by keeping near its limit.
#[test]
fn random_keeps_its_limit_when_fills_are_taken_back() {
    use crate::orders_harness::bust;
    let mut market = Market::new("7", 2);
    (1..=3).for_each(|i| market.input(&listing(i)));
    let mut known = 0;
    for round in 0..400_u64 {
        market.run(round * 100, (round + 1) * 100);
        for at in known..market.fills.len() {
            if (at as u64 + round).is_multiple_of(3) {
                let fill = market.fills[at];
                market.input(&bust(&fill, 0));
            }
        }
        known = market.fills.len();
        let held: Vec<_> = market.orders.stage.portfolio.positions().map(|p| p.3.qty.unsigned_abs()).collect();
        assert!(held.iter().all(|q| *q < 700), "{held:?}");
    }
    assert!(known > 5_000 && market.anomalies.is_empty(), "{known} fills, {:?}", market.anomalies.first());
}

//! The gate: one order through all checks, beside a gate of the standard collections.
//!
//! 64 instruments, orders of four strategies that all pass, so that no check ends early. Blocks of 256 orders are timed;
//! the tops before them and the fills after them, which end every order, are not. Both gates must let the same orders
//! pass.

use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use criterion::{Criterion, Throughput};
use flow::records::{BookTop, Fill, Listing, Order, Request};
use flow::{Account, Event, EventId, Flags, Kind, Kinds, Ns, Out, Params, Px, Qty, Side, Stage, StrategyId};
use stages::Space;
use stages::portfolio::PortfolioStage;
use stages::risk::{PARAMS, RiskStage};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

const INSTRUMENTS: u32 = 64;
const BLOCK: u64 = 256;
const BLOCKS: u64 = 400;
const TICK: i64 = 10_000_000;
const WINDOW: u64 = Ns::SECOND;

/// Events of a block: what is not timed, what is, what is not.
struct Block {
    before: Vec<Event>,
    orders: Vec<Event>,
    after: Vec<Event>,
}

fn numbered(seq: &mut u64, instrument: u32, side: Side, record: &impl flow::Record) -> Event {
    *seq += 1;
    let event = Event::new(Ns(*seq * 1_000_000), instrument, Flags::side_only(side), record);
    Event { id: EventId::new(*seq, 0, 0), ..event }
}

fn listings(seq: &mut u64) -> Vec<Event> {
    let listing = Listing { tick_px: Px(TICK), multiplier: Px::ONE, ..Default::default() };
    (1..INSTRUMENTS).map(|i| numbered(seq, i, Side::None, &listing)).collect()
}

fn block(number: u64, seq: &mut u64) -> Block {
    let px = |i: u32| Px((100 + i64::from(i)) * Px::ONE);
    let top = |i| BookTop { bid_px: Px(px(i).0 - TICK), ask_px: Px(px(i).0 + TICK), ..Default::default() };
    let before = (1..INSTRUMENTS).map(|i| numbered(seq, i, Side::None, &top(i))).collect();
    let mut orders = Vec::new();
    let mut after = Vec::new();
    for n in 0..BLOCK {
        let mixed = (number * BLOCK + n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let instrument = 1 + (mixed % u64::from(INSTRUMENTS - 1)) as u32;
        let side = if mixed & 64 == 0 { Side::Buy } else { Side::Sell };
        let (strategy, counter) = (StrategyId(1 + (n % 4) as u16), 1 + (number * BLOCK + n) / 4);
        let order_id = flow::OrderId::new(Account(1), strategy, counter).0;
        let (px, qty) = (Px(px(instrument).0 + TICK * (mixed % 5) as i64), Qty(1 + mixed % 50));
        let request = Request { order_id, px, qty, order_type: 1, tif: 1, ..Default::default() };
        orders.push((instrument, side, request));
        after.push((instrument, side, Fill { order_id, px, qty, ..Default::default() }));
    }
    let orders = orders.iter().map(|(i, side, r)| numbered(seq, *i, *side, r)).collect();
    let after = after.iter().map(|(i, side, r)| numbered(seq, *i, *side, r)).collect();
    Block { before, orders, after }
}

/// Times `on_event`, which returns whether an order passed, on the orders.
fn timed(opening: &[Event], blocks: &[Block], mut on_event: impl FnMut(&Event) -> bool) -> Run {
    let (mut time, mut check) = (Duration::ZERO, 0);
    opening.iter().for_each(|e| {
        on_event(e);
    });
    for block in blocks {
        block.before.iter().for_each(|e| {
            on_event(e);
        });
        let start = Instant::now();
        check += block.orders.iter().filter(|e| on_event(e)).count() as u64;
        time += start.elapsed();
        block.after.iter().for_each(|e| {
            on_event(e);
        });
    }
    Run { time, check }
}

fn params() -> Params {
    let mut params = Params::defaults(PARAMS);
    let mut set = |name: &str, text: &str| {
        let param = PARAMS.iter().find(|p| p.name == name).expect("it is registered");
        params.set(param, param.parse(name, text).expect("it is valid"));
    };
    set("max_messages", "8192");
    set("max_position", "1000000");
    params
}

fn ours(opening: &[Event], blocks: &[Block]) -> Run {
    let space = Space { instruments: INSTRUMENTS, fills: 65_536, positions: 16_384 };
    let (mut portfolio, mut told) = (PortfolioStage::new(space), Out::new(1, Kinds::of(&[Kind::Booked])));
    let (mut gate, mut out) = (
        RiskStage::new(&params(), space).expect("sound limits"),
        Out::new(2, Kinds::of(&[Kind::Order, Kind::Refused])),
    );
    timed(opening, blocks, |event| {
        if matches!(event.kind, Kind::Listing | Kind::Fill) {
            told.begin(event);
            portfolio.on_event(event, &mut told);
            told.events().iter().for_each(|booked| gate.on_event(booked, &mut out));
        }
        out.begin(event);
        gate.on_event(event, &mut out);
        out.events().iter().any(|e| e.kind == Kind::Order)
    })
}

/// What one would write in an afternoon.
#[derive(Default)]
struct Naive {
    listings: HashMap<u32, Listing>,
    tops: HashMap<u32, (BookTop, u64)>,
    positions: HashMap<u32, i64>,
    orders: HashMap<u64, (u32, Side, u64)>,
    working: HashMap<(u32, Side), u64>,
    messages: VecDeque<u64>,
    ids: HashMap<u64, u64>,
    passed: Vec<Order>,
}

impl Naive {
    fn on_event(&mut self, event: &Event) -> bool {
        match event.kind {
            Kind::Listing => drop(self.listings.insert(event.instrument, *event.record())),
            Kind::BookTop => drop(self.tops.insert(event.instrument, (*event.record(), event.ts.0))),
            Kind::Fill => self.fill(event.instrument, event.record()),
            _ => return self.request(event.instrument, event.side(), event.ts.0, event.record()),
        }
        false
    }

    fn fill(&mut self, instrument: u32, fill: &Fill) {
        let Some((_, side, open)) = self.orders.get_mut(&fill.order_id) else { return };
        let signed = if *side == Side::Buy { fill.qty.0 as i64 } else { -(fill.qty.0 as i64) };
        *self.positions.entry(instrument).or_default() += signed;
        *self.working.entry((instrument, *side)).or_default() -= fill.qty.0;
        *open -= fill.qty.0;
        if *open == 0 {
            self.orders.remove(&fill.order_id);
        }
    }

    fn request(&mut self, instrument: u32, side: Side, now: u64, request: &Request) -> bool {
        let Some(listing) = self.listings.get(&instrument) else { return false };
        let Some((top, seen_at)) = self.tops.get(&instrument) else { return false };
        let Request { order_id, px, qty, order_type, tif, .. } = *request;
        let worth = i128::from(px.0) * i128::from(qty.0) * i128::from(listing.multiplier);
        let middle = (top.bid_px.0 + top.ask_px.0) / 2;
        let position = self.positions.get(&instrument).copied().unwrap_or(0);
        let working = *self.working.get(&(instrument, side)).unwrap_or(&0) as i64;
        let worst = working + qty.0 as i64 + if side == Side::Buy { position } else { -position };
        while self.messages.front().is_some_and(|t| now - t >= WINDOW) {
            self.messages.pop_front();
        }
        let last = self.ids.get(&(order_id >> 40)).copied().unwrap_or(0);
        let passes = side != Side::None
            && qty.0 > 0
            && px.0 > 0
            && px.0 % listing.tick_px.0 == 0
            && (1..=2).contains(&order_type)
            && (1..=4).contains(&tif)
            && qty.0 <= 10_000
            && worth / 1_000_000_000_000_000_000 <= 250_000
            && (px.0 - middle).abs() * 10_000 / middle <= 500
            && worst <= 1_000_000
            && self.orders.len() < 1_000
            && self.messages.len() < 8_192
            && now - seen_at <= 5 * Ns::SECOND
            && order_id > last;
        if passes {
            self.messages.push_back(now);
            self.ids.insert(order_id >> 40, order_id);
            self.orders.insert(order_id, (instrument, side, qty.0));
            *self.working.entry((instrument, side)).or_default() += qty.0;
            self.passed.clear();
            self.passed.push(Order { order_id, px, qty, order_type, tif, ..Default::default() });
        }
        passes
    }
}

fn naively(opening: &[Event], blocks: &[Block]) -> Run {
    let mut gate = Naive::default();
    timed(opening, blocks, |event| gate.on_event(event))
}

fn main() {
    let mut seq = 0;
    let opening = listings(&mut seq);
    let blocks: Vec<Block> = (0..BLOCKS).map(|n| block(n, &mut seq)).collect();
    let orders = BLOCK * BLOCKS;
    assert_eq!(ours(&opening, &blocks).check, orders, "every order passes");
    let mut report = Report::new("gate");
    let mut contenders = [
        Contender::new("tidegate", || ours(&opening, &blocks)),
        Contender::new("std collections", || naively(&opening, &blocks)),
    ];
    compare(&mut report, "all checks", orders, count(21), &mut contenders);
    let mut criterion = Criterion::default().sample_size(10).measurement_time(Duration::from_millis(500));
    criterion = criterion.warm_up_time(Duration::from_millis(1)).configure_from_args();
    let mut group = criterion.benchmark_group("gate");
    group.throughput(Throughput::Elements(orders));
    group.bench_function("tidegate", |b| b.iter_custom(|n| (0..n).map(|_| ours(&opening, &blocks).time).sum()));
    group.bench_function("std collections", |b| {
        b.iter_custom(|n| (0..n).map(|_| naively(&opening, &blocks).time).sum())
    });
    group.finish();
    criterion.final_summary();
}

//! The naive rival: what one writes in an afternoon with the standard collections.
//!
//! A `HashMap` of orders, a `BTreeMap` of prices for each side, a `VecDeque` of references for each level, a `HashMap`
//! of bars. It gives the same tops and the same trades as the engine's stages; it allocates where they do not, and an
//! order that leaves from the middle of its queue is looked for from the front.

use flow::records::{Add, Cancel, Delete, Exec, Replace};
use flow::{Event, Flags, Kind, Px, Side};
use std::collections::{BTreeMap, HashMap, VecDeque};

#[derive(Default)]
struct Level {
    qty: u64,
    queue: VecDeque<u64>,
}

struct Order {
    instrument: u32,
    side: Side,
    px: i64,
    qty: u64,
}

/// Best bid and ask with their quantities; [`Px::NONE`] and 0 where a side is empty.
pub type Top = (Px, u64, Px, u64);

#[derive(Default)]
struct Book {
    bids: BTreeMap<i64, Level>,
    asks: BTreeMap<i64, Level>,
    last_top: Option<Top>,
}

impl Book {
    fn side(&mut self, side: Side) -> &mut BTreeMap<i64, Level> {
        if side == Side::Buy { &mut self.bids } else { &mut self.asks }
    }

    fn top(&self) -> Top {
        let of = |best: Option<(&i64, &Level)>| best.map_or((Px::NONE, 0), |(px, level)| (Px(*px), level.qty));
        let (bid, ask) = (of(self.bids.last_key_value()), of(self.asks.first_key_value()));
        (bid.0, bid.1, ask.0, ask.1)
    }
}

/// Books of all instruments.
#[derive(Default)]
pub struct Books {
    orders: HashMap<u64, Order>,
    books: HashMap<u32, Book>,
}

/// What an event led to.
#[derive(Default)]
pub struct Emitted {
    /// The top, if it changed.
    pub top: Option<Top>,
    /// Price and quantity of a printed trade.
    pub trade: Option<(Px, u64)>,
}

impl Books {
    /// Applies an event.
    pub fn on_event(&mut self, event: &Event) -> Emitted {
        let mut emitted = Emitted::default();
        match event.kind {
            Kind::Add => {
                let add: &Add = event.record();
                self.add(add.order_ref, event.instrument, event.side(), add.px.0, add.qty.0);
            }
            Kind::Exec => {
                let exec: &Exec = event.record();
                let px = self.orders.get(&exec.order_ref).map_or(Px::NONE, |o| Px(o.px));
                self.reduce(exec.order_ref, exec.qty.0);
                if !event.flags.has(Flags::NON_PRINTABLE) {
                    emitted.trade = Some((exec.px.known().unwrap_or(px), exec.qty.0));
                }
            }
            Kind::Cancel => {
                let cancel: &Cancel = event.record();
                self.reduce(cancel.order_ref, cancel.qty.0);
            }
            Kind::Delete => {
                self.reduce(event.record::<Delete>().order_ref, u64::MAX);
            }
            Kind::Replace => {
                let replace: &Replace = event.record();
                if let Some(old) = self.reduce(replace.order_ref, u64::MAX) {
                    self.add(replace.new_ref, event.instrument, old, replace.px.0, replace.qty.0);
                }
            }
            _ => return emitted,
        }
        if let Some(book) = self.books.get_mut(&event.instrument) {
            let top = book.top();
            if book.last_top != Some(top) {
                book.last_top = Some(top);
                emitted.top = Some(top);
            }
        }
        emitted
    }

    /// Live orders.
    pub fn live_orders(&self) -> usize {
        self.orders.len()
    }

    fn add(&mut self, reference: u64, instrument: u32, side: Side, px: i64, qty: u64) {
        self.orders.insert(reference, Order { instrument, side, px, qty });
        let level = self.books.entry(instrument).or_default().side(side).entry(px).or_default();
        level.qty += qty;
        level.queue.push_back(reference);
    }

    fn reduce(&mut self, reference: u64, qty: u64) -> Option<Side> {
        let order = self.orders.get_mut(&reference)?;
        let (instrument, side, px, taken) = (order.instrument, order.side, order.px, qty.min(order.qty));
        order.qty -= taken;
        let gone = order.qty == 0;
        let levels = self.books.get_mut(&instrument)?.side(side);
        let level = levels.get_mut(&px)?;
        level.qty -= taken;
        if gone {
            level.queue.iter().position(|r| *r == reference).and_then(|at| level.queue.remove(at));
            self.orders.remove(&reference);
        }
        if level.queue.is_empty() {
            levels.remove(&px);
        }
        Some(side)
    }
}

/// A bar while it grows.
#[derive(Clone, Copy)]
struct Bar {
    start: u64,
    high: Px,
    low: Px,
    close: Px,
    volume: u64,
}

/// Bars of one length of all instruments.
pub struct Bars {
    length_ns: u64,
    bars: HashMap<u32, Bar>,
}

impl Bars {
    /// Bars of so many seconds.
    pub fn new(seconds: u64) -> Bars {
        Bars { length_ns: seconds * 1_000_000_000, bars: HashMap::new() }
    }

    /// Adds a trade; the volume of the bar that it closed, if it closed one.
    pub fn trade(&mut self, instrument: u32, ts: u64, px: Px, qty: u64) -> Option<u64> {
        let start = ts - ts % self.length_ns;
        let fresh = Bar { start, high: px, low: px, close: px, volume: 0 };
        let bar = self.bars.entry(instrument).or_insert(fresh);
        let closed = (bar.start != start).then_some(bar.volume);
        if closed.is_some() {
            *bar = fresh;
        }
        bar.high = bar.high.max(px);
        bar.low = bar.low.min(px);
        bar.close = px;
        bar.volume += qty;
        closed
    }
}

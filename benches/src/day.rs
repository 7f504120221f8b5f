//! The book on a day that begins with full books.
//!
//! The first part of the day fills the books and is not timed; the rest is. Bound: the bytes of the day, in memory.

use crate::market::{Market, Numbering, decode, queue};
use crate::naive;
use crate::rounds::Run;
use feeds::itch::ItchDecoder;
use flow::records::BookTop;
use flow::{Event, Inputs, Kind, Kinds, Out, Params, Stage, Value, Window};
use stages::Space;
use stages::book::{BookStage, MAX_ORDERS, PARAMS};
use std::time::{Duration, Instant};

/// A day: what fills the books, and what is timed.
pub struct Day {
    /// Name in the figures.
    pub name: &'static str,
    filling: Market,
    /// What is timed.
    pub timed: Market,
    params: Params,
}

impl Day {
    /// A day of so many symbols and about so many orders at rest, which `filling` messages bring.
    pub fn new(name: &'static str, symbols: u32, live_orders: u32, filling: u64) -> Day {
        let (filling, timed) = Market::new(filling + 500_000, symbols, live_orders).split(filling);
        Day { name, filling, timed, params: params(live_orders) }
    }

    /// Feeds the first part to `on_event`, then times it on the second.
    pub fn run<T>(&self, state: &mut T, mut on_event: impl FnMut(&mut T, &Event, &[Event])) -> Duration {
        let (mut decoder, mut queue) = (ItchDecoder::new(None), queue());
        feed(&mut decoder, self.filling.window(), &mut queue, |event, lookahead| on_event(state, event, lookahead));
        let window = self.timed.window();
        let start = Instant::now();
        feed(&mut decoder, window, &mut queue, |event, lookahead| on_event(state, event, lookahead));
        start.elapsed()
    }

    /// Orders at rest at the end.
    pub fn live_orders(&self) -> usize {
        let mut books = naive::Books::default();
        self.run(&mut books, |books, event, _| {
            let _ = books.on_event(event);
        });
        books.live_orders()
    }
}

fn feed(decoder: &mut ItchDecoder, mut window: [Window; 1], queue: &mut Inputs, take: impl FnMut(&Event, &[Event])) {
    decode(decoder, &mut window, queue, take);
}

/// The defaults, with more room where so many orders need it.
fn params(live_orders: u32) -> Params {
    let mut params = Params::defaults(PARAMS);
    let wanted = u64::from(live_orders) * 5 / 4;
    if wanted > u64::from(params.get(MAX_ORDERS)) {
        params.set(&MAX_ORDERS.param(), Value::Int(wanted));
    }
    params
}

/// Sums the tops up.
#[derive(Default)]
pub struct Tops(pub u64);

impl Tops {
    /// Adds one.
    pub fn add(&mut self, (bid, bid_qty, ask, ask_qty): naive::Top) {
        let top = (bid.0 ^ ask.0.rotate_left(20)) as u64 ^ bid_qty.rotate_left(40) ^ ask_qty.rotate_left(50);
        self.0 = self.0.rotate_left(1).wrapping_add(top);
    }
}

/// Decoding, the book stage and its tops; the check is their sum.
pub fn book(day: &Day) -> Run {
    let book = BookStage::new(&day.params, Space { instruments: 1 << 16, fills: 65_536, positions: 16_384 });
    let mut state = (book, Out::new(1, Kinds::of(&[Kind::BookTop])), Tops::default(), Numbering::default());
    let time = day.run(&mut state, |(book, out, tops, numbering), event, lookahead| {
        book.prefetch(lookahead);
        let event = numbering.next(event);
        out.begin(&event);
        book.on_event(&event, out);
        for emitted in out.events() {
            let top: &BookTop = emitted.record();
            tops.add((top.bid_px, top.bid_qty.0, top.ask_px, top.ask_qty.0));
        }
    });
    Run { time, check: state.2.0 }
}

//! A live feed: a trade of quantity 1 each millisecond, and then a quote; its prices go up and down.
//!
//! Bound: one message. Worst case: none; it waits for nobody.

use feeds::live::{RingSender, RingSource, arrival};
use feeds::{Feed, Open, OpenError, Request};
use flow::records::{Quote, Trade};
use flow::{BookKind, Definition, Event, Flags, Inputs, IntParam, Ns, Px, Qty, Source};
use std::time::Duration;

const COUNT: IntParam = IntParam::new("count", (1, 1_000_000), "1_000", "Messages before it falls silent");

/// The entry.
pub const FEED: Feed = Feed {
    name: "clock",
    doc: "tests/outside/src/clock.rs",
    about: "A trade and a quote each millisecond",
    params: &[COUNT.param()],
    open: Open::Live(open),
};

fn open(request: &Request) -> Result<Box<dyn Source>, OpenError> {
    let count = request.params.get(COUNT);
    Ok(Box::new(RingSource::new("clock", 2, move |sender| send(count, sender))))
}

fn send(count: u64, mut sender: RingSender) {
    let mut listing = Inputs::with_capacity(0);
    let (book, tick_px) = (BookKind::Quotes, Px::from_scaled(1, 2));
    let definition =
        Definition { symbol: "CLOCK".to_owned(), book, tick_px, multiplier: Px::ONE, ..Definition::default() };
    definition.push(&mut listing, Ns(0), 1, 0);
    sender.send_beside(arrival(), listing.waiting());
    sender.begin(arrival().0, None);
    let mut sequence = 0;
    while !sender.is_abandoned() {
        std::thread::sleep(Duration::from_millis(1));
        if sequence < count {
            sequence += 1;
            let at = arrival();
            sender.send(sequence, at, &[trade(sequence, at), quote(sequence, at)]);
        }
    }
}

fn cents(sequence: u64) -> i64 {
    10_000 + (sequence % 7) as i64
}

fn trade(sequence: u64, at: Ns) -> Event {
    let px = Px::from_scaled(cents(sequence), 2);
    let trade = Trade { exchange_ts: at, px, qty: Qty(1), match_id: sequence, ..Trade::default() };
    Event::new(at, 1, Flags::NONE, &trade)
}

fn quote(sequence: u64, at: Ns) -> Event {
    let px = |away| Px::from_scaled(cents(sequence) + away, 2);
    let quote =
        Quote { bid_px: px(-1), ask_px: px(1), bid_qty: Qty(1_000), ask_qty: Qty(1_000), ..Quote::default() };
    Event::new(at, 1, Flags::LAST_OF_GROUP, &quote)
}

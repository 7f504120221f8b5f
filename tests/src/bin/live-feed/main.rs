//! `tidegate` with a live feed of another crate: what it takes to add one.
//!
//! The feed `counter` receives datagrams on a socket of the file system, 16 bytes each: session and sequence number. Each
//! becomes a trade whose match number is the sequence number, so a journal shows which came. Every tenth also gives a result
//! that took its time, `external`, as of the moment when it was begun.

#![forbid(unsafe_code)]

use feeds::live::{RingSender, RingSource, arrival};
use feeds::{Feed, Open, OpenError, Request};
use flow::records::{External, Trade};
use flow::{Definition, Event, Flags, Inputs, Ns, Px, Qty, Real, Source, TextParam};
use std::os::unix::net::UnixDatagram;
use std::process::ExitCode;
use std::time::Duration;
use tidegate::Registries;
use tidegate::os::Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

const SOCKET: TextParam = TextParam::new("socket", "counter.sock", "Path of the socket");

const SYMBOL: TextParam = TextParam::new("symbol", "COUNT", "Symbol of what is counted");

const FEED: Feed = Feed {
    name: "counter",
    doc: "tests/src/bin/live-feed/main.rs",
    about: "Datagrams that count",
    params: &[SOCKET.param(), SYMBOL.param()],
    open: Open::Live(open),
};

fn open(request: &Request) -> Result<Box<dyn Source>, OpenError> {
    let (path, symbol) = (request.params.get(SOCKET).to_owned(), request.params.get(SYMBOL).to_owned());
    Ok(Box::new(RingSource::new("counter", 2, move |sender| receive(&path, symbol, sender))))
}

/// Receives until the run ends. What cannot be bound ends the thread, which the run reports as a gap.
fn receive(path: &str, symbol: String, mut sender: RingSender) {
    // What a killed process left.
    let _ = std::fs::remove_file(path);
    let Ok(socket) = UnixDatagram::bind(path) else { return };
    if socket.set_read_timeout(Some(Duration::from_millis(20))).is_err() {
        return;
    }
    let mut listing = Inputs::with_capacity(0);
    let definition = Definition { symbol, multiplier: Px::ONE, ..Definition::default() };
    definition.push(&mut listing, Ns(0), 1, 0);
    sender.send_beside(arrival(), listing.waiting());
    let mut datagram = [0; 16];
    while !sender.is_abandoned() {
        let Ok(16) = socket.recv(&mut datagram) else { continue };
        let [session, sequence] = bytemuck::cast::<[u8; 16], [u64; 2]>(datagram);
        let at = arrival();
        if sender.session() != Some(session) {
            sender.begin(session, Some(1));
        }
        let result = (sequence % 10 == 0).then(|| result(sequence, at));
        let inputs: Vec<_> = result.into_iter().chain([trade(sequence, at)]).collect();
        sender.send(sequence, at, &inputs);
    }
}

/// How long a result takes.
const TAKES: u64 = 40_000_000;

fn trade(sequence: u64, at: Ns) -> Event {
    let (px, qty) = (Px::from_scaled(100, 0), Qty(1));
    let trade = Trade { exchange_ts: at, px, qty, match_id: sequence, ..Trade::default() };
    Event::new(at, 1, Flags::LAST_OF_GROUP, &trade)
}

fn result(sequence: u64, at: Ns) -> Event {
    let none = Real::NONE;
    let first = Real::of(sequence as f64);
    let result = External { as_of: Ns(at.0 - TAKES), first, second: none, third: none, owner: 1, key: 7 };
    Event::new(at, 1, Flags::NONE, &result)
}

fn main() -> ExitCode {
    tidegate::main(Registries::default().with_feed(&FEED))
}

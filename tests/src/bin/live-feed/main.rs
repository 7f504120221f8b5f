//! `tidegate` with a live feed of another crate: what it takes to add one.
//!
//! The feed `counter` receives datagrams on a socket of the file system, 16 bytes each: session and sequence number. Each
//! becomes a trade whose match number is the sequence number, so a journal shows which came.

#![forbid(unsafe_code)]

use feeds::live::{RingSender, RingSource, arrival};
use feeds::{Feed, Open, OpenError, Request};
use flow::records::Trade;
use flow::{Definition, Event, Flags, Inputs, Ns, Px, Qty, Source, TextParam};
use std::os::unix::net::UnixDatagram;
use std::process::ExitCode;
use std::time::Duration;
use tidegate::Registries;
use tidegate::os::Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

const SOCKET: TextParam = TextParam::new("socket", "counter.sock", "Path of the socket");

const FEED: Feed = Feed {
    name: "counter",
    doc: "tests/src/bin/live-feed/main.rs",
    about: "Datagrams that count",
    params: &[SOCKET.param()],
    open: Open::Live(open),
};

fn open(request: &Request) -> Result<Box<dyn Source>, OpenError> {
    let path = request.params.get(SOCKET).to_owned();
    Ok(Box::new(RingSource::new("counter", 2, move |sender| receive(&path, sender))))
}

/// Receives until the run ends. What cannot be bound ends the thread, which the run reports as a gap.
fn receive(path: &str, mut sender: RingSender) {
    // What a killed process left.
    let _ = std::fs::remove_file(path);
    let Ok(socket) = UnixDatagram::bind(path) else { return };
    if socket.set_read_timeout(Some(Duration::from_millis(20))).is_err() {
        return;
    }
    let mut listed = Inputs::with_capacity(0);
    let definition = Definition { symbol: "COUNT".to_owned(), multiplier: Px::ONE, ..Definition::default() };
    let mut datagram = [0; 16];
    while !sender.is_abandoned() {
        let Ok(16) = socket.recv(&mut datagram) else { continue };
        let [session, sequence] = bytemuck::cast::<[u8; 16], [u64; 2]>(datagram);
        let at = arrival();
        if sender.session() != Some(session) {
            sender.begin(session);
        }
        let trade =
            Trade { exchange_ts: at, px: Px::from_scaled(100, 0), qty: Qty(1), match_id: sequence, ..Trade::default() };
        if listed.is_empty() {
            definition.push(&mut listed, Ns(0), 1, 0);
            sender.send(sequence, at, &[listed.waiting(), &[event(&trade)]].concat());
        } else {
            sender.send(sequence, at, &[event(&trade)]);
        }
    }
}

fn event(trade: &Trade) -> Event {
    Event::new(trade.exchange_ts, 1, Flags::LAST_OF_GROUP, trade)
}

fn main() -> ExitCode {
    tidegate::main(Registries::default().with_feed(&FEED))
}

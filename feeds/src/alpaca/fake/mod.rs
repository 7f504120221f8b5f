//! A server that speaks as Alpaca does: market data over a WebSocket, and the past over HTTP, on the loopback, of a market that is made
//! up.
//!
//! It knows one key. What it sends to whom depends on what was subscribed to, on the encoding that was asked for, and on the
//! [`Faults`] that it is told to make, which follow from a seed. It counts what reached a socket ([`Tally`]), so a test can say what
//! a client lost. One thread accepts, each connection has one, and whoever holds the [`Fake`] publishes.
//!
//! Bound: [`BACKLOG`] messages a connection; a client that is slower is told so and cut off, as the real one does.

mod connection;
mod history;
mod market;
mod minute;
mod rest;
mod shared;
mod wire;

pub use market::Market;
pub use shared::{Faults, Rest, RestFaults, Settings, Tally};
pub use wire::{Body, Minute, Sent, Time};

use connection::Guest;
use history::History;
use shared::Shared;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Messages that may wait for a client.
pub const BACKLOG: usize = 1 << 16;

/// The running server. It ends when this is dropped.
pub struct Fake {
    shared: Shared,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Starts on a port of the loopback; 0 = one that is free.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(port: u16, settings: Settings) -> io::Result<Fake> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let (guests, tally, hung_up, is_over, pace) = Default::default();
        let past = &settings.rest;
        let history = Arc::new(Mutex::new(History::new(&past.symbols, past.seed, past.a_day)));
        let shared = Shared { settings: Arc::new(settings), guests, tally, hung_up, is_over, history, pace };
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new().name("fake-alpaca".to_owned());
        let thread = thread.spawn(move || accept(&listener, &of_thread))?;
        Ok(Fake { shared, address, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What happened so far.
    pub fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Hangs up on every client, without a word.
    pub fn hang_up(&self) {
        self.shared.hung_up.fetch_add(1, Ordering::AcqRel);
    }

    /// Tells these messages, in one frame, to whoever has subscribed to them.
    pub fn publish(&self, messages: Vec<Sent>) {
        self.shared.history.lock().unwrap_or_else(PoisonError::into_inner).keep(&messages);
        let messages = Arc::new(messages);
        let mut guests = self.shared.guests.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is too slow is let go: its thread sees that and says so.
        guests.retain(|guest| match guest.try_send(Arc::clone(&messages)) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        });
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Shared) {
    let mut threads = Vec::new();
    while !shared.is_over.load(Ordering::Acquire) {
        match listener.accept() {
            Ok((stream, _)) => {
                let number = shared.tally.connections.fetch_add(1, Ordering::AcqRel);
                let (to, from) = sync_channel(BACKLOG);
                shared.guests.lock().unwrap_or_else(PoisonError::into_inner).push(to);
                let shared = shared.clone();
                threads.push(std::thread::spawn(move || {
                    if rest::is_asked(&stream) {
                        drop(from);
                        rest::serve(stream, &shared);
                    } else {
                        Guest::serve(stream, number, &shared, from);
                    }
                }));
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(2)),
            Err(_) => return,
        }
    }
    threads.into_iter().for_each(|thread| _ = thread.join());
}

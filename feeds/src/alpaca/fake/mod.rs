//! A server that speaks as Alpaca does: market data over a WebSocket, on the loopback, of a market that is made up.
//!
//! It knows one key. What it sends to whom depends on what was subscribed to, on the encoding that was asked for, and on the
//! [`Faults`] that it is told to make, which follow from a seed. It keeps what it sent ([`Fake::sent`]), so a test can say what
//! a client lost. One thread accepts, each connection has one, and whoever holds the [`Fake`] publishes.
//!
//! Bound: [`BACKLOG`] messages a connection; a client that is slower is told so and cut off, as the real one does.

mod connection;
mod market;
mod wire;

pub use market::Market;
pub use wire::{Sent, Time, Told};

use connection::Guest;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Messages that may wait for a client.
pub const BACKLOG: usize = 1 << 16;

/// What goes wrong, each in one of so many chances; 0 = never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Of the generator.
    pub seed: u64,
    /// A frame is not sent.
    pub drop: u32,
    /// A frame is sent twice.
    pub duplicate: u32,
    /// A frame is sent after the next one.
    pub reorder: u32,
    /// The connection ends after a frame.
    pub hang_up: u32,
    /// The connection ends in the middle of a frame.
    pub half: u32,
    /// A frame is no message.
    pub garbage: u32,
    /// A connection is refused at authentication.
    pub refuse: u32,
    /// Nothing comes any more, and the connection stays open.
    pub silence: u32,
}

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The key's identity.
    pub key: String,
    /// Its secret.
    pub secret: String,
    /// Symbols of trades and quotes together that the plan has room for.
    pub symbols: usize,
    /// What goes wrong.
    pub faults: Faults,
}

impl Default for Settings {
    fn default() -> Settings {
        let (key, secret) = ("fake-key".to_owned(), "fake-secret".to_owned());
        Settings { key, secret, symbols: 30, faults: Faults::default() }
    }
}

/// What happened, for a test or a screen.
#[derive(Debug, Default)]
pub struct Tally {
    /// Connections so far.
    pub connections: AtomicU64,
    /// Those that were authenticated.
    pub authenticated: AtomicU64,
    /// Requests of any kind.
    pub requests: AtomicU64,
    /// Messages that reached a socket, in whole.
    pub messages: AtomicU64,
    /// Connections that a fault ended.
    pub ended: AtomicU64,
}

#[derive(Clone)]
struct Shared {
    settings: Arc<Settings>,
    guests: Arc<Mutex<Vec<SyncSender<Arc<Vec<Sent>>>>>>,
    tally: Arc<Tally>,
    is_over: Arc<AtomicBool>,
}

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
        let (guests, tally, is_over) = Default::default();
        let shared = Shared { settings: Arc::new(settings), guests, tally, is_over };
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

    /// Tells these messages, in one frame, to whoever has subscribed to them.
    pub fn publish(&self, messages: Vec<Sent>) {
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
                threads.push(std::thread::spawn(move || Guest::serve(stream, number, &shared, from)));
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(2)),
            Err(_) => return,
        }
    }
    threads.into_iter().for_each(|thread| _ = thread.join());
}

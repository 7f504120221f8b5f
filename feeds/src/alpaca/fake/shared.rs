//! How the fake behaves, what it has done, and what its threads share.

use super::history::History;
use super::wire::Sent;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::time::Instant;

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

/// What goes wrong with a request for the past, each in one of so many chances; 0 = never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestFaults {
    /// Of the generator.
    pub seed: u64,
    /// It is answered 408.
    pub client: u32,
    /// It is answered 500 to 504.
    pub server: u32,
    /// It is answered late.
    pub slow: u32,
    /// It is answered 429.
    pub throttle: u32,
    /// The connection ends in the middle of the answer.
    pub half: u32,
    /// The connection ends before it.
    pub hang_up: u32,
}

/// The past that the server has, and how it gives it.
#[derive(Clone, Debug)]
pub struct Rest {
    /// Symbols of its market.
    pub symbols: Vec<String>,
    /// Seed of its market.
    pub seed: u64,
    /// Messages of a day, of all symbols together.
    pub a_day: u64,
    /// Requests that a minute has room for.
    pub a_minute: u32,
    /// What goes wrong.
    pub faults: RestFaults,
}

impl Default for Rest {
    fn default() -> Rest {
        let symbols = ["AAPL", "MSFT", "SPY"].map(str::to_owned).into();
        Rest { symbols, seed: 1, a_day: 20_000, a_minute: 200, faults: RestFaults::default() }
    }
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
    /// What goes wrong with the stream.
    pub faults: Faults,
    /// The past.
    pub rest: Rest,
}

impl Default for Settings {
    fn default() -> Settings {
        let (key, secret) = ("fake-key".to_owned(), "fake-secret".to_owned());
        Settings { key, secret, symbols: 30, faults: Faults::default(), rest: Rest::default() }
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
    /// Requests for the past.
    pub asked: AtomicU64,
    /// Those that went wrong.
    pub rest_faults: AtomicU64,
}

/// The requests of a minute.
#[derive(Debug, Default)]
pub(super) struct Pace {
    pub(super) began: Option<Instant>,
    pub(super) count: u32,
}

/// Where a client's messages wait.
type Outbox = SyncSender<Arc<Vec<Sent>>>;

/// What the threads of the server share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) settings: Arc<Settings>,
    pub(super) guests: Arc<Mutex<Vec<Outbox>>>,
    pub(super) tally: Arc<Tally>,
    /// How often it has hung up on all.
    pub(super) hung_up: Arc<AtomicU64>,
    pub(super) is_over: Arc<AtomicBool>,
    pub(super) history: Arc<Mutex<History>>,
    pub(super) pace: Arc<Mutex<Pace>>,
}

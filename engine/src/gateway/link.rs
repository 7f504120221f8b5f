//! State that head, tail, gateway and main thread share beside the rings.
//!
//! Two counters that only rise, one hand-over at the end of the replay, the definitions of instruments, and how the run ended.
//! Nothing here orders events; the rings do that. Bound: a few atomics and two mutexes, each locked a few times per run or per
//! idle poll, and a queue of definitions.

use super::open_orders::OpenOrders;
use crossbeam_queue::SegQueue;
use flow::{Event, EventId, KnownOrder};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// How a run ended, as its gateway sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has not ended.
    Running,
    /// In order: open orders stay at the venue.
    Orderly,
    /// It failed: all orders are cancelled.
    Failed,
}

/// Where a gateway resumes, according to the recorded inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resumption {
    /// Number of recorded answers.
    pub received: u64,
    /// The last route that the journal settles.
    pub settled: EventId,
    /// Routes of inputs up to this `seq` were only repeated by the replay and are not sent.
    pub through: u64,
    /// Routes that were sent but not answered, as `sent` inputs.
    pub unanswered: Vec<Event>,
    /// Routes in doubt that the replay does not repeat, because it started from a snapshot.
    pub doubts: Vec<Event>,
    /// Whether to cancel all orders first, because they belong to an earlier journal.
    pub cancel_first: bool,
    /// Orders of that journal that may still be open.
    pub ask: Vec<KnownOrder>,
    /// The orders that may be open according to the recorded inputs.
    pub open: OpenOrders,
    /// The recorded inputs end without a session.
    pub lost: bool,
}

/// The shared state; see the module.
#[derive(Default)]
pub struct Link {
    /// Number of routes that the tail has handed over.
    routes: Arc<AtomicU64>,
    /// During a replay: the last route settled so far.
    settled: AtomicU64,
    rests: AtomicBool,
    /// Id of the run's journal; 0 = none.
    journal: AtomicU64,
    ending: AtomicU8,
    resumption: Mutex<Option<Resumption>>,
    /// Names and listings that the venue has yet to learn.
    definitions: SegQueue<Event>,
    failure: Mutex<Option<String>>,
}

impl Link {
    /// The counter of routes handed over; the tail increments it.
    pub fn handed_over(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.routes)
    }

    /// Number of routes that the tail has handed over.
    pub fn routes(&self) -> u64 {
        self.routes.load(Ordering::Acquire)
    }

    /// The replay has settled this route.
    pub fn settle(&self, route: u64) {
        self.settled.store(route, Ordering::Release);
    }

    /// The last route that the journal settles.
    pub fn settled(&self) -> u64 {
        self.settled.load(Ordering::Acquire)
    }

    /// The run writes this journal; set before the gateway starts.
    pub fn set_journal(&self, id: u64) {
        self.journal.store(id, Ordering::Release);
    }

    /// Id of the run's journal; 0 = none.
    pub fn journal(&self) -> u64 {
        self.journal.load(Ordering::Acquire)
    }

    /// The venue is to learn this name or listing.
    pub fn define(&self, definition: Event) {
        self.definitions.push(definition);
    }

    /// The next name or listing for the venue.
    pub fn next_definition(&self) -> Option<Event> {
        self.definitions.pop()
    }

    /// Set by the gateway: whether the session is open, every route sent is answered, and the venue is silent.
    pub fn set_at_rest(&self, rests: bool) {
        self.rests.store(rests, Ordering::Release);
    }

    /// The last value of [`Link::set_at_rest`].
    pub fn is_at_rest(&self) -> bool {
        self.rests.load(Ordering::Acquire)
    }

    /// The replay is finished: the gateway may start.
    ///
    /// # Panics
    /// If a thread panicked while it held the lock, which none does.
    pub fn begin(&self, resumption: Resumption) {
        *self.resumption.lock().expect("no thread panics while it holds the lock") = Some(resumption);
    }

    /// Takes the value passed to [`Link::begin`].
    ///
    /// # Panics
    /// As [`Link::begin`].
    pub fn take_resumption(&self) -> Option<Resumption> {
        self.resumption.lock().expect("no thread panics while it holds the lock").take()
    }

    /// Records how the run ended.
    pub fn end(&self, ending: Ending) {
        self.ending.store(ending as u8, Ordering::Release);
    }

    /// How the run ended.
    pub fn ending(&self) -> Ending {
        match self.ending.load(Ordering::Acquire) {
            0 => Ending::Running,
            1 => Ending::Orderly,
            _ => Ending::Failed,
        }
    }

    /// Records why the gateway failed.
    ///
    /// # Panics
    /// As [`Link::begin`].
    pub fn fail(&self, why: String) {
        *self.failure.lock().expect("no thread panics while it holds the lock") = Some(why);
    }

    /// Why the gateway failed.
    ///
    /// # Panics
    /// As [`Link::begin`].
    pub fn failure(&self) -> String {
        let why = self.failure.lock().expect("no thread panics while it holds the lock").clone();
        why.unwrap_or_else(|| "its thread ended".to_owned())
    }
}

//! What head, tail, gateway and the run's own thread tell each other beside the rings.
//!
//! Words that rise, one hand-over when the record has been repeated, and how the run ended. Nothing here orders events:
//! that is the rings' part.

use flow::{Event, EventId, OrderId};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// How a run ended, for its gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has not.
    Running,
    /// In order: orders stay where they are.
    Orderly,
    /// It broke: all orders are cancelled.
    Broken,
}

/// From where a gateway goes on: what the recorded inputs say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resumption {
    /// Answers that were recorded.
    pub received: u64,
    /// The last route that the record settles.
    pub settled: EventId,
    /// Routes of inputs up to this one were said again and are not sent.
    pub through: u64,
    /// What was sent and not answered, as `sent` inputs.
    pub unanswered: Vec<Event>,
    /// Routes in doubt that the pipeline does not say again, because it began at a snapshot.
    pub doubts: Vec<Event>,
    /// All orders are cancelled first: they are of a journal that ended.
    pub cancel_first: bool,
    /// Orders of that journal which may be open.
    pub ask: Vec<OrderId>,
}

/// See the module.
#[derive(Default)]
pub struct Link {
    /// Routes that the tail has handed over.
    routes: Arc<AtomicU64>,
    /// While the record is repeated: the last route that it settles, as far as it was repeated.
    settled: AtomicU64,
    rests: AtomicBool,
    ending: AtomicU8,
    resumption: Mutex<Option<Resumption>>,
    failure: Mutex<Option<String>>,
}

impl Link {
    /// Counts the routes that the tail has handed over: the tail raises it.
    pub fn handed_over(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.routes)
    }

    /// How many routes the tail has handed over.
    pub fn routes(&self) -> u64 {
        self.routes.load(Ordering::Acquire)
    }

    /// The record settles this route.
    pub fn settle(&self, route: u64) {
        self.settled.store(route, Ordering::Release);
    }

    /// The last route that the record settles.
    pub fn settled(&self) -> u64 {
        self.settled.load(Ordering::Acquire)
    }

    /// The gateway tells whether the session is open, everything that was sent is answered and the venue is silent.
    pub fn tell_rest(&self, rests: bool) {
        self.rests.store(rests, Ordering::Release);
    }

    /// What the gateway told last.
    pub fn is_at_rest(&self) -> bool {
        self.rests.load(Ordering::Acquire)
    }

    /// The record is repeated: the gateway may begin.
    ///
    /// # Panics
    /// When a thread panicked with it, which none can.
    pub fn begin(&self, resumption: Resumption) {
        *self.resumption.lock().expect("nobody panics with it") = Some(resumption);
    }

    /// Takes what [`Link::begin`] gave.
    ///
    /// # Panics
    /// As there.
    pub fn take_resumption(&self) -> Option<Resumption> {
        self.resumption.lock().expect("nobody panics with it").take()
    }

    /// The run has ended.
    pub fn end(&self, ending: Ending) {
        self.ending.store(ending as u8, Ordering::Release);
    }

    /// How the run ended.
    pub fn ending(&self) -> Ending {
        match self.ending.load(Ordering::Acquire) {
            0 => Ending::Running,
            1 => Ending::Orderly,
            _ => Ending::Broken,
        }
    }

    /// The gateway cannot go on.
    ///
    /// # Panics
    /// As [`Link::begin`].
    pub fn fail(&self, why: String) {
        *self.failure.lock().expect("nobody panics with it") = Some(why);
    }

    /// Why the gateway ended.
    ///
    /// # Panics
    /// As [`Link::begin`].
    pub fn failure(&self) -> String {
        let why = self.failure.lock().expect("nobody panics with it").clone();
        why.unwrap_or_else(|| "its thread ended".to_owned())
    }
}

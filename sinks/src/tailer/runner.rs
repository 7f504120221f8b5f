//! A sink in a thread of its own.
//!
//! The thread owns the sink, its position and its pauses; whoever started it stops it, reads its counters, and never waits for
//! what the sink waits for. Bound: one thread. Worst case: a sink inside a call to a database that does not answer takes no notice
//! of a stop; nothing is lost if the process ends then, since what was not committed comes again.

use super::counters::{Counters, Counts};
use super::deliver::{Delivery, DeliveryError, Following, deliver};
use super::{Reference, Tailer};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// A sink that runs.
pub struct Runner {
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
    ended: Receiver<Result<(), DeliveryError>>,
}

impl Runner {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        what: Following,
        mut tailer: Box<dyn Tailer>,
        reference: Box<dyn Reference + Send>,
        mut say: impl FnMut(String) + Send + 'static,
    ) -> io::Result<Runner> {
        let (counters, stop) = (Arc::<Counters>::default(), Arc::<AtomicBool>::default());
        let (tell, ended) = channel();
        let (counted, stops) = (Arc::clone(&counters), Arc::clone(&stop));
        let name = format!("sink-{}", what.name);
        std::thread::Builder::new().name(name).spawn(move || {
            let delivery = Delivery { what: &what, reference: &*reference, counters: &counted };
            let done = deliver(&delivery, &mut *tailer, &|| stops.load(Ordering::Relaxed), &mut say);
            // Nobody hears it if whoever started it has gone.
            let _ = tell.send(done);
        })?;
        Ok(Runner { counters, stop, ended })
    }

    /// What it has done so far.
    pub fn counts(&self) -> Counts {
        self.counters.now()
    }

    /// What counts what it does, for as long as anybody reads it.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Asks it to stop behind a last commit.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits for its end for at most `patience`; `None` if it still works.
    ///
    /// # Errors
    /// Why it ended before its time.
    ///
    /// # Panics
    /// When its thread did.
    pub fn wait(&self, patience: Duration) -> Option<Result<(), DeliveryError>> {
        match self.ended.recv_timeout(patience) {
            Ok(done) => Some(done),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the thread of the sink has panicked"),
        }
    }
}

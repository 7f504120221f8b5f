//! The gateway's thread, from the record's end to the run's.
//!
//! It waits until the ingress has repeated the record, opens a session, then takes turns: routes off the ring, answers off
//! the socket. A connection that breaks is opened again, [`TRIES`] times in a row; then the gateway ends, and the run with it.

use super::link::{Ending, Link, Resumption};
use super::session::VenueSession;
use crate::pipeline::Slot;
use flow::{Event, VenueError};
use ring::thread::{Panicked, SpawnError, Worker, spawn_pinned};
use ring::{Consumer, Taken};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Routes taken in one turn.
const BATCH: usize = 256;
/// How often a session is opened in a row before the gateway gives up.
const TRIES: u32 = 50;
/// Between two of these.
const PAUSE: Duration = Duration::from_millis(100);
/// Turns without anything before the thread sleeps between turns.
const PATIENCE: u32 = 64;
/// How long it sleeps.
const REST: Duration = Duration::from_micros(50);

/// Why a gateway ended.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The venue cannot be used.
    #[error("{0}")]
    Venue(#[from] VenueError),
    /// A bug.
    #[error("{0}")]
    Panicked(#[from] Panicked),
}

/// A running gateway.
pub struct GatewayThread {
    worker: Worker<Result<(), VenueError>>,
    link: Arc<Link>,
}

impl GatewayThread {
    /// Starts the thread; it takes routes from `routes` and trades at `desk`.
    ///
    /// # Errors
    /// When the system starts none.
    pub fn spawn(
        name: &str,
        session: VenueSession,
        routes: Consumer<Slot>,
        link: Arc<Link>,
    ) -> Result<GatewayThread, SpawnError> {
        let shared = Arc::clone(&link);
        let worker = spawn_pinned(format!("gateway {name}"), None, move || {
            let mut turns = Turns { session, routes, link: Arc::clone(&shared), closed: false };
            let done = turns.run();
            if let Err(e) = &done {
                shared.fail(e.to_string());
            }
            // The head sees its ring closed only now, and finds the reason.
            drop(turns);
            done
        })?;
        Ok(GatewayThread { worker, link })
    }

    /// Ends it with the run and waits for it.
    ///
    /// # Errors
    /// Why it had ended before, or could not cancel.
    pub fn end(self, ending: Ending) -> Result<(), GatewayError> {
        self.link.end(ending);
        Ok(self.worker.join()??)
    }
}

struct Turns {
    session: VenueSession,
    routes: Consumer<Slot>,
    link: Arc<Link>,
    /// The tail is gone, or has nothing more.
    closed: bool,
}

impl Turns {
    fn run(&mut self) -> Result<(), VenueError> {
        let Some((from, said)) = self.repeated() else {
            return Ok(());
        };
        self.session.begin(from, said);
        let mut tries = 0;
        loop {
            let e = match self.session.open().and_then(|()| {
                tries = 0;
                self.trade()
            }) {
                Ok(()) => return Ok(()),
                Err(e) => e,
            };
            self.session.broken();
            tries += 1;
            if !e.transient || tries > TRIES || self.ending() != Ending::Running {
                return Err(e);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Takes what waits on the ring; whether anything did.
    fn take(&mut self, max: usize, to: &mut VecDeque<Event>) -> bool {
        let taken = self.routes.take(max, |slot| to.push_back(slot.0));
        self.closed |= taken == Taken::Closed;
        matches!(taken, Taken::Events(_))
    }

    /// How the run ended; a ring that closed while nobody said so is a broken pipeline.
    fn ending(&self) -> Ending {
        match self.link.ending() {
            Ending::Running if self.closed => Ending::Broken,
            ending => ending,
        }
    }

    /// Waits while the record is repeated; what the pipeline says again and the record does not settle is kept.
    fn repeated(&mut self) -> Option<(Resumption, VecDeque<Event>)> {
        let mut said = VecDeque::new();
        loop {
            let from = self.link.take_resumption();
            // All that was said again stood on the ring before the record's end was told.
            while self.take(usize::MAX, &mut said) {}
            if let Some(from) = from {
                return Some((from, said));
            }
            let settled = self.link.settled();
            while said.front().is_some_and(|route: &Event| route.id.0 <= settled) {
                said.pop_front();
            }
            if self.ending() != Ending::Running {
                return None;
            }
            std::thread::sleep(REST);
        }
    }

    fn trade(&mut self) -> Result<(), VenueError> {
        let (mut taken, mut quiet) = (VecDeque::with_capacity(BATCH), 0);
        loop {
            let ending = self.ending();
            if ending == Ending::Broken {
                return self.session.cancel_all();
            }
            let came = self.take(BATCH, &mut taken);
            taken.drain(..).for_each(|route| self.session.route(route));
            let busy = self.session.send()? | self.session.hear()? | came;
            if ending == Ending::Orderly && !came {
                return Ok(());
            }
            self.session.tell_rest(!busy);
            quiet = if busy { 0 } else { quiet + 1 };
            match quiet {
                0 => {}
                1..PATIENCE => std::thread::yield_now(),
                _ => std::thread::sleep(REST),
            }
        }
    }
}

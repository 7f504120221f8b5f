//! The gateway's thread, from the end of the replay to the end of the run.
//!
//! It waits until the ingress has replayed the journal, opens a session, then takes turns: routes off the ring, answers
//! off the socket. A broken connection is reopened up to [`TRIES`] times in a row; after that the gateway ends, and the
//! run with it. Worst case: a quiet gateway sleeps [`REST`] between turns, and a route or an answer may wait that long.

use super::link::{Ending, Link, Resumption};
use super::session::VenueSession;
use crate::pipeline::Slot;
use flow::{Event, VenueError};
use ring::thread::{Panicked, SpawnError, Worker, spawn_pinned};
use ring::{Consumer, Taken};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Most routes taken in one turn.
const BATCH: usize = 256;
/// Attempts in a row to open a session before the gateway gives up.
const TRIES: u32 = 50;
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(100);
/// Idle turns before the thread starts to sleep between turns.
const PATIENCE: u32 = 64;
/// Length of such a sleep.
const REST: Duration = Duration::from_micros(50);

/// Why a gateway ended.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The venue failed.
    #[error("{0}")]
    Venue(#[from] VenueError),
    /// A panic, which is a bug.
    #[error("{0}")]
    Panicked(#[from] Panicked),
}

/// A running gateway.
pub struct GatewayThread {
    worker: Worker<Result<(), VenueError>>,
    link: Arc<Link>,
}

impl GatewayThread {
    /// Starts the thread: it takes routes from `routes` and sends them over `session`.
    ///
    /// # Errors
    /// When the system cannot start a thread.
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
            // Closes the head's ring, after the reason has been recorded.
            drop(turns);
            done
        })?;
        Ok(GatewayThread { worker, link })
    }

    /// Ends the thread with the run, and joins it.
    ///
    /// # Errors
    /// Why the gateway failed earlier, or why it could not cancel.
    pub fn end(self, ending: Ending) -> Result<(), GatewayError> {
        self.link.end(ending);
        Ok(self.worker.join()??)
    }
}

struct Turns {
    session: VenueSession,
    routes: Consumer<Slot>,
    link: Arc<Link>,
    /// The tail has closed the ring of routes, and it is empty.
    closed: bool,
}

impl Turns {
    fn run(&mut self) -> Result<(), VenueError> {
        let Some((from, replayed)) = self.wait_for_replay() else {
            return Ok(());
        };
        self.session.begin(from, replayed);
        let mut tries = 0;
        loop {
            let e = match self.session.open().and_then(|()| {
                tries = 0;
                self.trade()
            }) {
                Ok(()) => return Ok(()),
                Err(e) => e,
            };
            self.session.on_break();
            tries += 1;
            if !e.transient || tries > TRIES || self.ending() != Ending::Running {
                return Err(e);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Takes routes off the ring; whether there were any.
    fn take(&mut self, max: usize, to: &mut VecDeque<Event>) -> bool {
        let taken = self.routes.take(max, |slot| to.push_back(slot.0));
        self.closed |= taken == Taken::Closed;
        matches!(taken, Taken::Events(_))
    }

    /// How the run ended; a ring that closed without notice means that the pipeline failed.
    fn ending(&self) -> Ending {
        match self.link.ending() {
            Ending::Running if self.closed => Ending::Failed,
            ending => ending,
        }
    }

    /// Waits for the end of the replay; returns where to resume, and the repeated routes that the journal does not settle.
    /// `None` when the run ended first.
    fn wait_for_replay(&mut self) -> Option<(Resumption, VecDeque<Event>)> {
        let mut replayed = VecDeque::new();
        loop {
            let from = self.link.take_resumption();
            // Every repeated route was on the ring before the end of the replay was announced.
            while self.take(usize::MAX, &mut replayed) {}
            if let Some(from) = from {
                return Some((from, replayed));
            }
            let settled = self.link.settled();
            while replayed.front().is_some_and(|route: &Event| route.id.0 <= settled) {
                replayed.pop_front();
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
            if ending == Ending::Failed {
                return self.session.cancel_all();
            }
            let came = self.take(BATCH, &mut taken);
            taken.drain(..).for_each(|route| self.session.route(route));
            let busy = self.session.send()? | self.session.receive()? | came;
            if ending == Ending::Orderly && !came {
                return Ok(());
            }
            self.session.report_rest(!busy);
            quiet = if busy { 0 } else { quiet + 1 };
            match quiet {
                0 => {}
                1..PATIENCE => std::thread::yield_now(),
                _ => std::thread::sleep(REST),
            }
        }
    }
}

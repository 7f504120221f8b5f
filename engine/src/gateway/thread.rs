//! The gateway's thread, from the end of the replay to the end of the run.
//!
//! It waits until the ingress has replayed the journal, opens a session, then takes turns: routes off the ring, answers
//! off the socket. Nothing in a turn waits, so the kill switch and the end of the run are obeyed whatever the venue does. A
//! broken session is opened anew for as long as the adapter allows; after that the gateway ends, and the run with it. When
//! it ends for any reason but the run's own end, everything is cancelled, once. A replay that fails has sent nothing, so it
//! cancels nothing either, unless the kill switch was pulled. During the replay it sleeps between two steps, since nothing is
//! sent yet; from then on it waits as its settings say (`pace`). Worst case: that of `pace`, which a route, an answer or a pull
//! may wait.

use super::link::{Ending, Link, Resumption};
use super::open_orders::OpenOrders;
use super::pace::{Pace, REST};
use super::session::VenueSession;
use super::venue_status::VenueStatus;
use crate::pipeline::Slot;
use flow::{Event, VenueError};
use ring::thread::{Panicked, SpawnError, Worker, spawn_pinned};
use ring::{Consumer, Taken};
use sinks::Threading;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most routes taken in one turn.
const BATCH: usize = 256;
/// How long an orderly end waits until what was cancelled is confirmed; the head has waited before.
const ORDERLY: Duration = Duration::from_millis(250);
/// How long the last cancel of everything may take.
const LAST: Duration = Duration::from_secs(2);
/// How much longer than that the run waits for the gateway's thread.
const GRACE: Duration = Duration::from_millis(300);
/// Most orders that a message lists.
const LISTED: usize = 10;

/// Why a gateway ended.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The venue failed.
    #[error("{0}")]
    Venue(#[from] VenueError),
    /// The run failed; nothing could be cancelled, and no order of ours is known to be open.
    #[error("{why}; no order is known to be open at the venue")]
    NothingOpen {
        /// What had failed.
        why: String,
    },
    /// The run failed, and the venue confirmed that the cancels of all orders reached it.
    #[error("{why}; the venue has the cancel of all orders")]
    Cancelled {
        /// What had failed.
        why: String,
    },
    /// Orders that should have been cancelled may be open.
    #[error("{why}; CANCEL ALL ORDERS BY HAND, {failed}; {orders}")]
    Uncancelled {
        /// What had failed.
        why: String,
        /// Why nothing could be cancelled.
        failed: String,
        /// The orders that may be open.
        orders: String,
    },
    /// The run failed before the replay had shown which orders are open.
    #[error(
        "the replay did not end: nothing was sent to the venue or cancelled there, and what was open is open still"
    )]
    Unreplayed,
    /// A panic, which is a bug.
    #[error("{0}")]
    Panicked(#[from] Panicked),
}

/// A running gateway.
pub struct GatewayThread {
    pub(super) worker: Worker<Result<(), GatewayError>>,
    link: Arc<Link>,
    status: Arc<VenueStatus>,
}

impl GatewayThread {
    /// Starts the thread, where and how `threading` says: it takes routes from `routes` and sends them over `session`.
    ///
    /// # Errors
    /// When the system cannot start a thread, or not on that core.
    pub fn spawn(
        (name, threading): (&str, Threading),
        session: VenueSession,
        routes: Consumer<Slot>,
        link: Arc<Link>,
        status: Arc<VenueStatus>,
    ) -> Result<GatewayThread, SpawnError> {
        let (shared, published) = (Arc::clone(&link), Arc::clone(&status));
        let worker = spawn_pinned(format!("gateway {name}"), threading.core, move || {
            let (link, pace) = (Arc::clone(&shared), Pace::new(threading.idle));
            let mut turns = Turns { session, routes, link, pace, closed: false, cancelled: false };
            let done = turns.run();
            if let Err(e) = &done {
                shared.fail(e.to_string());
            }
            turns.publish_end(&published);
            // Closes the head's ring, after the reason has been recorded.
            drop(turns);
            done
        })?;
        Ok(GatewayThread { worker, link, status })
    }

    /// Says how the run ends, before [`GatewayThread::end`] waits for what follows.
    pub fn announce(&self, ending: Ending) {
        self.link.end(ending);
    }

    /// Ends the thread with the run, and joins it. A thread that does not end in time is left behind.
    ///
    /// # Errors
    /// Why the gateway failed earlier, or why it could not cancel.
    pub fn end(self, ending: Ending) -> Result<(), GatewayError> {
        self.link.end(ending);
        let most = GRACE + within(ending);
        let begun = Instant::now();
        while !self.worker.is_finished() {
            if begun.elapsed() > most {
                let open = self.status.open_orders();
                return Err(GatewayError::Uncancelled {
                    why: "the run has ended".to_owned(),
                    failed: format!("the gateway's thread did not end within {most:?}"),
                    orders: format!("{open} may be open"),
                });
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.worker.join()?
    }
}

struct Turns {
    session: VenueSession,
    routes: Consumer<Slot>,
    link: Arc<Link>,
    pace: Pace,
    /// The tail has closed the ring of routes, and it is empty.
    closed: bool,
    /// The venue has the cancel of all orders.
    cancelled: bool,
}

impl Turns {
    fn run(&mut self) -> Result<(), GatewayError> {
        let Some((from, replayed)) = self.wait_for_replay() else {
            return self.end_unreplayed();
        };
        self.session.begin(from, replayed);
        match self.trade() {
            Ok(Ending::Failed) => self.cancel("the pipeline failed"),
            Ok(_) => self.end_in_order(),
            Err(e) => {
                self.cancel(&e.to_string())?;
                Err(GatewayError::Cancelled { why: e.to_string() })
            }
        }
    }

    /// The run ended during the replay, before which orders are open was known. What waits for a cancel gets it now, if the
    /// venue can cancel them all.
    fn end_unreplayed(&mut self) -> Result<(), GatewayError> {
        let ending = self.ending();
        if !self.session.is_pulled() {
            return if ending == Ending::Failed { Err(GatewayError::Unreplayed) } else { Ok(()) };
        }
        let cancelled = match self.session.cancels_all() {
            true => self.session.cancel_everything(within(ending)).map_err(|e| e.to_string()),
            false => Err("the venue cancels only orders that it is told".to_owned()),
        };
        self.cancelled = cancelled.is_ok();
        cancelled.map_err(|failed| GatewayError::Uncancelled {
            why: "the run ended during the replay".to_owned(),
            failed,
            orders: "the replay had not shown which are open".to_owned(),
        })
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
            self.session.turn_early();
            std::thread::sleep(REST);
        }
    }

    /// Takes turns until the run ends; how it ended.
    fn trade(&mut self) -> Result<Ending, VenueError> {
        let mut taken = VecDeque::with_capacity(BATCH);
        let mut ordered: Option<Instant> = None;
        loop {
            let ending = self.ending();
            if ending == Ending::Failed {
                return Ok(ending);
            }
            let came = self.take(BATCH, &mut taken);
            let now = Instant::now();
            if !came && ending == Ending::Running && !self.pace.is_due(now) {
                self.pace.wait();
                continue;
            }
            taken.drain(..).for_each(|route| self.session.route(route));
            let mut busy = came;
            match self.session.turn(now) {
                Ok(moved) => busy |= moved,
                Err(e) => {
                    self.session.on_break(&e);
                    if !e.transient || self.session.lost_for() > self.session.patience() {
                        return Err(e);
                    }
                }
            }
            if ending == Ending::Orderly {
                let late = ordered.get_or_insert_with(Instant::now).elapsed() > ORDERLY;
                if late || (!came && self.session.may_end()) {
                    return Ok(ending);
                }
            }
            self.pace.turned(now, busy);
            self.pace.wait();
        }
    }

    /// The run ended in order: open orders stay, unless they were cancelled.
    fn end_in_order(&mut self) -> Result<(), GatewayError> {
        let open = self.session.open_orders();
        let is_left = open.is_cancelling() || (self.session.is_pulled() && !open.is_empty());
        if !is_left {
            return Ok(());
        }
        let failed = "the venue did not confirm in time that they are cancelled".to_owned();
        Err(GatewayError::Uncancelled { why: "the run has ended".to_owned(), failed, orders: listed(open) })
    }

    /// Cancels everything, once, because of `why`.
    fn cancel(&mut self, why: &str) -> Result<(), GatewayError> {
        let Err(failed) = self.session.cancel_everything(LAST) else {
            self.cancelled = true;
            return Ok(());
        };
        let open = self.session.open_orders();
        if open.is_empty() {
            return Err(GatewayError::NothingOpen { why: why.to_owned() });
        }
        Err(GatewayError::Uncancelled { why: why.to_owned(), failed: failed.to_string(), orders: listed(open) })
    }

    fn publish_end(&self, status: &VenueStatus) {
        let open = self.session.open_orders();
        if self.cancelled {
            status.notice("the venue has the cancel of all orders".to_owned());
        } else if !open.is_empty() {
            status.notice(format!("at the venue, {}", listed(open)));
        }
        status.end(open.len());
    }
}

/// How long the venue may take to confirm cancels when a run ends this way.
fn within(ending: Ending) -> Duration {
    if ending == Ending::Failed { LAST } else { ORDERLY }
}

/// The orders that may be open, in words.
fn listed(open: &OpenOrders) -> String {
    let ids: Vec<String> = open.iter().take(LISTED).map(|order| format!("{:#x}", order.order_id.0)).collect();
    match open.len() {
        0 => "none is known to be open".to_owned(),
        n if n > ids.len() => format!("{n} orders may be open, among them {}", ids.join(", ")),
        n => format!("{n} orders may be open: {}", ids.join(", ")),
    }
}

//! Cancels everything at a venue when nothing else can be done any more: once, confirmed, within a deadline.
//!
//! For a pipeline that failed, a venue that violated its protocol, a halt while the journal is still being replayed, and a
//! gateway that cannot go on. A session that is open is used first; if it fails, one is opened for this alone. The venue
//! confirms by answering a question that was sent after the cancels: they have then reached it. Bound: one session at a
//! time; every step returns at once. Worst case: the deadline passes, and what is left is to be cancelled by hand.

use flow::{Known, OpenOrder, OrderId, Venue, VenueError, VenueReply};
use std::time::{Duration, Instant};

/// An order id that no order has: the question whose answer confirms the cancels.
const BARRIER: OrderId = OrderId(0);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(5);

enum Stage {
    Pause(Instant),
    Opening,
    /// The cancels and the question are out; after that time another session is tried.
    Asked(Option<Instant>),
}

/// A cancel of everything that is under way.
pub(super) struct LastCancel {
    how: Known,
    stage: Stage,
    deadline: Instant,
    /// Why the last attempt failed.
    failed: Option<VenueError>,
}

impl LastCancel {
    /// Begins one for the run of `journal`, over a new session.
    pub(super) fn new(journal: u64, within: Duration) -> LastCancel {
        let how = Known { journal, ..Known::default() };
        LastCancel { how, stage: Stage::Opening, deadline: Instant::now() + within, failed: None }
    }

    /// Begins one over the open session of `venue`.
    pub(super) fn over(venue: &mut dyn Venue, orders: &[OpenOrder], journal: u64, within: Duration) -> LastCancel {
        request(venue, orders);
        LastCancel { stage: Stage::Asked(Some(Instant::now() + within / 2)), ..LastCancel::new(journal, within) }
    }

    /// One step; whether the venue has confirmed.
    ///
    /// # Errors
    /// When the deadline has passed, or no retry can help: why the last attempt failed.
    pub(super) fn step(&mut self, venue: &mut dyn Venue, orders: &[OpenOrder]) -> Result<bool, VenueError> {
        let is_own = !matches!(self.stage, Stage::Asked(Some(_)));
        match self.attempt(venue, orders) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            // No retry can mend what another session of our own shows.
            Err(e) if is_own && !e.transient => return Err(e),
            Err(e) => {
                self.stage = Stage::Pause(Instant::now() + PAUSE);
                self.failed = Some(e);
            }
        }
        if Instant::now() < self.deadline {
            return Ok(false);
        }
        Err(self.failed.take().unwrap_or_else(|| VenueError {
            what: "the venue did not confirm the cancel in time".to_owned(),
            place: "venue".to_owned(),
            next: "look at the venue which orders are open",
            transient: true,
        }))
    }

    fn attempt(&mut self, venue: &mut dyn Venue, orders: &[OpenOrder]) -> Result<bool, VenueError> {
        if let Stage::Pause(until) = self.stage {
            if Instant::now() < until {
                return Ok(false);
            }
            self.stage = Stage::Opening;
        }
        if let Stage::Asked(Some(until)) = self.stage
            && Instant::now() > until
        {
            self.stage = Stage::Opening;
        }
        if let Stage::Opening = self.stage {
            if venue.resume(&self.how)?.is_none() {
                return Ok(false);
            }
            request(venue, orders);
            self.stage = Stage::Asked(None);
        }
        venue.flush()?;
        // Answers are not taken: a session that resumes gets them again.
        while let Some(reply) = venue.poll()? {
            if matches!(reply, VenueReply::Status { order_id: BARRIER, .. }) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn request(venue: &mut dyn Venue, orders: &[OpenOrder]) {
    if venue.cancels_all() {
        venue.cancel_all();
    } else {
        orders.iter().for_each(|order| venue.cancel(order));
    }
    venue.ask(BARRIER);
}

/// Cancels everything at `venue` on behalf of the run of `journal`, and waits until the venue has confirmed. `orders` are
/// those that may be open, for a venue that has no cancel of all.
///
/// # Errors
/// When it has not been confirmed within `within`.
pub fn cancel_everything(
    venue: &mut dyn Venue,
    orders: &[OpenOrder],
    journal: u64,
    within: Duration,
) -> Result<(), VenueError> {
    finish(LastCancel::new(journal, within), venue, orders)
}

/// Steps until the venue has confirmed.
pub(super) fn finish(mut cancel: LastCancel, venue: &mut dyn Venue, orders: &[OpenOrder]) -> Result<(), VenueError> {
    while !cancel.step(venue, orders)? {
        std::thread::sleep(Duration::from_micros(100));
    }
    Ok(())
}

//! What the venue sends, and what it owes.

use super::VenueSession;
use crate::gateway::settling::{self, is_numbered, makes_an_order};
use flow::records::Sent;
use flow::{AnomalyKind, Event, EventId, Ns, OrderId, SOURCE_RETURNS, VenueError, VenueReply};
use std::time::Instant;

/// Most answers taken in one turn.
const BATCH: usize = 256;

impl VenueSession {
    /// Asks the venue about an order.
    pub(super) fn query(&mut self, order_id: OrderId) {
        if self.asked.is_empty() {
            self.progress = Instant::now();
        }
        self.venue.query(order_id);
        self.asked.push_back(order_id);
    }

    /// An error if the venue owes answers or replies, and has been silent about them for too long.
    pub(super) fn check_progress(&mut self) -> Result<(), VenueError> {
        let (promised, asked) = (self.given.saturating_sub(self.received), self.asked.len());
        if (promised == 0 && asked == 0) || self.progress.elapsed() <= self.venue.patience().reply {
            return Ok(());
        }
        Err(VenueError {
            what: format!("the venue owes {promised} answers and {asked} replies, and sends none of them"),
            place: "venue".to_owned(),
            next: "check that the venue works",
            transient: true,
        })
    }

    /// Routes that were unanswered for too long become anomalies, and the venue is asked about their orders. Where an answer
    /// may take for ever, nothing is kept for it.
    pub(super) fn watch_answers(&mut self) {
        let Some(most) = self.venue.patience().answer else { return self.sent_at.clear() };
        while let Some((at, cause)) = self.sent_at.front().copied() {
            let late = self.unanswered.get(&cause).copied();
            if late.is_some() && at.elapsed() <= most {
                return;
            }
            self.sent_at.pop_front();
            let Some(sent) = late else { continue };
            let order_id = sent.record::<Sent>().order_id;
            self.status.count_late();
            self.status.notice(format!("{} has not answered order {order_id:#x} within {most:?}", self.status.place()));
            self.outbox.push_anomaly(AnomalyKind::UnansweredOrder, sent.instrument, order_id);
            if makes_an_order(&sent) {
                self.query(OrderId(order_id));
            }
        }
    }

    /// Takes the venue's answers; whether there were any.
    pub(super) fn receive(&mut self) -> Result<bool, VenueError> {
        if self.outbox.is_full() {
            self.progress = Instant::now();
            return Ok(false);
        }
        let mut any = false;
        for _ in 0..BATCH {
            let Some(reply) = self.venue.poll()? else { break };
            (any, self.progress) = (true, Instant::now());
            match reply {
                VenueReply::Numbered(answer) => self.answer(answer),
                VenueReply::OrderStatus { order_id, known } => self.replied(order_id, known)?,
            }
        }
        Ok(any)
    }

    fn replied(&mut self, order_id: OrderId, known: bool) -> Result<(), VenueError> {
        if self.asked.pop_front() != Some(order_id) {
            return Err(unexpected_status(order_id));
        }
        let doubt = self.doubts.iter_mut().find(|d| makes_an_order(&d.sent) && d.record().order_id == order_id.0);
        if let Some(doubt) = doubt {
            doubt.known = Some(known);
        } else if !known {
            // Asked because it was unanswered for too long: the venue lost it, or it is one of an earlier journal.
            let is_it = |sent: &&Event| makes_an_order(sent) && sent.record::<Sent>().order_id == order_id.0;
            match self.unanswered.values().find(is_it).copied() {
                Some(sent) => self.was_never_sent(&sent),
                None => self.open.forget(order_id),
            }
        }
        Ok(())
    }

    fn answer(&mut self, mut answer: Event) {
        self.received += 1;
        answer.source = SOURCE_RETURNS;
        (answer.id, answer.ts) = (EventId(0), Ns(0));
        debug_assert!(is_numbered(&answer));
        self.open.apply(&answer);
        self.outbox.push(answer);
        settling::answer(&mut self.unanswered, &answer);
    }
}

fn unexpected_status(order_id: OrderId) -> VenueError {
    VenueError {
        what: format!("the venue reported the status of order {:#x}, which was not queried", order_id.0),
        place: "venue".to_owned(),
        next: "report this to the venue's support",
        transient: false,
    }
}

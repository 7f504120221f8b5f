//! What the venue sends, and what it owes.

use super::{Phase, VenueSession};
use crate::gateway::settling::{self, is_numbered, makes_an_order};
use flow::records::Sent;
use flow::{AnomalyKind, Event, EventId, Ns, OrderAnswer, OrderId, SOURCE_RETURNS, VenueError, VenueReply};

/// Most answers taken in one turn: between two of them routes are looked for, and an order does not wait for a flood of answers.
const BATCH: usize = 16;

impl VenueSession {
    /// Asks the venue for an order.
    pub(super) fn ask_for(&mut self, order_id: OrderId) {
        if self.asked.is_empty() {
            self.progress = self.now;
        }
        self.venue.ask(order_id);
        self.asked.push_back(order_id);
    }

    /// An error if the venue owes answers or replies, and has been silent about them for too long.
    pub(super) fn check_progress(&mut self) -> Result<(), VenueError> {
        let (promised, asked) = (self.given.saturating_sub(self.received), self.asked.len());
        if (promised == 0 && asked == 0) || self.since(self.progress) <= self.venue.patience().reply {
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
            if late.is_some() && self.since(at) <= most {
                return;
            }
            self.sent_at.pop_front();
            let Some(sent) = late else { continue };
            let order_id = sent.record::<Sent>().order_id;
            self.status.count_late();
            self.status.notice(format!("{} has not answered order {order_id:#x} within {most:?}", self.status.place()));
            self.outbox.push_anomaly(AnomalyKind::UnansweredOrder, sent.instrument, order_id);
            if self.unnumbered {
                self.asking.late_cancels.insert(cause);
                self.asking.schedule.set(OrderId(order_id), self.now);
            } else if makes_an_order(&sent) {
                self.ask_for(OrderId(order_id));
            }
        }
    }

    /// Takes the venue's answers; whether there were any.
    pub(super) fn receive(&mut self) -> Result<bool, VenueError> {
        if self.outbox.is_full() {
            self.progress = self.now;
            return Ok(false);
        }
        let mut any = false;
        for _ in 0..BATCH {
            let Some(reply) = self.venue.poll()? else { break };
            (any, self.progress) = (true, self.now);
            if let VenueReply::Status { order_id, .. } = reply
                && self.asked.pop_front() != Some(order_id)
            {
                return Err(unexpected_status(order_id));
            }
            match reply {
                _ if self.unnumbered && self.phase == Phase::Settling => self.hold(reply),
                VenueReply::Answer(answer) if self.unnumbered => self.tell(answer),
                VenueReply::Answer(answer) => self.answer(answer),
                VenueReply::Status { order_id, is } if self.unnumbered => self.compare(order_id, is),
                VenueReply::Status { order_id, is } => self.replied(order_id, is != OrderAnswer::Never),
            }
        }
        Ok(any)
    }

    fn replied(&mut self, order_id: OrderId, known: bool) {
        let doubt = self.doubts.iter_mut().find(|d| makes_an_order(&d.sent) && d.record().order_id == order_id.0);
        if let Some(doubt) = doubt {
            doubt.known = Some(known);
        } else if !known {
            self.never_had(order_id);
        }
    }

    /// Asked because it was unanswered for too long, or is one of an earlier journal: the venue never had it.
    pub(super) fn never_had(&mut self, order_id: OrderId) {
        let is_it = |sent: &&Event| makes_an_order(sent) && sent.record::<Sent>().order_id == order_id.0;
        match self.unanswered.values().find(is_it).copied() {
            Some(sent) => self.was_never_sent(&sent),
            None => self.open.forget(order_id),
        }
    }

    /// An answer enters.
    pub(super) fn answer(&mut self, mut answer: Event) {
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
        what: format!("the venue reported the status of order {:#x}, which was not asked for", order_id.0),
        place: "venue".to_owned(),
        next: "report this to the venue's support",
        transient: false,
    }
}

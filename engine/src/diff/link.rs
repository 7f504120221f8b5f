//! What the pipeline hands to the comparison: batches over one bounded queue.
//!
//! Head and tail send to the same queue, and the comparison takes everything as it comes, so none of the two can wait for the
//! other through it. A full queue holds up the pipeline, as any sink does. Bound: [`DEPTH`] batches, of [`BATCH`] outcomes each;
//! their memory goes round.

use crate::ingress::Listener;
use flow::{Event, Kinds, Sink, SinkError};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};

/// Batches that may wait.
pub(super) const DEPTH: usize = 64;
/// Outcomes in a batch.
const BATCH: usize = 2048;
/// Inputs after which a batch leaves even if it is not full.
const INPUTS: u64 = 8192;

/// What happened in the pipeline since the batch before it.
pub(super) enum Batch {
    /// From the head: recorded inputs that are left out, answers that entered, and up to which input of either side that is all.
    Inputs { left_out: Vec<Event>, answers: Vec<Event>, through: [u64; 2] },
    /// From the tail: outcomes, and up to which input these are all.
    Outcomes { events: Vec<Event>, through: u64 },
}

/// The ends of the queue.
pub(super) struct Link {
    pub(super) head: Heard,
    pub(super) tail: Outcomes,
    pub(super) batches: Receiver<Batch>,
    /// Where the memory of batches goes back.
    pub(super) used: std::sync::mpsc::Sender<Vec<Event>>,
}

impl Link {
    /// For outcomes of these kinds.
    pub(super) fn new(kinds: Kinds) -> Link {
        let (to, batches) = sync_channel(DEPTH);
        let (used, free) = channel();
        let head = Heard { to: to.clone(), left_out: Vec::new(), answers: Vec::new(), now: [0; 2], sent: 0 };
        let tail = Outcomes { to, kinds, free, events: Vec::with_capacity(BATCH), sent: 0 };
        Link { head, tail, batches, used }
    }
}

/// Tells the comparison which inputs are answers.
pub(super) struct Heard {
    to: SyncSender<Batch>,
    left_out: Vec<Event>,
    answers: Vec<Event>,
    /// Up to which input of either side everything is told, and up to which of the record it was sent.
    now: [u64; 2],
    sent: u64,
}

impl Heard {
    fn send(&mut self) {
        let (left_out, answers) = (std::mem::take(&mut self.left_out), std::mem::take(&mut self.answers));
        self.sent = self.now[0];
        // A comparison that has ended says itself why.
        let _ = self.to.send(Batch::Inputs { left_out, answers, through: self.now });
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.send();
    }
}

impl Listener for Heard {
    fn left_out(&mut self, recorded: &Event) {
        self.left_out.push(*recorded);
    }

    fn answered(&mut self, answer: &Event) {
        self.answers.push(*answer);
    }

    fn through(&mut self, recorded: u64, now: u64) {
        self.now = [recorded, now];
        if recorded >= self.sent + INPUTS {
            self.send();
        }
    }
}

/// The outcomes of the pipeline.
pub(super) struct Outcomes {
    to: SyncSender<Batch>,
    kinds: Kinds,
    free: Receiver<Vec<Event>>,
    events: Vec<Event>,
    /// The last input up to which everything is sent.
    sent: u64,
}

impl Outcomes {
    fn send(&mut self, through: u64) -> Result<(), SinkError> {
        let next = self.free.try_recv().unwrap_or_else(|_| Vec::with_capacity(BATCH));
        let events = std::mem::replace(&mut self.events, next);
        self.sent = through;
        match self.to.try_send(Batch::Outcomes { events, through }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(batch)) => self.to.send(batch).map_err(|_| ended()),
            Err(TrySendError::Disconnected(_)) => Err(ended()),
        }
    }
}

/// The comparison says why it ended.
fn ended() -> SinkError {
    SinkError { what: "the comparison with the record has ended".to_owned(), next: "see there why", closed: true }
}

impl Sink for Outcomes {
    fn kinds(&self) -> Kinds {
        self.kinds
    }

    #[inline]
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.events.push(*event);
        Ok(())
    }

    fn finished(&mut self, seq: u64) -> Result<(), SinkError> {
        if self.events.len() >= BATCH || seq >= self.sent + INPUTS { self.send(seq) } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), SinkError> {
        self.send(u64::MAX)
    }
}

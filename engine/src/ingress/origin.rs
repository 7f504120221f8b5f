//! Where an input came from: file and record, for rows.
//!
//! A record number has no room in an event and no meaning in a journal; it travels beside the pipeline, in the order of the
//! sequence, and only when somebody prints rows.

use flow::Ns;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Origin of the input with this `seq`.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The ingress number.
    pub seq: u64,
    /// Index of the input in argument order; `None` for ticks and the like.
    pub input: Option<usize>,
    /// 1-based number of the record in its file; `None` from a journal.
    pub record: Option<u64>,
    /// Exchange time of the input.
    pub exchange_ts: Option<Ns>,
}

/// The reading end: gives the origin of a `seq`, which must not fall.
pub struct Origins {
    receiver: Receiver<Origin>,
    current: Option<Origin>,
}

impl Origins {
    /// A channel from the ingress to the rows.
    pub fn channel() -> (Sender<Origin>, Origins) {
        let (sender, receiver) = channel();
        (sender, Origins { receiver, current: None })
    }

    /// The origin of the input `seq`.
    pub fn of(&mut self, seq: u64) -> Option<Origin> {
        while self.current.is_none_or(|o| o.seq < seq) {
            self.current = Some(self.receiver.recv().ok()?);
        }
        self.current.filter(|o| o.seq == seq)
    }
}

//! Where an input came from (file and record number), for rows.
//!
//! An event has no room for a record number and a journal does not need one, so origins travel beside the pipeline in
//! sequence order, and only when rows are printed.

use flow::Ns;
use std::sync::mpsc::{Receiver, Sender, channel};

/// The origin of one input.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Its sequence number.
    pub seq: u64,
    /// Index of the source in argument order; `None` for ticks, commands and returns.
    pub input: Option<usize>,
    /// Number of the record in its file, from 1; `None` for an input from a journal.
    pub record: Option<u64>,
    /// Exchange time of the input.
    pub exchange_ts: Option<Ns>,
}

/// The reading end: looks origins up by non-decreasing `seq`.
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

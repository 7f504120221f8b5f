//! Replays recorded inputs unchanged, with their numbers and times, as the head of a pipeline.

use super::{Admitted, Head, IngressError};
use flow::{Event, Kind};
use sinks::journal::{JournalReader, LogReader};

/// The inputs of a journal as the head of a pipeline.
pub struct Recorded {
    inputs: LogReader,
    activity: Box<[u64]>,
    seq: u64,
    ended: bool,
}

impl Recorded {
    /// Replays the inputs of `reader`, for as many instruments as its run had.
    pub fn new(reader: &JournalReader) -> Recorded {
        let activity = flow::table(reader.info().instruments as usize, 0);
        Recorded { inputs: reader.inputs(), activity, seq: 0, ended: false }
    }

    /// Inputs by instrument.
    pub fn activity(&self) -> &[u64] {
        &self.activity
    }
}

impl Head for Recorded {
    fn begin_turn(&mut self) {}

    fn admit(&mut self, to: &mut Event) -> Result<Admitted, IngressError> {
        if self.ended {
            return Ok(Admitted::Ended);
        }
        match self.inputs.next().transpose() {
            Ok(Some(event)) => {
                self.seq = event.id.seq();
                if event.kind != Kind::Tick
                    && let Some(count) = self.activity.get_mut(event.instrument as usize)
                {
                    *count += 1;
                }
                *to = event;
                Ok(Admitted::One)
            }
            Ok(None) => {
                self.ended = true;
                Ok(Admitted::Ended)
            }
            Err(e) => {
                self.ended = true;
                Err(IngressError::Recorded(e.to_string()))
            }
        }
    }

    fn stop(&mut self) {
        self.ended = true;
    }

    fn seq(&self) -> u64 {
        self.seq
    }
}

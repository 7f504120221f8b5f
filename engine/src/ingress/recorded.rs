//! Replays recorded inputs unchanged, with their numbers and times, as the head of a pipeline.

use super::{Admitted, Head, IngressError};
use crate::pipeline::Group;
use flow::{Event, Kind};
use sinks::journal::HomeLog;

/// The inputs of a journal as the head of a pipeline.
pub struct Recorded {
    inputs: HomeLog,
    activity: Box<[u64]>,
    seq: u64,
    /// The last input that is replayed.
    through: u64,
    ended: bool,
}

impl Recorded {
    /// Replays `inputs`, which begin after the input `after`, for as many instruments as their run had.
    pub fn new(inputs: HomeLog, after: u64, instruments: u32) -> Recorded {
        let activity = flow::table(instruments as usize, 0);
        Recorded { inputs, activity, seq: after, through: u64::MAX, ended: false }
    }

    /// Ends after that input.
    pub fn through(self, seq: u64) -> Recorded {
        Recorded { through: seq, ..self }
    }

    /// Inputs by instrument.
    pub fn activity(&self) -> &[u64] {
        &self.activity
    }
}

impl Head for Recorded {
    fn begin_turn(&mut self) {}

    fn admit(&mut self, to: &mut Event, _group: &Group) -> Result<Admitted, IngressError> {
        if self.ended || self.seq >= self.through {
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

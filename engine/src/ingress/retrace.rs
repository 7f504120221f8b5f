//! Recorded inputs in front of the sources: how a run goes on after a stop.
//!
//! While the record lasts, the merge takes each next input from it and the simulated venue sees what it saw; what the
//! merge makes itself (ticks, returns, the end) must equal the record, byte for byte. Then the sources go on where the
//! record ends. Nothing is stored or sent twice. Bound: one recorded input is held.

use super::IngressError;
use flow::Event;
use sinks::journal::LogReader;

/// A record that is repeated.
pub struct Retrace {
    inputs: LogReader,
    through_seq: u64,
    next: Option<Event>,
    then: Then,
}

/// What follows when the record has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The sources go on.
    GoOn,
    /// Nothing: the state is what was wanted.
    Stop,
}

impl Retrace {
    /// Repeats what `inputs` still holds, through `through_seq`: what is added to the same log meanwhile is no record.
    pub fn new(inputs: LogReader, through_seq: u64, then: Then) -> Retrace {
        Retrace { inputs, through_seq, next: None, then }
    }

    /// What follows.
    pub(super) fn then(&self) -> Then {
        self.then
    }

    /// The next recorded input.
    pub(super) fn next(&mut self) -> Result<Option<&Event>, IngressError> {
        if self.next.is_none() && self.through_seq > 0 {
            self.next = self.inputs.next().transpose().map_err(|e| IngressError::Recorded(e.to_string()))?;
            if self.next.is_none_or(|e| e.id.seq() >= self.through_seq) {
                self.through_seq = 0;
            }
        }
        Ok(self.next.as_ref())
    }

    /// A copy of the next recorded input; call only when there is one.
    pub(super) fn take(&self) -> Event {
        self.next.expect("the merge chose a recorded input")
    }

    /// The merge has stamped `event`: it must be the recorded one, which is done.
    pub(super) fn confirm(&mut self, event: &Event) -> Result<(), IngressError> {
        match self.next.take() {
            Some(recorded) if recorded == *event => Ok(()),
            recorded => Err(IngressError::Diverged {
                recorded: recorded.map_or_else(|| "nothing".to_owned(), |e| format!("{e:?}")),
                made: format!("{event:?}"),
            }),
        }
    }
}

//! Replays recorded inputs before the sources: how a run resumes after a stop.
//!
//! During the replay the merge takes each input from the journal, and the simulated venue sees what it saw the first time.
//! Whatever the merge generates itself (ticks, returns, the end) must equal the journal byte for byte. Then the sources
//! continue where the journal ends. Nothing is logged or sent twice. Bound: one recorded input is held.

use super::IngressError;
use flow::Event;
use sinks::journal::{InputLog, LogReader};

/// Recorded inputs to replay.
pub struct Retrace {
    inputs: LogReader,
    through_seq: u64,
    next: Option<Event>,
    then: Then,
}

/// Decides, once the recorded inputs have been replayed, whether their journal may be continued.
pub trait Accept: Send {
    /// The input log, opened for writing; `None` while the pipeline has not finished the record.
    ///
    /// # Errors
    /// When the journal must not be continued, or cannot be written.
    fn accepted(&mut self) -> Result<Option<InputLog>, IngressError>;
}

/// What follows the recorded inputs.
pub enum Then {
    /// The sources continue, once the journal is accepted.
    Continue(Box<dyn Accept>),
    /// Nothing: only the state was wanted.
    Stop,
}

impl Retrace {
    /// Replays the rest of `inputs` up to and including `through_seq`; inputs appended to the log later are ignored.
    pub fn new(inputs: LogReader, through_seq: u64, then: Then) -> Retrace {
        Retrace { inputs, through_seq, next: None, then }
    }

    /// What follows the replay.
    pub(super) fn then(&mut self) -> &mut Then {
        &mut self.then
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

    /// A copy of the next recorded input. Call only when there is one.
    pub(super) fn take(&self) -> Event {
        self.next.expect("the merge chose a recorded input")
    }

    /// Checks that the input the merge just stamped equals the recorded one, and moves on.
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

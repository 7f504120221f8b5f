//! Replay against the record: every regenerated outcome must equal the recorded one, byte for byte.
//!
//! A run that was killed has fewer outcomes than its inputs cause: then the recorded ones must be a prefix, and the
//! verdict says how many are missing.

use flow::{Event, Kinds, Sink, SinkError};
use serde::Serialize;
use sinks::journal::{JournalError, JournalReader, LogReader};
use std::sync::{Arc, Mutex};

/// What the comparison found.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Verified {
    /// Outcomes that are equal.
    pub equal: u64,
    /// Regenerated outcomes that the record does not have: its run was cut short.
    pub missing: u64,
    /// Recorded outcomes that were not regenerated.
    pub extra: u64,
    /// The first difference, in words.
    pub difference: Option<String>,
}

impl Verified {
    /// Whether the record is what its inputs cause, as far as it goes.
    pub fn holds(&self) -> bool {
        self.difference.is_none() && self.extra == 0
    }
}

/// Compares what reaches the end of the line with a journal's outcomes.
pub struct VerifySink {
    kinds: Kinds,
    recorded: LogReader,
    verdict: Arc<Mutex<Verified>>,
    found: Verified,
}

impl VerifySink {
    /// Compares with the outcomes of `reader`; `kinds` are those that its run logged.
    pub fn new(reader: &JournalReader, kinds: Kinds) -> VerifySink {
        let recorded = reader.outcomes();
        VerifySink { kinds, recorded, verdict: Arc::default(), found: Verified::default() }
    }

    /// Where the verdict will stand when the run has ended.
    pub fn verdict(&self) -> Arc<Mutex<Verified>> {
        self.verdict.clone()
    }
}

fn unreadable(error: &JournalError) -> SinkError {
    SinkError { what: error.to_string(), next: "run `tidegate journal verify` on the folder", closed: false }
}

impl Sink for VerifySink {
    fn kinds(&self) -> Kinds {
        self.kinds
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        if event.id.position() == 0 || self.found.difference.is_some() {
            return Ok(());
        }
        match self.recorded.next().transpose().map_err(|e| unreadable(&e))? {
            None => self.found.missing += 1,
            Some(recorded) if recorded == *event => self.found.equal += 1,
            Some(recorded) => {
                self.found.difference = Some(format!("recorded: {recorded:?}; regenerated: {event:?}"));
            }
        }
        Ok(())
    }

    fn finished(&mut self, _seq: u64) -> Result<(), SinkError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        if self.found.difference.is_none() {
            for rest in self.recorded.by_ref() {
                rest.map_err(|e| unreadable(&e))?;
                self.found.extra += 1;
            }
        }
        *self.verdict.lock().expect("nothing panics while it holds the verdict") = self.found.clone();
        Ok(())
    }
}

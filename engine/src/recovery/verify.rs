//! Replay against the record: every regenerated outcome must equal the recorded one, byte for byte.
//!
//! A run that was killed has fewer outcomes than its inputs cause: then the recorded ones must be a prefix, and the
//! verdict says how many are missing; they can be appended to the log. Outcomes that the log dropped or lost for want of
//! room, as its gaps say, are passed over. Bound: one recorded event is held at a time.

use flow::{Event, Kinds, Sink, SinkError};
use serde::Serialize;
use sinks::journal::{Gaps, JournalError, JournalReader, LogReader, OutcomeLog};
use std::sync::{Arc, Mutex};

/// What the comparison found.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Verified {
    /// Outcomes that are equal.
    pub equal: u64,
    /// Regenerated outcomes that the record does not have: its run was cut short.
    pub missing: u64,
    /// Regenerated outcomes that the log dropped or lost for want of room, as it says itself.
    pub dropped: u64,
    /// Recorded outcomes that were not regenerated.
    pub extra: u64,
    /// Whether the missing outcomes were appended to the record.
    pub completed: bool,
    /// The first difference, in words.
    pub difference: Option<String>,
}

impl Verified {
    /// Whether the record is what its inputs cause, as far as it goes.
    pub fn holds(&self) -> bool {
        self.difference.is_none() && self.extra == 0
    }
}

/// Compares what reaches the end of the pipeline with a journal's outcomes.
pub struct VerifySink {
    kinds: Kinds,
    recorded: LogReader,
    /// The next recorded outcome; `None` when they have ended.
    next: Option<Event>,
    gaps: Gaps,
    append: Option<OutcomeLog>,
    /// Outcomes of later inputs are new, not missing.
    through: u64,
    /// A difference ends the run.
    strict: bool,
    verdict: Arc<Mutex<Verified>>,
    found: Verified,
}

impl VerifySink {
    /// Compares with the outcomes of `reader`; `kinds` are those that its run logged. With `append`, what the record lacks
    /// is added to it.
    ///
    /// # Errors
    /// When the outcomes cannot be read.
    pub fn new(reader: &JournalReader, kinds: Kinds, append: Option<OutcomeLog>) -> Result<VerifySink, JournalError> {
        let mut recorded = reader.outcomes();
        let next = recorded.next().transpose()?;
        let (verdict, found) = Default::default();
        Ok(VerifySink {
            kinds,
            recorded,
            next,
            gaps: reader.gaps()?,
            append,
            through: u64::MAX,
            strict: false,
            verdict,
            found,
        })
    }

    /// For a run that goes on: compares the outcomes of the inputs behind `from`, through `through`; what follows is new. A
    /// difference ends the run.
    ///
    /// # Errors
    /// When the outcomes cannot be read.
    pub fn between(mut self, from: u64, through: u64) -> Result<VerifySink, JournalError> {
        (self.through, self.strict) = (through, true);
        if from > 0 {
            self.recorded.seek_seq(from + 1)?;
            self.next = self.recorded.next().transpose()?;
        }
        Ok(self)
    }

    /// Where the verdict will stand when the run has ended.
    pub fn verdict(&self) -> Arc<Mutex<Verified>> {
        self.verdict.clone()
    }

    /// Whether the log says of itself that it lacks outcomes of this seq.
    fn is_gap(&self, seq: u64) -> bool {
        let lost = self.gaps.lost.iter().any(|l| (l.from_seq..=l.through_seq).contains(&seq));
        lost || seq <= self.gaps.dropped.through_seq
    }

    /// The record has ended: what comes now is missing in it.
    fn beyond(&mut self, event: &Event) -> Result<(), SinkError> {
        self.found.missing += u64::from(event.id.seq() <= self.through);
        self.append.as_mut().map_or(Ok(()), |log| log.take(event))
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
        if self.found.difference.is_some() {
            return Ok(());
        }
        let Some(next) = self.next else {
            return self.beyond(event);
        };
        if next == *event {
            self.found.equal += 1;
            // What is appended follows in the same file: the end of the record is the end that was there first.
            self.next = self.recorded.next().transpose().map_err(|e| unreadable(&e))?;
        } else if self.is_gap(event.id.seq()) {
            self.found.dropped += 1;
        } else {
            let difference = format!("recorded: {next:?}; regenerated: {event:?}");
            self.found.difference = Some(difference.clone());
            if self.strict {
                let what = format!("the record is not what its inputs cause: {difference}");
                return Err(SinkError {
                    what,
                    next: "nothing was sent; start a new journal and report this",
                    closed: false,
                });
            }
        }
        Ok(())
    }

    fn finished(&mut self, seq: u64) -> Result<(), SinkError> {
        let whole = self.next.is_none() && self.found.difference.is_none();
        self.append.as_mut().filter(|_| whole).map_or(Ok(()), |log| log.finished(seq))
    }

    fn end(&mut self) -> Result<(), SinkError> {
        if self.found.difference.is_none() && self.next.is_some() {
            self.found.extra = 1;
            for rest in self.recorded.by_ref() {
                rest.map_err(|e| unreadable(&e))?;
                self.found.extra += 1;
            }
        }
        if let Some(log) = self.append.take() {
            self.found.completed = self.found.holds();
            log.close().map_err(|e| unreadable(&e))?;
        }
        *self.verdict.lock().expect("nothing panics while it holds the verdict") = self.found.clone();
        Ok(())
    }
}

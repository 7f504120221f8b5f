//! Verifies a replay: every regenerated outcome must equal the recorded one, byte for byte.
//!
//! A run that was killed has fewer outcomes than its inputs cause. The recorded ones must then be a prefix; the verdict
//! counts the missing ones, and they can be appended to the log. Outcomes that the log dropped or lost because it was full,
//! according to its own gap records, are skipped. Bound: one recorded event is held at a time.

use flow::{Event, Kinds, Sink, SinkError};
use serde::Serialize;
use sinks::journal::{Gaps, JournalError, JournalReader, LogReader, OutcomeLog};
use std::sync::{Arc, Mutex};

/// Result of the comparison.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Verified {
    /// Outcomes that match.
    pub equal: u64,
    /// Regenerated outcomes that are missing from the journal, because its run was cut short.
    pub missing: u64,
    /// Regenerated outcomes that the log dropped or lost because it was full, according to its own gap records.
    pub dropped: u64,
    /// Recorded outcomes that were not regenerated.
    pub extra: u64,
    /// Whether the missing outcomes were appended to the journal.
    pub completed: bool,
    /// Description of the first difference.
    pub difference: Option<String>,
}

impl Verified {
    /// Whether the recorded outcomes match the regenerated ones, as far as they go.
    pub fn holds(&self) -> bool {
        self.difference.is_none() && self.extra == 0
    }
}

/// A sink that compares regenerated outcomes with a journal's.
pub struct VerifySink {
    kinds: Kinds,
    recorded: LogReader,
    /// The next recorded outcome; `None` after the last one.
    next: Option<Event>,
    gaps: Gaps,
    append: Option<OutcomeLog>,
    /// The last recorded input: outcomes of later inputs are new, not missing.
    through: u64,
    /// Whether a difference ends the run.
    strict: bool,
    verdict: Arc<Mutex<Verified>>,
    found: Verified,
}

impl VerifySink {
    /// Compares with the outcomes of `reader`; `kinds` are those that its run logged. Missing outcomes are added to `append`.
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

    /// For a resumed run: compares the outcomes of the inputs after `from` up to and including `through`; later ones are
    /// new. A difference ends the run.
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

    /// The verdict, filled in when the run has ended.
    pub fn verdict(&self) -> Arc<Mutex<Verified>> {
        self.verdict.clone()
    }

    /// Whether the log's gap records cover this `seq`.
    fn is_gap(&self, seq: u64) -> bool {
        let lost = self.gaps.lost.iter().any(|l| (l.from_seq..=l.through_seq).contains(&seq));
        lost || seq <= self.gaps.dropped.through_seq
    }

    /// Handles an outcome after the last recorded one.
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
            // Outcomes are appended to the same file, but the reader stops at the end it had when it was opened.
            self.next = self.recorded.next().transpose().map_err(|e| unreadable(&e))?;
        } else if self.is_gap(event.id.seq()) {
            self.found.dropped += 1;
        } else {
            let difference = format!("recorded: {next:?}; regenerated: {event:?}");
            self.found.difference = Some(difference.clone());
            if self.strict {
                let what = format!("the replay differs from the journal: {difference}");
                return Err(SinkError {
                    what,
                    next: "nothing was sent; start a new journal and report this as a bug",
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
        *self.verdict.lock().expect("no thread panics while it holds the lock") = self.found.clone();
        Ok(())
    }
}

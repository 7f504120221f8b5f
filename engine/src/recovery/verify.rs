//! Verifies a replay: every regenerated outcome must equal the recorded one, byte for byte.
//!
//! A run that was killed has fewer outcomes than its inputs cause. The recorded ones must then be a prefix; the verdict
//! counts the missing ones, and they are appended once the journal is accepted ([`super::acceptance`]). Outcomes that the
//! log dropped or lost because it was full, according to its own gap records, are skipped; another process may still be
//! dropping, so the gaps are read again before anything counts as a difference. Bound: one recorded event is held at a
//! time, and the missing ones until the acceptance.

use super::acceptance::{Acceptance, MOST_MISSING, Verdict};
use flow::{Event, Kinds, Sink, SinkError};
use serde::Serialize;
use sinks::journal::{HomeGaps, HomeLog, JournalError, LogKind, Member, OutcomeLog};
use std::path::Path;
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
    /// What is recorded and what was regenerated where they differ first; absent where a side has nothing.
    #[serde(skip)]
    pub first: Option<Box<[Option<Event>; 2]>>,
}

impl Verified {
    /// Whether the recorded outcomes match the regenerated ones, as far as they go.
    pub fn holds(&self) -> bool {
        self.difference.is_none() && self.extra == 0
    }
}

/// Where outcomes go that the record does not hold.
enum Append {
    /// Nowhere: they are only counted.
    Nowhere,
    /// They wait until the journal is accepted.
    Waiting(Vec<Event>, Verdict),
    /// Into the log. The comparison is over.
    Log(OutcomeLog),
}

/// A sink that compares regenerated outcomes with a journal's.
pub struct VerifySink {
    kinds: Kinds,
    members: Vec<Member>,
    recorded: HomeLog,
    /// The next recorded outcome; `None` after the last one.
    next: Option<Event>,
    gaps: HomeGaps,
    append: Append,
    /// The last recorded input, where the journal is to be continued: outcomes of later inputs are new, not missing.
    through: Option<u64>,
    /// Outcomes of later inputs than this one are not looked at.
    until: u64,
    /// Whether a difference ends the run.
    strict: bool,
    /// The last input that is finished.
    finished: u64,
    verdict: Arc<Mutex<Verified>>,
    found: Verified,
}

impl VerifySink {
    /// Compares with the outcomes of these journals of `home`, the oldest first; `kinds` are those that their run logged.
    ///
    /// # Errors
    /// When the outcomes cannot be read.
    pub fn new(home: &Path, members: &[Member], kinds: Kinds) -> Result<VerifySink, JournalError> {
        let mut recorded = HomeLog::of(home, members, LogKind::Outcomes);
        let next = recorded.next().transpose()?;
        let (verdict, found) = Default::default();
        Ok(VerifySink {
            kinds,
            members: members.to_vec(),
            recorded,
            next,
            gaps: HomeGaps::of(members)?,
            append: Append::Nowhere,
            through: None,
            until: u64::MAX,
            strict: false,
            finished: 0,
            verdict,
            found,
        })
    }

    /// Compares the outcomes of the inputs after `from` up to and including `until` only: another process may be writing more.
    ///
    /// # Errors
    /// When the outcomes cannot be read.
    pub(super) fn between(mut self, from: u64, until: u64) -> Result<VerifySink, JournalError> {
        (self.finished, self.until) = (from, until);
        if from > 0 {
            self.recorded.seek_seq(from + 1)?;
            self.next = self.recorded.next().transpose()?;
        }
        Ok(self)
    }

    /// For a journal that is to be continued: compares the outcomes of the inputs after `from` up to and including
    /// `through`; later ones are new. Only without a difference the journal may be accepted; if `strict`, one ends the run.
    ///
    /// # Errors
    /// When the outcomes cannot be read.
    pub(crate) fn accepting(
        mut self,
        from: u64,
        through: u64,
        acceptance: &Acceptance,
        strict: bool,
    ) -> Result<VerifySink, JournalError> {
        self = self.between(from, u64::MAX)?;
        self.append = Append::Waiting(Vec::new(), acceptance.verdict());
        (self.through, self.strict) = (Some(through), strict);
        if from >= through
            && let Err(refused) = self.end_of_record()
        {
            acceptance.verdict().refuse(refused.to_string());
        }
        Ok(self)
    }

    /// The verdict, filled in when the run has ended.
    pub fn verdict(&self) -> Arc<Mutex<Verified>> {
        self.verdict.clone()
    }

    /// Compares an outcome with the record.
    fn compare(&mut self, event: &Event) -> Result<(), SinkError> {
        if self.found.difference.is_some() {
            return Ok(());
        }
        if self.next == Some(*event) {
            self.found.equal += 1;
            self.next = self.recorded.next().transpose().map_err(|e| unreadable(&e))?;
            return Ok(());
        }
        if self.gaps.has(event.id.seq()) {
            self.found.dropped += 1;
            return Ok(());
        }
        self.gaps = HomeGaps::of(&self.members).map_err(|e| unreadable(&e))?;
        match self.next {
            _ if self.gaps.has(event.id.seq()) => self.found.dropped += 1,
            None => return self.missing(event),
            // The last ones of a journal that was killed, and not the last one.
            Some(next) if self.gaps.place(event.id.seq()) < self.gaps.place(next.id.seq()) => {
                return self.missing(event);
            }
            Some(next) => {
                let difference = format!("recorded: {next:?}; regenerated: {event:?}");
                self.found.difference = Some(difference.clone());
                self.found.first = Some(Box::new([Some(next), Some(*event)]));
                if self.strict {
                    return Err(refused(format!("the replay differs from the journal: {difference}")));
                }
            }
        }
        Ok(())
    }

    /// Handles an outcome after the last recorded one.
    fn missing(&mut self, event: &Event) -> Result<(), SinkError> {
        self.found.missing += 1;
        match &mut self.append {
            Append::Waiting(waiting, _) if waiting.len() == MOST_MISSING => {
                Err(refused(format!("the journal lacks more than {MOST_MISSING} outcomes of its inputs")))
            }
            Append::Waiting(waiting, _) => {
                waiting.push(*event);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Counts the recorded outcomes that the inputs up to the last finished one did not cause. Outcomes of later inputs
    /// are not judged, but an outcome of an input that is not stored is one too many.
    fn count_extra(&mut self) -> Result<(), JournalError> {
        let (Some(first), None) = (self.next.take(), &self.found.difference) else { return Ok(()) };
        if first.id.seq() > self.until {
            return Ok(());
        }
        let mut left = vec![first];
        for event in self.recorded.by_ref() {
            let event = event?;
            if event.id.seq() > self.until {
                break;
            }
            left.push(event);
        }
        // An input is stored before its outcomes, so this is read after them.
        let last = self.members.last().map_or(Ok(0), |member| member.reader().last_input_seq())?;
        left.retain(|event| event.id.seq() <= self.finished || event.id.seq() > last);
        self.found.extra = left.len() as u64;
        self.found.first = left.first().map(|extra| Box::new([Some(*extra), None]));
        Ok(())
    }

    /// The last recorded input is finished: whatever is left of the record is too much.
    fn end_of_record(&mut self) -> Result<(), SinkError> {
        let first = self.next;
        self.count_extra().map_err(|e| unreadable(&e))?;
        match (&mut self.append, first, self.found.extra) {
            (Append::Waiting(missing, verdict), _, 0) if self.found.difference.is_none() => {
                verdict.equal(std::mem::take(missing));
            }
            (_, Some(first), extra @ 1..) if self.strict => {
                let what = format!("the journal has {extra} outcomes that its inputs do not cause, first {first:?}");
                return Err(refused(what));
            }
            _ => {}
        }
        Ok(())
    }

    /// The log, once the head has accepted the journal.
    #[cold]
    fn open(&mut self) -> &mut OutcomeLog {
        if let Append::Waiting(_, verdict) = &self.append {
            self.append = Append::Log(verdict.take_log().expect("no input follows the record before it is accepted"));
        }
        match &mut self.append {
            Append::Log(log) => log,
            _ => unreachable!("only a journal that is continued has new inputs"),
        }
    }
}

fn unreadable(error: &JournalError) -> SinkError {
    SinkError { what: error.to_string(), next: "run `tidegate journal verify` on the folder", closed: false }
}

fn refused(what: String) -> SinkError {
    let next = "nothing was sent and nothing in the journal was changed; restore it from a copy, or start a new one with --carry-over";
    SinkError { what, next, closed: false }
}

impl Sink for VerifySink {
    fn kinds(&self) -> Kinds {
        self.kinds
    }

    #[inline]
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match &mut self.append {
            Append::Log(log) => log.take(event),
            _ if self.through.is_some_and(|through| event.id.seq() > through) => self.open().take(event),
            _ => self.compare(event),
        }
    }

    fn finished(&mut self, seq: u64) -> Result<(), SinkError> {
        if let Append::Log(log) = &mut self.append {
            return log.finished(seq);
        }
        let before = std::mem::replace(&mut self.finished, seq);
        match self.through {
            Some(through) if seq > through => self.open().finished(seq),
            Some(through) if seq == through && before < through => self.end_of_record(),
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), SinkError> {
        // An input may have entered after the acceptance without any outcome.
        let log = match std::mem::replace(&mut self.append, Append::Nowhere) {
            Append::Waiting(_, verdict) => verdict.take_log(),
            Append::Nowhere => None,
            Append::Log(log) => Some(log),
        };
        self.count_extra().map_err(|e| unreadable(&e))?;
        self.found.completed = log.is_some();
        *self.verdict.lock().expect("no thread panics while it holds the lock") = self.found.clone();
        log.map_or(Ok(()), |log| log.close().map(drop).map_err(|e| unreadable(&e)))
    }
}

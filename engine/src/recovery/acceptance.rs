//! Accepts a journal once its replay has shown that it is what its inputs cause.
//!
//! Until then nothing is written: the journal was only examined, and the outcomes that it lacks wait in memory. The
//! comparison at the tail says when the last recorded input is finished and every recorded outcome was equal; the head asks,
//! opens the journal, appends what was missing and hands the outcome log back to the tail. A run that is refused or stopped
//! before that leaves the journal as it was.
//!
//! Bound: [`MOST_MISSING`] outcomes wait. A kill leaves those of some milliseconds, a power failure those of two sync
//! intervals; a journal that lacks more has lost them otherwise, and is refused. Worst case: what the last run left in memory
//! goes to the disk first, up to as many segments of each log as may be behind, and the head waits for that, and a stop
//! with it: some tenths of a second, or as long as the disk takes. While the missing outcomes wait for the disk the head
//! takes its turns, and obeys a stop: what is missing then is derived again by the next start.

use crate::ingress::{Accept, IngressError};
use flow::{Event, Sink};
use sinks::journal::{CurrentDisk, Examined, InputLog, JournalError, OutcomeLog, Resumed, Upkeep};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::IntoIter;

/// Most outcomes that may be missing: 1 GiB of them.
pub(super) const MOST_MISSING: usize = 1 << 24;

/// How far the comparison has come.
#[derive(Default)]
enum Stage {
    #[default]
    Comparing,
    /// The record is what its inputs cause. It lacks these outcomes.
    Equal(Vec<Event>),
    /// The record has something that its inputs do not cause.
    Refused(String),
    /// The journal is open for writing.
    Open(OutcomeLog),
    /// The tail has the outcome log.
    Taken,
}

/// What the comparison at the tail and the head that accepts share.
#[derive(Clone, Default)]
pub(super) struct Verdict(Arc<Mutex<Stage>>);

impl Verdict {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last recorded input is finished, and every recorded outcome was equal; these were missing.
    pub(super) fn equal(&self, missing: Vec<Event>) {
        *self.stage() = Stage::Equal(missing);
    }

    /// The record must not be continued.
    pub(super) fn refuse(&self, why: String) {
        *self.stage() = Stage::Refused(why);
    }

    /// The outcome log, once the journal is open.
    pub(super) fn take_log(&self) -> Option<OutcomeLog> {
        let mut stage = self.stage();
        match std::mem::replace(&mut *stage, Stage::Taken) {
            Stage::Open(log) => Some(log),
            other => {
                *stage = other;
                None
            }
        }
    }
}

/// A journal that waits to be accepted.
pub(crate) struct Acceptance {
    examined: Option<Examined>,
    /// The journal, open for writing, and the missing outcomes that it has yet to take.
    opened: Option<(Resumed, IntoIter<Event>)>,
    upkeep: Upkeep,
    through: u64,
    verdict: Verdict,
    disk: CurrentDisk,
}

impl Acceptance {
    /// Waits with this journal until its replay has been compared.
    pub(crate) fn new(examined: Examined, upkeep: Upkeep, disk: CurrentDisk) -> Acceptance {
        let through = examined.last_input_seq();
        Acceptance { examined: Some(examined), opened: None, upkeep, through, verdict: Verdict::default(), disk }
    }

    /// Where the comparison says what it found.
    pub(super) fn verdict(&self) -> Verdict {
        self.verdict.clone()
    }

    /// Opens the journal, appends the outcomes that are missing, and closes it again; whether it could be accepted.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn complete(mut self) -> Result<bool, IngressError> {
        let mut inputs = self.accepted()?;
        while inputs.is_none() && self.opened.is_some() {
            std::thread::yield_now();
            inputs = self.accepted()?;
        }
        let outcomes = self.verdict.take_log();
        let ended = inputs.is_some();
        drop(inputs);
        outcomes.map(OutcomeLog::close).transpose().map_err(|e| unwritten(&e))?;
        Ok(ended)
    }

    /// Opens the journal for writing, once the comparison has found it equal.
    fn open(&mut self) -> Result<Option<(Resumed, IntoIter<Event>)>, IngressError> {
        let missing = match &mut *self.verdict.stage() {
            Stage::Comparing => return Ok(None),
            Stage::Refused(why) => return Err(IngressError::Refused(std::mem::take(why))),
            Stage::Equal(missing) => std::mem::take(missing),
            Stage::Open(_) | Stage::Taken => unreachable!("a journal is accepted once"),
        };
        let examined = self.examined.take().expect("a journal is accepted once");
        let resumed = examined.accept(self.upkeep.clone()).map_err(|e| unwritten(&e))?;
        self.disk.set(resumed.inputs.disk());
        Ok(Some((resumed, missing.into_iter())))
    }
}

fn unwritten(error: &JournalError) -> IngressError {
    IngressError::Recorded(error.to_string())
}

impl Accept for Acceptance {
    fn accepted(&mut self) -> Result<Option<InputLog>, IngressError> {
        let opened = match self.opened.take() {
            None => self.open()?,
            opened => opened,
        };
        let Some((mut resumed, mut missing)) = opened else { return Ok(None) };
        while let Some(outcome) = missing.as_slice().first() {
            // Nothing enters yet, so these can wait for the disk; an outcome log itself never does.
            if !resumed.inputs.ready().map_err(IngressError::Log)? {
                self.opened = Some((resumed, missing));
                return Ok(None);
            }
            resumed.outcomes.take(outcome).expect("an outcome log never fails");
            missing.next();
        }
        resumed.outcomes.finished(self.through).expect("an outcome log never fails");
        *self.verdict.stage() = Stage::Open(resumed.outcomes);
        Ok(Some(resumed.inputs))
    }
}

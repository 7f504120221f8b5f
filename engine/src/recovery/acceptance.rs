//! Accepts a journal once its replay has shown that it is what its inputs cause.
//!
//! Until then nothing is written: the journal was only examined, and the outcomes that it lacks wait in memory. The
//! comparison at the tail says when the last recorded input is finished and every recorded outcome was equal; the head asks,
//! opens the journal, appends what was missing and hands the outcome log back to the tail. A run that is refused or stopped
//! before that leaves the journal as it was.
//!
//! Bound: [`MOST_MISSING`] outcomes wait. A kill leaves those of some milliseconds, a power failure those of two sync
//! intervals; a journal that lacks more has lost them otherwise, and is refused. Worst case: opening allocates the first
//! segments, some tenths of a second in which the pipeline rests.

use crate::ingress::{Accept, IngressError};
use flow::{Event, Sink};
use sinks::journal::{DiskWatch, Examined, InputLog, JournalError, OutcomeLog, Upkeep};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

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
    upkeep: Upkeep,
    through: u64,
    verdict: Verdict,
    disk: Arc<OnceLock<DiskWatch>>,
}

impl Acceptance {
    /// Waits with this journal until its replay has been compared.
    pub(crate) fn new(examined: Examined, upkeep: Upkeep, disk: Arc<OnceLock<DiskWatch>>) -> Acceptance {
        let through = examined.last_input_seq();
        Acceptance { examined: Some(examined), upkeep, through, verdict: Verdict::default(), disk }
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
        let inputs = self.accepted()?;
        let outcomes = self.verdict.take_log();
        let ended = inputs.is_some();
        drop(inputs);
        outcomes.map(OutcomeLog::close).transpose().map_err(|e| unwritten(&e))?;
        Ok(ended)
    }
}

fn unwritten(error: &JournalError) -> IngressError {
    IngressError::Recorded(error.to_string())
}

impl Accept for Acceptance {
    fn accepted(&mut self) -> Result<Option<InputLog>, IngressError> {
        let mut stage = self.verdict.stage();
        let missing = match &mut *stage {
            Stage::Comparing => return Ok(None),
            Stage::Refused(why) => return Err(IngressError::Refused(std::mem::take(why))),
            Stage::Equal(missing) => std::mem::take(missing),
            Stage::Open(_) | Stage::Taken => unreachable!("a journal is accepted once"),
        };
        let examined = self.examined.take().expect("a journal is accepted once");
        let mut resumed = examined.accept(self.upkeep.clone()).map_err(|e| unwritten(&e))?;
        let _ = self.disk.set(resumed.inputs.disk());
        for outcome in &missing {
            // Nothing enters yet, so these can wait for the disk; an outcome log itself never does.
            while !resumed.inputs.ready().map_err(IngressError::Log)? {
                std::thread::yield_now();
            }
            resumed.outcomes.take(outcome).expect("an outcome log never fails");
        }
        resumed.outcomes.finished(self.through).expect("an outcome log never fails");
        *stage = Stage::Open(resumed.outcomes);
        Ok(Some(resumed.inputs))
    }
}

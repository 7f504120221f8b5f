//! The journal of a run: none, a new one, or one that goes on.

use super::carry::{Carried, CarryError, begun_with, carry_over};
use super::changed::check;
use super::error::RecoveryError;
use super::snapshot::Snapshot;
use super::verify::{Verified, VerifySink};
use crate::build_id::build_id;
use crate::config::Settings;
use crate::ingress::{Retrace, Then};
use flow::{Kinds, Sink};
use sinks::journal::{InputLog, Journal, JournalReader, JournalSpec, Upkeep};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What a run writes to, and what it repeats first.
#[derive(Default)]
pub(crate) struct Journalling {
    pub(crate) inputs: Option<InputLog>,
    pub(crate) outcomes: Vec<Box<dyn Sink>>,
    pub(crate) retrace: Option<Retrace>,
    pub(crate) snapshot: Option<Snapshot>,
    /// Whoever wrote it before did not close it.
    pub(crate) is_unclean: bool,
    /// What is still to enter of what another journal left.
    pub(crate) carried: Carried,
    pub(crate) verdict: Option<Arc<Mutex<Verified>>>,
}

impl Journalling {
    /// The journal that the settings ask for. With `go_on`, one that is there already goes on; a new one begins with what
    /// the one in `before` left.
    pub(crate) fn of(
        settings: &Settings,
        kinds: Kinds,
        go_on: bool,
        before: Option<&Path>,
    ) -> Result<Journalling, RecoveryError> {
        match &settings.journal_dir {
            None => Ok(Journalling::default()),
            Some(dir) if go_on && dir.join("journal.toml").exists() => {
                Journalling::gone_on(settings, kinds, dir, before)
            }
            Some(dir) => {
                let carried = carried(before, settings)?;
                let (inputs, outcomes) = Journal::create(dir, &spec(settings, kinds))?;
                let outcomes = vec![Box::new(outcomes) as Box<dyn Sink>];
                Ok(Journalling { inputs: Some(inputs), outcomes, carried, ..Journalling::default() })
            }
        }
    }

    fn gone_on(
        settings: &Settings,
        kinds: Kinds,
        dir: &Path,
        before: Option<&Path>,
    ) -> Result<Journalling, RecoveryError> {
        check(JournalReader::open(dir)?.info(), settings)?;
        let is_unclean = JournalReader::open(dir)?.closed()?.is_none();
        let resumed = Journal::resume(dir, Upkeep::from_params(&settings.sinks["journal"]))?;
        let last = resumed.last_input_seq;
        let reader = JournalReader::open(dir)?;
        let carried = match begun_with(&reader)? {
            wanted if last >= wanted.max(1) => Carried::default(),
            wanted => rest(carried(before, settings)?, last, wanted, dir)?,
        };
        // Outcomes behind this word may be lacking: they must be made again.
        let snapshot = Snapshot::latest(dir, last.min(resumed.completed_through))?;
        let mut inputs = reader.inputs();
        let from = snapshot.as_ref().map_or(0, |s| s.seq);
        if from > 0 && from < last {
            inputs.seek_seq(from + 1)?;
        }
        let verify = VerifySink::new(&reader, kinds, Some(resumed.outcomes))?.between(from, last)?;
        Ok(Journalling {
            inputs: Some(resumed.inputs),
            verdict: Some(verify.verdict()),
            outcomes: vec![Box::new(verify)],
            retrace: Some(Retrace::new(inputs, if from < last { last } else { 0 }, Then::GoOn)),
            snapshot,
            is_unclean,
            carried,
        })
    }
}

fn carried(before: Option<&Path>, settings: &Settings) -> Result<Carried, RecoveryError> {
    Ok(before.map(|dir| carry_over(dir, settings)).transpose()?.unwrap_or_default())
}

/// What has not entered yet of what a journal begins with, when its first run stopped early.
fn rest(mut carried: Carried, last: u64, wanted: u64, dir: &Path) -> Result<Carried, RecoveryError> {
    if last > 0 && carried.first.len() as u64 != wanted {
        return Err(CarryError::Incomplete(dir.to_owned()).into());
    }
    carried.first.drain(..last as usize);
    Ok(carried)
}

fn spec(settings: &Settings, outcomes: Kinds) -> JournalSpec {
    let mut spec = JournalSpec::from_params(&settings.sinks["journal"], build_id(), settings.to_toml());
    spec.outcome_kinds = outcomes;
    spec
}

//! The journal of a run: none, a new one, or a resumed one.

use super::carry::{Carried, CarryError, carried_inputs, carry_over};
use super::changed::{check, check_instruments};
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

/// What a run logs to, and what it replays first.
#[derive(Default)]
pub(crate) struct Journalling {
    pub(crate) inputs: Option<InputLog>,
    pub(crate) outcomes: Vec<Box<dyn Sink>>,
    pub(crate) retrace: Option<Retrace>,
    pub(crate) snapshot: Option<Snapshot>,
    /// The previous run did not close the journal.
    pub(crate) is_unclean: bool,
    /// Inputs carried over from an earlier journal that have yet to enter.
    pub(crate) carried: Carried,
    pub(crate) verdict: Option<Arc<Mutex<Verified>>>,
}

impl Journalling {
    /// The journal that the settings name, for a run that logs outcomes of `kinds` and numbers its instruments below
    /// `instruments`. With `resume`, an existing one is resumed; a new one starts with what the journal in `before` carries
    /// over.
    pub(crate) fn of(
        settings: &Settings,
        (kinds, instruments): (Kinds, u32),
        resume: bool,
        before: Option<&Path>,
    ) -> Result<Journalling, RecoveryError> {
        match &settings.journal_dir {
            None => Ok(Journalling::default()),
            Some(dir) if resume && dir.join("journal.toml").exists() => {
                Journalling::resumed(settings, (kinds, instruments), dir, before)
            }
            Some(dir) => {
                let carried = carried(before, settings)?;
                let (inputs, outcomes) = Journal::create(dir, &spec(settings, kinds, instruments))?;
                let outcomes = vec![Box::new(outcomes) as Box<dyn Sink>];
                Ok(Journalling { inputs: Some(inputs), outcomes, carried, ..Journalling::default() })
            }
        }
    }

    fn resumed(
        settings: &Settings,
        (kinds, instruments): (Kinds, u32),
        dir: &Path,
        before: Option<&Path>,
    ) -> Result<Journalling, RecoveryError> {
        check(JournalReader::open(dir)?.info(), settings)?;
        check_instruments(JournalReader::open(dir)?.info(), instruments)?;
        let is_unclean = JournalReader::open(dir)?.closed()?.is_none();
        let resumed = Journal::resume(dir, Upkeep::from_params(&settings.sinks["journal"]))?;
        let last = resumed.last_input_seq;
        let reader = JournalReader::open(dir)?;
        let carried = match carried_inputs(&reader)? {
            wanted if last >= wanted.max(1) => Carried::default(),
            wanted => rest(carried(before, settings)?, last, wanted, dir)?,
        };
        // Outcomes after this watermark may be missing and must be regenerated.
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
            retrace: Some(Retrace::new(inputs, if from < last { last } else { 0 }, Then::Continue)),
            snapshot,
            is_unclean,
            carried,
        })
    }
}

fn carried(before: Option<&Path>, settings: &Settings) -> Result<Carried, RecoveryError> {
    Ok(before.map(|dir| carry_over(dir, settings)).transpose()?.unwrap_or_default())
}

/// The carried-over inputs that have yet to enter, when the first run of a journal stopped early.
fn rest(mut carried: Carried, last: u64, wanted: u64, dir: &Path) -> Result<Carried, RecoveryError> {
    if last > 0 && carried.first.len() as u64 != wanted {
        return Err(CarryError::Incomplete(dir.to_owned()).into());
    }
    carried.first.drain(..last as usize);
    Ok(carried)
}

fn spec(settings: &Settings, outcomes: Kinds, instruments: u32) -> JournalSpec {
    let mut spec = JournalSpec::from_params(&settings.sinks["journal"], build_id(), settings.to_toml());
    (spec.outcome_kinds, spec.instruments) = (outcomes, instruments);
    spec
}

//! The journal of a run: none, a new one, or a resumed one.

use super::acceptance::Acceptance;
use super::carry::{Carried, CarryError, Earlier, carry_over, yet_to_carry};
use super::changed::{begun, check, check_instruments, watched_in};
use super::error::RecoveryError;
use super::memory::Owners;
use super::notices::Notices;
use super::snapshot::Snapshot;
use super::snapshot_error::SnapshotError;
use super::verify::{Verified, VerifySink};
use crate::build_id::build_id;
use crate::config::Settings;
use crate::ingress::{Retrace, Then, WatchList};
use flow::{Gateway, Kinds, Ns, Sink};
use sinks::journal::{CurrentDisk, Home, InputLog, Journal, JournalInfo, JournalReader, JournalSpec, Upkeep};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// What a run logs to, and what it replays first.
#[derive(Default)]
pub(crate) struct Journalling {
    /// The current journal, if there is one.
    pub(crate) info: Option<JournalInfo>,
    /// When it began, by the clock of the run, if an input is in it.
    pub(crate) begun: Option<Ns>,
    pub(crate) inputs: Option<InputLog>,
    pub(crate) outcomes: Vec<Box<dyn Sink>>,
    pub(crate) retrace: Option<Retrace>,
    pub(crate) snapshot: Option<Snapshot>,
    /// The previous run did not close the journal.
    pub(crate) is_unclean: bool,
    /// Inputs carried over from an earlier journal that have yet to enter.
    pub(crate) carried: Carried,
    pub(crate) verdict: Option<Arc<Mutex<Verified>>>,
    /// How many of the inputs were added since the journal was started: the last ones.
    pub(crate) added: usize,
    /// The symbols that are watched of the others, in order, as the journal was started.
    pub(crate) watched: Option<Vec<WatchList>>,
}

/// What a run asks of its journal.
pub(crate) struct Opening<'a> {
    pub(crate) settings: &'a Settings,
    /// Kinds of the outcomes that are logged.
    pub(crate) kinds: Kinds,
    /// The run numbers its instruments below this.
    pub(crate) instruments: u32,
    /// An earlier journal, from which a new one carries over.
    pub(crate) before: Option<&'a Earlier>,
    /// Those of its stages that have something that lasts.
    pub(crate) owners: Owners,
    /// Ends an examination early.
    pub(crate) stop: &'a AtomicBool,
    pub(crate) notices: Notices,
    /// Gets a watch on the disk once the journal is open for writing.
    pub(crate) disk: &'a CurrentDisk,
}

impl Opening<'_> {
    /// The journal that the settings name. With `resume`, an existing one is examined, and is continued once its replay was
    /// accepted; a new one starts with what is carried over.
    pub(crate) fn journal(&self, resume: bool) -> Result<Journalling, RecoveryError> {
        match &self.settings.journal_dir {
            None => Ok(Journalling::default()),
            Some(dir) if resume && Home::exists(dir) => self.resumed(dir),
            Some(dir) => {
                let carried = self.carried(None)?;
                let (inputs, outcomes) = Journal::create(dir, &spec(self.settings, self.kinds, self.instruments))?;
                self.disk.set(inputs.disk());
                let outcomes = vec![Box::new(outcomes) as Box<dyn Sink>];
                let info = Some(inputs.info().clone());
                Ok(Journalling { info, inputs: Some(inputs), outcomes, carried, ..Journalling::default() })
            }
        }
    }

    /// What the earlier journal leaves to a new one, and to that in `new`, if it has begun.
    fn carried(&self, new: Option<&JournalReader>) -> Result<Carried, RecoveryError> {
        let carry = |earlier| carry_over(earlier, self.settings, &self.owners, new, (self.stop, self.notices));
        Ok(self.before.map(carry).transpose()?.unwrap_or_default())
    }

    fn resumed(&self, dir: &Path) -> Result<Journalling, RecoveryError> {
        let home = Home::open(dir)?;
        let (dir, reader) = (home.current().dir.as_path(), home.current().reader());
        check(reader.info(), self.settings)?;
        check_instruments(reader.info(), self.instruments)?;
        let examined = Journal::examine(dir, self.stop)?;
        home.tidy()?.iter().for_each(|aside| self.notices.set_aside(aside));
        if examined.closed().is_some_and(|closed| closed.ended) {
            return Err(RecoveryError::Ended(dir.to_owned()));
        }
        self.notices.trusted(dir, &examined.trusted());
        self.notices.lost_memory(dir, examined.lost_memory());
        let last = examined.last_input_seq();
        let carried = match yet_to_carry(&reader)? {
            (wanted, asking) if last >= wanted.max(1) && asking.is_empty() => Carried::default(),
            (wanted, asking) => rest(self.carried(Some(&reader))?, last, (wanted, &asking), dir)?,
        };
        // Outcomes after this watermark may be missing and must be regenerated.
        let through = last.min(examined.completed_through());
        let snapshot = Snapshot::latest_proved(&reader, dir, through, self.notices)?;
        if snapshot.is_none() && reader.info().follows.is_some() {
            return Err(SnapshotError::NoStart(dir.to_owned()).into());
        }
        let mut inputs = reader.inputs();
        let since = match &reader.info().begin {
            Some(begin) => Some(begin.at),
            None => reader.inputs().next().transpose()?.map(|first| first.ts),
        };
        let from = snapshot.as_ref().map_or(0, |s| s.seq);
        if from > 0 && from < last {
            inputs.seek_seq(from + 1)?;
        }
        let is_unclean = examined.closed().is_none();
        let upkeep = Upkeep::from_params(&self.settings.sinks["journal"]);
        let acceptance = Acceptance::new(examined, upkeep, self.disk.clone());
        let verify = VerifySink::new(home.dir(), &home.journals()[home.journals().len() - 1..], self.kinds)?
            .accepting(from, last, &acceptance, true)?;
        let then = Then::Continue(Box::new(acceptance));
        Ok(Journalling {
            info: Some(reader.info().clone()),
            begun: since,
            verdict: Some(verify.verdict()),
            outcomes: vec![Box::new(verify)],
            retrace: Some(Retrace::new(inputs, if from < last { last } else { 0 }, then)),
            snapshot,
            is_unclean,
            carried,
            watched: Some(watched_in(&reader.info().config_text)),
            added: self.settings.inputs.len() - begun(self.settings)?,
            ..Journalling::default()
        })
    }
}

/// The carried-over inputs that have yet to enter, and the orders to be asked for by these gateways, when the first run of a
/// journal stopped early.
fn rest(
    mut carried: Carried,
    last: u64,
    (wanted, asking): (u64, &[Gateway]),
    dir: &Path,
) -> Result<Carried, RecoveryError> {
    if last > 0 && carried.first.len() as u64 != wanted {
        return Err(CarryError::Incomplete(dir.to_owned()).into());
    }
    carried.first.drain(..last.min(wanted) as usize);
    carried.open.retain(|gateway, _| last == 0 || asking.contains(gateway));
    Ok(carried)
}

fn spec(settings: &Settings, outcomes: Kinds, instruments: u32) -> JournalSpec {
    let mut spec = JournalSpec::from_params(&settings.sinks["journal"], build_id(), settings.to_toml());
    (spec.outcome_kinds, spec.instruments) = (outcomes, instruments);
    spec
}

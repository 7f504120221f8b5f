//! The pipeline of a run, brought to an instant.

use super::error::InstantError;
use super::place::Place;
use crate::assembly::Blueprint;
use crate::build_id;
use crate::config::{Draft, Settings};
use crate::drive::Control;
use crate::ingress::Recorded;
use crate::pipeline::{Group, LastMeasures, TailStats};
use crate::recovery::{Notices, Snapshot, SnapshotError};
use crate::registries::Registries;
use flow::{Event, Kinds, Sink, SinkError};
use serde::Serialize;
use sinks::journal::{Home, HomeLog, LogKind};
use stages::Instances;
use std::sync::Arc;
use std::time::Instant as Clock;

/// How this pipeline differs from that of the run; none of it changes a result.
const HERE: [&str; 5] =
    ["pipeline.preset=fused", "pipeline.cores=", "pipeline.meters=false", "pipeline.idle=auto", "outcomes.kinds="];

/// Where the time went, in µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Took {
    /// Reading the configuration, and finding and reading the snapshot.
    pub open: u64,
    /// Building the stages and loading them from the snapshot.
    pub load: u64,
    /// Checking the inputs that are repeated.
    pub check: u64,
    /// Repeating them.
    pub repeat: u64,
}

/// The stages after an input.
pub struct Rebuilt {
    /// The journal, and the input.
    pub place: Place,
    /// The input after which the repetition began; 0 = the beginning.
    pub from: u64,
    /// The snapshot that it began from, relative to the folder of the journal.
    pub snapshot: Option<String>,
    /// The build that wrote the journal, if it is another one: then this is what this build makes of the inputs.
    pub other_build: Option<String>,
    /// Names of the instances.
    pub names: Arc<Instances>,
    /// The stages.
    pub groups: Vec<Group>,
    /// What the end of the pipeline keeps.
    pub stats: TailStats,
    /// Where the time went.
    pub took: Took,
}

impl Rebuilt {
    /// Brings the pipeline of a run to a place in its journals, from the nearest snapshot before it.
    ///
    /// # Errors
    /// When the journal cannot be read or what was read is damaged, or the pipeline cannot be built.
    pub fn at(
        place: Place,
        home: &Home,
        registries: &Registries,
        control: &Control,
        notices: Notices,
    ) -> Result<Rebuilt, InstantError> {
        let (mut took, mut lap) = (Took::default(), Lap(Clock::now()));
        let (info, seq) = (&place.member.info, place.input.id.seq());
        let settings = settings(&place, registries)?;
        let other_build = (info.build_id != build_id::build_id()).then(|| info.build_id.clone());
        let before = nearest(&place, seq, other_build.is_some(), notices)?;
        let from = before.as_ref().map_or(0, |before| before.seq);
        took.open = lap.us();
        let blueprint = Blueprint::new(&settings, vec![Box::new(Listener)], info.instruments, control)?;
        let names = Arc::clone(&blueprint.plan.instances);
        let mut inputs = HomeLog::of(home.dir(), std::slice::from_ref(&place.member), LogKind::Inputs);
        inputs.seek_seq(from + 1)?;
        let head = Recorded::new(inputs, from, info.instruments).through(seq);
        let mut assembly = blueprint.repeated(head, Vec::new());
        if let Some(before) = &before {
            before.restore_pipeline(&mut assembly)?;
        }
        took.load = lap.us();
        place.member.reader().check_inputs(from + 1..seq + 1)?;
        took.check = lap.us();
        let (finished, _) = assembly.run()?;
        if let Some(error) = finished.error {
            return Err(error.into());
        }
        if finished.stopped {
            return Err(InstantError::Stopped);
        }
        let snapshot = before.map(|before| Snapshot::file_name(before.seq));
        let (groups, (stats, _)) = (finished.groups, finished.tail.finish());
        took.repeat = lap.us();
        Ok(Rebuilt { place, from, snapshot, other_build, names, groups, stats, took })
    }

    /// How many inputs were repeated.
    pub fn repeated(&self) -> u64 {
        self.place.input.id.seq() - self.from.max(self.place.member.info.after())
    }
}

/// The settings of the run, in one group that takes no core of it.
fn settings(place: &Place, registries: &Registries) -> Result<Settings, InstantError> {
    let path = place.member.dir.join("journal.toml");
    let mut draft = Draft::recorded(&place.member.info.config_text, &path, registries);
    HERE.iter().for_each(|assignment| draft.set("tidegate at", assignment));
    Ok(draft.finish()?)
}

/// The nearest snapshot up to the input; of another build's journal none but the state that it begins with.
fn nearest(place: &Place, seq: u64, other: bool, notices: Notices) -> Result<Option<Snapshot>, InstantError> {
    let info = &place.member.info;
    let through = if other { info.after() } else { seq };
    let found = Snapshot::latest(&place.member.reader(), &place.member.dir, through, notices)?;
    match found {
        None if info.follows.is_some() => Err(SnapshotError::NoStart(place.member.dir.clone()).into()),
        found => Ok(found),
    }
}

/// Measures the parts of a whole.
struct Lap(Clock);

impl Lap {
    fn us(&mut self) -> u64 {
        let now = Clock::now();
        now.duration_since(std::mem::replace(&mut self.0, now)).as_micros() as u64
    }
}

/// Has every measure emit what it has, and takes nothing: the end of the pipeline keeps the last of each.
struct Listener;

impl Sink for Listener {
    fn kinds(&self) -> Kinds {
        LastMeasures::KEEPS
    }

    fn take(&mut self, _: &Event) -> Result<(), SinkError> {
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }
}

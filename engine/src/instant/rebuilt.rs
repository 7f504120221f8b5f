//! The pipeline of a run, brought to an instant.
//!
//! **Of a snapshot only what the instant depends on is read.** Its past, the trades that are remembered in case one is broken,
//! is most of its bytes. The inputs that are repeated are checked first; if none of them is a `break`, nothing looks at those
//! trades: the stages are loaded without them, and what they then emit and show is the same. If some are, the stages get the trades
//! of the instruments that they name. A stage without all of them must not be saved, and nothing here saves one; with
//! [`Past::Read`] they have all that the run had.

use super::error::InstantError;
use super::place::Place;
use crate::assembly::Blueprint;
use crate::build_id;
use crate::config::{Draft, Settings};
use crate::drive::Control;
use crate::ingress::Recorded;
use crate::pipeline::{Group, LastMeasures, TailStats};
use crate::recovery::{Notices, Past, Snapshot, SnapshotError};
use crate::registries::Registries;
use flow::{Event, Kind, Kinds, Sink, SinkError};
use serde::Serialize;
use sinks::journal::{Home, HomeLog, LogKind};
use stages::Instances;
use std::sync::Arc;
use std::time::Instant as Clock;

/// How this pipeline differs from that of the run; none of it changes a result.
const HERE: [&str; 7] = [
    "pipeline.preset=fused",
    "pipeline.cores=",
    "pipeline.meters=false",
    "pipeline.rehearse=false",
    "pipeline.sample_every=0",
    "pipeline.idle=auto",
    "outcomes.kinds=",
];

/// Where the time went, in µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Took {
    /// Reading the configuration, and finding and reading the snapshot.
    pub open: u64,
    /// Checking the inputs that are repeated.
    pub check: u64,
    /// Building the stages, as far as that takes longer than reading the snapshot and checking the inputs, which is done meanwhile;
    /// and loading them.
    pub load: u64,
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
    /// Brings the pipeline of a run to a place in its journals, from the nearest snapshot before it. Without its past the stages may
    /// lack the trades that are remembered for a `break`: they show what the run had, and cannot be saved.
    ///
    /// # Errors
    /// When the journal cannot be read or what was read is damaged, or the pipeline cannot be built.
    pub fn at(
        (place, past): (Place, Past),
        home: &Home,
        registries: &Registries,
        control: &Control,
        notices: Notices,
    ) -> Result<Rebuilt, InstantError> {
        let (mut took, mut lap) = (Took::default(), Lap(Clock::now()));
        let settings = settings(&place, registries)?;
        let info = &place.member.info;
        let other_build = (*info.build_id != build_id::build_id()).then(|| info.build_id.clone());
        took.open = lap.us();
        let (blueprint, before) = std::thread::scope(|scope| {
            // Where memory is in pieces the kernel takes up to a tenth of a second to make a large page, and neither what is read
            // here nor what is repeated is enough to gain by one.
            let read = || flow::in_order(|| Before::read(&place, other_build.is_some(), past, notices));
            let reading = scope.spawn(read);
            let build = || Blueprint::new(&settings, vec![Box::new(Listener)], info.instruments, control);
            let blueprint = flow::in_order(build);
            (blueprint, reading.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
        });
        let Before { snapshot, whose, open_us, check_us } = before?;
        let blueprint = blueprint?;
        let from = snapshot.as_ref().map_or(0, |before| before.seq);
        let names = Arc::clone(&blueprint.plan.instances);
        let mut inputs = HomeLog::of(home.dir(), std::slice::from_ref(&place.member), LogKind::Inputs);
        inputs.seek_seq(from + 1)?;
        let head = Recorded::new(inputs, from, info.instruments).through(place.input.id.seq());
        let mut assembly = blueprint.repeated(head, Vec::new());
        if let Some(before) = &snapshot {
            before.restore_pipeline(&mut assembly, (past == Past::Left).then_some(&*whose))?;
        }
        let snapshot = snapshot.map(|before| Snapshot::file_name(before.seq));
        (took.open, took.check) = (took.open + open_us, check_us);
        took.load = lap.us().saturating_sub(open_us + check_us);
        let (finished, _) = assembly.run()?;
        if let Some(error) = finished.error {
            return Err(error.into());
        }
        if finished.stopped {
            return Err(InstantError::Stopped);
        }
        let (groups, (stats, _)) = (finished.groups, finished.tail.finish());
        took.repeat = lap.us();
        Ok(Rebuilt { place, from, snapshot, other_build, names, groups, stats, took })
    }

    /// How many inputs were repeated.
    pub fn repeated(&self) -> u64 {
        self.place.input.id.seq() - self.from.max(self.place.member.info.after())
    }
}

/// What an instant is rebuilt from, read and checked.
struct Before {
    /// The nearest snapshot.
    snapshot: Option<Snapshot>,
    /// The instruments of which a repeated input breaks a trade.
    whose: Vec<u32>,
    /// What finding and reading the snapshot took.
    open_us: u64,
    /// What checking the inputs behind it took.
    check_us: u64,
}

impl Before {
    /// Reads the nearest snapshot up to a place and checks the inputs behind it. The past is read if it is to be, or if one of
    /// those inputs needs it.
    fn read(place: &Place, other_build: bool, past: Past, notices: Notices) -> Result<Before, InstantError> {
        let mut lap = Lap(Clock::now());
        let snapshot = nearest(place, other_build, past, notices)?;
        let mut open_us = lap.us();
        let whose = broken(place, snapshot.as_ref())?;
        let check_us = lap.us();
        let is_whole = whose.is_empty() || !snapshot.as_ref().is_some_and(Snapshot::lacks_past);
        if is_whole {
            return Ok(Before { snapshot, whose, open_us, check_us });
        }
        let whole = nearest(place, other_build, Past::Read, notices)?;
        let seq = |snapshot: &Option<Snapshot>| snapshot.as_ref().map(|of| of.seq);
        // The past of the first one is damaged, and an earlier one serves.
        let whose = if seq(&whole) == seq(&snapshot) { whose } else { broken(place, whole.as_ref())? };
        open_us += lap.us();
        Ok(Before { snapshot: whole, whose, open_us, check_us })
    }
}

/// Checks the inputs of the place behind a snapshot; the instruments of which one breaks a trade.
fn broken(place: &Place, before: Option<&Snapshot>) -> Result<Vec<u32>, InstantError> {
    let from = before.map_or(0, |before| before.seq);
    let mut broken = Vec::new();
    let look = |input: &Event| broken.extend((input.kind == Kind::Break).then_some(input.instrument));
    place.member.reader().check_inputs(from + 1..place.input.id.seq() + 1, look)?;
    broken.sort_unstable();
    broken.dedup();
    Ok(broken)
}

/// The settings of the run, in one group that takes no core of it.
fn settings(place: &Place, registries: &Registries) -> Result<Settings, InstantError> {
    let path = place.member.dir.join("journal.toml");
    let mut draft = Draft::recorded(&place.member.info.config_text, &path, registries);
    HERE.iter().for_each(|assignment| draft.set("tidegate at", assignment));
    draft.settings.unpin_gateways();
    Ok(draft.finish()?)
}

/// The nearest snapshot up to the input; of another build's journal none but the state that it begins with.
fn nearest(place: &Place, other: bool, past: Past, notices: Notices) -> Result<Option<Snapshot>, InstantError> {
    let info = &place.member.info;
    let through = if other { info.after() } else { place.input.id.seq() };
    let found = Snapshot::latest(&place.member.reader(), &place.member.dir, through, past, notices)?;
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

//! Why a repetition differs from its record.
//!
//! **Idea.** What is equal needs no cause. Where both differ, the outcomes of that input are taken from the record and from two
//! more repetitions up to it, and the probable causes follow from what differs beside them: the build, the configuration, the
//! kinds that are recorded, the repetitions among themselves, or with a pipeline in one group. If nothing of that does, the
//! record itself is not what its run computed.
//!
//! **Bound.** The outcomes of one input; three more repetitions up to it.

use super::error::RunError;
use crate::assembly::Blueprint;
use crate::build_id;
use crate::config::{Settings, keys};
use crate::drive::Control;
use crate::ingress::Recorded;
use crate::recovery::{RecoveryError, Snapshot, Verified, differences};
use crate::report::{Cause, Difference, FromInput, Naming, Placed, time};
use flow::{Event, Gateway, KINDS, Kinds, Listings, SOURCE_OPERATOR, SOURCE_RETURNS, Sink, SinkError, kind_info};
use sinks::Threading;
use sinks::journal::{Home, HomeLog, LogKind, Member};
use stages::Instances;
use std::sync::{Arc, Mutex};

/// Keys that change how a pipeline runs and not what it computes.
const HOW: [&str; 14] = [
    "pipeline.preset",
    "pipeline.cuts",
    "pipeline.ring",
    "pipeline.ring_capacity",
    "pipeline.batch",
    "pipeline.idle",
    "pipeline.cores",
    "pipeline.meters",
    "pipeline.rehearse",
    "pipeline.sample_every",
    "pipeline.time_orders",
    "pipeline.stall_ms",
    "pipeline.at_stop",
    "journal.",
];
/// The key of the kinds that are recorded.
const KINDS_KEY: &str = "outcomes.kinds";

/// Whether a key changes how a pipeline runs, or what it records, and not what it computes.
pub(super) fn is_how(key: &str, settings: &Settings) -> bool {
    HOW.iter().any(|how| key.starts_with(how)) || key.starts_with(KINDS_KEY) || is_threading(key, settings)
}

/// Whether a key is one of a gateway's thread, in its section or in a table of venues.
fn is_threading(key: &str, settings: &Settings) -> bool {
    let Some((section, param)) = key.rsplit_once('.') else { return false };
    Threading::has(param) && (section.starts_with("venue[") || settings.gateway(section).is_some())
}

/// A record and how it was repeated.
pub(super) struct Compared<'a> {
    pub(super) settings: &'a Settings,
    pub(super) home: &'a Home,
    /// The journals that were repeated.
    pub(super) members: &'a [Member],
    /// The state that they begin with.
    pub(super) start: Option<&'a Snapshot>,
    pub(super) control: &'a Control,
}

/// The outcomes of an input in a repetition.
struct Again {
    outcomes: Vec<Event>,
    listings: Listings,
    names: Arc<Instances>,
    stages: Vec<(u8, String)>,
    kinds: Kinds,
}

impl Compared<'_> {
    /// The first difference that a comparison found, and what probably caused it; `None` if it found none.
    pub(super) fn difference(&self, verified: &Verified) -> Result<Option<Difference>, RunError> {
        let [recorded, repeated] = verified.first.as_deref().copied().unwrap_or_default();
        let seqs = [recorded, repeated].into_iter().flatten().map(|event| event.id.seq());
        let Some(seq) = seqs.min() else { return Ok(None) };
        let record = self.recorded(seq)?;
        let again = self.again(self.settings, seq)?;
        let third = self.again(self.settings, seq)?;
        let of_first = repeated.filter(|event| event.id.seq() == seq);
        let wavers = again.outcomes != third.outcomes || of_first.is_some_and(|event| !again.outcomes.contains(&event));
        let [left, right] = match first_of(&record, &again.outcomes) {
            [None, None] => [recorded, repeated].map(|event| event.map(|event| Placed { event, place: (0, 1) })),
            sides => sides,
        };
        let naming = Naming { listings: &again.listings, names: &again.names, stages: &again.stages };
        let events = [&left, &right].map(|side| side.as_ref().map(|placed| &placed.event));
        let causes = self.causes(seq, &record, &again, wavers, events)?;
        Ok(Some(Difference {
            equal: verified.equal,
            input: self.input(seq)?,
            recorded: left.as_ref().map(|side| naming.side(side)),
            repeated: right.as_ref().map(|side| naming.side(side)),
            fields: naming.fields(events[0], events[1]),
            causes,
        }))
    }

    /// The recorded outcomes of an input.
    fn recorded(&self, seq: u64) -> Result<Vec<Event>, RunError> {
        let mut log = HomeLog::of(self.home.dir(), self.members, LogKind::Outcomes);
        log.seek_seq(seq)?;
        let mut found = Vec::new();
        for event in log {
            match event? {
                event if event.id.seq() == seq => found.push(event),
                _ => break,
            }
        }
        Ok(found)
    }

    /// The input with its source.
    fn input(&self, seq: u64) -> Result<FromInput, RunError> {
        let mut log = HomeLog::of(self.home.dir(), self.members, LogKind::Inputs);
        log.seek_seq(seq)?;
        let found = log.next().transpose()?.filter(|event| event.id.seq() == seq);
        Ok(FromInput {
            seq,
            kind: found.map(|event| kind_info(event.kind).map_or("unknown", |info| info.name)),
            ts_ns: found.map(|event| event.ts.0.to_string()),
            time: found.map(|event| time(event.ts)),
            source: found.map(|event| self.source(event.source)),
        })
    }

    fn source(&self, number: u8) -> String {
        match number {
            0 => "the engine".to_owned(),
            SOURCE_RETURNS => "answers and refusals".to_owned(),
            SOURCE_OPERATOR => "an operator".to_owned(),
            number if Gateway::of_source(number).is_some() => format!("gateway {}", SOURCE_OPERATOR - number),
            number => {
                let input = self.settings.inputs.get(usize::from(number) - 1);
                let files = |files: &[std::path::PathBuf]| files.first().map(|file| format!(" {}", file.display()));
                let named = input.map(|i| format!("{}{}", i.feed.name, files(&i.files).unwrap_or_default()));
                format!("input {number}{}", named.map_or_else(String::new, |name| format!(" ({name})")))
            }
        }
    }

    /// Repeats the inputs up to one with these settings.
    fn again(&self, settings: &Settings, seq: u64) -> Result<Again, RunError> {
        let control = Control { stop: Arc::clone(&self.control.stop), ..Control::default() };
        let (after, instruments) = (self.members[0].info.after(), self.home.current().info.instruments);
        let head = Recorded::new(HomeLog::of(self.home.dir(), self.members, LogKind::Inputs), after, instruments);
        let blueprint = Blueprint::new(settings, Vec::new(), instruments, &control)?;
        let (kinds, names) = (blueprint.plan.outcomes, Arc::clone(&blueprint.plan.instances));
        let stages = blueprint.plan.stages.iter().map(|stage| (stage.position, stage.name.clone())).collect();
        let of = OutcomesOf { seq, kinds, found: Arc::default() };
        let found = Arc::clone(&of.found);
        let mut assembly = blueprint.repeated(head.through(seq), vec![Box::new(of)]);
        if let Some(start) = self.start {
            start.restore_pipeline(&mut assembly, None).map_err(RecoveryError::from)?;
        }
        let (finished, _) = assembly.run()?;
        if let Some(error) = finished.error {
            return Err(error.into());
        }
        let listings = finished.tail.finish().0.listings;
        let outcomes = std::mem::take(&mut *found.lock().expect("no thread panics while it holds the lock"));
        Ok(Again { outcomes, listings, names, stages, kinds })
    }

    /// The probable causes, the most probable first.
    fn causes(
        &self,
        seq: u64,
        record: &[Event],
        again: &Again,
        wavers: bool,
        sides: [Option<&Event>; 2],
    ) -> Result<Vec<Cause>, RunError> {
        let mut causes: Vec<_> =
            self.build().into_iter().chain(self.configuration()).chain(self.kinds(again)).collect();
        if wavers {
            causes.push(not_deterministic(seq, again, sides));
        } else if self.settings.pipeline.get(keys::PRESET) != keys::Preset::Fused {
            let mut fused = self.settings.clone();
            let set = fused.set("pipeline.preset=fused");
            if set.is_ok() && self.again(&fused, seq)?.outcomes == record {
                causes.push(Cause {
                    class: "a-cut",
                    reason: "in one group the same inputs give what is recorded: the cut changes a result".to_owned(),
                    next: "repeat with --preset fused; report this as a bug, with the configuration".to_owned(),
                });
            }
        }
        if causes.is_empty() {
            causes.push(damaged(sides));
        }
        Ok(causes)
    }

    fn build(&self) -> Option<Cause> {
        let (here, written) = (build_id::build_id(), &self.home.current().info.build_id);
        (*written != here).then(|| Cause {
            class: "another-build",
            reason: format!("the journal was written by {written}, this is {here}"),
            next: "repeat it with that build; what differs between both is the change of the build".to_owned(),
        })
    }

    /// What of the configuration is another, as far as it can change a result.
    fn configuration(&self) -> Option<Cause> {
        let changed = differences(&self.home.current().info.config_text, self.settings);
        let changed: Vec<_> =
            changed.iter().filter(|changed| !is_how(&changed.key, self.settings)).map(ToString::to_string).collect();
        (!changed.is_empty()).then(|| Cause {
            class: "another-configuration",
            reason: changed.join("; "),
            next: "repeat it without --set; or keep the change and take the difference as its effect".to_owned(),
        })
    }

    /// The kinds that only one side has.
    fn kinds(&self, again: &Again) -> Option<Cause> {
        let written = self.home.current().info.outcome_kinds;
        let only = |of: Kinds, other: Kinds| {
            let names = KINDS.iter().filter(|info| of.has(info.kind) && !other.has(info.kind)).map(|info| info.name);
            names.collect::<Vec<_>>().join(", ")
        };
        let (gone, new) = (only(written, again.kinds), only(again.kinds, written));
        let said = [("only recorded", gone), ("only repeated", new)];
        let said: Vec<_> = said
            .into_iter()
            .filter(|(_, kinds)| !kinds.is_empty())
            .map(|(of, kinds)| format!("{of}: {kinds}"))
            .collect();
        (!said.is_empty()).then(|| Cause {
            class: "another-outcome-set",
            reason: format!("the sets of kinds are not the same; {}", said.join("; ")),
            next: "repeat it without --set outcomes.kinds: then the same kinds are compared".to_owned(),
        })
    }
}

/// Where two lists of outcomes of an input differ first: what each has there, or nothing where the other has one more.
fn first_of(record: &[Event], repeated: &[Event]) -> [Option<Placed>; 2] {
    let at = record.iter().zip(repeated).take_while(|(a, b)| a == b).count();
    let placed = |list: &[Event]| list.get(at).map(|event| Placed { event: *event, place: (at, list.len()) });
    let (left, right) = (placed(record), placed(repeated));
    let comes_later = |of: &Option<Placed>, list: &[Event]| {
        of.as_ref().is_some_and(|of| list.iter().skip(at + 1).any(|event| event.id == of.event.id))
    };
    match () {
        () if comes_later(&left, repeated) => [None, right],
        () if comes_later(&right, record) => [left, None],
        () => [left, right],
    }
}

fn not_deterministic(seq: u64, again: &Again, sides: [Option<&Event>; 2]) -> Cause {
    let position = sides.into_iter().flatten().map(|event| event.id.position()).next();
    let stage = again.stages.iter().find(|(at, _)| Some(*at) == position);
    let stage = stage.map_or_else(|| "a stage".to_owned(), |(_, name)| format!("the stage {name}"));
    Cause {
        class: "not-deterministic",
        reason: format!("the same inputs gave other outcomes of input {seq} each time: {stage} is not deterministic"),
        next: "look there for a clock, a thread, random order or memory that is not its state; report it as a bug"
            .to_owned(),
    }
}

fn damaged(sides: [Option<&Event>; 2]) -> Cause {
    let bits = match sides {
        [Some(one), Some(other)] if one.id == other.id => {
            let bytes = bytemuck::bytes_of(one).iter().zip(bytemuck::bytes_of(other));
            let bits: u32 = bytes.map(|(a, b)| (a ^ b).count_ones()).sum();
            format!("; {bits} of its 512 bits differ")
        }
        _ => String::new(),
    };
    Cause {
        class: "damaged-record",
        reason: format!(
            "the same build with the same configuration makes this of the inputs every time, and every checksum holds: the record \
             was changed and sealed anew, or memory or processor failed when it was written{bits}"
        ),
        next: "restore the journal from a copy and repeat that; if the copy is the same, test the machine's memory"
            .to_owned(),
    }
}

/// Takes the outcomes of one input.
struct OutcomesOf {
    seq: u64,
    kinds: Kinds,
    found: Arc<Mutex<Vec<Event>>>,
}

impl Sink for OutcomesOf {
    fn kinds(&self) -> Kinds {
        self.kinds
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        if event.id.seq() == self.seq {
            self.found.lock().expect("no thread panics while it holds the lock").push(*event);
        }
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::EventId;

    #[test]
    fn what_one_side_has_more_is_told_from_what_both_have() {
        let event =
            |ordinal: u16, source| Event { id: EventId::new(7, 3, ordinal), source, ..bytemuck::Zeroable::zeroed() };
        let sides = |record: &[Event], repeated: &[Event]| {
            first_of(record, repeated).map(|side| side.map(|side| (side.event.id.0 & 0xff, side.place)))
        };
        let [a, b, c] = [event(0, 0), event(1, 0), event(2, 0)];
        assert_eq!(sides(&[a, b], &[a, b]), [None, None]);
        let both = sides(&[a, b], &[a, event(1, 9)]);
        assert_eq!(both.map(|side| side.unwrap().1), [(1, 2), (1, 2)]);
        assert!(matches!(sides(&[b, c], &[a, b, c]), [None, Some((_, (0, 3)))]));
        assert!(matches!(sides(&[a, b, c], &[a, c]), [Some((_, (1, 3))), None]));
        assert!(matches!(sides(&[a], &[a, b]), [None, Some((_, (1, 2)))]));
    }
}

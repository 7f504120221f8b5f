//! From settings to a plan: which stages, where the cuts are, and what each cut must forward.
//!
//! The plan is proved before anything runs: every stage's bound fits [`Out::CAP`], a tick's slice holds at least one
//! instrument, the rings hold what one input may cause. All faults come at once. What a cut forwards follows from what
//! the stages after it and the tail read, so a kind that nobody reads costs nothing.

use crate::config::{Fault, Faults, Settings};
use crate::pipeline::Stopwatch;
use crate::run::Tail;
use flow::{Interval, Kind, Kinds, Out, Stage};
use ring::Idle;
use sinks::{GATEWAYS, GatewayEntry};
use stages::exchange_sim::VENUES;
use stages::{STAGES, Space, StageEntry};
use std::ops::Range;
use std::path::Path;

/// The name under which `cuts` addresses the end of the pipeline.
pub const TAIL: &str = "tail";

/// A stage with its place in the uncut pipeline.
pub struct Planned {
    /// Name of its registry entry.
    pub name: &'static str,
    /// Position in the uncut pipeline, from 1.
    pub position: u8,
    /// What somebody after it reads.
    pub wanted: Kinds,
    /// The stage.
    pub stage: Box<dyn Stage>,
}

/// A group: consecutive stages on one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPlan {
    /// Name of its thread.
    pub name: String,
    /// Its stages, as indices into the pipeline; may be empty for the first and the last group.
    pub stages: Range<usize>,
    /// What it hands to the next group, or to the tail.
    pub forwards: Kinds,
    /// Core that its thread is pinned to.
    pub core: Option<usize>,
}

/// What the tick source must know.
#[derive(Clone, Debug, Default)]
pub struct TickPlan {
    /// Intervals whose boundaries are ticked.
    pub intervals: Vec<Interval>,
    /// Listed instruments that one tick may address.
    pub slice: usize,
}

/// Whose time is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockKind {
    /// The exchange's.
    Event,
    /// The wall's.
    Wall,
}

/// A venue outside the process.
#[derive(Clone, Copy, Debug)]
pub struct GatewayPlan {
    /// Its registry entry.
    pub entry: &'static GatewayEntry,
    /// Slots of the ring of routes: it cannot fill.
    pub ring: usize,
}

/// A pipeline that can run.
pub struct Plan {
    /// The stages in order.
    pub stages: Vec<Planned>,
    /// The groups in order, at least one.
    pub groups: Vec<GroupPlan>,
    /// Ticks.
    pub ticks: TickPlan,
    /// What the outcome log and hash hold.
    pub outcomes: Kinds,
    /// Ring of every cut.
    pub ring: ring::Kind,
    /// Its size.
    pub ring_capacity: usize,
    /// Whether orders leave the pipeline: then they come back to the head.
    pub trades: bool,
    /// Where orders go, if not to the simulated venue.
    pub gateway: Option<GatewayPlan>,
    /// Times orders from the input that caused them, if asked for.
    pub stopwatch: Option<Stopwatch>,
    /// The most returns that wait for their time at once.
    pub max_returns: usize,
    /// Most events of a turn.
    pub batch: usize,
    /// What an idle group does.
    pub idle: Idle,
    /// Whose time is now.
    pub clock: ClockKind,
    /// Latency is measured on one input in so many; 0 = never.
    pub sample_every: u64,
    /// Whether groups account for their time.
    pub meters: bool,
}

impl Plan {
    /// Builds and proves the plan. Outcomes are the configured kinds `outcomes` as far as a stage emits them; `readers`
    /// is what else the end of the pipeline reads: rows, summary.
    ///
    /// # Errors
    /// Every fault of the settings that shows only when stages and cuts come together.
    pub fn build(settings: &Settings, space: Space, outcomes: Kinds, readers: Kinds) -> Result<Plan, Faults> {
        let mut faults = Vec::new();
        let entries = enabled(settings, &mut faults);
        let mut stages = built(&entries, settings, space, &mut faults);
        gated(&stages, &mut faults);
        let outcomes = outcomes.and(stages.iter().fold(Kinds::NONE, |all, s| all.or(s.stage.emits())));
        let trades = stages.iter().any(|s| s.stage.emits().has(Kind::Route));
        let back = if trades { Tail::RETURNS } else { Kinds::NONE };
        let tail = readers.or(outcomes).or(back);
        let mut wanted = tail;
        for planned in stages.iter_mut().rev() {
            planned.wanted = wanted;
            wanted = wanted.or(planned.stage.reads());
        }
        let cuts = cuts(settings, &entries, &mut faults);
        let cores = cores(settings, cuts.len() + 1, &mut faults);
        let groups = grouped(&stages, &cuts, &cores, tail);
        let ring_capacity = settings.pipeline.int("ring_capacity") as usize;
        if !ring_capacity.is_power_of_two() {
            faults.push(fault("pipeline.ring_capacity", &ring_capacity.to_string(), "valid: a power of two from 128"));
        }
        let clock = if settings.pipeline.text("clock") == "wall" { ClockKind::Wall } else { ClockKind::Event };
        let gateway = if trades { gateway(settings, clock, &mut faults) } else { None };
        let ticks = ticks(&stages, &mut faults);
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let idle = idle(settings.pipeline.text("idle"), groups.len());
        Ok(Plan {
            stages,
            groups,
            ticks,
            outcomes,
            ring: settings.pipeline.text("ring").parse().expect("the parameter lists the rings"),
            ring_capacity,
            trades,
            gateway,
            stopwatch: (trades && settings.pipeline.bool("time_orders")).then(Stopwatch::default),
            max_returns: settings.pipeline.int("max_returns") as usize,
            batch: settings.pipeline.int("batch") as usize,
            idle,
            clock,
            sample_every: settings.pipeline.int("sample_every"),
            meters: settings.pipeline.bool("meters"),
        })
    }
}

fn fault(key: &str, found: &str, valid: &str) -> Fault {
    Fault::new(Path::new("configuration"), key, found, valid)
}

/// The registry entries of the configured stages, in the registry's order.
fn enabled(settings: &Settings, faults: &mut Vec<Fault>) -> Vec<&'static StageEntry> {
    let names = settings.pipeline.list("stages");
    let known = || format!("valid: {}", STAGES.iter().map(|s| s.name).collect::<Vec<_>>().join(", "));
    for name in names.iter().filter(|n| flow::find(STAGES, n).is_none()) {
        faults.push(fault("pipeline.stages", name, &known()));
    }
    STAGES.iter().filter(|entry| names.iter().any(|n| n == entry.name)).collect()
}

fn built(entries: &[&StageEntry], settings: &Settings, space: Space, faults: &mut Vec<Fault>) -> Vec<Planned> {
    let mut stages = Vec::new();
    for (i, entry) in entries.iter().enumerate() {
        match (entry.build)(&settings.stages[entry.name], space) {
            Ok(stage) => {
                let bound = stage.fan_out();
                assert!(bound <= Out::CAP, "stage {} may cause {bound} events, more than {}", entry.name, Out::CAP);
                stages.push(Planned { name: entry.name, position: i as u8 + 1, wanted: Kinds::NONE, stage });
            }
            Err(e) => faults.push(fault(&e.key, &e.found, &e.valid)),
        }
    }
    stages
}

/// What only one stage may emit.
const SOLE: &[(Kind, &str)] = &[(Kind::Order, "risk"), (Kind::Route, "router")];

/// What an intent must pass.
const TAIL_OF_INTENTS: &[&str] = &["orders", "risk", "router"];

/// Proves that orders come from risk alone and leave by the router alone, that no stage makes an input of its operator,
/// and that what trades has the whole tail behind it.
fn gated(stages: &[Planned], faults: &mut Vec<Fault>) {
    for planned in stages {
        let emits = planned.stage.emits();
        for (kind, sole) in SOLE.iter().filter(|(kind, sole)| emits.has(*kind) && planned.name != *sole) {
            let found = format!("the stage {} emits {kind:?}", planned.name);
            faults.push(fault("pipeline.stages", &found, &format!("valid: {kind:?} from the stage {sole} alone")));
        }
        if emits.has(Kind::Command) || emits.has(Kind::Halt) {
            let found = format!("the stage {} emits command or halt", planned.name);
            faults.push(fault("pipeline.stages", &found, "valid: command and halt as inputs alone"));
        }
    }
    let Some(trading) = stages.iter().find(|s| s.stage.emits().has(Kind::Intent)) else { return };
    let missing = TAIL_OF_INTENTS.iter().filter(|name| !stages.iter().any(|s| s.name == **name));
    let missing: Vec<_> = missing.copied().collect();
    if !missing.is_empty() {
        let found = format!("{} without {}", trading.name, missing.join(", "));
        faults.push(fault(
            "pipeline.stages",
            &found,
            "valid: what emits intents together with orders, risk and router",
        ));
    }
}

/// More cancel-alls than are said before a gateway takes one.
const MASS_CANCELS: u64 = 64;

/// The gateway that the router's venue names; none for the simulated one. An order is on the way to the gateway as new or
/// replacing order, of which `orders.max_in_flight` are at once, or as its cancel, of which each order has one: the ring
/// of routes is larger than both together.
fn gateway(settings: &Settings, clock: ClockKind, faults: &mut Vec<Fault>) -> Option<GatewayPlan> {
    let name = settings.stages["router"].text("venue");
    if flow::find(VENUES, name).is_some() {
        return None;
    }
    let Some(entry) = flow::find(GATEWAYS, name) else {
        let names = VENUES.iter().map(|v| v.name).chain(GATEWAYS.iter().map(|g| g.name));
        faults.push(fault("router.venue", name, &format!("valid: {}", names.collect::<Vec<_>>().join(", "))));
        return None;
    };
    if clock != ClockKind::Wall {
        faults.push(fault(
            "pipeline.clock",
            "event",
            &format!("valid with the venue {name}: wall, for it answers when it answers"),
        ));
    }
    let orders = &settings.stages["orders"];
    let most = orders.int("max_in_flight") + orders.int("max_orders") + MASS_CANCELS;
    let ring = most.next_power_of_two() as usize;
    assert!(ring as u64 >= most && ring <= ring::MAX_CAPACITY, "the ranges of orders keep its routes within a ring");
    Some(GatewayPlan { entry, ring })
}

/// Where to cut, as indices of the stage after the cut; the number of stages is the cut before the tail.
fn cuts(settings: &Settings, entries: &[&StageEntry], faults: &mut Vec<Fault>) -> Vec<usize> {
    let named = settings.pipeline.list("cuts");
    match settings.pipeline.text("preset") {
        "fused" => Vec::new(),
        "split" => (1..entries.len()).collect(),
        _ => {
            let index = |name: &String| match name.as_str() {
                TAIL => Some(entries.len()),
                name => entries.iter().position(|l| l.name == name),
            };
            for name in named.iter().filter(|n| index(n).is_none()) {
                let places: Vec<_> = entries.iter().map(|l| l.name).chain([TAIL]).collect();
                faults.push(fault("pipeline.cuts", name, &format!("valid: {}", places.join(", "))));
            }
            let mut cuts: Vec<_> = named.iter().filter_map(index).collect();
            cuts.sort_unstable();
            cuts.dedup();
            cuts
        }
    }
}

fn cores(settings: &Settings, groups: usize, faults: &mut Vec<Fault>) -> Vec<usize> {
    let list = settings.pipeline.list("cores");
    let cores: Vec<usize> = list.iter().filter_map(|c| c.parse().ok()).collect();
    if cores.len() != list.len() || !(cores.is_empty() || cores.len() == groups) {
        let valid = format!("valid: {groups} core numbers, one a group, or none");
        faults.push(fault("pipeline.cores", &list.join(","), &valid));
    }
    cores
}

fn grouped(stages: &[Planned], cuts: &[usize], cores: &[usize], tail: Kinds) -> Vec<GroupPlan> {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([stages.len()]);
    let last = cuts.len();
    let group = |(i, (start, end)): (usize, (usize, usize))| {
        let names: Vec<_> = stages[start..end].iter().map(|s| s.name).collect();
        let head = (i == 0).then_some("ingress");
        let end_name = (i == last).then_some(TAIL);
        let name = head.into_iter().chain(names).chain(end_name).collect::<Vec<_>>().join("+");
        let forwards = stages[end..].iter().fold(tail, |kinds, s| kinds.or(s.stage.reads()));
        GroupPlan { name, stages: start..end, forwards, core: cores.get(i).copied() }
    };
    starts.zip(ends).enumerate().map(group).collect()
}

fn ticks(stages: &[Planned], faults: &mut Vec<Fault>) -> TickPlan {
    let mut plan = TickPlan { intervals: Vec::new(), slice: Out::CAP };
    for planned in stages {
        let ticks = planned.stage.ticks();
        if ticks.intervals.is_empty() {
            continue;
        }
        let slice = Out::CAP / ticks.per_instrument.max(1);
        if slice == 0 {
            let found = format!("a tick may cause {} events for one instrument", ticks.per_instrument);
            faults.push(fault(planned.name, &found, "configure fewer intervals"));
        }
        plan.slice = plan.slice.min(slice.max(1));
        plan.intervals.extend(ticks.intervals);
    }
    plan.intervals.sort_unstable();
    plan.intervals.dedup();
    plan
}

/// Spinning is right only when no other group waits for the same core.
fn idle(name: &str, groups: usize) -> Idle {
    match name {
        "auto" if groups < ring::thread::cores().len() => Idle::SpinHint,
        "auto" => Idle::Yield,
        name => name.parse().expect("the parameter lists the policies"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Event, Scope, StateError, StateReader, StateWriter};

    /// A stage that says that it emits these kinds.
    struct Says(Kinds);

    impl Stage for Says {
        fn reads(&self) -> Kinds {
            Kinds::NONE
        }
        fn emits(&self) -> Kinds {
            self.0
        }
        fn scope(&self) -> Scope {
            Scope::Global
        }
        fn fan_out(&self) -> usize {
            1
        }
        fn on_event(&mut self, _: &Event, _: &mut Out) {}
        fn save(&self, _: &mut StateWriter<'_>) {}
        fn load(&mut self, _: &mut StateReader<'_>) -> Result<(), StateError> {
            Ok(())
        }
    }

    fn faults(entry: &[(&'static str, &[Kind])]) -> Vec<String> {
        let planned = |(name, kinds): &(&'static str, &[Kind])| Planned {
            name,
            position: 1,
            wanted: Kinds::NONE,
            stage: Box::new(Says(Kinds::of(kinds))),
        };
        let mut faults = Vec::new();
        gated(&entry.iter().map(planned).collect::<Vec<_>>(), &mut faults);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_order_comes_from_risk_and_leaves_by_the_router() {
        let whole: &[(&str, &[Kind])] = &[
            ("momentum", &[Kind::Signal, Kind::Intent]),
            ("orders", &[Kind::Request]),
            ("risk", &[Kind::Order, Kind::Refused]),
            ("router", &[Kind::Route]),
        ];
        assert_eq!(faults(whole), [""; 0]);
        assert_eq!(faults(&whole[1..]), [""; 0]);
        let orders = faults(&[("orders", &[Kind::Order]), ("risk", &[Kind::Route])]);
        assert_eq!(orders.len(), 2);
        assert!(orders[0].contains("the stage orders emits order"), "{orders:?}");
        assert!(orders[1].contains("the stage risk emits route"), "{orders:?}");
        assert_eq!(faults(&[("book", &[Kind::Halt])]).len(), 1);
    }

    #[test]
    fn what_trades_has_the_tail_behind_it() {
        let alone = faults(&[("momentum", &[Kind::Intent]), ("risk", &[Kind::Order])]);
        assert_eq!(alone.len(), 1);
        assert!(alone[0].contains("momentum without orders, router"), "{alone:?}");
        assert_eq!(faults(&[("momentum", &[Kind::Signal])]), [""; 0]);
    }
}

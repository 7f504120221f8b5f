//! Builds the plan: the stages in order, the kinds wanted from each, the groups and the wiring.

use super::parts::{GroupPlan, Planned, RETURNS, Rehearsed, TickPlan};
use super::wiring::{Shape, Wiring};
use super::{cuts, gateways, observers, outcomes, proof, unmet};
use crate::config::keys::{self, ClockKind};
use crate::config::{Fault, Faults, OrderRouting, Settings, one_of};
use flow::{Kind, Kinds, Params};
use ring::Idle;
use stages::book::shown_by;
use stages::exchange_sim::book_params;
use stages::{Instances, Part, Rehearsal, SmallStage, Space};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A proved plan of a pipeline.
pub struct Plan {
    /// The stages in order.
    pub stages: Vec<Planned>,
    /// How many of them decide; those behind these only observe.
    pub deciding: usize,
    /// The groups in order, at least one.
    pub groups: Vec<GroupPlan>,
    /// Ticks.
    pub ticks: TickPlan,
    /// Kinds that the outcome log and the outcome hash include.
    pub outcomes: Kinds,
    /// The implementation used for every ring.
    pub ring: ring::Kind,
    /// The instances of strategies and measures, which have names.
    pub instances: Arc<Instances>,
    /// Rings and channels between the threads.
    pub wiring: Wiring,
    /// Whether orders leave the pipeline, in which case the head takes returns.
    pub trades: bool,
    /// Where they go.
    pub routing: OrderRouting,
    /// Whether the simulated venue looks at the book of the stage `book`, which is on the head's thread, and keeps none.
    pub venue_looks: bool,
    /// Whether orders are timed from the input that caused them.
    pub time_orders: bool,
    /// The most returns that may be pending at once.
    pub max_returns: usize,
    /// Most events of a turn.
    pub batch: usize,
    /// How an idle group waits.
    pub idle: Idle,
    /// Whether the settings leave that to the plan.
    pub idle_is_auto: bool,
    /// Whether the pauses of [`Idle::Pauses`] are measured when the pipeline starts: in a run, not where one is repeated.
    pub measures_pauses: bool,
    /// Event clock or wall clock.
    pub clock: ClockKind,
    /// One input in this many is timed; 0 = none.
    pub sample_every: u64,
    /// Whether groups measure busy, idle and stalled time.
    pub meters: bool,
    /// What each group rehearses while it has nothing to do: those with a stage of an order's way.
    pub rehearsals: Vec<Option<Box<Rehearsed>>>,
    /// What of the settings is without effect, in words: what is configured and does not run, limits that never refuse.
    pub idle_settings: Vec<String>,
    /// Measures without what they read of other stages, in words.
    pub unmet: Vec<String>,
}

impl Plan {
    /// Kinds that its stages emit.
    pub fn emits(&self) -> Kinds {
        self.stages.iter().fold(Kinds::NONE, |all, planned| all.or(planned.stage.emits()))
    }

    /// The run follows a pace, so its groups mostly wait for the time: they sleep unless the settings say otherwise.
    pub fn set_paced(&mut self) {
        if self.idle_is_auto && self.clock == ClockKind::Event {
            self.idle = Idle::Park;
        }
    }

    /// Builds and proves the plan. `readers` are the kinds that rows and summary read at the end of the pipeline.
    ///
    /// # Errors
    /// Every fault that shows only in the combination of stages and cuts.
    pub fn build(settings: &Settings, space: Space, readers: Kinds) -> Result<Plan, Faults> {
        let mut faults = Vec::new();
        let mut parts = enabled(settings, &mut faults);
        let mut stages = built(&parts, settings, space, &mut faults);
        // If a stage could not be built, that is a fault already, and order and groups make no sense.
        let whole = stages.len() == parts.len();
        let deciding = if whole { observers::last(&mut parts, &mut stages) } else { stages.len() };
        proof::gated(&stages, &mut faults);
        let outcomes = outcomes::outcomes(settings, &mut faults);
        let outcomes = outcomes.and(stages.iter().fold(Kinds::NONE, |all, s| all.or(s.stage.emits())));
        let trades = stages.iter().any(|s| s.stage.emits().has(Kind::Route));
        let tail = readers.or(outcomes).or(if trades { RETURNS } else { Kinds::NONE });
        want(&mut stages, tail);
        let cuts = cuts::cuts(settings, &parts, &mut faults);
        let cores = cuts::cores(settings, cuts.len() + 1, &mut faults);
        let groups = if whole { cuts::groups(&stages, &cuts, &cores, tail) } else { Vec::new() };
        proof::fits(&stages, deciding, &groups, &mut faults);
        let ring_capacity = ring_capacity(settings, &mut faults);
        let clock = settings.pipeline.get(keys::CLOCK);
        let routing = if trades { proof::routing(settings, clock, &mut faults) } else { OrderRouting::default() };
        let on_core = |group: &GroupPlan| Some((group.name.clone(), group.core?));
        let pinned: Vec<_> = groups.iter().filter_map(on_core).collect();
        gateways::core_faults(&routing, &pinned, &ring::thread::cores(), &mut faults);
        let ticks = proof::ticks(settings, &stages, &mut faults);
        let rehearsed = |group: &GroupPlan| rehearsal(settings, &parts[group.stages.clone()], &mut faults);
        let rehearsals = groups.iter().map(rehearsed).collect();
        if !faults.is_empty() {
            return Err(settings.placed(faults));
        }
        let routes = (routing.names().collect(), proof::route_slots(settings));
        let shape = Shape { groups: &groups, capacity: ring_capacity, trades, routes };
        let wiring = Wiring::of(&shape);
        let given = settings.pipeline.get(keys::IDLE);
        let idle = given.unwrap_or_else(|| idle(&groups, gateways::spinning(&routing), clock));
        Ok(Plan {
            venue_looks: routing.simulated && looks(settings, &stages, deciding, &groups),
            unmet: unmet::unmet(settings, &parts, &stages),
            stages,
            deciding,
            groups,
            ticks,
            outcomes,
            instances: Arc::new(settings.instances.clone()),
            ring: settings.pipeline.get(keys::RING),
            wiring,
            trades,
            routing,
            time_orders: trades && settings.pipeline.get(keys::TIME_ORDERS),
            max_returns: settings.pipeline.get(keys::MAX_RETURNS),
            batch: settings.pipeline.get(keys::BATCH),
            idle,
            idle_is_auto: given.is_none(),
            measures_pauses: false,
            clock,
            sample_every: settings.pipeline.get(keys::SAMPLE_EVERY),
            meters: settings.pipeline.get(keys::METERS),
            rehearsals,
            idle_settings: idle_settings(settings, &parts),
        })
    }
}

impl Plan {
    /// What is valid and yet will disappoint, in words.
    pub fn warnings(&self) -> Vec<String> {
        let (groups, cores) = (self.groups.len(), cores_of(&self.groups));
        let crowded = format!(
            "{groups} groups share {cores} cores, so a group waits for a core before each event: cut in fewer places, or use \
             the preset fused"
        );
        let spins = "a group that spins keeps its core from the others: set pipeline.idle to auto".to_owned();
        let shared = groups > cores;
        let spinning = shared && matches!(self.idle, Idle::Spin | Idle::SpinHint | Idle::Pauses(_));
        let settings = self.unmet.iter().chain(&self.idle_settings).cloned();
        let gateways = gateways::warning(&self.routing, &self.groups, ring::thread::cores().len());
        let said = shared.then_some(crowded).into_iter().chain(spinning.then_some(spins)).chain(gateways);
        said.chain(settings).collect()
    }
}

/// Whether a venue on the head's thread is shown the book that it would keep: the stage is in the first group, before what only
/// observes, and holds as much.
fn looks(settings: &Settings, stages: &[Planned], deciding: usize, groups: &[GroupPlan]) -> bool {
    let first = groups.first().map_or(0..0, |group| group.stages.start..group.stages.end.min(deciding));
    let book = &settings.stages["book"];
    stages[first].iter().any(|planned| shown_by(planned.stage.as_ref()).is_some())
        && book_params(&settings.venues["sim"], book) == *book
}

/// What of the settings is without effect where these parts run.
fn idle_settings(settings: &Settings, parts: &[Part]) -> Vec<String> {
    let running: Vec<&str> = parts.iter().flat_map(Part::names).collect();
    settings.not_running(&running).into_iter().chain(settings.limit_warnings()).collect()
}

/// The configured stages, in pipeline order; with one that acts at pulses also `pulse`, with one that follows fills also
/// `portfolio`.
fn enabled(settings: &Settings, faults: &mut Vec<Fault>) -> Vec<Part> {
    let names = settings.pipeline.get(keys::STAGES);
    let known = || stages::entries().map(|entry| entry.name()).chain(settings.instances.names());
    for name in names.iter().filter(|name| !known().any(|k| k == name.as_str())) {
        faults.push(Fault::of_settings("pipeline.stages", name, &one_of(name, known())));
    }
    let pulses = names.iter().any(|name| settings.instances.acts_at_pulses(name));
    let fills = names.iter().any(|name| settings.instances.follows_fills(name));
    let besides = |name: &str| (pulses && name == "pulse") || (fills && name == "portfolio");
    settings.instances.uncut(|name| names.iter().any(|n| n == name) || besides(name))
}

fn built(parts: &[Part], settings: &Settings, space: Space, faults: &mut Vec<Fault>) -> Vec<Planned> {
    let mut stages = Vec::new();
    let [risk, router] = ["risk", "router"].map(|stage| settings.stage_params(stage));
    let params = |name: &str| params_of(name, settings, &risk, &router);
    for part in parts {
        match part.build(params, &settings.instances, space) {
            Ok(stage) => {
                let (name, position) = (part.names().join("+"), part.position());
                stages.push(Planned { name, position, wanted: Kinds::NONE, stage });
            }
            Err(errors) => faults.extend(errors.into_iter().map(Fault::from)),
        }
    }
    stages
}

/// The parameters of a stage; those of `risk` and `router` are put together from several sections.
fn params_of<'a>(name: &str, settings: &'a Settings, risk: &'a Params, router: &'a Params) -> &'a Params {
    match name {
        "risk" => risk,
        "router" => router,
        _ => &settings.stages[name],
    }
}

fn ring_capacity(settings: &Settings, faults: &mut Vec<Fault>) -> usize {
    let capacity = settings.pipeline.get(keys::RING_CAPACITY);
    if !capacity.is_power_of_two() {
        let valid = "valid: a power of two from 128";
        faults.push(Fault::of_settings("pipeline.ring_capacity", &capacity.to_string(), valid));
    }
    capacity
}

/// What a group of these stages rehearses.
fn rehearsal(settings: &Settings, parts: &[Part], faults: &mut Vec<Fault>) -> Option<Box<Rehearsed>> {
    let strategies: Vec<_> = parts.iter().filter_map(Part::strategy).collect();
    let is_on_the_way = |part: &Part| part.names().iter().any(|name| Rehearsal::WAY.contains(name));
    if !settings.pipeline.get(keys::REHEARSE) || !parts.iter().any(is_on_the_way) {
        return None;
    }
    let [risk, router] = ["risk", "router"].map(|stage| settings.stage_params(stage));
    match Rehearsal::new(|name| params_of(name, settings, &risk, &router), &strategies) {
        Ok((what, small)) => {
            let planned = |(name, position, stage): SmallStage| Planned {
                name: name.to_owned(),
                position,
                wanted: Kinds::ALL,
                stage,
            };
            Some(Box::new(Rehearsed { what, stages: small.into_iter().map(planned).collect() }))
        }
        Err(error) => {
            faults.push(error.into());
            None
        }
    }
}

/// Sets what is wanted from each stage: what a later one or the tail reads.
fn want(stages: &mut [Planned], tail: Kinds) {
    let mut wanted = tail;
    for planned in stages.iter_mut().rev() {
        planned.wanted = wanted;
        wanted = wanted.or(planned.stage.reads());
    }
}

/// How many cores the groups have between them: those of the machine, or those that they are pinned to.
fn cores_of(groups: &[GroupPlan]) -> usize {
    let pinned: BTreeSet<usize> = groups.iter().filter_map(|group| group.core).collect();
    if pinned.is_empty() { ring::thread::cores().len() } else { pinned.len() }
}

/// The default way to idle: spin only if every group can have a core of its own, beside the gateways that spin; and measure how only
/// for a run that waits for the world, since a run at full speed is over sooner without. Else the latter yields to the groups that
/// have work, and one that waits for the world sleeps.
fn idle(groups: &[GroupPlan], spinning: usize, clock: ClockKind) -> Idle {
    let (own, all) = (groups.len(), ring::thread::cores().len());
    let spins = own <= cores_of(groups) && own < all && own + spinning <= all;
    match clock {
        ClockKind::Event if spins => Idle::SpinHint,
        ClockKind::Wall if spins => Idle::UNMEASURED,
        ClockKind::Event => Idle::Yield,
        ClockKind::Wall => Idle::Park,
    }
}

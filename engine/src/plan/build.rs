//! Builds the plan: the stages in their order, what each is asked for, the groups.

use super::parts::{Plan, Planned, RETURNS};
use super::{cuts, outcomes, proof};
use crate::config::{Fault, Faults, Settings, keys, one_of};
use flow::{Kind, Kinds, Out};
use ring::Idle;
use stages::{STAGES, Space, StageEntry};

impl Plan {
    /// Builds and proves the plan. `readers` is what the end of the pipeline reads besides the outcomes: rows, summary.
    ///
    /// # Errors
    /// Every fault of the settings that shows only when stages and cuts come together.
    pub fn build(settings: &Settings, space: Space, readers: Kinds) -> Result<Plan, Faults> {
        let mut faults = Vec::new();
        let entries = enabled(settings, &mut faults);
        let mut stages = built(&entries, settings, space, &mut faults);
        proof::gated(&stages, &mut faults);
        let outcomes = outcomes::outcomes(settings, &mut faults);
        let outcomes = outcomes.and(stages.iter().fold(Kinds::NONE, |all, s| all.or(s.stage.emits())));
        let trades = stages.iter().any(|s| s.stage.emits().has(Kind::Route));
        let back = if trades { RETURNS } else { Kinds::NONE };
        let tail = readers.or(outcomes).or(back);
        let mut wanted = tail;
        for planned in stages.iter_mut().rev() {
            planned.wanted = wanted;
            wanted = wanted.or(planned.stage.reads());
        }
        let cuts = cuts::cuts(settings, &entries, &mut faults);
        let cores = cuts::cores(settings, cuts.len() + 1, &mut faults);
        let groups = cuts::groups(&stages, &cuts, &cores, tail);
        let ring_capacity = settings.pipeline.get(keys::RING_CAPACITY);
        if !ring_capacity.is_power_of_two() {
            faults.push(Fault::of_settings(
                "pipeline.ring_capacity",
                &ring_capacity.to_string(),
                "valid: a power of two from 128",
            ));
        }
        let clock = settings.pipeline.get(keys::CLOCK);
        let gateway = if trades { proof::gateway(settings, clock, &mut faults) } else { None };
        let ticks = proof::ticks(&stages, &mut faults);
        if !faults.is_empty() {
            return Err(settings.placed(faults));
        }
        let idle = settings.pipeline.get(keys::IDLE).unwrap_or_else(|| idle(groups.len()));
        Ok(Plan {
            stages,
            groups,
            ticks,
            outcomes,
            ring: settings.pipeline.get(keys::RING),
            ring_capacity,
            trades,
            gateway,
            time_orders: trades && settings.pipeline.get(keys::TIME_ORDERS),
            max_returns: settings.pipeline.get(keys::MAX_RETURNS),
            batch: settings.pipeline.get(keys::BATCH),
            idle,
            clock,
            sample_every: settings.pipeline.get(keys::SAMPLE_EVERY),
            meters: settings.pipeline.get(keys::METERS),
        })
    }
}

/// The registry entries of the configured stages, in the registry's order.
fn enabled(settings: &Settings, faults: &mut Vec<Fault>) -> Vec<&'static StageEntry> {
    let names = settings.pipeline.get(keys::STAGES);
    for name in names.iter().filter(|n| flow::find(STAGES, n).is_none()) {
        faults.push(Fault::of_settings("pipeline.stages", name, &one_of(name, STAGES.iter().map(|s| s.name))));
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
            Err(e) => faults.push(e.into()),
        }
    }
    stages
}

/// Spinning is right only when no other group waits for the same core.
fn idle(groups: usize) -> Idle {
    if groups < ring::thread::cores().len() { Idle::SpinHint } else { Idle::Yield }
}

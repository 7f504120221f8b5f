//! Proves that settings make a pipeline, and tells the memory that it takes, before any of it is taken.
//!
//! Everything is constructed inside [`flow::planned`], where tables are counted and not allocated. Whoever assembles a
//! pipeline compares the sum with what the system can give, so a run that does not fit says so; otherwise it would be aborted
//! in the middle of a table, or killed by the kernel later. Bound: some kilobytes and a millisecond, whatever the settings.

use super::need::Need;
use super::venues::simulated;
use crate::config::{Fault, Faults, Settings, keys};
use crate::ingress::{Clock, Ingress, TickSource};
use crate::pipeline::{Slot, Tail};
use crate::plan::Plan;
use flow::Kinds;
use sinks::journal::JournalSpec;
use std::sync::Arc;

/// Bytes of an event, wherever it is.
const EVENT: u64 = size_of::<Slot>() as u64;

/// Settings that make a pipeline.
pub struct Proof {
    /// Its plan. Its stages are without tables and cannot run.
    pub plan: Plan,
    /// The memory that it takes.
    pub need: Need,
}

impl Proof {
    /// Proves a pipeline for instrument numbers below `instruments`; rows and summary read `readers` at its end.
    ///
    /// # Errors
    /// All faults of the plan and of the venue.
    pub fn of(settings: &Settings, instruments: u32, readers: Kinds) -> Result<Proof, Faults> {
        let (planned, tables) = flow::planned(|| {
            let plan = Plan::build(settings, settings.space(instruments), readers);
            let (trades, looks) = plan.as_ref().map_or((true, false), |plan| (plan.trades, plan.venue_looks));
            let venue = if trades { venue_faults(settings, instruments, looks) } else { Vec::new() };
            let clock = Clock::new(settings.pipeline.get(keys::CLOCK));
            let _head = Ingress::new(Vec::new(), TickSource::new(Vec::new()), clock, instruments);
            let emitted = plan.as_ref().map_or(Kinds::ALL, Plan::emits);
            let of = (instruments, &settings.instances, emitted);
            let _tail = Tail::new(Vec::new(), Vec::new(), Kinds::NONE, of, Arc::default());
            match plan {
                Ok(plan) if venue.is_empty() => Ok(plan),
                plan => Err(Faults(plan.err().map_or_else(Vec::new, |f| f.0).into_iter().chain(venue).collect())),
            }
        });
        let plan = planned?;
        let slots: u64 = plan.wiring.links().iter().filter_map(|link| link.slots).map(|slots| slots as u64).sum();
        let journal = JournalSpec::from_params(&settings.sinks["journal"], "", "").memory_bytes();
        let journal = if settings.journal_dir.is_some() { journal } else { 0 };
        Ok(Proof { plan, need: Need { tables, rings: slots * EVENT, journal, inputs: 0 } })
    }
}

/// The faults of the venues that routes go to; the simulated one `looks` at the book of the stage.
fn venue_faults(settings: &Settings, instruments: u32, looks: bool) -> Vec<Fault> {
    let Ok(routing) = settings.order_routing() else { return Vec::new() };
    let outside = routing.gateways.iter().filter_map(|gateway| {
        let fault = (gateway.entry.open)(&settings.venues[&gateway.name]).err()?;
        Some(gateway.fault(fault))
    });
    let ring = Some(()).filter(|()| routing.simulated).and_then(|()| ring::channel(ring::Kind::Phase, 1).ok());
    let inside = ring.and_then(|(_, inbox)| simulated(settings, instruments, inbox, Arc::default(), looks).err());
    settings.placed(outside.chain(inside).collect()).0
}

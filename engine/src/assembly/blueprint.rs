//! From settings to a pipeline that is ready to run.

use super::error::AssemblyError;
use super::proof::Proof;
use super::venues::{Ready, VenueWiring, Venues};
use crate::config::Settings;
use crate::config::keys::{self, AtStop};
use crate::drive::{Control, DriveError, Finished, run_pipeline};
use crate::gateway::{Ending, GatewayError, is_definition};
use crate::ingress::{Clock, Head, Ingress, NextJournal, Pace, SourceQueue, TickSource};
use crate::pipeline::{Stopwatch, Tail};
use crate::plan::Plan;
use flow::{Event, Gateway, KnownOrder, Ns, Sink};
use sinks::journal::CurrentDisk;
use std::sync::Arc;

/// A proved plan, and the sinks at the end of its pipeline.
pub struct Blueprint<'a> {
    settings: &'a Settings,
    control: &'a Control,
    sinks: Vec<Box<dyn Sink>>,
    instruments: u32,
    /// The plan.
    pub plan: Plan,
}

impl<'a> Blueprint<'a> {
    /// Plans the pipeline of `settings` for instrument numbers below `instruments`, with `sinks` at its end.
    ///
    /// # Errors
    /// Every fault of the settings; or the system cannot give the memory.
    pub fn new(
        settings: &'a Settings,
        sinks: Vec<Box<dyn Sink>>,
        instruments: u32,
        control: &'a Control,
    ) -> Result<Blueprint<'a>, AssemblyError> {
        let readers = sinks.iter().fold(Tail::READS, |all, s| all.or(s.kinds()));
        Proof::of(settings, instruments, readers)?.need.fits()?;
        let plan = Plan::build(settings, settings.space(instruments), readers)?;
        Ok(Blueprint { settings, control, sinks, instruments, plan })
    }

    /// The pipeline with a head that replays numbered inputs and takes no returns. `logs` take the outcomes.
    pub fn repeated<H: Head>(self, head: H, logs: Vec<Box<dyn Sink>>) -> Assembly<H> {
        let Blueprint { control, sinks, instruments, plan, .. } = self;
        let tail = Tail::new(
            logs,
            sinks,
            plan.outcomes,
            (instruments, &plan.instances, plan.emits()),
            Arc::clone(&control.watermark),
        );
        let tail = if plan.trades { tail } else { tail.without_orders() };
        Assembly { head, plan, tail, gateways: Vec::new(), control: control.clone() }
    }

    /// The pipeline with a merge of `feeds` at `pace` as its head. `logs` take the outcomes; `venues` decides whether orders
    /// leave the process.
    ///
    /// # Errors
    /// When a venue parameter is invalid, or a ring cannot be created.
    pub fn merged(
        self,
        feeds: Vec<SourceQueue>,
        pace: Option<Pace>,
        logs: Vec<Box<dyn Sink>>,
        venues: Venues,
    ) -> Result<Assembly<Ingress>, AssemblyError> {
        let Blueprint { settings, control, instruments, ref plan, .. } = self;
        let mut wiring = VenueWiring::of(settings, plan, instruments, control, venues)?;
        let stopwatch = (venues == Venues::Live && plan.time_orders).then(Stopwatch::default);
        let ticks = TickSource::new(plan.ticks.intervals.clone()).with_heartbeat(plan.ticks.heartbeat_s);
        let ticks = ticks.with_calendars(plan.ticks.calendars.clone());
        let clock = Clock::new(plan.clock).with_pace(pace);
        let ingress = Ingress::new(feeds, ticks, clock, instruments).with_statuses(control.feeds.clone());
        let gateways = std::mem::take(&mut wiring.gateways);
        let Assembly { head: ingress, mut plan, tail, control, .. } = self.repeated(ingress, logs);
        let leaves = venues == Venues::Repeated || !cancels(settings, !gateways.is_empty());
        let kill_switch = (!leaves).then(|| Arc::clone(&control.kill_switch));
        let ingress = ingress.with_cancel_at_end(kill_switch);
        if pace.is_some() {
            plan.set_paced();
        }
        plan.measures_pauses = venues == Venues::Live;
        let (head, tail) = wiring.join(ingress, tail.with_stopwatch(stopwatch));
        Ok(Assembly { head, plan, tail, gateways, control })
    }
}

/// Whether open orders are cancelled when the run ends; `leads_out` = they are at a venue outside the process.
fn cancels(settings: &Settings, leads_out: bool) -> bool {
    settings.pipeline.get(keys::AT_STOP).map_or(leads_out, |at_stop| at_stop == AtStop::Cancel)
}

/// A pipeline that is ready to run.
pub struct Assembly<H> {
    /// Numbers inputs, or replays numbered ones.
    pub head: H,
    /// The stages, and how they are cut.
    pub plan: Plan,
    /// The end of the pipeline.
    pub tail: Tail,
    gateways: Vec<Ready>,
    control: Control,
}

impl<H> Assembly<H> {
    /// The same with another head in place of this one.
    pub fn with_head<T>(self, head: impl FnOnce(H) -> T) -> Assembly<T> {
        let Assembly { head: before, plan, tail, gateways, control } = self;
        Assembly { head: head(before), plan, tail, gateways, control }
    }

    /// Whether orders leave the process.
    pub fn leads_out(&self) -> bool {
        !self.gateways.is_empty()
    }
}

impl Assembly<Ingress> {
    /// Rolls the journal, the current one of which began at `begun`; `next` is given where the disk of the current one is told.
    pub fn roll(&mut self, next: impl FnOnce(CurrentDisk) -> Box<dyn NextJournal>, begun: Option<Ns>) {
        let Control { handover, rolls, disk, .. } = self.control.clone();
        self.head.roll(next(disk), (handover, rolls), begun);
    }

    /// Queries the venue of a gateway about orders of an earlier journal.
    pub fn ask(&mut self, gateway: Gateway, orders: Vec<KnownOrder>) {
        self.head.ask(gateway, orders);
    }

    /// An instrument that the venues are to know, from before the first input: a snapshot has its name or listing.
    pub fn define(&self, definition: &Event) {
        if is_definition(definition) {
            self.gateways.iter().for_each(|gateway| gateway.define(*definition));
        }
    }

    /// The run writes the journal of that id: a venue tells engines apart by it.
    pub fn set_journal(&self, id: u64) {
        self.gateways.iter().for_each(|gateway| gateway.set_journal(id));
    }
}

impl<H: Head + 'static> Assembly<H> {
    /// Runs the pipeline to its end, then ends the gateways, and blocks meanwhile. Returns the finished run, and the errors of
    /// gateways.
    ///
    /// # Errors
    /// When a thread or a ring could not be created, or a thread panicked.
    pub fn run(self) -> Result<(Finished<H>, Vec<GatewayError>), AssemblyError> {
        let started = self.gateways.into_iter().map(Ready::start).collect::<Result<Vec<_>, _>>()?;
        let ran = run_pipeline(self.head, self.plan, self.tail, &self.control);
        let ending = ending(&ran);
        started.iter().for_each(|gateway| gateway.announce(ending));
        let left: Vec<_> = started.into_iter().filter_map(|gateway| gateway.end(ending).err()).collect();
        if ran.is_err() {
            // The run's own error is returned; what is left at the venues must be said too.
            left.iter().for_each(|e| self.control.notice(e.to_string()));
        }
        Ok((ran?, left))
    }
}

/// What the end of a run means for its open orders.
fn ending<H>(ran: &Result<Finished<H>, DriveError>) -> Ending {
    match ran {
        Ok(finished) if finished.error.is_none() && !finished.tail.has_failed() => Ending::Orderly,
        _ => Ending::Failed,
    }
}

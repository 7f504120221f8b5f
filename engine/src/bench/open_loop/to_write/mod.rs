//! Tick to `write` returned: from the intended time of a message to the moment when the socket has the order that it caused.
//!
//! The load is that of tick-to-order; the venue is a process' own on the loopback (`venue`), and orders go there over a gateway:
//! ring, thread, session, frames and a TCP socket. The clock is read on the gateway's thread when `write` has returned
//! (`stamped`). What the pipeline told of the same order (its intended time, and when its bytes existed) is found by the id of
//! its route. Each way of idling of a gateway is a run of its own, one after the other.
//!
//! **What shares a core is said.** Pipeline, gateway and venue want a core each; the generator is a part of the pipeline, as in
//! tick-to-order. With two cores the venue has to share that of the gateway and rests meanwhile, so no order is delayed by it but
//! those that come while it answers. A gateway that sleeps is not pinned, as it is by default. The pipeline runs under the clock
//! of the wall, as it does wherever orders go out. Bound: one sample an order.

mod stamped;
mod venue;

pub use venue::VenueStartError;

use super::orders::Sample;
use super::result::{Load, Spread, achieved, clock_ns, measured, messages_per_order, schedule};
use super::stalls::Stalls;
use super::{Day, OpenLoopError, Passage, Schedule, passage};
use crate::bench::{Setting, own_cores};
use crate::config::{Faults, Settings};
use crate::registries::Registries;
use crate::report::Percentiles;
use quanta::Clock;
use serde::Serialize;
use sinks::GatewayIdle;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use venue::{LoopbackVenue, Place};

/// Settings of the way out, before those of the user. A venue that rests has more orders at a time than the strategy else has
/// open; the last orders leave too, since nothing is cancelled at the end; and the end waits for the last bar, which under the clock
/// of the wall takes as long as the bar.
const OUT: [&str; 5] = [
    "pipeline.clock=wall",
    "pipeline.at_stop=leave",
    "router.venue=loopback",
    "random.max_open=256",
    "bars.intervals=5s",
];

/// The cores of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WriteCores {
    /// That of the pipeline, which the generator is a part of.
    pub pipeline: usize,
    /// That of the gateway, when it spins; one that sleeps is not pinned.
    pub gateway: usize,
    /// That of the venue: that of the gateway if there is no third one.
    pub venue: usize,
}

impl WriteCores {
    /// The last cores of this host; `None` if there are not even two.
    pub fn of_this_host() -> Option<WriteCores> {
        let all = own_cores(3);
        let mut last = if all.is_empty() { own_cores(2) } else { all }.into_iter().rev();
        let (pipeline, gateway) = (last.next()?, last.next()?);
        Some(WriteCores { pipeline, gateway, venue: last.next().unwrap_or(gateway) })
    }

    fn place(self) -> Place {
        Place { core: self.venue, own: self.venue != self.gateway }
    }
}

/// One way of idling.
#[derive(Clone, Debug, Serialize)]
pub struct Mode {
    /// `sleep` or `spin`.
    pub name: &'static str,
    /// The core of the gateway; null: not pinned.
    pub gateway_core: Option<usize>,
    /// Messages per second until the last was taken.
    pub achieved_per_s: f64,
    /// Messages per order.
    pub messages_per_order: f64,
    /// Orders not caused by a message, which are not timed.
    pub uncaused: u64,
    /// Requests refused by risk.
    pub refused: u64,
    /// Orders that the socket never had.
    pub unsent: u64,
    /// Answers that the venue gave, the warm-up included.
    pub answers: u64,
    /// Intended time to `write` returned.
    pub tick_to_write: Spread,
    /// First part: to the bytes of the order at the end of the pipeline.
    pub tick_to_bytes: Percentiles,
    /// Second part: from there until `write` had returned.
    pub bytes_to_write: Percentiles,
}

/// The result.
#[derive(Clone, Debug, Serialize)]
pub struct TickToWrite {
    /// The benchmark and the host.
    #[serde(flatten)]
    pub setting: Setting,
    /// Messages per second.
    pub rate: f64,
    /// Duration, in seconds.
    pub seconds: f64,
    /// Number of measured messages.
    pub messages: u64,
    /// Number of warm-up messages before them.
    pub warm_messages: u64,
    /// Groups of the pipeline.
    pub groups: Vec<String>,
    /// The cores.
    pub cores: WriteCores,
    /// How long the venue rests between two looks, since it has no core of its own; 0: it has one, and spins.
    pub venue_rest_ms: u64,
    /// Cost of a clock reading.
    pub clock_ns: f64,
    /// The ways of idling.
    pub modes: Vec<Mode>,
    /// Stalls of the host.
    pub stalls: Stalls,
}

/// The settings of the measurement, before those of the user.
///
/// # Panics
/// Never: the settings are valid.
pub fn settings_of_writes() -> Settings {
    let mut settings = measured(Settings::of(Registries::default().with_gateway(&stamped::ENTRY)));
    OUT.iter().for_each(|assignment| settings.set(assignment).unwrap_or_else(|e| panic!("{e}")));
    settings
}

/// Measures a load, without bursts, on a day with as many messages. `progress` receives the name of each phase.
///
/// # Errors
/// When the pipeline cannot be built, the venue cannot listen, or a run fails.
pub fn measure_writes(
    load: &Load,
    day: &mut Day,
    settings: &Settings,
    cores: WriteCores,
    stop: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(&str),
) -> Result<TickToWrite, OpenLoopError> {
    let setting = Setting::begin("tick-to-write");
    let schedule = schedule(load)?;
    let (mut modes, mut groups) = (Vec::new(), Vec::new());
    for idle in [GatewayIdle::Sleep, GatewayIdle::Spin] {
        progress(&format!("a gateway with idle = {:?}", idle.name()));
        let core = (idle == GatewayIdle::Spin).then_some(cores.gateway);
        let (mode, of) = mode((idle, core), day, &schedule, (settings, cores), stop)?;
        modes.push(mode);
        groups = of;
    }
    let place = cores.place();
    Ok(TickToWrite {
        setting: setting.end(),
        rate: load.rate,
        seconds: load.seconds,
        messages: schedule.messages(),
        warm_messages: day.warm(),
        groups,
        cores,
        venue_rest_ms: if place.own { 0 } else { venue::REST.as_millis() as u64 },
        clock_ns: clock_ns(),
        modes,
        stalls: Stalls::watch(Some(cores.pipeline), Duration::from_millis(500)),
    })
}

/// Runs one way of idling; also the groups of its pipeline.
fn mode(
    (idle, core): (GatewayIdle, Option<usize>),
    day: &mut Day,
    schedule: &Schedule,
    (settings, cores): (&Settings, WriteCores),
    stop: &Arc<AtomicBool>,
) -> Result<(Mode, Vec<String>), OpenLoopError> {
    let venue = LoopbackVenue::start(cores.place())?;
    let mut settings = settings.clone();
    let core_text = core.map_or_else(String::new, |core| core.to_string());
    for (key, value) in [("address", venue.address().as_str()), ("idle", idle.name()), ("core", core_text.as_str())] {
        settings.set(&format!("{}.{key}={value}", stamped::ENTRY.name)).map_err(|e| Faults(vec![e]))?;
    }
    let noted = stamped::note((day.warm() + schedule.messages()) as usize / 8 + 1_024);
    let run = passage(day, schedule, &settings, stop)?;
    let answers = venue.end()?;
    let written = noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let at: BTreeMap<u64, u64> = written.iter().map(|written| (written.route, written.at)).collect();
    let groups = run.report.groups.clone();
    Ok((analysed((idle, core), &run, &at, answers), groups))
}

/// The figures of a run whose routes were written at these times.
fn analysed(
    (idle, core): (GatewayIdle, Option<usize>),
    run: &Passage,
    written: &BTreeMap<u64, u64>,
    answers: u64,
) -> Mode {
    let clock = Clock::new();
    let mut times = [(); 3].map(|()| crate::pipeline::histogram());
    let mut in_order = Vec::new();
    for Sample { route, intended_ns, total_ns, .. } in &run.seen.samples {
        let Some(at) = written.get(route) else { continue };
        let whole = clock.delta_as_nanos(run.start, *at).saturating_sub(*intended_ns);
        in_order.push(whole);
        for (histogram, ns) in times.iter_mut().zip([whole, *total_ns, whole.saturating_sub(*total_ns)]) {
            histogram.saturating_record(ns.max(1));
        }
    }
    let samples = run.seen.samples.len() as u64;
    let [whole, bytes, rest] = times.map(|histogram| Percentiles::from(&histogram));
    Mode {
        name: idle.name(),
        gateway_core: core,
        achieved_per_s: achieved(run),
        messages_per_order: messages_per_order(run),
        uncaused: run.seen.uncaused,
        refused: run.report.refused.values().sum(),
        unsent: samples - in_order.len() as u64,
        answers,
        tick_to_write: Spread::of(whole, &in_order),
        tick_to_bytes: bytes,
        bytes_to_write: rest,
    }
}

//! Tick to order, open loop.
//!
//! Each message of the synthetic exchange has an intended time ([`Schedule`]); the pipeline takes it at that time, or as
//! soon after as it can (`Generator`). An order is timed from the *intended* time of the message that caused it to the
//! moment when its bytes exist (`OrderTimes`). A pipeline that stops for a millisecond therefore shows it in every message
//! that should have been sent meanwhile: nothing is left out because the pipeline was busy (no coordinated omission).
//!
//! The engine is measured as it runs: the ITCH decoder, the merge, every configured stage, the tail, and the simulated venue
//! at the head, which replies so that the strategy continues. The strategy trades at random, often enough to keep the order
//! path warm: this measures the machine, not a strategy, and the result gives the messages per order. Another run has orders as
//! rare as those of a real strategy, whose path is cold. Single stages are timed in a separate run, because each clock reading
//! costs as much as a stage.
//!
//! How long it takes until the socket of a venue has an order is measured by `to_write`, with the same messages and the same
//! strategy, and a venue on the loopback in place of the simulated one.
//!
//! Orders from messages in a burst, or in the backlog after one, are reported apart, with the largest backlog and the time
//! to drain it.

mod chart;
mod day;
mod generator;
mod hgrm;
mod orders;
mod page;
mod result;
mod schedule;
mod stalls;
mod to_write;

pub use day::{Day, Exchange};
pub use hgrm::hgrm;
pub use page::page;
pub use result::{
    BurstResult, Distributions, Load, Rare, Spread, StageTime, Step, TickToOrder, Timeline, measure, messages, settings,
};
pub use schedule::{Burst, Schedule, Span};
pub use stalls::Stalls;
pub use to_write::{Mode, TickToWrite, VenueStartError, WriteCores, measure_writes, settings_of_writes};

use crate::config::{Faults, Settings};
use crate::drive::Control;
use crate::report::Report;
use crate::run::{Options, RunError, Sources, execute_sources};
use feeds::synthetic::ConfigErrors;
use generator::{Generator, Pursuit, Shared};
use orders::{OrderTimes, Seen};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Stages of the pipeline, from market data to orders.
pub const STAGES: &str = "book,bars,cvd,imbalance,vpin,random,orders,risk,router";

/// Settings before those of the user: frequent orders, to keep the path warm, and limits that approve them.
pub const SETTINGS: &[&str] = &[
    "vpin.bucket_qty=1000",
    "random.every=100",
    "random.max_position=100000",
    "risk.max_position=10000000",
    "risk.max_notional=1000000000",
    "risk.max_messages=8192",
    "risk.throttle_window_ms=1",
    "pipeline.sample_every=0",
    "pipeline.idle=spin",
];

/// Why the measurement failed.
#[derive(Debug, thiserror::Error)]
pub enum OpenLoopError {
    /// The bursts do not fit into the run.
    #[error("{0}")]
    Schedule(String),
    /// The exchange cannot be made.
    #[error("{0}")]
    Exchange(#[from] ConfigErrors),
    /// The pipeline cannot be built.
    #[error("{0}")]
    Config(#[from] Faults),
    /// The run failed.
    #[error("{0}")]
    Run(#[from] RunError),
    /// The venue on the loopback could not start.
    #[error("{0}")]
    Venue(#[from] VenueStartError),
    /// Its connection failed.
    #[error("the venue on the loopback: {0}")]
    Connection(#[from] std::io::Error),
    /// It was stopped before the last message.
    #[error("stopped before the last message was taken")]
    Stopped,
}

/// One run: how the pipeline kept up, its orders, and its report.
struct Passage {
    /// The clock at the first intended time.
    start: u64,
    pursuit: Pursuit,
    seen: Seen,
    report: Report,
}

/// Sends the day through the pipeline of the settings, on schedule.
fn passage(
    day: &mut Day,
    schedule: &Schedule,
    settings: &Settings,
    stop: &Arc<AtomicBool>,
) -> Result<Passage, OpenLoopError> {
    day.stamp(schedule);
    let (shared, done) = (Arc::new(Shared::default()), Arc::new(OnceLock::new()));
    let seen = Arc::new(Mutex::new(Seen::default()));
    let bytes = (Arc::from(day.bytes()), day.warm(), day.date());
    let generator = Generator::new(bytes, Arc::new(schedule.clone()), Arc::clone(&shared), Arc::clone(&done));
    let sources: Sources = vec![("generator".to_owned(), Box::new(generator))];
    let times = OrderTimes::new(Arc::clone(&shared), day.first(), day.warm() + schedule.messages(), Arc::clone(&seen));
    // Progress belongs to one run; only the stop flag is shared by all.
    let control = Control { stop: Arc::clone(stop), ..Control::default() };
    let options = Options { sinks: vec![Box::new(times)], control, ..Options::default() };
    let (report, error) = execute_sources(settings, sources, options)?;
    if let Some(error) = error {
        return Err(error.into());
    }
    let pursuit = done.get().cloned().ok_or(OpenLoopError::Stopped)?;
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    Ok(Passage { start: shared.start.load(Ordering::Relaxed), pursuit, seen, report })
}

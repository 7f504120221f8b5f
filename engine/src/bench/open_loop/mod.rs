//! Tick to order, open loop.
//!
//! Messages of the synthetic exchange have intended times ([`Schedule`]); the pipeline takes each when its time has come, or as
//! soon after as it can (`Generator`); an order counts from the *intended* time of the message
//! that caused it to the moment when its bytes are there (`OrderTimes`). A pipeline that stops for a
//! millisecond therefore shows it in every message that should have been sent meanwhile: nothing is left out because the
//! pipeline was busy (no coordinated omission).
//!
//! What is measured is the engine as it runs: the ITCH decoder, the merge, every configured stage, the tail, and the
//! simulated venue at the head, which answers so that the strategy goes on. The strategy trades at random with orders
//! frequent enough to be warm; that is a measurement of the machine and not of a strategy, and the result says how many
//! messages there are to an order. The time of single stages is sampled in a run of its own, because each look at the
//! clock costs as much as a stage.
//!
//! Orders of messages in a burst, and of those that came while the pipeline was still behind because of one, are told apart,
//! with the longest backlog and the time until the pipeline had caught up.

mod chart;
mod day;
mod generator;
mod hgrm;
mod orders;
mod page;
mod result;
mod schedule;
mod stalls;

pub use day::{Day, Exchange};
pub use hgrm::hgrm;
pub use page::page;
pub use result::{
    BurstResult, Distributions, Load, Spread, StageTime, Step, TickToOrder, Timeline, measure, messages, settings,
};
pub use schedule::{Burst, Schedule, Span};
pub use stalls::Stalls;

use crate::config::{Faults, Settings};
use crate::drive::Control;
use crate::report::Report;
use crate::run::{Options, RunError, Sources, execute_sources};
use feeds::synthetic::ConfigErrors;
use generator::{Generator, Pursuit, Shared};
use orders::{OrderTimes, Seen};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

/// Stages of the pipeline: everything from market data to orders.
pub const STAGES: &str = "book,bars,cvd,imbalance,vpin,random,orders,risk,router";

/// What is set before the user sets anything: orders often enough to be warm, and limits that let them pass.
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

/// Why it could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum OpenLoopError {
    /// The bursts do not fit.
    #[error("{0}")]
    Schedule(String),
    /// There is no such exchange.
    #[error("{0}")]
    Exchange(#[from] ConfigErrors),
    /// The pipeline cannot be built.
    #[error("{0}")]
    Config(#[from] Faults),
    /// The pipeline did not run to its end.
    #[error("{0}")]
    Run(#[from] RunError),
    /// It was stopped before the last message.
    #[error("it was stopped before the last message was taken")]
    Stopped,
}

/// One run: how the pipeline kept up, what came out, and what it says of itself.
struct Passage {
    pursuit: Pursuit,
    seen: Seen,
    report: Report,
}

/// Sends the day by the schedule through the pipeline of the settings.
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
    let times = OrderTimes::new(shared, day.first(), day.warm() + schedule.messages(), Arc::clone(&seen));
    // How far a pipeline is belongs to one run; only the intent to stop is for all.
    let control = Control { stop: Arc::clone(stop), ..Control::default() };
    let options = Options { sinks: vec![Box::new(times)], control, ..Options::default() };
    let (report, error) = execute_sources(settings, sources, options, &mut || ())?;
    if let Some(error) = error {
        return Err(error.into());
    }
    let pursuit = done.get().cloned().ok_or(OpenLoopError::Stopped)?;
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    Ok(Passage { pursuit, seen, report })
}

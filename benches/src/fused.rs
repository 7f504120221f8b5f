//! The whole pipeline on bytes in memory, decoded by the thread of the ingress.
//!
//! Time runs from the first poll of the source until the end of input has reached the tail, so the start and the end of
//! threads are not in it; the tail hashes the outcomes as always. Bound: the bytes, in memory.

use crate::rounds::Run;
use flow::{Decoder, Sink, Window};
use stages::Space;
use std::sync::Arc;
use tidegate::bench::pipeline::{End, Memory, Watch};
use tidegate::config::Settings;
use tidegate::drive::{Control, run_pipeline};
use tidegate::ingress::{Clock, Ingress, SourceQueue, TickSource};
use tidegate::pipeline::Tail;
use tidegate::plan::Plan;

/// Room for instruments.
pub const INSTRUMENTS: u32 = 1 << 16;

/// Runs a pipeline once; the check is of the outcomes' hash.
///
/// # Panics
/// When it does not run to its end.
pub fn pipeline(decoder: Box<dyn Decoder>, windows: Vec<Window>, settings: &Settings) -> Run {
    with_sinks(decoder, windows, settings, Vec::new())
}

/// The same, with sinks that get what they read.
///
/// # Panics
/// When it does not run to its end.
pub fn with_sinks(
    decoder: Box<dyn Decoder>,
    windows: Vec<Window>,
    settings: &Settings,
    mut sinks: Vec<Box<dyn Sink>>,
) -> Run {
    let watch = Watch::default();
    let source = Memory::new(decoder, windows, watch.clone());
    let end = End(watch.clone());
    sinks.push(Box::new(end));
    let readers = sinks.iter().fold(Tail::READS, |all, sink| all.or(sink.kinds()));
    let plan = Plan::build(settings, Space { instruments: INSTRUMENTS, fills: 65_536, positions: 16_384 }, readers)
        .expect("a valid plan");
    let control = Control::default();
    let tail = Tail::new(
        Vec::new(),
        sinks,
        plan.outcomes,
        (INSTRUMENTS, &plan.instances, plan.emits()),
        Arc::clone(&control.watermark),
    );
    let ticks = TickSource::new(plan.ticks.intervals.clone()).with_heartbeat(plan.ticks.heartbeat_s);
    let feeding = SourceQueue::new("memory".to_owned(), Box::new(source), 1);
    let head = Ingress::new(vec![feeding], ticks, Clock::new(plan.clock), INSTRUMENTS);
    let done = run_pipeline(head, plan, tail, &control).expect("the pipeline runs");
    let (stats, _) = done.tail.finish();
    let hash = u64::from_str_radix(&stats.outcome_hash()[..16], 16).expect("it is hexadecimal");
    Run { time: watch.time().expect("it ran to its end"), check: hash }
}

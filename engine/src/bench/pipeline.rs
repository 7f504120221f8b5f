//! The whole pipeline on bytes in memory: decoding, merge, stages, tail.
//!
//! The ingress thread itself decodes the bytes, so no reader thread precedes the pipeline; the tail hashes the outcomes as
//! always. Time runs from the first poll of the source until the end of input reaches the tail, so starting and ending
//! threads is not included. Allocations of all threads are counted in a separate run, from the last input that names an
//! instrument to the end; those before it are reported apart, as warm-up. Bound: one run at a time.

use super::Recording;
use super::rounds::{Ratio, interleave, least, median};
use crate::config::Settings;
use crate::os;
use crate::run::{Options, RunError, execute_sources};
use feeds::OpenError;
use flow::{Count, Decoder, Event, FeedError, Inputs, Kind, Kinds, Polled, Sink, SinkError, Source, Step, Window};
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// When the first input was polled, and when the last event arrived.
#[derive(Clone, Default)]
pub struct Watch {
    start: Arc<OnceLock<Instant>>,
    end: Arc<OnceLock<Instant>>,
    /// Allocations up to the last name.
    naming: Arc<AtomicU64>,
    /// Allocations up to the end.
    whole: Arc<AtomicU64>,
}

impl Watch {
    /// Marks the first poll; later calls change nothing.
    #[inline]
    pub fn begin(&self) {
        self.start.get_or_init(Instant::now);
    }

    /// The time from the first poll to the end of input at the tail; `None` if that was not reached.
    pub fn time(&self) -> Option<Duration> {
        Some(*self.end.get()? - *self.start.get()?)
    }
}

/// A source that decodes bytes in memory.
pub struct Memory {
    decoder: Box<dyn Decoder>,
    windows: Vec<Window>,
    watch: Watch,
}

impl Memory {
    /// Decodes `windows`; the watch starts with the first poll.
    pub fn new(decoder: Box<dyn Decoder>, windows: Vec<Window>, watch: Watch) -> Memory {
        Memory { decoder, windows, watch }
    }
}

impl Source for Memory {
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        self.watch.begin();
        let step = self.decoder.decode(&mut self.windows, to)?;
        Ok(if to.is_empty() && step != Step::Full { Polled::Ended } else { Polled::Ready })
    }

    fn instruments(&self) -> u32 {
        self.decoder.instruments()
    }

    fn counts(&self) -> Vec<Count> {
        self.decoder.counts()
    }
}

/// A sink at the end of the pipeline, which sees names and the end of input.
pub struct End(pub Watch);

impl Sink for End {
    fn kinds(&self) -> Kinds {
        Kinds::of(&[Kind::Name, Kind::Listing, Kind::EndOfInput])
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        let allocations = os::allocations_so_far();
        if event.kind == Kind::EndOfInput {
            self.0.end.get_or_init(Instant::now);
            self.0.whole.store(allocations, Ordering::Relaxed);
        } else {
            self.0.naming.store(allocations, Ordering::Relaxed);
        }
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Why the pipeline could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The file no longer exists.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// The run failed.
    #[error("{0}")]
    Run(#[from] RunError),
    /// The end of input did not reach the tail.
    #[error("the pipeline ended before its input did")]
    Cut,
}

/// A variant of the pipeline to measure.
pub struct Variant {
    /// Name in the figures.
    pub name: String,
    /// Settings that it is built from.
    pub settings: Settings,
}

/// The cost of a pipeline.
#[derive(Clone, Debug, Serialize)]
pub struct PipelineCost {
    /// Name of the variant.
    pub name: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// Number of inputs, including ticks and the end of input.
    pub events: u64,
    /// Events per second at the median.
    pub events_per_s: f64,
    /// Median of the rounds.
    pub ns_per_event: f64,
    /// Lower end of its interval.
    pub ns_per_event_low: f64,
    /// Upper end of its interval.
    pub ns_per_event_high: f64,
    /// Minimum over the rounds.
    pub least_ns_per_event: f64,
    /// Ratio to the first pipeline, in the same round.
    pub ratio: f64,
    /// Lower end of its interval.
    pub ratio_low: f64,
    /// Upper end of its interval.
    pub ratio_high: f64,
    /// Allocations of all threads after the last input that names an instrument; null if they cannot be counted.
    pub allocations: Option<u64>,
    /// Allocations before that, including building the pipeline.
    pub allocations_before: Option<u64>,
    /// Hash of all outcomes, the same for every pipeline.
    pub outcome_hash: String,
}

/// The result of one run.
struct Ran {
    events: u64,
    time: Duration,
    groups: Vec<String>,
    outcome_hash: String,
    watch: Watch,
}

/// Runs a pipeline over the windows once, timed from the first poll to the end.
fn run(recording: &Recording, settings: &Settings) -> Result<Ran, PipelineError> {
    let watch = Watch::default();
    let (name, decoder) = recording.decoder()?;
    let source: Box<dyn Source> = Box::new(Memory::new(decoder, recording.windows(), watch.clone()));
    let options = Options { sinks: vec![Box::new(End(watch.clone()))], ..Options::default() };
    let (report, error) = execute_sources(settings, vec![(name, source)], options)?;
    if let Some(error) = error {
        return Err(error.into());
    }
    let time = watch.time().ok_or(PipelineError::Cut)?;
    Ok(Ran { events: report.events, time, groups: report.groups, outcome_hash: report.outcome_hash, watch })
}

/// Interleaved rounds over all pipelines, after one run of each to count allocations; ratios are to the first.
///
/// # Errors
/// When a run fails.
///
/// # Panics
/// When two pipelines have different outcomes, or there are no rounds.
pub fn measure(
    recording: &Recording,
    variants: &[Variant],
    rounds: usize,
    mut each: impl FnMut(),
) -> Result<Vec<PipelineCost>, PipelineError> {
    let mut first = Vec::new();
    for variant in variants {
        let (ran, allocations) = os::allocations(|| run(recording, &variant.settings));
        first.push((ran?, allocations.is_some()));
        each();
    }
    assert!(
        first.iter().all(|(ran, _)| ran.outcome_hash == first[0].0.outcome_hash),
        "the pipelines have different outcomes"
    );
    let mut times = vec![Vec::new(); variants.len()];
    let mut failed = None;
    interleave(rounds, variants.len(), |which| {
        match run(recording, &variants[which].settings) {
            Ok(ran) => times[which].push(ran.time.as_nanos() as f64 / ran.events as f64),
            Err(e) => failed = failed.take().or(Some(e)),
        }
        each();
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let cost = |(i, (ran, counted)): (usize, (Ran, bool))| {
        let (spread, ratio) = (Ratio::spread(times[i].clone()), Ratio::of(&times[i], &times[0]));
        let naming = ran.watch.naming.load(Ordering::Relaxed);
        let after = ran.watch.whole.load(Ordering::Relaxed) - naming;
        PipelineCost {
            name: variants[i].name.clone(),
            groups: ran.groups,
            events: ran.events,
            events_per_s: (1e9 / median(&times[i])).round(),
            ns_per_event: spread.median,
            ns_per_event_low: spread.low,
            ns_per_event_high: spread.high,
            least_ns_per_event: least(&times[i]),
            ratio: ratio.median,
            ratio_low: ratio.low,
            ratio_high: ratio.high,
            allocations: counted.then_some(after),
            allocations_before: counted.then_some(naming),
            outcome_hash: ran.outcome_hash,
        }
    };
    Ok(first.into_iter().enumerate().map(cost).collect())
}

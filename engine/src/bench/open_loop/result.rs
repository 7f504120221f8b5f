//! From the samples of a run to its figures.

use super::generator::SLICES;
use super::orders::Sample;
use super::schedule::Span;
use super::stalls::Stalls;
use super::{Burst, Day, Exchange, OpenLoopError, Passage, SETTINGS, STAGES, Schedule, passage};
use crate::bench::rounds::{Ratio, rounded};
use crate::bench::{Setting, own_cores};
use crate::config::{Faults, Settings};
use crate::report::{Percentiles, Report};
use hdrhistogram::Histogram;
use quanta::Clock;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Percentiles, two of them with intervals, which are those of the medians over equal parts of the run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// Percentiles of the whole run.
    #[serde(flatten)]
    pub times: Percentiles,
    /// Lower end of the interval of the median.
    pub p50_ns_low: f64,
    /// Upper end.
    pub p50_ns_high: f64,
    /// Lower end of the interval of the 99th percentile.
    pub p99_ns_low: f64,
    /// Upper end.
    pub p99_ns_high: f64,
}

/// Number of parts of a run, for the intervals of its percentiles.
const PARTS: usize = 20;

impl Spread {
    /// The percentiles and intervals of times, which are in the order of the run.
    pub(super) fn of(times: Percentiles, in_order: &[u64]) -> Spread {
        let parts = in_order.chunks(in_order.len().div_ceil(PARTS).max(1)).map(<[u64]>::to_vec);
        let (mut medians, mut ends) = (Vec::new(), Vec::new());
        for mut part in parts {
            part.sort_unstable();
            medians.push(part[part.len() / 2] as f64);
            ends.push(part[part.len() * 99 / 100] as f64);
        }
        let of = |values: Vec<f64>| if values.is_empty() { (0.0, 0.0) } else { interval(values) };
        let ((p50_ns_low, p50_ns_high), (p99_ns_low, p99_ns_high)) = (of(medians), of(ends));
        Spread { times, p50_ns_low, p50_ns_high, p99_ns_low, p99_ns_high }
    }
}

fn interval(values: Vec<f64>) -> (f64, f64) {
    let spread = Ratio::spread(values);
    (spread.low, spread.high)
}

/// The time of one call of a stage.
#[derive(Clone, Debug, Serialize)]
pub struct StageTime {
    /// Name of the stage, or `group NAME` for an event's whole pass through a group.
    pub name: String,
    /// Percentiles of the sampled messages.
    #[serde(flatten)]
    pub times: Percentiles,
}

/// A burst.
#[derive(Clone, Debug, Serialize)]
pub struct BurstResult {
    /// Multiple of the rate.
    pub factor: f64,
    /// Start, in seconds.
    pub start_s: f64,
    /// Duration, in seconds.
    pub seconds: f64,
    /// Whether the pipeline was less than a millisecond behind at its end.
    pub kept_up: bool,
    /// Most messages waiting.
    pub max_behind: u64,
    /// Time from the end of the burst until its backlog was drained, in milliseconds.
    pub drain_ms: f64,
    /// Orders of the burst and of its backlog.
    #[serde(flatten)]
    pub times: Percentiles,
}

/// A step of the sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Messages per second offered.
    pub offered_per_s: f64,
    /// Messages per second taken.
    pub achieved_per_s: f64,
    /// Whether the pipeline fell behind and did not catch up.
    pub saturated: bool,
    /// Most messages waiting.
    pub max_behind: u64,
    /// Orders.
    #[serde(flatten)]
    pub times: Percentiles,
}

/// A run in slices of equal length, for plotting.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Length of a slice.
    pub slice_ns: u64,
    /// Most messages waiting.
    pub behind: Vec<u64>,
    /// Median and maximum time of the orders in each slice that has any.
    pub orders: Vec<Option<(u64, u64)>>,
    /// Messages per second offered.
    pub offered: Vec<f64>,
}

/// Distributions, for plots and files.
#[derive(Clone, Debug)]
pub struct Distributions {
    /// All orders.
    pub all: Histogram<u64>,
    /// Orders outside bursts.
    pub steady: Histogram<u64>,
    /// For those, intended time to message taken.
    pub wait: Histogram<u64>,
    /// For those, message taken to bytes.
    pub work: Histogram<u64>,
    /// First part of that: message taken until its top or trade had passed the pipeline.
    pub market: Histogram<u64>,
    /// Second part: from there to the bytes.
    pub decision: Histogram<u64>,
}

/// Orders as rare as those of most strategies: code and tables of a decision have gone from the caches in between.
#[derive(Clone, Debug, Serialize)]
pub struct Rare {
    /// Messages per order.
    pub messages_per_order: f64,
    /// Intended time to bytes of the order, at the rate without bursts.
    pub tick_to_order: Spread,
    /// Message taken until its trade or top had passed the pipeline; null if the pipeline is cut.
    pub market: Option<Percentiles>,
    /// From there to the bytes.
    pub decision: Option<Percentiles>,
}

/// The load to measure.
#[derive(Clone)]
pub struct Load {
    /// Messages per second.
    pub rate: f64,
    /// Duration, in seconds.
    pub seconds: f64,
    /// Bursts.
    pub bursts: Vec<Burst>,
    /// The exchange.
    pub exchange: Exchange,
}

/// The result.
#[derive(Clone, Debug, Serialize)]
pub struct TickToOrder {
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
    /// Messages per second until the last was taken.
    pub achieved_per_s: f64,
    /// Messages per order.
    pub messages_per_order: f64,
    /// Orders not caused by a message, which are not timed.
    pub uncaused: u64,
    /// Requests refused by risk.
    pub refused: u64,
    /// Groups of the pipeline.
    pub groups: Vec<String>,
    /// Cost of a clock reading.
    pub clock_ns: f64,
    /// Intended time to bytes of the order, outside bursts.
    pub tick_to_order: Spread,
    /// The same, including bursts.
    pub all: Percentiles,
    /// Intended time to message taken; null if the pipeline is cut.
    pub wait: Option<Percentiles>,
    /// Message taken to bytes of the order; null if the pipeline is cut.
    pub work: Option<Percentiles>,
    /// First part of that: until the message's trade or top had passed the pipeline.
    pub market: Option<Percentiles>,
    /// Second part: strategy, orders, risk, router.
    pub decision: Option<Percentiles>,
    /// Orders that are rare, from a separate run; null if the run is too short for one.
    pub rare: Option<Rare>,
    /// Bursts.
    pub bursts: Vec<BurstResult>,
    /// Times of single stages, from a separate run; each includes a clock reading.
    pub stages: Vec<StageTime>,
    /// Steps of the sweep, if requested.
    pub sweep: Vec<Step>,
    /// Stalls of the host.
    pub stalls: Stalls,
    /// Distributions.
    #[serde(skip)]
    pub distributions: Distributions,
    /// Timeline.
    #[serde(skip)]
    pub timeline: Timeline,
}

/// The settings of the measurement, before those of the user.
///
/// # Panics
/// Never: the settings are valid.
pub fn settings() -> Settings {
    measured(Settings::default())
}

/// These settings with those of the measurement.
pub(super) fn measured(mut settings: Settings) -> Settings {
    let stages = format!("pipeline.stages={STAGES}");
    for assignment in SETTINGS.iter().copied().chain([stages.as_str()]) {
        settings.set(assignment).unwrap_or_else(|e| panic!("{e}"));
    }
    settings
}

/// Setting of the strategy for rare orders: one in about 10,000 messages.
const RARELY: &str = "random.every=4000";
/// Sampling rate for the times of the stages.
const SAMPLED: &str = "pipeline.sample_every=16";
/// Longest run for that sampling, in seconds.
const STAGES_SECONDS: f64 = 1.0;

/// Number of messages that a load needs, including the steps of the sweep.
pub fn messages(load: &Load, sweep: bool) -> Result<u64, OpenLoopError> {
    let own = schedule(load)?.messages();
    Ok(if sweep { own.max(STEP_MESSAGES) } else { own })
}

pub(super) fn schedule(load: &Load) -> Result<Schedule, OpenLoopError> {
    Schedule::new(load.rate, load.seconds, &load.bursts).map_err(OpenLoopError::Schedule)
}

/// Measures a load on a day with [`messages`] messages. `progress` receives the name of each phase.
///
/// # Errors
/// When the pipeline cannot be built, or a run fails.
pub fn measure(
    load: &Load,
    day: &mut Day,
    settings: &Settings,
    sweep: bool,
    stop: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(&str),
) -> Result<TickToOrder, OpenLoopError> {
    let setting = Setting::begin("tick-to-order");
    let schedule = schedule(load)?;
    progress("the rate, with its bursts");
    let run = passage(day, &schedule, settings, stop)?;
    progress("single stages");
    let mut unrecorded = settings.clone();
    unrecorded.journal_dir = None;
    let mut sampling = unrecorded.clone();
    sampling.set(SAMPLED).map_err(|e| Faults(vec![e]))?;
    let short = Schedule::new(load.rate, load.seconds.min(STAGES_SECONDS), &[]).map_err(OpenLoopError::Schedule)?;
    let sampled = passage(day, &short, &sampling, stop)?;
    progress("rare orders");
    let rare = rare(load, day, &unrecorded, stop)?;
    let mut steps = Vec::new();
    if sweep {
        steps = swept(load.rate, day, &unrecorded, stop, progress)?;
    }
    let stalls = Stalls::watch(own_cores(1).first().copied(), Duration::from_millis(500));
    let mut result = analysed(setting.end(), load, &schedule, day.warm(), &run, stalls);
    result.stages = stage_times(&sampled.report);
    result.rare = rare;
    result.sweep = steps;
    Ok(result)
}

/// Measures the rate, without bursts, with rare orders.
fn rare(
    load: &Load,
    day: &mut Day,
    settings: &Settings,
    stop: &Arc<AtomicBool>,
) -> Result<Option<Rare>, OpenLoopError> {
    let mut settings = settings.clone();
    settings.set(RARELY).map_err(|e| Faults(vec![e]))?;
    let schedule = Schedule::new(load.rate, load.seconds, &[]).map_err(OpenLoopError::Schedule)?;
    let run = passage(day, &schedule, &settings, stop)?;
    let times = Bursts::new(&schedule, &run).distributions();
    let fused = run.report.groups.len() == 1;
    let in_order: Vec<u64> = run.seen.samples.iter().map(|sample| sample.total_ns).collect();
    Ok((!in_order.is_empty()).then(|| Rare {
        messages_per_order: messages_per_order(&run),
        tick_to_order: Spread::of(Percentiles::from(&times.steady), &in_order),
        market: fused.then(|| Percentiles::from(&times.market)),
        decision: fused.then(|| Percentiles::from(&times.decision)),
    }))
}

/// Cost of a clock reading.
pub(super) fn clock_ns() -> f64 {
    rounded(crate::bench::stages::clock_cost(&Clock::new()) / 2.0)
}

/// Messages per order of a run.
pub(super) fn messages_per_order(run: &Passage) -> f64 {
    rounded(run.pursuit.messages as f64 / (run.seen.samples.len() as u64 + run.seen.past).max(1) as f64)
}

fn stage_times(report: &Report) -> Vec<StageTime> {
    let names = STAGES.split(',').filter_map(|name| report.latency.get_key_value(name));
    let groups = report.latency.iter().filter(|(name, _)| name.starts_with("group "));
    names.chain(groups).map(|(name, times)| StageTime { name: name.clone(), times: *times }).collect()
}

/// The bursts of a schedule and the orders of a run: which order belongs to which burst.
struct Bursts<'a> {
    spans: &'a [Span],
    run: &'a Passage,
    /// Indices of the spans that are bursts.
    bursts: Vec<usize>,
}

impl<'a> Bursts<'a> {
    fn new(schedule: &'a Schedule, run: &'a Passage) -> Bursts<'a> {
        let spans = schedule.spans();
        Bursts { spans, run, bursts: (0..spans.len()).filter(|i| spans[*i].factor > 1.0).collect() }
    }

    fn drained_ns(&self, i: usize) -> f64 {
        self.run.pursuit.spans[i].1.unwrap_or(self.run.pursuit.last_ns) as f64
    }

    /// Whether an order belongs to a burst: its message was due in the burst, or before the burst was drained.
    fn has(&self, i: usize, sample: &Sample) -> bool {
        let span = &self.spans[i];
        (span.start_ns..self.drained_ns(i).max(span.end_ns)).contains(&(sample.intended_ns as f64))
    }

    fn is_steady(&self, sample: &Sample) -> bool {
        !self.bursts.iter().any(|i| self.has(*i, sample))
    }

    fn times(&self, keep: impl Fn(&Sample) -> bool, time: fn(&Sample) -> u64) -> Histogram<u64> {
        let mut times = crate::pipeline::histogram();
        self.run.seen.samples.iter().filter(|s| keep(s)).for_each(|s| times.saturating_record(time(s).max(1)));
        times
    }

    fn distributions(&self) -> Distributions {
        let steady = |time| self.times(|s| self.is_steady(s), time);
        Distributions {
            all: self.times(|_| true, |s| s.total_ns),
            steady: steady(|s| s.total_ns),
            wait: steady(|s| s.waited_ns),
            work: steady(|s| s.total_ns.saturating_sub(s.waited_ns)),
            market: steady(|s| s.seen_ns.saturating_sub(s.waited_ns)),
            decision: steady(|s| s.total_ns.saturating_sub(s.seen_ns)),
        }
    }

    fn result(&self, i: usize) -> BurstResult {
        let span = &self.spans[i];
        let drain_ms = rounded((self.drained_ns(i) - span.end_ns).max(0.0) / 1e6);
        BurstResult {
            factor: span.factor,
            start_s: rounded(span.start_ns / 1e9),
            seconds: rounded((span.end_ns - span.start_ns) / 1e9),
            kept_up: drain_ms < 1.0,
            max_behind: self.run.pursuit.spans[i].0,
            drain_ms,
            times: Percentiles::from(&self.times(|s| self.has(i, s), |s| s.total_ns)),
        }
    }
}

fn analysed(
    setting: Setting,
    load: &Load,
    schedule: &Schedule,
    warm_messages: u64,
    run: &Passage,
    stalls: Stalls,
) -> TickToOrder {
    let Passage { pursuit, seen, report, .. } = run;
    let bursts = Bursts::new(schedule, run);
    let distributions = bursts.distributions();
    let fused = report.groups.len() == 1;
    let in_order: Vec<u64> = seen.samples.iter().filter(|s| bursts.is_steady(s)).map(|s| s.total_ns).collect();
    TickToOrder {
        setting,
        rate: load.rate,
        seconds: load.seconds,
        messages: pursuit.messages,
        warm_messages,
        achieved_per_s: achieved(run),
        messages_per_order: messages_per_order(run),
        uncaused: seen.uncaused,
        refused: report.refused.values().sum(),
        groups: report.groups.clone(),
        clock_ns: clock_ns(),
        tick_to_order: Spread::of(Percentiles::from(&distributions.steady), &in_order),
        all: Percentiles::from(&distributions.all),
        wait: fused.then(|| Percentiles::from(&distributions.wait)),
        work: fused.then(|| Percentiles::from(&distributions.work)),
        market: fused.then(|| Percentiles::from(&distributions.market)),
        decision: fused.then(|| Percentiles::from(&distributions.decision)),
        rare: None,
        bursts: bursts.bursts.iter().map(|i| bursts.result(*i)).collect(),
        stages: Vec::new(),
        sweep: Vec::new(),
        stalls,
        distributions,
        timeline: timeline(schedule, run),
    }
}

pub(super) fn achieved(run: &Passage) -> f64 {
    (run.pursuit.messages as f64 / run.pursuit.last_ns.max(1) as f64 * 1e9).round()
}

fn timeline(schedule: &Schedule, run: &Passage) -> Timeline {
    let slice_ns = schedule.ends_ns() / SLICES as u64 + 1;
    let mut orders = vec![Vec::new(); SLICES];
    for sample in &run.seen.samples {
        orders[((sample.intended_ns / slice_ns) as usize).min(SLICES - 1)].push(sample.total_ns);
    }
    let middle = |times: &mut Vec<u64>| {
        times.sort_unstable();
        Some((*times.get(times.len() / 2)?, *times.last()?))
    };
    let offered = |slice: usize| {
        let (from, to) = (slice as u64 * slice_ns, (slice as u64 + 1) * slice_ns);
        (schedule.due(to) - schedule.due(from)) as f64 / slice_ns as f64 * 1e9
    };
    Timeline {
        slice_ns,
        behind: run.pursuit.behind.clone(),
        orders: orders.iter_mut().map(middle).collect(),
        offered: (0..SLICES).map(offered).collect(),
    }
}

/// Messages of a step of the sweep.
const STEP_MESSAGES: u64 = 2_000_000;
/// Longest duration of a step, in seconds.
const STEP_SECONDS: f64 = 2.0;
/// Ratio of the first rate of a sweep to the requested one, and of each rate to the one before.
const FIRST_STEP: f64 = 0.25;
const NEXT_STEP: f64 = 1.414;
/// Most steps.
const STEPS: usize = 24;

/// Raises the rate until the pipeline is saturated.
fn swept(
    rate: f64,
    day: &mut Day,
    settings: &Settings,
    stop: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Step>, OpenLoopError> {
    let mut steps: Vec<Step> = Vec::new();
    let mut offered = rate * FIRST_STEP;
    while steps.len() < STEPS && !steps.last().is_some_and(|s| s.saturated) {
        progress(&format!("sweep: {:.2} M messages/s", offered / 1e6));
        let seconds = (STEP_MESSAGES as f64 / offered).min(STEP_SECONDS);
        let schedule = Schedule::new(offered, seconds, &[]).map_err(OpenLoopError::Schedule)?;
        let run = passage(day, &schedule, settings, stop)?;
        let mut times = crate::pipeline::histogram();
        run.seen.samples.iter().for_each(|s| times.saturating_record(s.total_ns.max(1)));
        let late = run.pursuit.last_ns.saturating_sub(schedule.ends_ns()) as f64;
        steps.push(Step {
            offered_per_s: offered.round(),
            achieved_per_s: achieved(&run),
            saturated: late > schedule.ends_ns() as f64 * 0.02,
            max_behind: run.pursuit.behind.iter().copied().max().unwrap_or(0),
            times: Percentiles::from(&times),
        });
        offered *= NEXT_STEP;
    }
    Ok(steps)
}

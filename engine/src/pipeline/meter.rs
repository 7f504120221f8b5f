//! Latency per stage, sampled.
//!
//! One input in N is timed. Reading the time stamp counter costs up to 25 ns on some hosts, and that is part of the
//! figures. Histograms are of fixed size (1 ns to 10 s), so recording never allocates; other threads may read them while
//! the pipeline runs ([`super::times`]). Times go to the meter and never into an event.

use super::times::{Times, TimesReader};
use hdrhistogram::Histogram;
use quanta::Clock;

/// Latencies of one stage, or of a whole group.
#[derive(Clone)]
pub struct Latency {
    /// Name of the stage; `group NAME` for a whole group.
    pub name: String,
    /// Nanoseconds.
    pub histogram: Histogram<u64>,
}

/// The sampling meter of a group.
pub struct Meter {
    every: u64,
    left: u64,
    /// `None`: nothing is timed, and the clock needs not be calibrated, which takes milliseconds.
    clock: Option<Clock>,
    stages: Vec<Times>,
    whole: Times,
}

impl Meter {
    /// A meter for `stages` stages that times one input in `every`; 0 = no timing.
    pub fn new(stages: usize, every: u64) -> Meter {
        let stages = (0..stages).map(|_| Times::default()).collect();
        Meter { every, left: every, clock: (every > 0).then(Clock::new), stages, whole: Times::default() }
    }

    /// Whether this input is timed.
    #[inline]
    pub fn is_due(&mut self) -> bool {
        if self.every == 0 {
            return false;
        }
        self.left -= 1;
        let due = self.left == 0;
        if due {
            self.left = self.every;
        }
        due
    }

    /// The time stamp counter now.
    #[inline]
    pub fn now(&self) -> u64 {
        self.clock.as_ref().map_or(0, Clock::raw)
    }

    /// Nanoseconds since `start`.
    #[inline]
    fn since(&self, start: u64) -> u64 {
        self.clock.as_ref().map_or(0, |clock| clock.delta_as_nanos(start, clock.raw()))
    }

    /// Records the time of stage `index` since `start`.
    #[inline]
    pub fn record(&mut self, index: usize, start: u64) {
        let ns = self.since(start);
        self.stages[index].record(ns);
    }

    /// Records the time of the whole group since `start`.
    #[inline]
    pub fn record_whole(&mut self, start: u64) {
        let ns = self.since(start);
        self.whole.record(ns);
    }

    /// The reading ends by stage.
    pub fn stages(&self) -> impl Iterator<Item = TimesReader> {
        self.stages.iter().map(Times::reader)
    }

    /// The reading end of the whole group.
    pub fn whole(&self) -> TimesReader {
        self.whole.reader()
    }
}

//! The exit of a group: a ring to the next group, or the tail.
//!
//! An exit waits for room and never drops. [`StallMeter`] times each wait where it happens, and the group's load meter
//! reads the sum. Bound: three numbers per group. Worst case: two readings of the time stamp counter per wait.

use super::trading_state::TailState;
use flow::{Event, Sink, StateWriter, TradingState};
use quanta::Clock;

/// Whatever takes events.
pub trait Accepts {
    /// Takes an event. Waits for room rather than drop it, and calls `on_backpressure` meanwhile.
    fn accept(&mut self, event: &Event, on_backpressure: &mut dyn FnMut());
}

/// Where a group hands its events.
pub trait Exit: Accepts {
    /// Called when all inputs up to `seq` are finished and everything they caused has been handed over.
    fn finished(&mut self, seq: u64, on_backpressure: &mut dyn FnMut());
    /// Whether this is the end of the pipeline, so that an event it has taken is finished.
    fn ends_the_pipeline(&self) -> bool {
        false
    }
    /// Whether the exit takes no more events, so that the group must stop.
    fn is_closed(&self) -> bool;
    /// Says where trading stands, after the stages have; only the end of the pipeline knows anything.
    fn trading_state(&self, _stages: &TradingState, _to: &mut TailState) {}
    /// Saves what lies behind the groups; only the end of the pipeline has something. The pipeline must be idle.
    fn save(&mut self, _to: &mut StateWriter<'_>) {}
    /// Logs the outcomes there from now on; returns the logs so far. Asked of the end of the pipeline only, when it is idle.
    fn change_log(&mut self, _to: Box<dyn Sink>) -> Vec<Box<dyn Sink>> {
        Vec::new()
    }
    /// The waits for room so far.
    #[inline]
    fn stalls(&self) -> Stalls {
        Stalls::default()
    }
}

/// Sums over all waits for room; times are in ticks of the time stamp counter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stalls {
    /// Number of waits.
    pub count: u64,
    /// Total time.
    pub ticks: u64,
    /// The longest wait.
    pub longest: u64,
}

/// Times waits for room, if metering is on.
#[derive(Default)]
pub struct StallMeter {
    clock: Option<Clock>,
    stalls: Stalls,
}

impl StallMeter {
    /// A meter that times with `clock`; without one it only counts.
    pub fn new(clock: Option<Clock>) -> StallMeter {
        StallMeter { clock, stalls: Stalls::default() }
    }

    /// Runs `wait` and times it.
    #[cold]
    pub fn time<R>(&mut self, wait: impl FnOnce() -> R) -> R {
        let now = |clock: &Option<Clock>| clock.as_ref().map_or(0, Clock::raw);
        let start = now(&self.clock);
        let done = wait();
        let ticks = now(&self.clock).saturating_sub(start);
        self.stalls.count += 1;
        self.stalls.ticks += ticks;
        self.stalls.longest = self.stalls.longest.max(ticks);
        done
    }

    /// The sums so far.
    #[inline]
    pub fn stalls(&self) -> Stalls {
        self.stalls
    }
}

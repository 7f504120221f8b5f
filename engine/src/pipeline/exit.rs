//! The exit of a group: a ring to the next group, or the tail.
//!
//! An exit waits for room and never drops, so it also knows how long it waited: [`StallMeter`] times each wait where it
//! happens, and the meter of the group's load reads the sum. Bound: three numbers a group. Worst case: two readings of the
//! time stamp counter for a wait.

use flow::Event;
use quanta::Clock;

/// Where a group hands its events: a ring, or the tail.
pub trait Exit {
    /// Takes an event; waits for room rather than drop it, and calls `on_backpressure` while it waits.
    fn accept(&mut self, event: &Event, on_backpressure: &mut dyn FnMut());
    /// All inputs up to `seq` are finished and everything they caused was handed over.
    fn finished(&mut self, seq: u64, on_backpressure: &mut dyn FnMut());
    /// Whether nothing lies behind it: what it has taken is finished.
    fn ends_the_pipeline(&self) -> bool {
        false
    }
    /// Whether the other side is gone: the group stops.
    fn is_closed(&self) -> bool;
    /// How long it waited for room so far.
    #[inline]
    fn stalls(&self) -> Stalls {
        Stalls::default()
    }
}

/// Waits for room, summed up; times are ticks of the counter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stalls {
    /// How many.
    pub count: u64,
    /// All together.
    pub ticks: u64,
    /// The longest.
    pub longest: u64,
}

/// Times waits for room, where somebody asked for it.
#[derive(Default)]
pub struct StallMeter {
    clock: Option<Clock>,
    stalls: Stalls,
}

impl StallMeter {
    /// One that times with `clock`; without one it only counts.
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

    /// What it saw.
    #[inline]
    pub fn stalls(&self) -> Stalls {
        self.stalls
    }
}

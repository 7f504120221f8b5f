//! What the host takes: how long a thread that does nothing but look at the clock is not let to.
//!
//! Interrupts, the scheduler and a hypervisor stop every thread. No pipeline can be better than this, and a percentile that lies
//! beyond it shows the host. Bound: one thread spins for as long as asked.

use quanta::Clock;
use serde::Serialize;
use std::time::{Duration, Instant};

/// A gap between two looks at the clock that is longer than this is the host's.
const GAP_NS: u64 = 1_000;

/// Gaps in a thread that only looks at the clock.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Stalls {
    /// Gaps longer than a microsecond, a second.
    pub over_1us_per_s: f64,
    /// The longest.
    pub max_ns: u64,
    /// Share of the time that is in such gaps, in per cent.
    pub share_percent: f64,
}

impl Stalls {
    /// Looks for so long, on a thread pinned to `core` if there is one.
    pub fn watch(core: Option<usize>, time: Duration) -> Stalls {
        let looking = ring::thread::spawn_pinned("stalls", core, move || Stalls::here(time));
        looking.ok().and_then(|worker| worker.join().ok()).unwrap_or_default()
    }

    fn here(time: Duration) -> Stalls {
        let (clock, start) = (Clock::new(), Instant::now());
        let (mut count, mut sum, mut max_ns) = (0u32, 0, 0);
        let mut before = clock.raw();
        while start.elapsed() < time {
            for _ in 0..1_000 {
                let now = clock.raw();
                let gap = clock.delta_as_nanos(before, now);
                before = now;
                if gap > GAP_NS {
                    (count, sum, max_ns) = (count + 1, sum + gap, gap.max(max_ns));
                }
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let rounded = crate::bench::rounds::rounded;
        Stalls {
            over_1us_per_s: rounded(f64::from(count) / seconds),
            max_ns,
            share_percent: rounded(sum as f64 / seconds / 1e7),
        }
    }
}

//! Stalls of the host: how long a thread that only reads the clock is kept from running.
//!
//! Interrupts, the scheduler and a hypervisor stop every thread. No pipeline can be faster than that, and a percentile beyond
//! it measures the host. Bound: one thread spins for as long as requested.

use quanta::Clock;
use serde::Serialize;
use std::time::{Duration, Instant};

/// A longer gap between two clock readings is a stall of the host.
const GAP_NS: u64 = 1_000;

/// Gaps in a thread that only reads the clock.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Stalls {
    /// Gaps longer than a microsecond, per second.
    pub over_1us_per_s: f64,
    /// The longest gap.
    pub max_ns: u64,
    /// Share of the time spent in such gaps, in per cent.
    pub share_percent: f64,
}

impl Stalls {
    /// Watches the clock for this long, on a thread pinned to `core` if given.
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

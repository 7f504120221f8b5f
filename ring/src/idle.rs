//! What a loop does while its ring is empty or full.
//!
//! **Idea.** Four policies. Three never sleep: a futex wake-up costs about 33 µs, as much as a hundred hops. The right one
//! depends on the cores: a group alone on an isolated core spins; where threads outnumber cores, a waiting thread must
//! yield, or the thread it waits for cannot run. The fourth, `park`, gives the core back: it looks [`LOOKS`] times, then
//! sleeps, and twice as long each time it finds nothing.
//!
//! **Bound.** One wait is one step: nothing, one pause instruction, one system call, or one sleep of [`SHORTEST`] to
//! [`LONGEST`], so that nobody has to wake a sleeper. **Worst case.** On a loaded machine `yield` gives the core away for
//! a scheduling period (milliseconds). With `park` an event that comes after a rest waits [`LONGEST`] in every group.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::kind::UnknownName;

/// Waits without a sleep, before `park` sleeps.
const LOOKS: u32 = 64;
/// The first sleep of `park`.
const SHORTEST: Duration = Duration::from_micros(50);
/// The longest one.
const LONGEST: Duration = Duration::from_millis(2);

/// How a loop waits for its ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Idle {
    /// Retries at once: lowest latency, occupies the whole core.
    Spin,
    /// Spins with the processor's pause hint: kinder to a sibling hyper-thread, some nanoseconds slower.
    SpinHint,
    /// Yields the core to any runnable thread: the only right choice when threads share cores and each has work.
    #[default]
    Yield,
    /// Sleeps, up to two milliseconds at a time: an idle thread takes next to nothing.
    Park,
}

impl Idle {
    /// Every policy, in documentation order.
    pub const ALL: [Self; 4] = [Self::Spin, Self::SpinHint, Self::Yield, Self::Park];

    /// The name in configuration files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::SpinHint => "hint",
            Self::Yield => "yield",
            Self::Park => "park",
        }
    }

    /// Waits one step, after `quiet` steps that found nothing.
    #[inline]
    pub fn wait(&self, quiet: &mut u32) {
        match self {
            Self::Spin => {}
            Self::SpinHint => std::hint::spin_loop(),
            Self::Yield => std::thread::yield_now(),
            Self::Park => park(quiet),
        }
    }
}

fn park(quiet: &mut u32) {
    if *quiet < LOOKS {
        std::hint::spin_loop();
    } else {
        std::thread::sleep(sleep_after(*quiet));
    }
    *quiet = quiet.saturating_add(1);
}

/// How long `park` sleeps after so many steps that found nothing.
fn sleep_after(quiet: u32) -> Duration {
    let doubled = quiet.saturating_sub(LOOKS).min(16);
    (SHORTEST * (1 << doubled)).min(LONGEST)
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Idle {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|idle| idle.name() == name)
            .ok_or_else(|| UnknownName::new("idle policy", name, &Self::ALL.map(Self::name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_found_by_its_name_and_returns_from_waiting() {
        for idle in Idle::ALL {
            assert_eq!(idle.to_string().parse(), Ok(idle));
            idle.wait(&mut 0);
        }
        let error = "sleep".parse::<Idle>().unwrap_err();
        assert_eq!(error.to_string(), "unknown idle policy `sleep`; one of: spin, hint, yield, park");
    }

    #[test]
    fn a_parked_loop_looks_a_while_and_then_sleeps_longer_and_longer_up_to_its_bound() {
        let mut quiet = 0;
        (0..LOOKS).for_each(|_| Idle::Park.wait(&mut quiet));
        assert_eq!(quiet, LOOKS);
        assert_eq!([0, 1, 2].map(|n| sleep_after(LOOKS + n)), [SHORTEST, SHORTEST * 2, SHORTEST * 4]);
        assert_eq!([10, u32::MAX - LOOKS].map(|n| sleep_after(LOOKS + n)), [LONGEST; 2]);
        let began = std::time::Instant::now();
        Idle::Park.wait(&mut quiet);
        assert!(began.elapsed() >= SHORTEST);
    }
}

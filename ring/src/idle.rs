//! What a loop does while its ring is empty or full.
//!
//! **Idea.** Three policies, none of which sleeps: a futex wake-up costs about 33 µs, as much as a hundred hops. The
//! right one depends on the cores: a group alone on an isolated core spins; where threads outnumber cores, a waiting
//! thread must yield, or the thread it waits for cannot run.
//!
//! **Bound.** One `wait` is one step: nothing, one pause instruction, or one system call. **Worst case.** On a loaded
//! machine `yield` gives the core away for a scheduling period (milliseconds).

use std::fmt;
use std::str::FromStr;

use crate::kind::UnknownName;

/// How a loop waits for its ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Idle {
    /// Retries at once: lowest latency, occupies the whole core.
    Spin,
    /// Spins with the processor's pause hint: kinder to a sibling hyper-thread, some nanoseconds slower.
    SpinHint,
    /// Yields the core to any runnable thread: the only right choice when threads share cores.
    #[default]
    Yield,
}

impl Idle {
    /// Every policy, in documentation order.
    pub const ALL: [Self; 3] = [Self::Spin, Self::SpinHint, Self::Yield];

    /// The name in configuration files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::SpinHint => "hint",
            Self::Yield => "yield",
        }
    }

    /// Waits one step.
    #[inline]
    pub fn wait(&self) {
        match self {
            Self::Spin => {}
            Self::SpinHint => std::hint::spin_loop(),
            Self::Yield => std::thread::yield_now(),
        }
    }
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
            idle.wait();
        }
        let error = "sleep".parse::<Idle>().unwrap_err();
        assert_eq!(error.to_string(), "unknown idle policy `sleep`; one of: spin, hint, yield");
    }
}

//! What a loop does while its ring is empty or full.
//!
//! **Idea.** Five policies. Three never sleep: a futex wake-up costs about 33 µs, as much as a hundred hops. The right one
//! depends on the cores: a group alone on an isolated core spins, with as many [pauses](crate::pauses) between two looks as
//! suit the way to the other core; where threads outnumber cores, a waiting thread must
//! `yield`, or the thread it waits for cannot run. Where a yield takes long, since other programs keep the core busy, it sleeps as
//! briefly as the system allows for the next [`NAPS`] waits: a sleeper is run soon after it wakes. The last, `park`, gives the
//! core back: it looks [`LOOKS`] times, then sleeps, and twice as long each time it finds nothing.
//!
//! **Bound.** One wait is one step: nothing, some pause instructions, one yield, or one sleep of at most [`LONGEST`], so that
//! nobody has to wake a sleeper. **Worst case.** On a loaded machine `yield` gives the core away for a scheduling period
//! (milliseconds), once in so many waits. With `park` an event that comes after a rest waits [`LONGEST`] in every group.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::kind::UnknownName;

/// A yield that takes longer has waited for the scheduling period of a neighbour that does not yield (3 ms by default). Groups
/// that share a core do, and have it back within some hundred microseconds: naps between them would only hold them up.
const LONG: Duration = Duration::from_millis(1);
/// A sleep of `yield` on a crowded core; the system makes it some 50 µs long.
const NAP: Duration = Duration::from_nanos(1);
/// How many waits then sleep, before one tries to yield again.
const NAPS: u32 = 1_000;
/// Waits without a sleep, before `park` sleeps.
const LOOKS: u32 = 64;
/// The first sleep of `park`.
const SHORTEST: Duration = Duration::from_micros(50);
/// The longest one.
const LONGEST: Duration = Duration::from_millis(4);
/// How often the first is doubled until it is not shorter than the longest.
const DOUBLED: u32 = 7;
/// Bits beside the steps of `park`: something was found since its last sleep; something was found before that sleep.
const FOUND: u32 = 1 << 31;
const FOUND_BEFORE: u32 = 1 << 30;
const STEPS: u32 = FOUND_BEFORE - 1;

/// How a loop waits for its ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Idle {
    /// Retries at once: lowest latency, occupies the whole core.
    Spin,
    /// Spins with the processor's pause hint: kinder to a sibling hyper-thread, some nanoseconds slower.
    SpinHint,
    /// Spins with so many pause hints between two looks: 1 until they are [measured](crate::pauses::measure).
    Pauses(u8),
    /// Yields the core to any runnable thread, and sleeps briefly where a yield takes long: the only right choice when threads
    /// share cores and each has work.
    #[default]
    Yield,
    /// Sleeps, up to four milliseconds at a time: an idle thread takes next to nothing.
    Park,
}

impl Idle {
    /// Every policy, in documentation order.
    pub const ALL: [Self; 5] = [Self::Spin, Self::SpinHint, Self::UNMEASURED, Self::Yield, Self::Park];

    /// Spins with pauses whose number is not measured yet.
    pub const UNMEASURED: Self = Self::Pauses(1);

    /// The name in configuration files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::SpinHint => "hint",
            Self::Pauses(_) => "pauses",
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
            Self::Pauses(pauses) => (0..*pauses).for_each(|_| std::hint::spin_loop()),
            Self::Yield => yield_or_sleep(),
            Self::Park => park(quiet),
        }
    }
}

impl Idle {
    /// Something came after `quiet` steps that found nothing. Where little comes, what was waited for says how long to wait for the
    /// next: `park` sleeps as long as it did last, half as long once two sleeps in a row have found something, and not at all once
    /// several have.
    #[inline]
    pub fn found(&self, quiet: &mut u32) {
        if *quiet > 0 {
            *quiet = if matches!(self, Self::Park) { after_found(*quiet) } else { 0 };
        }
    }
}

thread_local! {
    /// Waits of this thread that sleep, because the last yield took too long.
    static CROWDED: Cell<u32> = const { Cell::new(0) };
}

/// A yield behind busy neighbours comes back after their whole scheduling periods, while a thread that slept is run soon after
/// it wakes. So a yield that took long is followed by short sleeps.
fn yield_or_sleep() {
    if let Some(left) = CROWDED.get().checked_sub(1) {
        CROWDED.set(left);
        return std::thread::sleep(NAP);
    }
    let began = Instant::now();
    std::thread::yield_now();
    if began.elapsed() > LONG {
        CROWDED.set(NAPS);
    }
}

fn park(quiet: &mut u32) {
    let (steps, has_found) = (*quiet & STEPS, *quiet & FOUND != 0);
    if steps < LOOKS {
        std::hint::spin_loop();
    } else {
        std::thread::sleep(sleep_after(steps));
    }
    *quiet = (steps + 1).min(STEPS) | if has_found { FOUND_BEFORE } else { 0 };
}

/// The steps from which `park` goes on once it has found something: with its last sleep again, or with half of it if it had found
/// something before that sleep too; 0 if it did not sleep, or not longer than the shortest time.
fn after_found(quiet: u32) -> u32 {
    // The last sleep was that of one step less.
    let doubled = (quiet & STEPS).saturating_sub(LOOKS + 1).min(DOUBLED);
    match doubled {
        0 => 0,
        _ if quiet & (FOUND | FOUND_BEFORE) == 0 => (LOOKS + doubled) | FOUND,
        _ => (LOOKS + doubled - 1) | FOUND,
    }
}

/// How long `park` sleeps after so many steps that found nothing.
fn sleep_after(quiet: u32) -> Duration {
    let doubled = quiet.saturating_sub(LOOKS).min(DOUBLED);
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
        assert_eq!(error.to_string(), "unknown idle policy `sleep`; one of: spin, hint, pauses, yield, park");
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

    #[test]
    fn a_parked_loop_that_finds_something_sleeps_as_long_again_then_half_as_long_then_looks() {
        let next = |quiet: u32| sleep_after(quiet & STEPS);
        let mut quiet = LOOKS + DOUBLED + 40;
        Idle::Park.found(&mut quiet);
        assert_eq!(next(quiet), LONGEST, "one find says little");
        Idle::Park.wait(&mut quiet);
        Idle::Park.found(&mut quiet);
        assert_eq!(quiet & STEPS, LOOKS + DOUBLED - 1, "two in a row: half");
        Idle::Park.wait(&mut quiet);
        Idle::Park.wait(&mut quiet);
        Idle::Park.found(&mut quiet);
        assert_eq!(next(quiet), LONGEST, "not in a row: the last sleep, which was longer again");
        let mut batch = LOOKS + DOUBLED + 40;
        let finds = std::iter::repeat_with(|| {
            Idle::Park.found(&mut batch);
            batch
        });
        assert!(finds.take(5).last() == Some(0), "a batch ends the sleeps");
        for (idle, steps) in [(Idle::Park, 0), (Idle::Park, LOOKS), (Idle::Park, LOOKS + 1), (Idle::Yield, 500)] {
            let mut quiet = steps;
            idle.found(&mut quiet);
            assert_eq!(quiet, 0, "{idle} after {steps}");
        }
        let mut long = STEPS;
        Idle::Park.wait(&mut long);
        assert_eq!(long, STEPS, "steps never reach the bits");
    }
}

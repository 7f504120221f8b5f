//! How fast is asked: as the limit of the plan allows, and after a failure ever more slowly.
//!
//! Who has used up its minute waits until the time that Alpaca names. Who is refused waits twice as long each time, and up to as much
//! again by chance ([`Pauses`]), or until that time if it is later. Bound: [`TRIES`] in a row; then it gives up, and what is there stays.

use super::client::Trouble;
use super::going::{FetchError, Watcher};
use crate::alpaca::receive::Pauses;
use crate::live::arrival;
use flow::Ns;
use std::time::{Duration, Instant};

/// Failures in a row that are borne.
const TRIES: u32 = 10;
/// No limit is reset later than that, whatever a header says.
const LONGEST: u64 = 90 * Ns::SECOND;
const STEP: Duration = Duration::from_millis(20);

pub(super) struct Pace {
    seed: u64,
    pauses: Pauses,
    failures: u32,
}

impl Pace {
    pub(super) fn new(seed: u64) -> Pace {
        Pace { seed, pauses: Pauses::new(seed), failures: 0 }
    }

    pub(super) fn went_well(&mut self) {
        if self.failures > 0 {
            self.seed += 1;
            (self.pauses, self.failures) = (Pauses::new(self.seed), 0);
        }
    }

    /// Waits before the same is asked again.
    pub(super) fn failed(&mut self, trouble: &Trouble, watcher: &dyn Watcher) -> Result<(), FetchError> {
        let (why, until) = match trouble {
            Trouble::Lasting(why) => return Err(FetchError::Refused(why.clone())),
            Trouble::Passing { why, until } => (why, *until),
        };
        self.failures += 1;
        if self.failures >= TRIES {
            return Err(FetchError::GaveUp(format!("{why}, {TRIES} times in a row")));
        }
        let pause = self.pauses.next(false).max(time_until(until, arrival()));
        watcher.say(&format!("{why}; it is asked again in {:.1} s", pause.as_secs_f64()));
        wait(pause, watcher)
    }

    /// Waits until there is room for a request again, if there is none.
    pub(super) fn rest(&self, until: Option<Ns>, watcher: &dyn Watcher) -> Result<(), FetchError> {
        let pause = time_until(until, arrival());
        if pause.is_zero() {
            return Ok(());
        }
        watcher.say(&format!("the requests of this minute are used up; it goes on in {:.0} s", pause.as_secs_f64()));
        wait(pause, watcher)
    }
}

/// How long until then, in reason.
fn time_until(until: Option<Ns>, now: Ns) -> Duration {
    let left = until.map_or(0, |until| until.0.saturating_sub(now.0));
    Duration::from_nanos(left.min(LONGEST))
}

fn wait(time: Duration, watcher: &dyn Watcher) -> Result<(), FetchError> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if watcher.stops() {
            return Err(FetchError::Stopped);
        }
        std::thread::sleep(STEP);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_over_or_absurd_does_not_hold_up() {
        let now = Ns(1_000 * Ns::SECOND);
        let wait = |second: u64| time_until(Some(Ns(second * Ns::SECOND)), now).as_secs();
        assert_eq!((wait(900), wait(1_030), wait(9_999)), (0, 30, 90));
        assert_eq!(time_until(None, now), Duration::ZERO);
    }
}

//! Detects a pipeline that stands still, as opposed to one that works or has nothing to do.
//!
//! A pipeline moves when it finishes inputs. When it has none to finish, its head must go on taking turns: a head that
//! waits for a source, a pace or room in the journal still takes them, and so does one that replays or skips. One that
//! hangs in a stage, a disk or a full ring does not. Every stall is reported once; as soon as the pipeline moves again, the
//! next one counts anew. Whether it stands still now is published beside that. Bound: three numbers. Worst case: a stall is
//! reported one look late.

use crate::drive::Control;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Where a pipeline stood at the last look, and since when.
pub(super) struct Motion {
    turns: u64,
    watermark: u64,
    since: Instant,
}

impl Motion {
    /// Of a pipeline that has not begun.
    pub(super) fn new(now: Instant) -> Motion {
        Motion { turns: 0, watermark: 0, since: now }
    }

    /// Looks at the pipeline; how long it has not moved. One that has not begun, or has ended, does not stand.
    pub(super) fn look(&mut self, control: &Control, now: Instant) -> Duration {
        let (turns, watermark) = (control.turns.load(Ordering::Relaxed), control.watermark.load(Ordering::Acquire));
        let is_behind = control.admitted.load(Ordering::Relaxed) > watermark;
        let runs = turns > 0 && !control.ended.load(Ordering::Acquire);
        if !runs || watermark != self.watermark || (!is_behind && turns != self.turns) {
            self.since = now;
        }
        (self.turns, self.watermark) = (turns, watermark);
        now.duration_since(self.since)
    }
}

/// Reports each stall of a pipeline once.
pub(super) struct Stalls {
    patience: Duration,
    motion: Motion,
    is_reported: bool,
}

impl Stalls {
    /// Reports a stall that lasts for `patience`.
    pub(super) fn new(patience: Duration, now: Instant) -> Stalls {
        Stalls { patience, motion: Motion::new(now), is_reported: false }
    }

    /// Looks at the pipeline; the input that it does not finish, once per stall.
    pub(super) fn look(&mut self, control: &Control, now: Instant) -> Option<u64> {
        let stood = self.motion.look(control, now);
        self.is_reported &= !stood.is_zero();
        let stands = !self.is_reported && stood >= self.patience;
        self.is_reported |= stands;
        let input = self.motion.watermark + 1;
        control.stalled.store(if self.is_reported { input } else { 0 }, Ordering::Relaxed);
        stands.then_some(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipeline at these turns, inputs and finished inputs.
    fn at(control: &Control, turns: u64, admitted: u64, watermark: u64) {
        control.turns.store(turns, Ordering::Relaxed);
        control.admitted.store(admitted, Ordering::Relaxed);
        control.watermark.store(watermark, Ordering::Release);
    }

    #[test]
    fn every_standstill_is_reported_once_and_none_that_only_looks_like_one() {
        let (control, began) = (Control::default(), Instant::now());
        let mut stalls = Stalls::new(Duration::from_secs(5), began);
        let mut second = 0;
        let mut look = |control: &Control| {
            second += 3;
            stalls.look(control, began + Duration::from_secs(second))
        };
        let mut looks = |control: &Control| [(); 4].map(|()| look(control));
        assert_eq!(looks(&control), [None; 4], "it has not begun");
        at(&control, 1, 0, 0);
        assert_eq!(looks(&control), [None, None, Some(1), None], "the head hangs in its first turn");
        at(&control, 2, 7, 4);
        assert_eq!(looks(&control), [None, None, Some(5), None], "a later group hangs, whatever the head does");
        for turn in 3..9 {
            at(&control, turn, 7, 7);
            assert_eq!(look(&control), None, "it rests");
        }
        for finished in 8..14 {
            at(&control, 9, 30, finished);
            assert_eq!(look(&control), None, "the head waits for room, the rest works");
        }
        control.ended.store(true, Ordering::Release);
        assert_eq!([(); 4].map(|()| look(&control)), [None; 4], "it has ended");
    }
}

//! The time of a turn.

use crate::plan::ClockKind;
use flow::Ns;
use std::time::SystemTime;

/// Whose time is now, and what it was last.
pub struct Clock {
    kind: ClockKind,
    wall: Ns,
    /// How far the wall clock went back since it was last asked, in nanoseconds.
    back: u64,
}

impl Clock {
    /// A clock of that kind.
    pub fn new(kind: ClockKind) -> Clock {
        Clock { kind, wall: Ns(0), back: 0 }
    }

    /// Reads the wall clock, once per turn; nothing under the event clock.
    pub fn begin_turn(&mut self) {
        if self.kind == ClockKind::Wall {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX - 1);
            self.back = self.back.max(self.wall.0.saturating_sub(now));
            self.wall = Ns(now.max(self.wall.0));
        }
    }

    /// The wall time of this turn, or `None` under the event clock.
    #[inline]
    pub fn wall(&self) -> Option<Ns> {
        (self.kind == ClockKind::Wall).then_some(self.wall)
    }

    /// Takes the backward step that was seen, if there was one.
    pub fn take_step_back(&mut self) -> Option<u64> {
        (self.back > 0).then(|| std::mem::take(&mut self.back))
    }
}

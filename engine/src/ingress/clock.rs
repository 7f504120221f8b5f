//! The time of a turn.
//!
//! Three ways: the wall's time; the exchange's as fast as it goes; the exchange's at a pace, which holds inputs back and
//! changes nothing else. A clock is read once a turn.

use crate::config::keys::ClockKind;
use flow::Ns;
use std::time::{Instant, SystemTime};

/// The wall's time.
pub fn wall_now() -> Ns {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ns(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX - 1))
}

/// How fast the exchange's time passes: a factor of the wall's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace(pub f64);

/// Where the paced time began.
struct Paced {
    pace: Pace,
    turn: Instant,
    began: Option<(Instant, Ns)>,
}

/// Whose time is now, and what it was last.
pub struct Clock {
    kind: ClockKind,
    wall: Ns,
    /// How far the wall clock went back since it was last asked, in nanoseconds.
    back: u64,
    paced: Option<Paced>,
}

impl Clock {
    /// A clock of that kind.
    pub fn new(kind: ClockKind) -> Clock {
        Clock { kind, wall: Ns(0), back: 0, paced: None }
    }

    /// Holds the event clock to a pace; the wall's has its own.
    pub fn with_pace(mut self, pace: Option<Pace>) -> Clock {
        let pace = pace.filter(|_| self.kind == ClockKind::Event);
        self.paced = pace.map(|pace| Paced { pace, turn: Instant::now(), began: None });
        self
    }

    /// Reads the clock, once per turn; nothing under the event clock as fast as it goes.
    pub fn begin_turn(&mut self) {
        if let Some(paced) = &mut self.paced {
            paced.turn = Instant::now();
        }
        if self.kind == ClockKind::Wall {
            let now = wall_now();
            self.back = self.back.max(self.wall.0.saturating_sub(now.0));
            self.wall = now.max(self.wall);
        }
    }

    /// Whether it is the event clock, as fast as it goes.
    pub fn is_free(&self) -> bool {
        self.kind == ClockKind::Event && self.paced.is_none()
    }

    /// The wall time of this turn, or `None` under the event clock.
    #[inline]
    pub fn wall(&self) -> Option<Ns> {
        (self.kind == ClockKind::Wall).then_some(self.wall)
    }

    /// The time of something that is heard in this turn; `now` is the last time given.
    #[inline]
    pub fn heard(&self, now: Ns) -> Ns {
        let reached = self.paced.as_ref().and_then(Paced::reached).unwrap_or(now);
        self.wall().unwrap_or(reached).max(now)
    }

    /// Whether an input at `at` is still to be held back. The first ever asked for begins the pace.
    #[inline]
    pub fn holds_back(&mut self, at: Ns) -> bool {
        let Some(paced) = &mut self.paced else {
            return false;
        };
        paced.began.get_or_insert((paced.turn, at));
        paced.reached().is_some_and(|reached| at > reached)
    }

    /// Takes the backward step that was seen, if there was one.
    pub fn take_step_back(&mut self) -> Option<u64> {
        (self.back > 0).then(|| std::mem::take(&mut self.back))
    }
}

impl Paced {
    /// How far the exchange's time has come in this turn.
    fn reached(&self) -> Option<Ns> {
        let (wall, event) = self.began?;
        let passed = self.turn.duration_since(wall).as_secs_f64() * self.pace.0 * 1e9;
        Some(Ns(event.0.saturating_add(passed as u64)))
    }
}

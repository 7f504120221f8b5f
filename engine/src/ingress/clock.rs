//! The clock of a turn.
//!
//! Three modes: wall time; event time, as fast as possible; event time at a pace, which delays inputs and changes nothing
//! else. Bound: one clock reading per turn.

use crate::config::keys::ClockKind;
use flow::Ns;
use std::time::{Instant, SystemTime};

/// The wall time now.
pub fn wall_now() -> Ns {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ns(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX - 1))
}

/// Event time per wall time: 2.0 replays at double speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace(pub f64);

/// The reference point of a paced clock.
struct Paced {
    pace: Pace,
    turn: Instant,
    began: Option<(Instant, Ns)>,
}

/// The clock of the merge: its mode and its last reading.
pub struct Clock {
    kind: ClockKind,
    wall: Ns,
    /// How far the wall clock stepped back since it was last checked, in nanoseconds.
    back: u64,
    paced: Option<Paced>,
}

impl Clock {
    /// A clock of this kind, unpaced.
    pub fn new(kind: ClockKind) -> Clock {
        Clock { kind, wall: Ns(0), back: 0, paced: None }
    }

    /// Paces the event clock; ignored for the wall clock.
    pub fn with_pace(mut self, pace: Option<Pace>) -> Clock {
        let pace = pace.filter(|_| self.kind == ClockKind::Event);
        self.paced = pace.map(|pace| Paced { pace, turn: Instant::now(), began: None });
        self
    }

    /// Reads the clock, once per turn; an unpaced event clock reads nothing.
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

    /// Whether this is the event clock, unpaced.
    pub fn is_free(&self) -> bool {
        self.kind == ClockKind::Event && self.paced.is_none()
    }

    /// The wall time of this turn; `None` under the event clock.
    #[inline]
    pub fn wall(&self) -> Option<Ns> {
        (self.kind == ClockKind::Wall).then_some(self.wall)
    }

    /// The time of a command or reply that arrives in this turn; `now` is the last assigned time.
    #[inline]
    pub fn arrival(&self, now: Ns) -> Ns {
        let reached = self.paced.as_ref().and_then(Paced::reached).unwrap_or(now);
        self.wall().unwrap_or(reached).max(now)
    }

    /// Whether the pace holds an input at `at` back. The first call sets the start of the pace.
    #[inline]
    pub fn holds_back(&mut self, at: Ns) -> bool {
        let Some(paced) = &mut self.paced else {
            return false;
        };
        paced.began.get_or_insert((paced.turn, at));
        paced.reached().is_some_and(|reached| at > reached)
    }

    /// Whether the wall clock has stepped back.
    #[inline]
    pub fn has_stepped_back(&self) -> bool {
        self.back > 0
    }

    /// Takes the size of a backward step of the wall clock, if there was one.
    pub fn take_step_back(&mut self) -> Option<u64> {
        (self.back > 0).then(|| std::mem::take(&mut self.back))
    }
}

impl Paced {
    /// The event time reached in this turn.
    fn reached(&self) -> Option<Ns> {
        let (wall, event) = self.began?;
        let passed = self.turn.duration_since(wall).as_secs_f64() * self.pace.0 * 1e9;
        Some(Ns(event.0.saturating_add(passed as u64)))
    }
}

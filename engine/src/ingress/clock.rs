//! The clock of a turn.
//!
//! Three modes: wall time; event time, as fast as possible; event time at a pace, which delays inputs and changes nothing
//! else. Bound: one clock reading per turn.
//!
//! **Wall time never jumps.** It is an anchor plus what the monotonic clock has counted since, so a system clock that is set
//! neither stops time nor makes hours pass in a moment: bars, ages and throttles go on at the pace of a second a second. A
//! hundred times a second the anchor moves towards the system's clock, by 500 ppm of the time since at most. Further off
//! than a second it says so, once. Worst case: a clock that was wrong when the run began stays wrong by hours until the
//! next start; the anomaly says by how much.

use crate::config::keys::ClockKind;
use flow::{AnomalyKind, Ns};
use std::time::{Duration, Instant, SystemTime};

/// The wall time now.
pub fn wall_now() -> Ns {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ns(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX - 1))
}

/// What a wall clock is made of.
pub trait Times: Send {
    /// Time since some moment; it never goes back.
    fn monotonic(&self) -> Duration;

    /// What the system says the time is.
    fn system(&self) -> Ns;
}

/// The clocks of the system.
struct SystemTimes(Instant);

impl Times for SystemTimes {
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn system(&self) -> Ns {
        wall_now()
    }
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

/// How far the system's clock is ahead of the run's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// Whether it is ahead; else it is behind.
    pub ahead: bool,
    /// By how many nanoseconds.
    pub ns: u64,
}

impl ClockStep {
    /// The anomaly that reports it.
    pub fn anomaly(self) -> AnomalyKind {
        if self.ahead { AnomalyKind::ForwardClock } else { AnomalyKind::BackwardClock }
    }
}

/// Wall time that never jumps.
struct WallTime {
    times: Box<dyn Times>,
    /// Wall time at the moment `from` of the monotonic clock, when the system's clock was looked at.
    anchor: u64,
    from: Duration,
    /// The time of this turn.
    turn: Ns,
    /// The system's clock is too far off, and that was told.
    told: bool,
    step: Option<ClockStep>,
}

/// How often the system's clock is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// The anchor moves by one part in this many of the time since the last look.
const SLEW: u64 = 2_000;
/// Further off than this is told.
const FAR: u64 = Ns::SECOND;

impl WallTime {
    fn new(times: Box<dyn Times>) -> WallTime {
        let (anchor, from) = (times.system().0, times.monotonic());
        WallTime { times, anchor, from, turn: Ns(anchor), told: false, step: None }
    }

    fn begin_turn(&mut self) {
        let now = self.times.monotonic();
        let passed = now.saturating_sub(self.from);
        let ours = self.anchor + passed.as_nanos() as u64;
        self.turn = Ns(ours).max(self.turn);
        if passed >= LOOK {
            self.look(now, ours, passed.as_nanos() as u64 / SLEW);
        }
    }

    /// Moves the anchor towards the system's clock, `most` nanoseconds at most.
    fn look(&mut self, now: Duration, ours: u64, most: u64) {
        let system = self.times.system().0;
        let (ahead, ns) = (system > ours, system.abs_diff(ours));
        let moved = ns.min(most);
        (self.anchor, self.from) = (if ahead { ours + moved } else { ours - moved }, now);
        if ns > FAR && !self.told {
            (self.told, self.step) = (true, Some(ClockStep { ahead, ns }));
        }
        self.told &= ns > FAR / 2;
    }
}

/// The clock of the merge: its mode and its last reading.
pub struct Clock {
    wall: Option<WallTime>,
    paced: Option<Paced>,
}

impl Clock {
    /// A clock of this kind, unpaced.
    pub fn new(kind: ClockKind) -> Clock {
        let wall = (kind == ClockKind::Wall).then(|| WallTime::new(Box::new(SystemTimes(Instant::now()))));
        Clock { wall, paced: None }
    }

    /// A wall clock that reads `times`.
    pub fn of_times(times: Box<dyn Times>) -> Clock {
        Clock { wall: Some(WallTime::new(times)), paced: None }
    }

    /// Paces the event clock; ignored for the wall clock.
    pub fn with_pace(mut self, pace: Option<Pace>) -> Clock {
        let pace = pace.filter(|_| self.wall.is_none());
        self.paced = pace.map(|pace| Paced { pace, turn: Instant::now(), began: None });
        self
    }

    /// Reads the clock, once per turn; an unpaced event clock reads nothing.
    pub fn begin_turn(&mut self) {
        if let Some(paced) = &mut self.paced {
            paced.turn = Instant::now();
        }
        if let Some(wall) = &mut self.wall {
            wall.begin_turn();
        }
    }

    /// Whether this is the event clock, unpaced.
    pub fn is_free(&self) -> bool {
        self.wall.is_none() && self.paced.is_none()
    }

    /// The wall time of this turn; `None` under the event clock.
    #[inline]
    pub fn wall(&self) -> Option<Ns> {
        self.wall.as_ref().map(|wall| wall.turn)
    }

    /// Wall time goes on from `now`, the end of a record, if it is behind that: the system's clock was set back since.
    pub fn go_on_from(&mut self, now: Ns) {
        if let Some(wall) = self.wall.as_mut().filter(|wall| wall.turn < now) {
            wall.anchor += now.0 - wall.turn.0;
            wall.turn = now;
        }
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

    /// Whether the system's clock was found too far off.
    #[inline]
    pub fn has_stepped(&self) -> bool {
        self.wall.as_ref().is_some_and(|wall| wall.step.is_some())
    }

    /// Takes how far the system's clock is off, once each time that it is found too far.
    pub fn take_step(&mut self) -> Option<ClockStep> {
        self.wall.as_mut()?.step.take()
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Clocks that a test sets: the monotonic and the system's, in nanoseconds.
    #[derive(Clone)]
    struct Set(Arc<Mutex<(u64, u64)>>);

    const START: u64 = 1_700_000_000 * Ns::SECOND;
    const HOUR: u64 = 3_600 * Ns::SECOND;
    const MS: u64 = 1_000_000;

    impl Set {
        /// Both go on.
        fn pass(&self, ns: u64) {
            let mut clocks = self.0.lock().unwrap();
            *clocks = (clocks.0 + ns, clocks.1 + ns);
        }

        fn set_system(&self, change: impl Fn(u64) -> u64) {
            let mut clocks = self.0.lock().unwrap();
            clocks.1 = change(clocks.1);
        }
    }

    impl Times for Set {
        fn monotonic(&self) -> Duration {
            Duration::from_nanos(self.0.lock().unwrap().0)
        }

        fn system(&self) -> Ns {
            Ns(self.0.lock().unwrap().1)
        }
    }

    fn clock() -> (Set, Clock) {
        let set = Set(Arc::new(Mutex::new((77, START))));
        (set.clone(), Clock::of_times(Box::new(set)))
    }

    fn turn(clock: &mut Clock) -> u64 {
        clock.begin_turn();
        clock.wall().unwrap().0
    }

    #[test]
    fn a_second_takes_a_second_whatever_the_system_says() {
        for ahead in [true, false] {
            let (set, mut clock) = clock();
            set.set_system(|now| if ahead { now + HOUR } else { now - HOUR });
            let mut last = START;
            for _ in 0..10_000 {
                set.pass(MS);
                let now = turn(&mut clock);
                assert!((MS - MS / 100..=MS + MS / 100).contains(&(now - last)), "{}", now - last);
                last = now;
            }
            let step = clock.take_step().expect("it is an hour off");
            assert_eq!((step.ahead, step.ns), (ahead, HOUR));
            assert_eq!(step.anomaly() == AnomalyKind::ForwardClock, ahead);
            assert_eq!(clock.take_step(), None, "it is told once");
            // Ten seconds at 500 ppm.
            assert!((last - START).abs_diff(10_000 * MS) <= 5 * MS + 5_000);
        }
    }

    #[test]
    fn a_small_step_is_followed_and_not_told() {
        let (set, mut clock) = clock();
        set.set_system(|now| now - 20 * MS);
        for _ in 0..60_000 {
            set.pass(MS);
            turn(&mut clock);
        }
        assert!(turn(&mut clock).abs_diff(START + 60_000 * MS - 20 * MS) < MS);
        assert_eq!(clock.take_step(), None);
    }

    #[test]
    fn a_clock_that_comes_back_and_goes_again_is_told_again() {
        let (set, mut clock) = clock();
        for change in [HOUR, 0, 2 * HOUR] {
            set.set_system(|_| START + 40 * MS + change);
            set.pass(20 * MS);
            turn(&mut clock);
            assert_eq!(clock.take_step().is_some(), change > 0, "{change}");
        }
    }

    #[test]
    fn time_goes_on_from_the_end_of_a_record() {
        let (set, mut clock) = clock();
        turn(&mut clock);
        clock.go_on_from(Ns(START + HOUR));
        set.pass(MS);
        assert_eq!(turn(&mut clock), START + HOUR + MS);
        set.pass(20 * MS);
        turn(&mut clock);
        let step = clock.take_step().expect("the record is from an hour later");
        assert!(!step.ahead && step.ns.abs_diff(HOUR) < MS);
        clock.go_on_from(Ns(START));
        assert_eq!(turn(&mut clock), START + HOUR + 21 * MS, "a record that is behind changes nothing");
    }
}

//! Where a group's time goes: busy, idle, stalled.
//!
//! **Idea.** The group's loop reads the time stamp counter and charges the time since the last reading to what it did:
//! *busy* if it took events, *idle* if there were none, *stalled* while it waited for room downstream, which is timed
//! where it waits. The three add up to the whole time between the first and the last reading. A turn of [`STRETCH`]
//! events or more ends with a reading; shorter consecutive turns share one, so a pipeline with short turns (one input
//! each, where orders may come back in between) does not pay for each. An idle wait starts and ends with a reading, since
//! it has time to spare.
//!
//! The thread keeps the sums and stores them, relaxed, in one cache line that only it writes. Any thread may read that
//! line ([`LoadReader`]), at the cost of one miss for the owner. The age of the current turn is the reader's clock less all
//! time accounted for; it exposes a group that hangs.
//!
//! **Bound.** One cache line per group; at most one reading (7 to 25 ns) and seven stores per [`STRETCH`] events.
//! **Worst case.** A group that runs dry after every event reads twice per event, in time it would otherwise idle away.

use super::exit::{Exit, Stalls};
use quanta::Clock;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Events after which a busy group reads the clock at the end of the turn.
pub(super) const STRETCH: usize = 16;

/// One cache line.
#[derive(Default)]
#[repr(align(64))]
struct Cells {
    /// When the group started; 0 = not started, or ended.
    began: AtomicU64,
    busy: AtomicU64,
    idle: AtomicU64,
    stalled: AtomicU64,
    turns: AtomicU64,
    longest_turn: AtomicU64,
    stalls: AtomicU64,
    longest_stall: AtomicU64,
}

const _: () = assert!(size_of::<Cells>() == 64);

/// The meter of a group's loop.
pub struct LoadMeter {
    /// `None`: metering is off.
    clock: Option<Clock>,
    cells: Arc<Cells>,
    last: u64,
    /// Events since the last reading.
    events: usize,
    busy: u64,
    idle: u64,
    turns: u64,
    longest_turn: u64,
    /// As of the last reading.
    stalls: Stalls,
}

impl LoadMeter {
    /// A meter that reads `clock`; without one it does not measure.
    pub fn new(clock: Option<Clock>) -> LoadMeter {
        LoadMeter {
            clock,
            cells: Arc::default(),
            last: 0,
            events: 0,
            busy: 0,
            idle: 0,
            turns: 0,
            longest_turn: 0,
            stalls: Stalls::default(),
        }
    }

    /// The reading end, if metering is on.
    pub fn reader(&self) -> Option<LoadReader> {
        self.clock.clone().map(|clock| LoadReader { clock, cells: Arc::clone(&self.cells) })
    }

    /// Starts the meter with the loop.
    pub fn begin(&mut self) {
        if let Some(clock) = &self.clock {
            self.last = clock.raw();
            self.cells.began.store(self.last, Relaxed);
        }
    }

    /// Ticks since the last reading.
    #[inline]
    fn passed(&mut self) -> Option<u64> {
        let now = self.clock.as_ref()?.raw();
        let passed = now.saturating_sub(self.last);
        self.last = now;
        Some(passed)
    }

    /// Ends a turn that took `events` events; `exit` has timed its waits.
    #[inline]
    pub fn worked(&mut self, events: usize, exit: &impl Exit) {
        self.turns += 1;
        self.events += events;
        if self.events >= STRETCH {
            self.account(exit.stalls());
        }
    }

    /// Charges the time since the last reading to busy and stalled.
    #[inline]
    fn account(&mut self, stalls: Stalls) {
        self.events = 0;
        let Some(passed) = self.passed() else { return };
        let mut worked = passed;
        if stalls.count != self.stalls.count {
            worked = passed.saturating_sub(stalls.ticks - self.stalls.ticks);
            self.stalled(stalls);
        }
        self.busy += worked;
        self.cells.busy.store(self.busy, Relaxed);
        self.cells.turns.store(self.turns, Relaxed);
        if worked > self.longest_turn {
            self.longest_turn = worked;
            self.cells.longest_turn.store(worked, Relaxed);
        }
    }

    #[cold]
    fn stalled(&mut self, stalls: Stalls) {
        self.stalls = stalls;
        self.cells.stalled.store(stalls.ticks, Relaxed);
        self.cells.stalls.store(stalls.count, Relaxed);
        self.cells.longest_stall.store(stalls.longest, Relaxed);
    }

    /// Runs `wait` because there is nothing to take, and charges its time to idle.
    #[inline]
    pub fn idle(&mut self, exit: &impl Exit, wait: impl FnOnce()) {
        if self.events > 0 {
            self.account(exit.stalls());
        }
        wait();
        if let Some(passed) = self.passed() {
            self.idle += passed;
            self.cells.idle.store(self.idle, Relaxed);
        }
    }

    /// Ends the meter with the loop.
    pub fn end(&mut self, exit: &impl Exit) {
        self.account(exit.stalls());
        self.cells.began.store(0, Relaxed);
    }
}

/// Reads a group's times from any thread.
#[derive(Clone)]
pub struct LoadReader {
    clock: Clock,
    cells: Arc<Cells>,
}

impl LoadReader {
    /// The sums so far, under the name `group`.
    pub fn read(&self, group: &str) -> GroupLoad {
        let cells = &self.cells;
        let ticks = |cell: &AtomicU64| cell.load(Relaxed);
        let ns = |ticks: u64| self.clock.delta_as_nanos(0, ticks);
        let (began, busy, idle) = (ticks(&cells.began), ticks(&cells.busy), ticks(&cells.idle));
        let stalled = ticks(&cells.stalled);
        let open = if began == 0 { 0 } else { self.clock.raw().saturating_sub(began + busy + idle + stalled) };
        GroupLoad {
            group: group.to_owned(),
            busy_ns: ns(busy),
            idle_ns: ns(idle),
            stalled_ns: ns(stalled),
            turns: ticks(&cells.turns),
            longest_turn_ns: ns(ticks(&cells.longest_turn)),
            stalls: ticks(&cells.stalls),
            longest_stall_ns: ns(ticks(&cells.longest_stall)),
            since_turn_ns: ns(open),
        }
    }
}

/// Where the time of a group went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLoad {
    /// Name of the group.
    pub group: String,
    /// Time of turns that took events, without their waits for room.
    pub busy_ns: u64,
    /// Time of turns that found no events.
    pub idle_ns: u64,
    /// Time spent waiting for room downstream.
    pub stalled_ns: u64,
    /// Turns that took events.
    pub turns: u64,
    /// The longest of them, without its waits; short consecutive turns count as one, up to 16 events.
    pub longest_turn_ns: u64,
    /// Waits for room.
    pub stalls: u64,
    /// The longest wait for room.
    pub longest_stall_ns: u64,
    /// Time since the last turn accounted for; 0 when the group has ended.
    pub since_turn_ns: u64,
}

impl GroupLoad {
    /// Total time, from the first turn to the last.
    pub fn total_ns(&self) -> u64 {
        self.busy_ns + self.idle_ns + self.stalled_ns
    }
}

#[cfg(test)]
mod tests {
    use super::super::exit::{Accepts, StallMeter};
    use super::*;

    /// An exit that waits under a clock that the test moves; one tick is one nanosecond.
    struct Waits(StallMeter, Arc<quanta::Mock>);

    impl Waits {
        fn wait(&mut self, ns: u64) {
            self.0.time(|| self.1.increment(ns));
        }
    }

    impl Accepts for Waits {
        fn accept(&mut self, _: &flow::Event, _: &mut dyn FnMut()) {}
    }

    impl Exit for Waits {
        fn finished(&mut self, _: u64, _: &mut dyn FnMut()) {}
        fn is_closed(&self) -> bool {
            false
        }
        fn stalls(&self) -> Stalls {
            self.0.stalls()
        }
    }

    #[test]
    fn every_tick_is_busy_idle_or_stalled() {
        let (clock, mock) = Clock::mock();
        mock.increment(1_000);
        let mut load = LoadMeter::new(Some(clock.clone()));
        let mut exit = Waits(StallMeter::new(Some(clock)), Arc::clone(&mock));
        let reader = load.reader().unwrap();
        let mut expected = GroupLoad { group: "g".to_owned(), ..GroupLoad::default() };
        assert_eq!(reader.read("g"), expected);
        load.begin();
        load.idle(&exit, || mock.increment(7));
        mock.increment(20);
        exit.wait(300);
        exit.wait(500);
        mock.increment(3);
        load.worked(STRETCH, &exit);
        mock.increment(40);
        load.worked(STRETCH - 1, &exit);
        mock.increment(50);
        load.worked(1, &exit);
        mock.increment(6);
        load.worked(1, &exit);
        expected = GroupLoad {
            busy_ns: 23 + 90,
            idle_ns: 7,
            stalled_ns: 800,
            turns: 3,
            longest_turn_ns: 90,
            stalls: 2,
            longest_stall_ns: 500,
            since_turn_ns: 6,
            ..expected
        };
        assert_eq!(reader.read("g"), expected);
        load.idle(&exit, || mock.increment(5));
        load.idle(&exit, || mock.increment(5));
        mock.increment(2);
        load.end(&exit);
        expected = GroupLoad { busy_ns: 23 + 90 + 6 + 2, idle_ns: 17, turns: 4, since_turn_ns: 0, ..expected };
        assert_eq!(reader.read("g"), expected);
        assert_eq!(expected.total_ns(), 7 + 20 + 300 + 500 + 3 + 40 + 50 + 6 + 5 + 5 + 2);
    }

    #[test]
    fn without_a_clock_waits_are_counted_and_nothing_is_timed() {
        let mut load = LoadMeter::new(None);
        assert!(load.reader().is_none());
        let (_, mock) = Clock::mock();
        let mut exit = Waits(StallMeter::default(), mock);
        load.begin();
        exit.wait(5);
        load.worked(STRETCH, &exit);
        load.idle(&exit, || ());
        load.end(&exit);
        assert_eq!((exit.stalls().count, exit.stalls().ticks, load.turns), (1, 0, 1));
    }
}

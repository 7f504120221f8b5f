//! Where a group's time goes: busy, idle, stalled.
//!
//! **Idea.** The loop of a group reads the time stamp counter and gives the time since the last reading to what it did
//! meanwhile: *busy* if it took something, *idle* if there was nothing to take, and *stalled* as far as it waited for room
//! downstream, which is timed where it waits. So the three add up to the whole time between the first reading and the
//! last. A turn of [`STRETCH`] events or more ends with a reading; shorter ones that follow each other share one, so that
//! a pipeline whose turns are short (one input, where orders may come back in between) does not pay for each of them. What is
//! idle begins and ends with a reading: it has the time.
//!
//! The sums are kept by the thread and stored, relaxed, on one cache line that only it writes; any thread may read that
//! pipeline ([`LoadReader`]) and costs the owner one miss. How long the current turn lasts is the reader's now less what has
//! been accounted for: that shows a pipeline that hangs.
//!
//! **Bound.** One pipeline a group; a reading (7 to 25 ns) and up to seven stores for every [`STRETCH`] events at the most often.
//! **Worst case.** A group that runs dry after every event reads twice an event, in time that nobody needs.

use super::exit::{Exit, Stalls};
use quanta::Clock;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Events that may pass between two readings of a busy group, and a turn more.
pub(super) const STRETCH: usize = 16;

/// One cache line.
#[derive(Default)]
#[repr(align(64))]
struct Cells {
    /// When the group began; 0 = it has not, or has ended.
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

/// What the loop of a group accounts for its time with.
pub struct LoadMeter {
    /// `None`: nothing is measured.
    clock: Option<Clock>,
    cells: Arc<Cells>,
    last: u64,
    /// Events since then.
    events: usize,
    busy: u64,
    idle: u64,
    turns: u64,
    longest_turn: u64,
    /// As of the last reading.
    stalls: Stalls,
}

impl LoadMeter {
    /// A meter that reads `clock`; without one it measures nothing.
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

    /// The end that reads, if anything is measured.
    pub fn reader(&self) -> Option<LoadReader> {
        self.clock.clone().map(|clock| LoadReader { clock, cells: Arc::clone(&self.cells) })
    }

    /// The loop begins.
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

    /// A turn of so many events ends; `exit` knows how long it waited.
    #[inline]
    pub fn worked(&mut self, events: usize, exit: &impl Exit) {
        self.turns += 1;
        self.events += events;
        if self.events >= STRETCH {
            self.account(exit.stalls());
        }
    }

    /// What was done since the last reading is accounted for.
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

    /// There is nothing to take: `wait` passes the time.
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

    /// The loop ends.
    pub fn end(&mut self, exit: &impl Exit) {
        self.account(exit.stalls());
        self.cells.began.store(0, Relaxed);
    }
}

/// Reads from any thread where the time of a group goes.
#[derive(Clone)]
pub struct LoadReader {
    clock: Clock,
    cells: Arc<Cells>,
}

impl LoadReader {
    /// The sums so far, of the group called `group`.
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
    /// Time of turns that did something, without what they waited.
    pub busy_ns: u64,
    /// Time of turns that found nothing to take.
    pub idle_ns: u64,
    /// Time waited for room downstream.
    pub stalled_ns: u64,
    /// Turns that did something.
    pub turns: u64,
    /// The longest of them, without what it waited; short ones that followed each other count as one, up to 16 events.
    pub longest_turn_ns: u64,
    /// Waits for room.
    pub stalls: u64,
    /// The longest of them.
    pub longest_stall_ns: u64,
    /// Time since the last turn that is accounted for; 0 when the group has ended.
    pub since_turn_ns: u64,
}

impl GroupLoad {
    /// All of the time, from the first turn to the last.
    pub fn total_ns(&self) -> u64 {
        self.busy_ns + self.idle_ns + self.stalled_ns
    }
}

#[cfg(test)]
mod tests {
    use super::super::exit::StallMeter;
    use super::*;

    /// An exit that waits under a clock that the test moves; one tick is one nanosecond.
    struct Waits(StallMeter, Arc<quanta::Mock>);

    impl Waits {
        fn wait(&mut self, ns: u64) {
            self.0.time(|| self.1.increment(ns));
        }
    }

    impl Exit for Waits {
        fn accept(&mut self, _: &flow::Event, _: &mut dyn FnMut()) {}
        fn finished(&mut self, _: u64, _: &mut dyn FnMut()) {}
        fn is_closed(&self) -> bool {
            false
        }
        fn stalls(&self) -> Stalls {
            self.0.stalls()
        }
    }

    #[test]
    fn every_tick_is_one_of_the_three() {
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

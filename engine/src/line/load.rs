//! Where a group's time goes: busy, idle, stalled.
//!
//! **Idea.** The loop of a group reads the time stamp counter once at the end of each turn and gives the time since the
//! last reading to what the turn was: *busy* if it took something, *idle* if there was nothing to take, and *stalled* as
//! far as it waited for room downstream, which is timed where it waits. So the three add up to the whole time between the
//! first reading and the last. The sums are kept by the thread and stored, relaxed, on one cache line that only it writes;
//! any thread may read that line ([`LoadReader`]) and costs the owner one miss. How long the current turn lasts is the
//! reader's now less what has been accounted for: that shows a line that hangs.
//!
//! **Bound.** One line a group; a turn costs one reading of the counter (7 to 25 ns) and at most seven stores, shared by the
//! events of the turn. **Worst case.** Turns of one event each: all of that for every event.

use quanta::Clock;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Waits for room, summed up; times are ticks of the counter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stalls {
    /// How many.
    pub count: u64,
    /// All together.
    pub ticks: u64,
    /// The longest.
    pub longest: u64,
}

/// Times waits for room, where somebody asked for it.
#[derive(Default)]
pub struct StallMeter {
    clock: Option<Clock>,
    stalls: Stalls,
}

impl StallMeter {
    /// One that times with `clock`; without one it only counts.
    pub fn new(clock: Option<Clock>) -> StallMeter {
        StallMeter { clock, stalls: Stalls::default() }
    }

    /// Runs `wait` and times it.
    #[cold]
    pub fn time<R>(&mut self, wait: impl FnOnce() -> R) -> R {
        let now = |clock: &Option<Clock>| clock.as_ref().map_or(0, Clock::raw);
        let start = now(&self.clock);
        let done = wait();
        let ticks = now(&self.clock).saturating_sub(start);
        self.stalls.count += 1;
        self.stalls.ticks += ticks;
        self.stalls.longest = self.stalls.longest.max(ticks);
        done
    }

    /// What it saw.
    #[inline]
    pub fn stalls(&self) -> Stalls {
        self.stalls
    }
}

/// One cache line.
#[derive(Default)]
#[repr(align(64))]
struct Cells {
    /// When the group began; 0 = it has not.
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
    busy: u64,
    idle: u64,
    turns: u64,
    longest_turn: u64,
    /// As of the end of the last turn.
    stalls: Stalls,
}

impl LoadMeter {
    /// A meter that reads `clock`; without one it measures nothing.
    pub fn new(clock: Option<Clock>) -> LoadMeter {
        let stalls = Stalls::default();
        LoadMeter { clock, cells: Arc::default(), last: 0, busy: 0, idle: 0, turns: 0, longest_turn: 0, stalls }
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

    /// A turn that did something ends; `stalls` is what its exit has waited so far.
    #[inline]
    pub fn worked(&mut self, stalls: Stalls) {
        let Some(passed) = self.passed() else { return };
        let mut worked = passed;
        if stalls.count != self.stalls.count {
            worked = passed.saturating_sub(stalls.ticks - self.stalls.ticks);
            self.stalled(stalls);
        }
        self.busy += worked;
        self.turns += 1;
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

    /// A turn that found nothing ends.
    #[inline]
    pub fn idled(&mut self) {
        if let Some(passed) = self.passed() {
            self.idle += passed;
            self.cells.idle.store(self.idle, Relaxed);
        }
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
    /// The longest of them, without what it waited.
    pub longest_turn_ns: u64,
    /// Waits for room.
    pub stalls: u64,
    /// The longest of them.
    pub longest_stall_ns: u64,
    /// How long ago the last turn ended.
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
    use super::*;

    /// A meter under a clock that the test moves; one tick is one nanosecond.
    fn mocked() -> (LoadMeter, StallMeter, Arc<quanta::Mock>) {
        let (clock, mock) = Clock::mock();
        mock.increment(1_000);
        (LoadMeter::new(Some(clock.clone())), StallMeter::new(Some(clock)), mock)
    }

    #[test]
    fn every_tick_is_one_of_the_three() {
        let (mut load, mut exit, mock) = mocked();
        let reader = load.reader().unwrap();
        assert_eq!(reader.read("g"), GroupLoad { group: "g".to_owned(), ..GroupLoad::default() });
        load.begin();
        mock.increment(7);
        load.idled();
        mock.increment(20);
        exit.time(|| mock.increment(300));
        exit.time(|| mock.increment(500));
        mock.increment(3);
        load.worked(exit.stalls());
        mock.increment(40);
        load.worked(exit.stalls());
        mock.increment(5);
        load.idled();
        mock.increment(9);
        let expected = GroupLoad {
            group: "g".to_owned(),
            busy_ns: 63,
            idle_ns: 12,
            stalled_ns: 800,
            turns: 2,
            longest_turn_ns: 40,
            stalls: 2,
            longest_stall_ns: 500,
            since_turn_ns: 9,
        };
        assert_eq!(reader.read("g"), expected);
        assert_eq!(expected.total_ns(), 7 + 20 + 300 + 500 + 3 + 40 + 5);
    }

    #[test]
    fn without_a_clock_waits_are_counted_and_nothing_is_timed() {
        let mut load = LoadMeter::new(None);
        assert!(load.reader().is_none());
        let mut exit = StallMeter::default();
        load.begin();
        assert_eq!(exit.time(|| 5), 5);
        load.worked(exit.stalls());
        load.idled();
        assert_eq!((exit.stalls().count, exit.stalls().ticks, load.turns), (1, 0, 0));
    }
}

//! Ticks: time passes for stages that close bars and timers, but only when something waits for it.
//!
//! A boundary is ticked once. Under the event clock it is ticked only if an input came since the last one: idle spans are
//! skipped, not enumerated. Under wall time it is ticked whether or not anything came, and a heartbeat, a tick of no
//! instrument, comes between. One tick addresses a slice of the listed instruments, as many as one event's fan-out allows; a
//! boundary takes as many ticks as there are slices. When market hours end, a *sweep* takes every instrument to the
//! simulated exchange in the same way, so that its day orders end also where nothing happens any more. Bound: one pending
//! boundary per interval (and per calendar for those of an hour and more), one sweep, and what the [sessions](super::sessions) have.
//!
//! A replay under wall time takes its ticks from the record. One that ended between two slices goes on with the next one.

use super::sessions::SessionSource;
use flow::records::{Session, Tick};
use flow::{BarDay, Calendar, Calendars, Event, Interval, Ns, StateError, StateReader, StateWriter};

/// The boundaries of an interval; without one the heartbeat's.
struct Grid {
    seconds: u32,
    interval: Option<Interval>,
    calendar: Calendar,
    /// Instruments per tick.
    slice: usize,
    /// The pending boundary, if it is armed.
    due: Option<Ns>,
}

impl Grid {
    /// The first boundary after `ts`.
    fn next(&self, ts: Ns, calendars: &Calendars) -> Ns {
        let length = u64::from(self.seconds) * Ns::SECOND;
        let beat = || Ns((ts.0 / length + 1) * length);
        let day = || BarDay::of(calendars, self.calendar, ts);
        self.interval.map_or_else(beat, |interval| interval.bounds(ts, day).1)
    }
}

/// The boundary that is ticked slice by slice.
#[derive(Clone, Copy)]
struct Running {
    due: Ns,
    /// How many of the listed instruments were addressed.
    at: usize,
    slice: usize,
    /// Which boundary it is; [`Tick::CLOSE`] for a sweep.
    interval_s: u32,
}

/// An interval's seconds (none for the heartbeat), the grid's, its slice, calendar and pending boundary.
type SavedGrid = (Option<u32>, u32, u64, Calendar, Option<Ns>);

/// Decides which ticks and sessions are due, and when.
pub struct TickSource {
    sessions: SessionSource,
    grids: Vec<Grid>,
    intervals: Vec<(Interval, usize)>,
    listed: Vec<u32>,
    /// When the first pending boundary is due.
    next_tick: Ns,
    /// When anything of this is due.
    due: Ns,
    armed: bool,
    running: Option<Running>,
    /// Instruments per tick of a sweep; 0 = there is none.
    sweep_slice: usize,
    /// When the sweep that is to come is due.
    sweep: Option<Ns>,
}

/// Instruments per tick of a sweep: few enough for the answers of one tick, unless they have very many orders each.
const SWEEP_SLICE: usize = 64;

impl TickSource {
    /// Ticks the boundaries of `intervals`, each with so many instruments per tick.
    pub fn new(intervals: Vec<(Interval, usize)>) -> TickSource {
        let mut source = TickSource {
            sessions: SessionSource::new(Calendars::of_this_build()),
            grids: Vec::new(),
            intervals,
            listed: Vec::new(),
            next_tick: Ns::NONE,
            due: Ns::NONE,
            armed: false,
            running: None,
            sweep_slice: 0,
            sweep: None,
        };
        source.add_calendar(Calendar::Utc);
        source
    }

    /// Goes by these calendars.
    #[must_use]
    pub fn with_calendars(mut self, calendars: Calendars) -> TickSource {
        self.sessions = SessionSource::new(calendars);
        self
    }

    /// Ticks no instrument every so many seconds; 0 = never.
    #[must_use]
    pub fn with_heartbeat(mut self, seconds: u64) -> TickSource {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        if seconds > 0 {
            self.grids.push(Grid { seconds, interval: None, calendar: Calendar::Utc, slice: 0, due: None });
        }
        self
    }

    /// Sweeps once market hours have ended.
    pub(super) fn add_sweeps(&mut self) {
        self.sweep_slice = SWEEP_SLICE;
    }

    /// Market hours ended at `ts`.
    pub(super) fn hours_ended(&mut self, ts: Ns) {
        if self.sweep_slice > 0 && !self.listed.is_empty() {
            self.sweep = Some(ts);
            self.find_next();
        }
    }

    fn add_calendar(&mut self, calendar: Calendar) {
        for (interval, slice) in self.intervals.clone() {
            let known =
                |g: &Grid| g.interval == Some(interval) && (g.calendar == calendar || !interval.follows_hours());
            if !self.grids.iter().any(known) {
                let seconds = interval.seconds();
                self.grids.push(Grid { seconds, interval: Some(interval), calendar, slice: slice.max(1), due: None });
                self.armed = false;
            }
        }
    }

    /// Adds a listed instrument; ticks address it from now on.
    pub fn listed(&mut self, instrument: u32, calendar: Calendar) {
        self.add_calendar(calendar);
        self.sessions.listed(calendar);
        self.find_next();
        if let Err(at) = self.listed.binary_search(&instrument) {
            self.listed.insert(at, instrument);
        }
    }

    /// Notes that an input entered at `ts`, or that wall time came to `ts`.
    #[inline]
    pub fn activity(&mut self, ts: Ns) {
        if !self.armed {
            self.arm(ts);
        }
    }

    fn arm(&mut self, ts: Ns) {
        for grid in self.grids.iter_mut().filter(|g| g.due.is_none()) {
            grid.due = Some(grid.next(ts, self.sessions.calendars()));
        }
        self.find_next();
        self.armed = true;
    }

    /// When the next tick or session is due; [`Ns::NONE`] if none is pending.
    #[inline]
    pub fn due(&self) -> Ns {
        self.due
    }

    /// When the next tick is due; [`Ns::NONE`] if none is pending.
    #[inline]
    pub fn tick_due(&self) -> Ns {
        self.running.map_or(self.next_tick, |running| running.due)
    }

    /// When the next session is due, if one is by `reached`.
    #[inline]
    pub(super) fn session_due(&self, reached: Ns) -> Option<Ns> {
        self.sessions.due_by(reached)
    }

    /// Takes the session that is due by `reached`; its time is `at`.
    pub(super) fn take_session(&mut self, at: Ns, reached: Ns) -> Event {
        let (session, ends) = self.sessions.take(at, reached);
        self.session_taken(at, ends);
        session
    }

    /// Takes note of a recorded session.
    pub(super) fn repeat_session(&mut self, session: &Session, ts: Ns) {
        let ends = self.sessions.repeat(session);
        self.session_taken(ts, ends);
    }

    fn session_taken(&mut self, ts: Ns, ends: bool) {
        if ends {
            self.hours_ended(ts);
        }
        self.find_next();
    }

    /// Takes the due tick. Call only when [`TickSource::tick_due`] is not [`Ns::NONE`].
    pub fn take(&mut self) -> Tick {
        let Running { due, at, slice, interval_s } = self.running.unwrap_or_else(|| self.begin(self.next_tick));
        let end = (at + slice).min(self.listed.len());
        let addressed = self.listed.get(at..end).unwrap_or(&[]);
        let tick = Tick {
            first: addressed.first().copied().unwrap_or(0),
            last: addressed.last().copied().unwrap_or(0),
            interval_s,
            ..Tick::default()
        };
        self.running = (slice > 0 && end < self.listed.len()).then_some(Running { due, at: end, slice, interval_s });
        if self.running.is_none() {
            self.finish_boundary(due, interval_s);
        }
        self.find_next();
        tick
    }

    /// The boundaries at `due` as one: the longest interval says which it is, the least slice how many are addressed.
    fn begin(&mut self, due: Ns) -> Running {
        if self.sweep == Some(due) {
            self.sweep = None;
            return Running { due, at: 0, slice: self.sweep_slice, interval_s: Tick::CLOSE };
        }
        let here = || self.grids.iter().filter(|g| g.due == Some(due));
        let slice = here().map(|g| g.slice).filter(|slice| *slice > 0).min().unwrap_or(0);
        Running { due, at: 0, slice, interval_s: here().map(|g| g.seconds).max().unwrap_or(0) }
    }

    /// Takes note of a recorded tick, in a replay under wall time.
    pub(super) fn repeat(&mut self, tick: &Tick, ts: Ns) {
        if tick.interval_s == Tick::CLOSE {
            self.sweep = None;
        }
        let place = |instrument: u32| self.listed.binary_search(&instrument).ok();
        self.running = place(tick.first).zip(place(tick.last)).and_then(|(first, last)| {
            let (at, slice, interval_s) = (last + 1, last + 1 - first.min(last), tick.interval_s);
            (at < self.listed.len()).then_some(Running { due: ts, at, slice, interval_s })
        });
        self.find_next();
    }

    /// No heartbeat follows: the sources have ended.
    pub(super) fn stop_heartbeat(&mut self) {
        if self.grids.iter().any(|g| g.interval.is_none()) {
            self.grids.retain(|g| g.interval.is_some());
            self.find_next();
        }
    }

    /// Saves the pending boundaries in canonical form.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let grid = |g: &Grid| (g.interval.map(Interval::seconds), g.seconds, g.slice as u64, g.calendar, g.due);
        let grids: Vec<_> = self.grids.iter().map(grid).collect();
        let listed: Vec<_> = self.listed.iter().map(|i| to.key(*i)).collect();
        to.put(&(grids, listed));
        let running = self.running.map(|r| (r.due, r.at as u64, r.slice as u64, r.interval_s));
        to.put(&(self.armed, running, self.sweep));
        self.sessions.save(to);
    }

    /// Restores what [`TickSource::save`] wrote, into a source of the same intervals.
    ///
    /// # Errors
    /// When the bytes are not a state of such a source.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let (grids, listed) = from.get::<(Vec<SavedGrid>, Vec<String>)>()?;
        let bad = StateError::Inconsistent("ticks of another calendar or interval");
        let grid = |(interval, seconds, slice, calendar, due): SavedGrid| {
            let interval = match interval {
                Some(seconds) => Some(Interval::from_seconds(seconds)?),
                None => None,
            };
            Some(Grid { seconds, interval, calendar, slice: slice as usize, due })
        };
        self.grids = grids.into_iter().map(grid).collect::<Option<_>>().ok_or(bad)?;
        self.listed = listed.iter().map(|key| from.instrument(key)).collect::<Result<_, _>>()?;
        self.listed.sort_unstable();
        let (armed, running, sweep) = from.get::<(bool, Option<(Ns, u64, u64, u32)>, Option<Ns>)>()?;
        (self.armed, self.sweep) = (armed, sweep);
        let of = |(due, at, slice, interval_s): (Ns, u64, u64, u32)| Running {
            due,
            at: at as usize,
            slice: slice as usize,
            interval_s,
        };
        self.running = running.map(of);
        self.sessions.load(from)?;
        self.find_next();
        Ok(())
    }

    /// Every slice of the boundary `due`, or of a sweep, has been ticked.
    fn finish_boundary(&mut self, due: Ns, interval_s: u32) {
        if interval_s != Tick::CLOSE {
            self.grids.iter_mut().filter(|g| g.due == Some(due)).for_each(|g| g.due = None);
            self.armed = false;
        }
    }

    fn find_next(&mut self) {
        self.next_tick = self.grids.iter().filter_map(|g| g.due).chain(self.sweep).min().unwrap_or(Ns::NONE);
        self.due = self.tick_due().min(self.sessions.due());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Ns {
        Ns(s * Ns::SECOND)
    }

    #[test]
    fn idle_spans_are_skipped_and_slices_cover_every_listing_once() {
        let mut ticks = TickSource::new(vec![("5s".parse().unwrap(), 2), ("1m".parse().unwrap(), 3)]);
        for i in [9, 3, 5] {
            ticks.listed(i, Calendar::Utc);
        }
        assert_eq!(ticks.tick_due(), Ns::NONE);
        ticks.activity(at(7));
        assert_eq!(ticks.tick_due(), at(10));
        let (one, two) = (ticks.take(), ticks.take());
        assert_eq!([(one.first, one.last), (two.first, two.last)], [(3, 5), (9, 9)]);
        assert_eq!(ticks.tick_due(), at(60), "nothing happened since: only the minute is still open");
        ticks.activity(at(58));
        assert_eq!(ticks.tick_due(), at(60));
        ticks.take();
        ticks.take();
        assert_eq!(ticks.tick_due(), Ns::NONE);
        ticks.activity(at(60));
        assert_eq!(ticks.tick_due(), at(65));
    }

    /// Friday 2026-11-27, a half-day, New York: hours are ticked from the open on, beside those of a market that never closes.
    #[test]
    fn hours_are_ticked_where_market_hours_begin_and_end() {
        let mut ticks = TickSource::new(vec![("1h".parse().unwrap(), 8)]);
        ticks.listed(1, Calendar::UsEquities);
        let midnight = 1_795_755_600;
        let mut due = Vec::new();
        for minute in (9 * 60 - 1)..(14 * 60) {
            ticks.activity(at(midnight + minute * 60));
            while ticks.tick_due() <= at(midnight + (minute + 1) * 60) {
                due.push((ticks.tick_due().0 / Ns::SECOND - midnight) / 60);
                ticks.take();
            }
        }
        let (on_the_hour, of_the_market) = due.iter().partition::<Vec<u64>, _>(|minute| **minute % 60 == 0);
        assert_eq!(on_the_hour, [9, 10, 11, 12, 13, 14].map(|hour| hour * 60), "13:00 once, for both");
        assert_eq!(of_the_market, [9, 10, 11, 12].map(|hour| hour * 60 + 30));
    }

    #[test]
    fn a_boundary_has_the_slice_of_those_who_wait_for_it() {
        let mut ticks = TickSource::new(vec![("5s".parse().unwrap(), 3), ("1m".parse().unwrap(), 2)]);
        (1..=6).for_each(|i| ticks.listed(i, Calendar::Utc));
        ticks.activity(at(51));
        let five = [ticks.take(), ticks.take()];
        assert_eq!(five.map(|t| (t.first, t.last, t.interval_s)), [(1, 3, 5), (4, 6, 5)]);
        ticks.activity(at(58));
        assert_eq!(ticks.tick_due(), at(60));
        let minute = [ticks.take(), ticks.take(), ticks.take()];
        assert_eq!(minute.map(|t| (t.first, t.last, t.interval_s)), [(1, 2, 60), (3, 4, 60), (5, 6, 60)]);
        assert_eq!(ticks.tick_due(), Ns::NONE);
    }

    #[test]
    fn a_heartbeat_addresses_nobody_and_a_boundary_needs_none() {
        let mut ticks = TickSource::new(vec![("5s".parse().unwrap(), 1)]).with_heartbeat(1);
        (1..=2).for_each(|i| ticks.listed(i, Calendar::Utc));
        let mut taken = Vec::new();
        for ms in (3_400..6_400).step_by(100) {
            ticks.activity(Ns(ms * 1_000_000));
            while ticks.tick_due() <= Ns(ms * 1_000_000) {
                let due = ticks.tick_due().0 / Ns::SECOND;
                let tick = ticks.take();
                taken.push((due, tick.first, tick.last, tick.interval_s));
            }
        }
        assert_eq!(taken, [(4, 0, 0, 1), (5, 1, 1, 5), (5, 2, 2, 5), (6, 0, 0, 1)]);
        ticks.stop_heartbeat();
        assert_eq!(ticks.tick_due(), at(10));
    }

    #[test]
    fn a_sweep_takes_every_listing_once_and_leaves_the_boundaries_as_they_are() {
        let mut ticks = TickSource::new(vec![("5s".parse().unwrap(), 2)]);
        ticks.add_sweeps();
        ticks.hours_ended(at(5));
        assert_eq!(ticks.tick_due(), Ns::NONE, "nobody is listed");
        (1..=SWEEP_SLICE as u32 + 1).for_each(|i| ticks.listed(i, Calendar::Utc));
        ticks.activity(at(7));
        ticks.hours_ended(at(7));
        assert_eq!(ticks.tick_due(), at(7));
        let swept = [ticks.take(), ticks.take()];
        assert_eq!(swept.map(|t| (t.first, t.last, t.interval_s)), [(1, 64, Tick::CLOSE), (65, 65, Tick::CLOSE)]);
        assert_eq!(ticks.tick_due(), at(10));
        // A record that ends between the two slices.
        ticks.hours_ended(at(8));
        ticks.repeat(&swept[0], at(8));
        assert_eq!((ticks.tick_due(), ticks.take()), (at(8), swept[1]));
        assert_eq!(ticks.tick_due(), at(10));
        let mut without = TickSource::new(Vec::new());
        without.listed(1, Calendar::Utc);
        without.hours_ended(at(7));
        assert_eq!(without.tick_due(), Ns::NONE, "there is no simulated exchange");
    }

    #[test]
    fn a_record_that_ends_between_two_slices_is_gone_on_with() {
        let mut ticks = TickSource::new(vec![("5s".parse().unwrap(), 2)]);
        (1..=5).for_each(|i| ticks.listed(i, Calendar::Utc));
        ticks.repeat(&Tick { first: 1, last: 2, interval_s: 5, ..Tick::default() }, at(10));
        assert_eq!(ticks.tick_due(), at(10));
        let rest = [ticks.take(), ticks.take()];
        assert_eq!(rest.map(|t| (t.first, t.last)), [(3, 4), (5, 5)]);
        assert_eq!(ticks.tick_due(), Ns::NONE);
        ticks.repeat(&Tick { first: 5, last: 5, interval_s: 5, ..Tick::default() }, at(15));
        assert_eq!(ticks.tick_due(), Ns::NONE, "that was the last slice");
    }
}

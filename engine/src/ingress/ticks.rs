//! Ticks: time passes for stages that close bars and timers, but only when something waits for it.
//!
//! A boundary is ticked once, and only if an input came since the last one: idle spans are skipped, not enumerated. One
//! tick addresses a slice of the listed instruments, as many as one event's fan-out allows; a boundary takes as many
//! ticks as there are slices. Bound: one pending boundary per interval (and per time zone for daily intervals).

use chrono_tz::Tz;
use flow::records::Tick;
use flow::{Interval, Ns, StateError, StateReader, StateWriter};

struct Grid {
    interval: Interval,
    zone: Tz,
    /// The pending boundary, if an input came since the last one.
    due: Option<Ns>,
}

/// Decides which ticks are due, and when.
pub struct TickSource {
    grids: Vec<Grid>,
    intervals: Vec<Interval>,
    slice: usize,
    listed: Vec<u32>,
    next_due: Ns,
    armed: bool,
    running: Option<(Ns, usize)>,
}

impl TickSource {
    /// Ticks the boundaries of `intervals`, `slice` instruments per tick.
    pub fn new(intervals: Vec<Interval>, slice: usize) -> TickSource {
        let mut source = TickSource {
            grids: Vec::new(),
            intervals,
            slice: slice.max(1),
            listed: Vec::new(),
            next_due: Ns::NONE,
            armed: false,
            running: None,
        };
        source.add_zone(chrono_tz::UTC);
        source
    }

    fn add_zone(&mut self, zone: Tz) {
        for interval in self.intervals.clone() {
            let known = |g: &Grid| g.interval == interval && (g.zone == zone || !interval.is_day());
            if !self.grids.iter().any(known) {
                self.grids.push(Grid { interval, zone, due: None });
                self.armed = false;
            }
        }
    }

    /// Adds a listed instrument; ticks address it from now on.
    pub fn listed(&mut self, instrument: u32, zone: Tz) {
        self.add_zone(zone);
        if let Err(at) = self.listed.binary_search(&instrument) {
            self.listed.insert(at, instrument);
        }
    }

    /// Notes that an input entered at `ts`.
    #[inline]
    pub fn activity(&mut self, ts: Ns) {
        if !self.armed {
            self.arm(ts);
        }
    }

    fn arm(&mut self, ts: Ns) {
        for grid in self.grids.iter_mut().filter(|g| g.due.is_none()) {
            grid.due = Some(grid.interval.bounds(ts, grid.zone).1);
        }
        self.next_due = self.grids.iter().filter_map(|g| g.due).min().unwrap_or(Ns::NONE);
        self.armed = true;
    }

    /// When the next tick is due; [`Ns::NONE`] if none is pending.
    #[inline]
    pub fn due(&self) -> Ns {
        self.running.map_or(self.next_due, |(due, _)| due)
    }

    /// Takes the due tick. Call only when [`TickSource::due`] is not [`Ns::NONE`].
    pub fn take(&mut self) -> Tick {
        let (due, at) = self.running.unwrap_or((self.next_due, 0));
        let end = (at + self.slice).min(self.listed.len());
        let slice = self.listed.get(at..end).unwrap_or(&[]);
        let tick = Tick {
            first: slice.first().copied().unwrap_or(0),
            last: slice.last().copied().unwrap_or(0),
            ..Tick::default()
        };
        if end < self.listed.len() {
            self.running = Some((due, end));
        } else {
            self.running = None;
            self.finish_boundary(due);
        }
        tick
    }

    /// Saves the pending boundaries in canonical form.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let grids: Vec<_> =
            self.grids.iter().map(|g| (g.interval.seconds(), g.zone.name().to_owned(), g.due)).collect();
        let listed: Vec<_> = self.listed.iter().map(|i| to.key(*i)).collect();
        to.put(&(grids, listed));
        to.put(&(self.next_due, self.armed, self.running.map(|(due, at)| (due, at as u64))));
    }

    /// Restores what [`TickSource::save`] wrote, into a source of the same intervals.
    ///
    /// # Errors
    /// When the bytes are not a state of such a source.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let (grids, listed) = from.get::<(Vec<(u32, String, Option<Ns>)>, Vec<String>)>()?;
        let bad = StateError::Inconsistent("ticks of another calendar or interval");
        let grid = |(seconds, zone, due): (u32, String, Option<Ns>)| {
            Some(Grid { interval: Interval::from_seconds(seconds)?, zone: zone.parse().ok()?, due })
        };
        self.grids = grids.into_iter().map(grid).collect::<Option<_>>().ok_or(bad)?;
        self.listed = listed.iter().map(|key| from.instrument(key)).collect::<Result<_, _>>()?;
        self.listed.sort_unstable();
        let (next_due, armed, running) = from.get::<(Ns, bool, Option<(Ns, u64)>)>()?;
        (self.next_due, self.armed) = (next_due, armed);
        self.running = running.map(|(due, at)| (due, at as usize));
        Ok(())
    }

    /// Every slice of the boundary `due` has been ticked.
    fn finish_boundary(&mut self, due: Ns) {
        self.grids.iter_mut().filter(|g| g.due == Some(due)).for_each(|g| g.due = None);
        self.next_due = self.grids.iter().filter_map(|g| g.due).min().unwrap_or(Ns::NONE);
        self.armed = false;
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
        let mut ticks = TickSource::new(vec!["5s".parse().unwrap(), "1m".parse().unwrap()], 2);
        for i in [9, 3, 5] {
            ticks.listed(i, chrono_tz::UTC);
        }
        assert_eq!(ticks.due(), Ns::NONE);
        ticks.activity(at(7));
        assert_eq!(ticks.due(), at(10));
        let (one, two) = (ticks.take(), ticks.take());
        assert_eq!([(one.first, one.last), (two.first, two.last)], [(3, 5), (9, 9)]);
        assert_eq!(ticks.due(), at(60), "nothing happened since: only the minute is still open");
        ticks.activity(at(58));
        assert_eq!(ticks.due(), at(60));
        ticks.take();
        ticks.take();
        assert_eq!(ticks.due(), Ns::NONE);
        ticks.activity(at(60));
        assert_eq!(ticks.due(), at(65));
    }
}

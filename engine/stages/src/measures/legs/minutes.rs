//! The last minutes of an instrument: what was traded in each, and the trades that a leg could start or end with. A minute is as long as
//! a bar.
//!
//! A leg starts with the last trade at the lowest price of some minutes and ends with the first trade at the highest price after it, or
//! upside down. So of every minute six trades are kept ([`Course`]), by which the start and the extreme over any minutes together
//! are found without a look at the others; and volume in the order of its trades as far as these cut it ([`Entries`]). Bound: so
//! many minutes with trades. Worst case: linear in the minutes, and in their entries where a leg is added up.

use super::entries::{CUTS, Chain, Entries, Entry};
use super::params::{MOST_MINUTES as MOST, Settings};
use flow::{Ns, PriceDirection, Px};
use serde::{Deserialize, Serialize};

/// Whether a price lies beyond another on the way in a direction.
#[inline]
pub(super) fn is_beyond(direction: PriceDirection, px: Px, than: Px) -> bool {
    match direction {
        PriceDirection::Up => px > than,
        PriceDirection::Down => px < than,
    }
}

/// The other direction.
pub(super) fn opposite(direction: PriceDirection) -> PriceDirection {
    match direction {
        PriceDirection::Up => PriceDirection::Down,
        PriceDirection::Down => PriceDirection::Up,
    }
}

/// A trade: when, and at which price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spot {
    pub(super) px: Px,
    pub(super) ts: Ns,
}

/// A trade of a minute, and where it cuts the minute's entries: a start before it, an end behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) spot: Spot,
    cut: u32,
}

/// The way of price through a minute, as a leg upwards sees it; of a leg downwards it is upside down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Course {
    /// The last trade at the lowest price.
    start: Mark,
    /// The first trade at the highest price from there on.
    end: Mark,
    /// The first trade at the highest price of the minute.
    furthest: Mark,
}

impl Course {
    #[inline]
    fn take(&mut self, direction: PriceDirection, spot: Spot, at: u32, is_first: bool) {
        let (before, behind) = (Mark { spot, cut: at }, Mark { spot, cut: at + 1 });
        if is_first || !is_beyond(direction, spot.px, self.start.spot.px) {
            (self.start, self.end) = (before, behind);
        } else if is_beyond(direction, spot.px, self.end.spot.px) {
            self.end = behind;
        }
        if is_first || is_beyond(direction, spot.px, self.furthest.spot.px) {
            self.furthest = behind;
        }
    }
}

/// A minute with trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Minute {
    /// Its start, Unix time.
    pub(super) start_s: u32,
    pub(super) entries: Chain,
    /// What of its volume found no room.
    pub(super) left_out: u64,
    pub(super) up: Course,
    pub(super) down: Course,
}

impl Minute {
    const NONE: Minute = Minute {
        start_s: 0,
        entries: Chain::EMPTY,
        left_out: 0,
        up: Course { start: Mark::NONE, end: Mark::NONE, furthest: Mark::NONE },
        down: Course { start: Mark::NONE, end: Mark::NONE, furthest: Mark::NONE },
    };

    fn course(&self, direction: PriceDirection) -> &Course {
        match direction {
            PriceDirection::Up => &self.up,
            PriceDirection::Down => &self.down,
        }
    }

    /// Whether its prices reach from one to another.
    fn touches(&self, low: Px, high: Px) -> bool {
        self.up.start.spot.px <= high && self.down.start.spot.px >= low
    }

    #[inline]
    fn take(&mut self, entries: &mut Entries, spot: Spot, qty: u64, is_first: bool) {
        let at = self.entries.len();
        self.up.take(PriceDirection::Up, spot, at, is_first);
        self.down.take(PriceDirection::Down, spot, at, is_first);
        if !entries.push(&mut self.entries, Entry { px: spot.px.0, qty }) {
            self.left_out = self.left_out.saturating_add(qty);
        }
    }

    /// Whether a leg could start or end with a trade.
    fn is_marked(&self, spot: Spot) -> bool {
        [self.up, self.down]
            .iter()
            .any(|course| [course.start, course.end, course.furthest].iter().any(|m| m.spot == spot))
    }

    /// Looks for the trades that a leg could start or end with among its entries, whose times are not known: they get that of the
    /// minute. `false` if there is none.
    fn mark_anew(&mut self, entries: &Entries) -> bool {
        let (mut is_first, ts) = (true, Ns(u64::from(self.start_s) * Ns::SECOND));
        for (at, entry) in (0..).zip(entries.iter(self.entries, 0, u32::MAX)).filter(|(_, entry)| entry.qty > 0) {
            let spot = Spot { px: Px(entry.px), ts };
            self.up.take(PriceDirection::Up, spot, at, is_first);
            self.down.take(PriceDirection::Down, spot, at, is_first);
            is_first = false;
        }
        !is_first
    }

    /// Adds up by price what no leg could tell apart.
    fn condense(&mut self, entries: &mut Entries) {
        let mut chain = self.entries;
        let mut cuts = self.cuts().map(|cut| (*cut).min(chain.len()));
        entries.condense(&mut chain, &mut cuts);
        self.entries = chain;
        self.cuts().into_iter().zip(cuts).for_each(|(cut, now)| *cut = now);
    }

    /// Where its entries are cut.
    fn cuts(&mut self) -> [&mut u32; CUTS] {
        let Minute { up, down, .. } = self;
        let [up, down] = [up, down].map(|course| [&mut course.start, &mut course.end, &mut course.furthest]);
        let ([a, b, c], [d, e, f]) = (up, down);
        [a, b, c, d, e, f].map(|mark| &mut mark.cut)
    }
}

impl Mark {
    const NONE: Mark = Mark { spot: Spot { px: Px(0), ts: Ns(0) }, cut: 0 };
}

/// A minute as it is saved: its start, what was left out, the trades that legs may start and end with, and its entries.
pub(super) type SavedMinute = (u32, u64, Course, Course, Vec<Entry>);

/// A trade of one of the minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The start of its minute.
    pub(super) start_s: u32,
    pub(super) mark: Mark,
}

/// A stretch of the minutes: from its start to its extreme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) start: Place,
    pub(super) extreme: Place,
}

/// The minutes of the session that runs, up to a bound.
#[derive(Clone, Copy)]
pub(super) struct Minutes {
    ring: [Minute; MOST],
    /// Slot of the next minute.
    head: usize,
    held: usize,
    /// Whether the last one is not condensed yet.
    is_open: bool,
}

impl Minutes {
    pub(super) const NONE: Minutes = Minutes { ring: [Minute::NONE; MOST], head: 0, held: 0, is_open: false };

    /// Adds a trade.
    #[inline]
    pub(super) fn take(&mut self, entries: &mut Entries, spot: Spot, qty: u64, settings: &Settings) {
        let start_s = minute_of(spot.ts, settings.interval_s);
        let is_first = self.held == 0 || self.last().start_s != start_s;
        if is_first {
            self.begin(entries, start_s, settings.minutes);
        }
        let last = (self.head + MOST - 1) % MOST;
        self.ring[last].take(entries, spot, qty, is_first);
    }

    fn last(&self) -> &Minute {
        &self.ring[(self.head + MOST - 1) % MOST]
    }

    /// A minute begins.
    #[cold]
    fn begin(&mut self, entries: &mut Entries, start_s: u32, most: usize) {
        self.end(entries);
        while self.held >= most {
            let oldest = (self.head + MOST - self.held) % MOST;
            entries.free(&mut self.ring[oldest].entries);
            self.ring[oldest] = Minute::NONE;
            self.held -= 1;
        }
        self.ring[self.head] = Minute { start_s, ..Minute::NONE };
        self.head = (self.head + 1) % MOST;
        self.held += 1;
        self.is_open = true;
    }

    fn end(&mut self, entries: &mut Entries) {
        if std::mem::take(&mut self.is_open) {
            let last = (self.head + MOST - 1) % MOST;
            self.ring[last].condense(entries);
        }
    }

    /// The minute that starts then is over, if no later one has begun: no trade of it will come.
    pub(super) fn end_through(&mut self, entries: &mut Entries, start_s: u32) {
        if self.held > 0 && self.last().start_s <= start_s {
            self.end(entries);
        }
    }

    /// Forgets them all.
    pub(super) fn forget(&mut self, entries: &mut Entries) {
        self.ring.iter_mut().for_each(|minute| entries.free(&mut minute.entries));
        *self = Minutes::NONE;
    }

    /// The minutes up to the one that starts at `until_s`, the newest first.
    fn newest_first(&self, until_s: u32) -> impl Iterator<Item = &Minute> {
        let all = (1..=self.held).map(|back| &self.ring[(self.head + MOST - back) % MOST]);
        all.skip_while(move |minute| minute.start_s > until_s)
    }

    /// All of them, the oldest first.
    pub(super) fn oldest_first(&self) -> impl Iterator<Item = &Minute> {
        (1..=self.held).rev().map(|back| &self.ring[(self.head + MOST - back) % MOST])
    }

    /// The last trade at the lowest price (upside down: highest) since price was between two others; the minute that touched them
    /// belongs to it. Only of the last `most` minutes up to `until_s`.
    pub(super) fn start(
        &self,
        direction: PriceDirection,
        until_s: u32,
        most: usize,
        (low, high): (Px, Px),
    ) -> Option<Place> {
        let mut found: Option<Place> = None;
        for minute in self.newest_first(until_s).take(most) {
            found = lower(direction, found, minute);
            if minute.touches(low, high) {
                break;
            }
        }
        found
    }

    /// The same over the minutes from `from_s` to `until_s`.
    pub(super) fn start_since(&self, direction: PriceDirection, from_s: u32, until_s: u32) -> Option<Place> {
        let minutes = self.newest_first(until_s).take_while(|minute| minute.start_s >= from_s);
        minutes.fold(None, |found, minute| lower(direction, found, minute))
    }

    /// The first trade at the highest price (upside down: lowest) from a start on; `None` if its minute is no longer kept.
    pub(super) fn extreme(&self, direction: PriceDirection, start: &Place, until_s: u32) -> Option<Place> {
        let mut minutes = self.oldest_first().skip_while(|minute| minute.start_s < start.start_s);
        let first = minutes.next().filter(|minute| minute.start_s == start.start_s)?;
        let mut found = Place { start_s: first.start_s, mark: first.course(direction).end };
        for minute in minutes.take_while(|minute| minute.start_s <= until_s) {
            let furthest = minute.course(direction).furthest;
            if is_beyond(direction, furthest.spot.px, found.mark.spot.px) {
                found = Place { start_s: minute.start_s, mark: furthest };
            }
        }
        Some(found)
    }

    /// Hands out what was traded from the start of a stretch on, and whether it is behind the extreme.
    pub(super) fn volume(&self, entries: &Entries, stretch: &Stretch, mut take: impl FnMut(Entry, bool)) {
        let Stretch { start, extreme } = stretch;
        for minute in self.oldest_first().filter(|minute| minute.start_s >= start.start_s) {
            let from = if minute.start_s == start.start_s { start.mark.cut } else { 0 };
            let until = match minute.start_s.cmp(&extreme.start_s) {
                std::cmp::Ordering::Less => minute.entries.len(),
                std::cmp::Ordering::Equal => extreme.mark.cut,
                std::cmp::Ordering::Greater => 0,
            };
            entries.iter(minute.entries, from, until).for_each(|entry| take(entry, false));
            let behind = from.max(until);
            entries.iter(minute.entries, behind, minute.entries.len()).for_each(|entry| take(entry, true));
        }
    }

    /// What found no room in the minutes from a start on.
    pub(super) fn left_out(&self, from_s: u32) -> u64 {
        let minutes = self.oldest_first().filter(|minute| minute.start_s >= from_s);
        minutes.fold(0, |sum, minute| sum.saturating_add(minute.left_out))
    }

    /// Whether the last one may still have trades.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) fn saved(&self, entries: &Entries) -> Vec<SavedMinute> {
        let saved = |minute: &Minute| {
            let Minute { start_s, left_out, up, down, .. } = *minute;
            (start_s, left_out, up, down, entries.iter(minute.entries, 0, u32::MAX).collect())
        };
        self.oldest_first().map(saved).collect()
    }

    /// Takes back what was saved; `false` if that cannot be, or finds no room.
    pub(super) fn load(&mut self, entries: &mut Entries, saved: &[SavedMinute], is_open: bool) -> bool {
        *self = Minutes { held: saved.len(), head: saved.len() % MOST, is_open, ..Minutes::NONE };
        let mut all = saved.len() <= MOST && saved.is_sorted_by(|a, b| a.0 < b.0);
        for ((start_s, left_out, up, down, of), to) in saved.iter().zip(&mut self.ring) {
            let mut chain = Chain::EMPTY;
            all &= of.iter().all(|entry| entries.push(&mut chain, *entry));
            *to = Minute { start_s: *start_s, entries: chain, left_out: *left_out, up: *up, down: *down };
            all &= to.cuts().into_iter().all(|cut| *cut <= chain.len() + 1);
        }
        all
    }

    /// Takes a broken trade out of its minute. If a leg could start or end with it, such trades are looked for anew.
    pub(super) fn break_trade(&mut self, entries: &mut Entries, spot: Spot, qty: u64, interval_s: u32) {
        let start_s = minute_of(spot.ts, interval_s);
        let slots = (1..=self.held).map(|back| (self.head + MOST - back) % MOST);
        let Some(slot) = slots.into_iter().find(|slot| self.ring[*slot].start_s == start_s) else { return };
        let minute = &mut self.ring[slot];
        if !entries.take(minute.entries, spot.px.0, qty) {
            minute.left_out = minute.left_out.saturating_sub(qty);
        } else if minute.is_marked(spot) && minute.left_out == 0 && !minute.mark_anew(entries) {
            self.remove(entries, slot);
        }
    }

    /// Takes out a minute that has no trade any more.
    fn remove(&mut self, entries: &mut Entries, slot: usize) {
        entries.free(&mut self.ring[slot].entries);
        let last = (self.head + MOST - 1) % MOST;
        self.is_open &= slot != last;
        let mut at = slot;
        while at != last {
            let next = (at + 1) % MOST;
            self.ring[at] = self.ring[next];
            at = next;
        }
        self.ring[last] = Minute::NONE;
        (self.head, self.held) = (last, self.held - 1);
    }
}

/// The start of the minute of an instant, in seconds of Unix time.
#[inline]
fn minute_of(ts: Ns, interval_s: u32) -> u32 {
    let interval = u64::from(interval_s);
    u32::try_from(ts.0 / Ns::SECOND / interval * interval).unwrap_or(u32::MAX)
}

/// The start among one that was found and that of an earlier minute: it must be strictly lower.
fn lower(direction: PriceDirection, found: Option<Place>, minute: &Minute) -> Option<Place> {
    let start = minute.course(direction).start;
    let is_lower = found.is_none_or(|found| is_beyond(direction, found.mark.spot.px, start.spot.px));
    if is_lower { Some(Place { start_s: minute.start_s, mark: start }) } else { found }
}

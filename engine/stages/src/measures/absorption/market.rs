//! What is known of an instrument: its session, the rows that each minute touched, and the absorptions that wait to be told.
//!
//! A minute marks the rows that it touches in a fixed field around its first one; further ones count as the outermost. Bound: 512 rows a
//! minute, and [`MOST`] absorptions a side that wait.

use super::windows::{Queue, Taken};
use crate::measures::bar_hours::BarHours;
use crate::measures::profile::Grid;
use crate::measures::take_out;
use flow::{BookKind, Flags, Ns, Px, Qty};
use serde::{Deserialize, Serialize};

/// The most absorptions of a side that wait at once.
pub(super) const MOST: usize = 4;

/// Words of the field of a minute, and the rows on either side of its first.
const WORDS: usize = 8;
const HALF: i64 = WORDS as i64 * 32;

/// The minute that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Minute {
    number: u64,
    first: i64,
    touched: [u64; WORDS],
    volume: u64,
}

impl Minute {
    fn touch(&mut self, row: i64) {
        if self.touched == [0; WORDS] {
            self.first = row;
        }
        let at = (row.saturating_sub(self.first).clamp(-HALF, HALF - 1) + HALF) as usize;
        self.touched[at / 64] |= 1 << (at % 64);
    }

    fn rows(&self) -> u64 {
        self.touched.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

/// An absorption that is told if price stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) row: i64,
    pub(super) from: Ns,
    pub(super) reached: Ns,
    /// When it is told.
    pub(super) due: Ns,
    pub(super) qty: u64,
    pub(super) after: u64,
    /// What it had to reach, and the mean that this is a multiple of.
    pub(super) least: f64,
    pub(super) mean: f64,
    pub(super) trades: u32,
    pub(super) stood: Qty,
    pub(super) came: Qty,
    pub(super) badge: Flags,
}

impl Waiting {
    const VACANT: Waiting = Waiting {
        row: 0,
        from: Ns(0),
        reached: Ns(0),
        due: Ns(0),
        qty: 0,
        after: 0,
        least: 0.0,
        mean: 0.0,
        trades: 0,
        stood: Qty::NONE,
        came: Qty::NONE,
        badge: Flags::NONE,
    };

    /// Takes a broken trade out, if it is one of its own; `false` if there is too little then.
    fn take_out(&mut self, ts: Ns, row: i64, qty: u64) -> bool {
        if row != self.row || ts < self.from {
            return true;
        }
        if ts > self.reached {
            take_out(&mut self.after, qty);
            return true;
        }
        take_out(&mut self.qty, qty);
        self.trades = self.trades.saturating_sub(1);
        // Nobody knows which order it had taken.
        (self.stood, self.came) = (Qty::NONE, Qty::NONE);
        self.qty as f64 >= self.least
    }
}

/// Those of one side, the earliest first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Waitings {
    all: [Waiting; MOST],
    len: u8,
}

impl Default for Waitings {
    fn default() -> Waitings {
        Waitings { all: [Waiting::VACANT; MOST], len: 0 }
    }
}

impl Waitings {
    fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.all.iter().take(self.len.into())
    }

    pub(super) fn has_room(&self) -> bool {
        usize::from(self.len) < MOST
    }

    pub(super) fn of_row(&mut self, row: i64) -> Option<&mut Waiting> {
        self.all.iter_mut().take(self.len.into()).find(|one| one.row == row)
    }

    fn push(&mut self, one: Waiting) {
        if let Some(place) = self.all.get_mut(usize::from(self.len)) {
            (*place, self.len) = (one, self.len + 1);
        }
    }

    /// Lets those go of which `goes` says so, each told to `to`.
    pub(super) fn part(&mut self, goes: impl Fn(&Waiting) -> bool, mut to: impl FnMut(&Waiting)) {
        if self.len == 0 || !self.iter().any(&goes) {
            return;
        }
        let before = std::mem::take(self);
        for one in before.iter() {
            if goes(one) { to(one) } else { self.push(*one) }
        }
    }
}

/// An instrument.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Market {
    pub(super) tick: Px,
    /// Whether its book has every order that a trade can name.
    pub(super) is_by_order: bool,
    pub(super) source: u8,
    pub(super) hours: BarHours,
    /// Of the session; none before its first trade.
    pub(super) grid: Option<Grid>,
    minute: Minute,
    /// Of the minutes of the session that have ended.
    volume: u64,
    rows: u64,
    /// Bought, sold.
    pub(super) waiting: [Waitings; 2],
    #[serde(skip)]
    pub(super) queues: [Queue; 2],
}

impl Market {
    /// Whether a saved one can be true.
    pub(super) fn is_sound(&self) -> bool {
        let is_finite = |one: &Waiting| one.least.is_finite() && one.mean.is_finite();
        self.waiting.iter().all(|of| usize::from(of.len) <= MOST && of.iter().all(is_finite))
            && self.grid.is_none_or(Grid::is_valid)
    }

    #[cold]
    pub(super) fn listing(&mut self, tick: Px, book: u8, source: u8) {
        (self.tick, self.source) = (tick, source);
        self.is_by_order = BookKind::from_code(book) == Some(BookKind::ByOrder);
    }

    /// Begins a session; its queues are to be emptied.
    #[cold]
    pub(super) fn begin(&mut self, hours: BarHours) {
        let Market { tick, is_by_order, source, queues, .. } = *self;
        *self = Market { tick, is_by_order, source, hours, queues, ..Market::default() };
    }

    /// Goes on to the minute of `ts`: the one before has ended.
    #[inline]
    pub(super) fn go_on(&mut self, ts: Ns) {
        let number = minute_of(ts);
        if number != self.minute.number {
            self.volume = self.volume.saturating_add(self.minute.volume);
            self.rows = self.rows.saturating_add(self.minute.rows());
            self.minute = Minute { number, ..Minute::default() };
        }
    }

    /// Adds a trade to the minute.
    #[inline]
    pub(super) fn add(&mut self, row: i64, qty: u64) {
        self.minute.touch(row);
        self.minute.volume = self.minute.volume.saturating_add(qty);
    }

    /// The session's mean volume a touched row and minute, of the minutes that have ended.
    #[inline]
    pub(super) fn mean(&self) -> Option<f64> {
        (self.rows > 0 && self.volume > 0).then(|| self.volume as f64 / self.rows as f64)
    }

    /// An absorption waits from now on.
    pub(super) fn wait(&mut self, side: usize, row: i64, taken: &Taken, mean: f64, least: f64, after: u64) {
        let (stood, came) = taken.orders.map_or((Qty::NONE, Qty::NONE), |(stood, came)| (Qty(stood), Qty(came)));
        let waiting = Waiting {
            row,
            from: taken.from,
            reached: taken.until,
            due: Ns(taken.until.0.saturating_add(after)),
            qty: taken.qty,
            after: 0,
            least,
            mean,
            trades: taken.trades,
            stood,
            came,
            badge: taken.badge,
        };
        self.waiting[side].push(waiting);
    }

    /// Takes a broken trade out of the session's sums. Its row stays touched.
    pub(super) fn take_out(&mut self, ts: Ns, qty: u64) {
        let of_its_minute =
            if minute_of(ts) == self.minute.number { &mut self.minute.volume } else { &mut self.volume };
        take_out(of_its_minute, qty);
    }

    /// Takes it out of what waits on its side.
    pub(super) fn take_out_of_waiting(&mut self, side: usize, ts: Ns, row: i64, qty: u64) {
        for one in std::mem::take(&mut self.waiting[side]).iter() {
            let mut one = *one;
            if one.take_out(ts, row, qty) {
                self.waiting[side].push(one);
            }
        }
    }
}

fn minute_of(ts: Ns) -> u64 {
    ts.0 / (60 * Ns::SECOND)
}

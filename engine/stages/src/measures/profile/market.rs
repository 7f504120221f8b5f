//! The profiles of one instrument: the session that runs, its last minutes, and past sessions.
//!
//! The rolling profile is the sum of its minutes, each a profile of its own in the shared pool; when a minute leaves, its rows are
//! taken out of the sum. A session that ends becomes the first of the past ones and hands its rows over with its number, without a
//! copy. Bound: a profile for the session, one for its last minutes and each of them, for the composite and each past session. Worst
//! case: a session begins, and the rows of all past ones are added up on its grid.

use super::letters::Lettered;
use super::params::{MOST_MINUTES, MOST_SESSIONS, Settings};
use super::{Grid, Profile, RowSums, Rows};
use flow::{Calendar, Ns, Px, SessionPhase, Sessions};
use serde::{Deserialize, Serialize};

/// Market hours of a trade date. Where they are not known, the whole date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hours {
    from: Ns,
    until: Ns,
    /// First instant of the next date.
    end: Ns,
}

impl Hours {
    /// Those of the date that an instant belongs to.
    #[cold]
    fn at(ts: Ns, calendar: Calendar, sessions: &Sessions) -> Hours {
        let day = calendar.trade_date(ts);
        let Some(said) = sessions.at(calendar, ts) else {
            return Hours { from: day.start, until: day.end, end: day.end };
        };
        let end = day.end;
        match said.open_ts.known().zip(said.close_ts.known()) {
            Some((from, until)) => Hours { from, until, end },
            None if said.phase == SessionPhase::Unknown.code() => Hours { from: day.start, until: end, end },
            None => Hours { from: Ns::NONE, until: Ns(0), end },
        }
    }

    #[inline]
    fn hold(&self, ts: Ns) -> bool {
        self.from <= ts && ts < self.until
    }
}

/// A trade, or a part of a bar.
#[derive(Clone, Copy)]
pub(super) struct Print {
    pub(super) ts: Ns,
    pub(super) px: Px,
    pub(super) sums: RowSums,
}

impl Print {
    #[inline]
    fn minute(&self) -> u64 {
        self.ts.0 / (60 * Ns::SECOND)
    }
}

/// What was last emitted of a profile: its prices, and how many nodes it had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastEmitted {
    pub(super) prices: Option<[Px; 5]>,
    pub(super) nodes: u8,
    /// Until when these stay its prices; not saved, since it only spares a look.
    #[serde(skip)]
    pub(super) steady: Steady,
}

/// The rows that a profile had when it was looked at, and its volume up to which the shape of these rows is the same for sure. Nothing
/// may be taken out of it meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Steady {
    rows: (i64, usize),
    up_to: u64,
}

impl Default for Steady {
    fn default() -> Steady {
        Steady::NO
    }
}

impl Steady {
    /// Nothing is known.
    pub(super) const NO: Steady = Steady { rows: (0, usize::MAX), up_to: 0 };

    /// A profile as it is now, to which so much may be added. Sums that saturated are no sums.
    pub(super) fn of(profile: &Profile, slack: u128) -> Steady {
        let up_to = u128::from(profile.volume()).saturating_add(slack).min((u64::MAX - 1).into()) as u64;
        Steady { rows: (profile.low(), profile.len()), up_to }
    }

    /// Whether the profile still has the shape.
    #[inline]
    pub(super) fn holds(&self, profile: &Profile) -> bool {
        self.rows == (profile.low(), profile.len()) && profile.volume() <= self.up_to
    }
}

/// The profiles of an instrument.
#[derive(Clone, Copy)]
pub(super) struct Market {
    pub(super) hours: Option<Hours>,
    /// When the session that runs began; `None` = there was none yet.
    pub(super) began: Option<Ns>,
    /// The minute of its last print.
    pub(super) minute: u64,
    /// Whether that minute's end is still to be emitted.
    pub(super) is_minute_open: bool,
    pub(super) session: Profile,
    pub(super) rolling: Profile,
    pub(super) composite: Profile,
    /// The minutes of the rolling profile, each at its number modulo their count.
    pub(super) slices: [Profile; MOST_MINUTES],
    /// Past sessions, from the last one back.
    pub(super) past: [Profile; MOST_SESSIONS],
    /// How many of them there are.
    pub(super) sessions: usize,
    pub(super) last_session: LastEmitted,
    pub(super) last_rolling: LastEmitted,
    /// The rows of the session that have letters.
    pub(super) lettered: Lettered,
}

/// What a print is to the session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Outside market hours.
    Outside,
    /// The first of a session.
    First,
    /// In the session that runs.
    Inside,
}

impl Market {
    const PROFILES: u32 = (3 + MOST_MINUTES + MOST_SESSIONS) as u32;

    /// No session yet; `number` is that of the market among all, from 0.
    pub(super) fn new(number: u32) -> Market {
        let first = 1 + number * Market::PROFILES;
        let profile = |at: usize| Profile::new(first + at as u32, Grid::default());
        Market {
            hours: None,
            began: None,
            minute: 0,
            is_minute_open: false,
            session: profile(0),
            rolling: profile(1),
            composite: profile(2),
            slices: std::array::from_fn(|at| profile(3 + at)),
            past: std::array::from_fn(|at| profile(3 + MOST_MINUTES + at)),
            sessions: 0,
            last_session: LastEmitted::default(),
            last_rolling: LastEmitted::default(),
            lettered: None,
        }
    }

    /// Where a print belongs.
    #[inline]
    pub(super) fn place(&mut self, ts: Ns, calendar: Calendar, said: &Sessions) -> Place {
        let hours = match self.hours {
            Some(hours) if ts < hours.end => hours,
            _ => *self.hours.insert(Hours::at(ts, calendar, said)),
        };
        match (hours.hold(ts), self.began) {
            (false, _) => Place::Outside,
            (true, Some(began)) if began == hours.from => Place::Inside,
            (true, _) => Place::First,
        }
    }

    /// Forgets which hours the date has: the calendar has given them anew, or is another one.
    pub(super) fn forget_hours(&mut self) {
        self.hours = None;
    }

    /// Whether a print ends the minute of the one before.
    #[inline]
    pub(super) fn ends_minute(&self, print: &Print) -> bool {
        self.is_minute_open && print.minute() > self.minute
    }

    /// The session of a print begins, on this grid: the last one becomes a past one, and the composite is made of those.
    #[cold]
    pub(super) fn begin(&mut self, rows: &mut Rows, grid: Grid, settings: &Settings) {
        if self.began.is_some() {
            let past = &mut self.past[..settings.sessions];
            past.rotate_right(1);
            std::mem::swap(&mut past[0], &mut self.session);
            self.sessions = (self.sessions + 1).min(settings.sessions);
        }
        self.session.begin(rows, grid);
        self.rolling.begin(rows, grid);
        self.slices.iter_mut().for_each(|slice| slice.begin(rows, grid));
        self.composite.begin(rows, grid);
        for past in &self.past[..self.sessions] {
            self.composite.add_all(rows, past);
        }
        self.began = self.hours.map(|hours| hours.from);
        self.is_minute_open = false;
        self.minute = 0;
        (self.last_session, self.last_rolling) = Default::default();
    }

    /// Adds a print to the session and its last minutes; says in which row, or `None` if it was left out.
    #[inline]
    pub(super) fn add(&mut self, rows: &mut Rows, print: &Print, settings: &Settings) -> Option<i64> {
        let minute = print.minute();
        if minute > self.minute {
            self.expire(rows, minute, settings.minutes);
        }
        self.is_minute_open = true;
        // A part of a bar may be of a minute before that of the last one, and counts in this.
        let slice = &mut self.slices[(self.minute % settings.minutes) as usize];
        let (row, sums) = (self.session.grid().row(print.px), &print.sums);
        // What the sum has no row for its minute leaves out too, so that it can be taken out again, and the reverse.
        if !slice.add(rows, row, sums) {
            self.rolling.leave_out(sums.volume);
        } else if !self.rolling.add(rows, row, sums) {
            slice.take(rows, row, sums);
            slice.leave_out(sums.volume);
        }
        self.session.add(rows, row, sums).then_some(row)
    }

    /// Takes out the minutes that are no longer among the last ones.
    #[cold]
    fn expire(&mut self, rows: &mut Rows, minute: u64, minutes: u64) {
        let grid = self.rolling.grid();
        self.last_rolling.steady = Steady::NO;
        for passed in (self.minute + 1).max((minute + 1).saturating_sub(minutes))..=minute {
            let slice = &mut self.slices[(passed % minutes) as usize];
            self.rolling.take_all(rows, slice);
            slice.begin(rows, grid);
        }
        self.minute = minute;
    }

    /// Takes a broken trade out of all that is open; says of which row of the session.
    #[cold]
    pub(super) fn take(&mut self, rows: &mut Rows, print: &Print, settings: &Settings) -> Option<i64> {
        self.hours.filter(|hours| hours.hold(print.ts) && self.began == Some(hours.from))?;
        let (row, sums, minute) = (self.session.grid().row(print.px), &print.sums, print.minute());
        [self.last_session.steady, self.last_rolling.steady] = [Steady::NO; 2];
        if minute <= self.minute && minute + settings.minutes > self.minute {
            if self.slices[(minute % settings.minutes) as usize].take(rows, row, sums) {
                self.rolling.take(rows, row, sums);
            } else {
                self.rolling.leave_out_less(sums.volume);
            }
        }
        self.session.take(rows, row, sums).then_some(row)
    }
}

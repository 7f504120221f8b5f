//! What is saved of the profiles, and what of them outlives a journal.
//!
//! A profile is saved by its rows with volume; under which number it has them is nobody's business, so equal profiles are equal bytes.
//! Of an instrument the session that runs and the past ones outlive a journal; its last minutes begin anew. Bound: the rows there are.

use super::market::{Hours, LastEmitted, Market, Steady};
use super::params::{MOST_SESSIONS, Settings};
use super::{Grid, Instrument, Profile, RowSums, Rows, State, Waiting};
use crate::keyed;
use crate::measures::MeasureState;
use crate::pool;
use flow::records::Memory;
use flow::{Calendar, Lasting, Ns, Px, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// Keys of the rows that outlive a journal; the page describes them. The index has the profile in its high half.
const GRID: u16 = 1;
const BEGAN: u16 = 2;
const ROW: u16 = 3;
const SOLD: u16 = 4;
const LETTERS: u16 = 5;

/// A profile by its rows with volume.
#[derive(Serialize, Deserialize)]
pub struct SavedProfile {
    grid: Grid,
    left_out: u64,
    volume: u64,
    rows: Vec<(i64, RowSums)>,
}

#[derive(Serialize, Deserialize)]
struct SavedMarket {
    hours: Option<Hours>,
    began: Option<Ns>,
    minute: u64,
    is_minute_open: bool,
    /// Session, composite, and past sessions from the last one back.
    profiles: Vec<SavedProfile>,
    /// The rolling profile, then each of its minutes with its place.
    rolling: SavedProfile,
    slices: Vec<(u8, SavedProfile)>,
    last: [LastEmitted; 2],
    letters: Vec<(i64, u64)>,
}

type Saved = (Calendar, Px, Option<Waiting>, Option<SavedMarket>);

impl Profile {
    /// What is saved of it.
    pub fn saved(&self, rows: &Rows) -> SavedProfile {
        let (grid, left_out, volume) = (self.grid(), self.left_out(), self.volume());
        SavedProfile { grid, left_out, volume, rows: self.rows(rows).collect() }
    }

    /// Takes back what was saved; `false` if that can be of no profile.
    pub fn load(&mut self, rows: &mut Rows, saved: &SavedProfile) -> bool {
        let valid = saved.grid.is_valid() && saved.rows.iter().all(|(_, sums)| sums.volume > 0);
        if !valid {
            return false;
        }
        self.begin(rows, saved.grid);
        let all = saved.rows.iter().all(|(row, sums)| self.add(rows, *row, sums));
        self.leave_out(saved.left_out);
        self.recall_volume(saved.volume);
        all
    }
}

impl State {
    fn saved(&self, at: usize) -> Option<Saved> {
        let of = self.instruments[at];
        let market = self.markets.get(of.market).map(|market| {
            let letters = self.letters.rows(of.market, market.lettered).collect();
            SavedMarket { letters, ..market.saved(&self.rows) }
        });
        (of != Instrument::UNKNOWN).then_some((of.calendar, of.tick, of.waiting, market))
    }

    fn load_one(&mut self, at: usize, (calendar, tick, waiting, market): Saved) -> bool {
        self.instruments[at] = Instrument { market: pool::NONE, calendar, tick, waiting };
        let Some(saved) = market else { return true };
        let Some((_, number)) = self.market(at as u32) else { return false };
        for (row, letters) in &saved.letters {
            self.letters.add(number, &mut self.markets[number].lettered, *row, *letters);
        }
        self.markets[number].load(&mut self.rows, saved)
    }

    pub(super) fn remember(&self, to: &mut Lasting) {
        for (instrument, place) in (0..).zip(self.instruments.values()) {
            let Some((market, began)) = self.markets.get(place.market).and_then(|market| Some((market, market.began?)))
            else {
                continue;
            };
            to.put(instrument, BEGAN, 0, [began.0.cast_signed(), market.sessions as i64, 0]);
            let past = &market.past[..market.sessions];
            for (of, profile) in (0_u32..).zip(std::iter::once(&market.session).chain(past)) {
                let (grid, left_out) = (profile.grid(), profile.left_out());
                to.put(instrument, GRID, of << 16, [grid.height().0, grid.tick().0, left_out.cast_signed()]);
                for (at, (row, sums)) in (0_u32..).zip(profile.rows(&self.rows)) {
                    let (index, [volume, bought, sold]) = (of << 16 | at, sums.coded());
                    to.put(instrument, ROW, index, [row, volume, bought]);
                    to.put(instrument, SOLD, index, [row, sold, 0]);
                }
            }
            for (at, (row, letters)) in (0_u32..).zip(self.letters.rows(place.market, market.lettered)) {
                to.put(instrument, LETTERS, at, [row, letters.cast_signed(), 0]);
            }
        }
    }

    pub(super) fn recall(&mut self, instrument: u32, row: &Memory, settings: &Settings) {
        let [first, second, third] = row.values();
        let Some((_, number)) = self.market(instrument) else { return };
        let State { markets, rows, letters, .. } = self;
        let market = &mut markets[number];
        if row.key == LETTERS {
            if !market.session.row(rows, first).is_empty() && settings.letters {
                letters.add(number, &mut market.lettered, first, second.cast_unsigned());
            }
            return;
        }
        let profile = match (row.index >> 16) as usize {
            0 => &mut market.session,
            past if past <= settings.sessions => &mut market.past[past - 1],
            _ => return,
        };
        match row.key {
            BEGAN => {
                market.began = Some(Ns(first.cast_unsigned()));
                market.sessions = usize::try_from(second).unwrap_or(0).min(settings.sessions);
            }
            GRID => {
                if let Some(grid) = Grid::decoded(first, second) {
                    profile.begin(rows, grid);
                    profile.leave_out(third.cast_unsigned());
                    if row.index >> 16 == 0 {
                        [market.last_session.steady, market.last_rolling.steady] = [Steady::NO; 2];
                        market.rolling.begin(rows, grid);
                        market.slices.iter_mut().for_each(|slice| slice.begin(rows, grid));
                    }
                }
            }
            ROW if second != 0 => {
                let sums = RowSums { volume: second.cast_unsigned(), bought: third.cast_unsigned(), sold: 0 };
                profile.add(rows, first, &sums);
            }
            SOLD if second != 0 && !profile.row(rows, first).is_empty() => {
                profile.add(rows, first, &RowSums { sold: second.cast_unsigned(), ..RowSums::default() });
            }
            _ => {}
        }
    }
}

impl RowSums {
    fn coded(&self) -> [i64; 3] {
        [self.volume, self.bought, self.sold].map(u64::cast_signed)
    }
}

impl Market {
    fn saved(&self, rows: &Rows) -> SavedMarket {
        let past = &self.past[..self.sessions];
        let profiles = [&self.session, &self.composite].into_iter().chain(past);
        let kept = |slice: &&Profile| !slice.is_empty() || slice.left_out() > 0;
        let slices = (0..).zip(&self.slices).filter(|(_, slice)| kept(slice));
        SavedMarket {
            hours: self.hours,
            began: self.began,
            minute: self.minute,
            is_minute_open: self.is_minute_open,
            profiles: profiles.map(|profile| profile.saved(rows)).collect(),
            rolling: self.rolling.saved(rows),
            slices: slices.map(|(at, slice)| (at, slice.saved(rows))).collect(),
            last: [self.last_session, self.last_rolling],
            letters: Vec::new(),
        }
    }

    fn load(&mut self, rows: &mut Rows, saved: SavedMarket) -> bool {
        let [session, composite, past @ ..] = &saved.profiles[..] else { return false };
        if past.len() > MOST_SESSIONS {
            return false;
        }
        (self.hours, self.began, self.minute) = (saved.hours, saved.began, saved.minute);
        (self.is_minute_open, self.sessions) = (saved.is_minute_open, past.len());
        [self.last_session, self.last_rolling] = saved.last;
        let mut all = self.session.load(rows, session)
            && self.composite.load(rows, composite)
            && self.rolling.load(rows, &saved.rolling);
        for (profile, saved) in self.past.iter_mut().zip(past) {
            all &= profile.load(rows, saved);
        }
        let grid = self.rolling.grid();
        self.slices.iter_mut().for_each(|slice| slice.begin(rows, grid));
        for (at, saved) in &saved.slices {
            all &= self.slices.get_mut(usize::from(*at)).is_some_and(|slice| slice.load(rows, saved));
        }
        all
    }
}

impl MeasureState for State {
    fn list(&mut self, instrument: u32) {
        self.instruments.reach(instrument as usize);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.sessions.save(to);
        keyed::save(to, self.instruments.values().len(), |at| self.saved(at));
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.instruments.clear();
        self.markets.clear();
        self.rows.clear();
        self.letters.clear();
        self.sessions.load(from)?;
        keyed::load(from, self.instruments.bound(), |at, saved: Saved| {
            let whole = self.load_one(at, saved);
            if whole { Ok(()) } else { Err(StateError::Inconsistent("a profile whose rows do not fit its bounds")) }
        })
    }
}

//! What is saved of legs.
//!
//! Minutes are saved by their entries and a leg by its rows; in which blocks they lie is nobody's business, so equal states are equal
//! bytes. Nothing outlives a journal. Bound: the entries and rows there are.

use super::entries::Entries;
use super::leg::Leg;
use super::market::{Market, Search};
use super::minutes::{SavedMinute, Spot};
use super::pullbacks::{Numbers, Pullbacks};
use super::{Instrument, Rows, State};
use crate::measures::profile::SavedProfile;
use crate::measures::{MeasureState, Session};
use crate::{keyed, pool};
use flow::{Ns, Px, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct SavedMarket {
    session: Session,
    hours: (Ns, Ns),
    last: Spot,
    numbers: Numbers,
    waits: (Option<u32>, Option<[u32; 4]>, bool),
    search: Option<Search>,
    /// The leg, its pullbacks, and its volume: tick, height of the rows in ticks, up to the extreme and behind it.
    leg: Option<(Leg, Pullbacks, Px, u64, [SavedProfile; 2])>,
    is_open: bool,
    minutes: Vec<SavedMinute>,
}

type Saved = (Px, Option<SavedMarket>);

impl Market {
    fn saved(&self, entries: &Entries, rows: &Rows) -> SavedMarket {
        let volume = &self.volume;
        let profiles = || [volume.upto.saved(rows), volume.behind.saved(rows)];
        SavedMarket {
            session: self.session,
            hours: (self.from, self.until),
            last: self.last,
            numbers: self.numbers,
            waits: (self.bar_s, self.waiting, self.is_state_open),
            search: self.search,
            leg: self.leg.map(|leg| (leg, self.pullbacks, volume.tick, volume.ticks, profiles())),
            is_open: self.minutes.is_open(),
            minutes: self.minutes.saved(entries),
        }
    }

    fn load(&mut self, entries: &mut Entries, rows: &mut Rows, saved: SavedMarket) -> bool {
        (self.session, self.from, self.until) = (saved.session, saved.hours.0, saved.hours.1);
        (self.last, self.numbers, self.search) = (saved.last, saved.numbers, saved.search);
        (self.bar_s, self.waiting, self.is_state_open) = saved.waits;
        let mut all = self.minutes.load(entries, &saved.minutes, saved.is_open);
        if let Some((leg, pullbacks, tick, ticks, [upto, behind])) = &saved.leg {
            (self.leg, self.pullbacks) = (Some(*leg), *pullbacks);
            (self.volume.tick, self.volume.ticks) = (*tick, *ticks);
            all &= pullbacks.is_valid() && leg.size() > 0 && ticks.is_power_of_two() && *ticks <= 1 << 62;
            all &= self.volume.upto.load(rows, upto) && self.volume.behind.load(rows, behind);
        }
        all
    }
}

impl State {
    fn saved(&self, at: usize) -> Option<Saved> {
        let of = self.instruments[at];
        let market = self.markets.get(of.market).map(|market| market.saved(&self.entries, &self.rows.rows));
        (of != Instrument::UNKNOWN).then_some((of.tick, market))
    }

    fn load_one(&mut self, at: usize, (tick, market): Saved) -> bool {
        self.instruments[at] = Instrument { market: pool::NONE, tick };
        let Some(saved) = market else { return true };
        let Some(number) = self.made(at as u32) else { return false };
        self.markets[number].load(&mut self.entries, &mut self.rows.rows, saved)
    }
}

impl MeasureState for State {
    fn list(&mut self, instrument: u32) {
        self.instruments.reach(instrument as usize);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        keyed::save(to, self.instruments.values().len(), |at| self.saved(at));
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.instruments.clear();
        self.markets.clear();
        self.entries.clear();
        self.rows.rows.clear();
        keyed::load(from, self.instruments.bound(), |at, saved: Saved| {
            let whole = self.load_one(at, saved);
            if whole { Ok(()) } else { Err(StateError::Inconsistent("a leg whose volume does not fit its bounds")) }
        })
    }
}

//! Saves and loads the portfolio in canonical form: sorted by key, fills in the order in which they were booked.
//!
//! What can be derived is not saved: a position is its base sum and the fills that stand. So a state that loads is
//! consistent.

use super::executions::Saved;
use super::money::{Holding, Terms};
use super::positions::{Entry, Filled, Key};
use super::stage::{Instrument, PortfolioStage, key_of};
use flow::{Account, OrderId, Px, StateError, StateReader, StateWriter, StrategyId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct SavedPosition {
    account: Account,
    strategy: StrategyId,
    key: String,
    base: Filled,
    fees: i128,
    lacks_a_fee: bool,
}

#[derive(Serialize, Deserialize)]
struct SavedInstrument {
    key: String,
    terms: Option<Terms>,
    last_px: Px,
}

impl PortfolioStage {
    pub(super) fn save_state(&self, to: &mut StateWriter<'_>) {
        to.put(&self.reported_twice);
        let known = self.instruments.values().iter().enumerate().filter(|(_, i)| **i != Instrument::UNLISTED);
        let saved = |(at, i): (usize, &Instrument)| SavedInstrument {
            key: to.key(at as u32),
            terms: i.terms,
            last_px: i.last_px,
        };
        let mut instruments: Vec<_> = known.map(saved).collect();
        instruments.sort_by(|a, b| a.key.cmp(&b.key));
        to.put(&instruments);
        let mut positions: Vec<_> = self.positions.iter().map(|p| saved_position(p, to)).collect();
        positions.sort_by(|a, b| (a.account, a.strategy, &a.key).cmp(&(b.account, b.strategy, &b.key)));
        to.put(&positions);
        to.put(&(self.fills.booked(), self.fills.saved(to)));
    }

    pub(super) fn load_state(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.positions.clear();
        self.instruments.clear();
        self.reported_twice = from.get::<Option<(OrderId, u64)>>()?;
        for saved in from.get::<Vec<SavedInstrument>>()? {
            let at = self.index(&saved.key, from)?;
            if saved.terms.is_some_and(|t| t.multiplier < 0 || t.qty_decimals > 18) {
                return Err(StateError::Inconsistent("an instrument with invalid terms"));
            }
            self.instruments[at as usize] = Instrument { terms: saved.terms, last_px: saved.last_px };
        }
        self.load_positions(from)?;
        self.load_fills(from)
    }

    fn load_positions(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let positions = from.get::<Vec<SavedPosition>>()?;
        fits("positions", positions.len(), self.positions.limit())?;
        for saved in positions {
            let SavedPosition { account, strategy, ref key, base, fees, lacks_a_fee } = saved;
            let key = Key::new(account, strategy, self.index(key, from)?);
            let entry = self
                .positions
                .open(key.word(), || Entry::at(key))
                .filter(|entry| entry.now == Filled::NOTHING && entry.fees == 0);
            let Holding { qty, cost, fees: of_fills, .. } = base.holding;
            let sound = (qty != 0 || cost == 0) && qty != i64::MIN && of_fills == 0;
            let Some(entry) = entry.filter(|_| sound) else {
                return Err(StateError::Inconsistent("a position twice, or a flat position with a cost"));
            };
            (entry.base, entry.now) = (base, base);
            (entry.fees, entry.lacks_a_fee) = (fees, lacks_a_fee);
        }
        Ok(())
    }

    fn load_fills(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let (booked, fills) = from.get::<(u64, Vec<Saved>)>()?;
        fits("fills", fills.len(), self.fills.limit())?;
        let forgotten = booked.checked_sub(fills.len() as u64);
        let is_whole = forgotten.is_some_and(|forgotten| forgotten == 0 || fills.len() == self.fills.limit());
        let Some(forgotten) = forgotten.filter(|_| is_whole) else {
            return Err(StateError::Inconsistent("fewer fills than are remembered"));
        };
        self.fills.begin_after(forgotten);
        for saved in fills {
            let fill = saved.loaded(from)?;
            let listed = self.instruments.get(fill.instrument as usize).is_some_and(|i| i.terms.is_some());
            if !listed || self.positions.get(key_of(&fill).word()).is_none() {
                return Err(StateError::Inconsistent("a fill without its listing or position"));
            }
            self.book(fill);
        }
        Ok(())
    }

    fn index(&self, key: &str, from: &StateReader<'_>) -> Result<u32, StateError> {
        let at = from.instrument(key)?;
        if at == 0 {
            return Err(StateError::Inconsistent("a position in no instrument"));
        }
        fits("instruments", at as usize + 1, self.instruments.bound())?;
        Ok(at)
    }
}

fn saved_position(entry: &Entry, to: &StateWriter<'_>) -> SavedPosition {
    let Entry { key, base, fees, lacks_a_fee, .. } = *entry;
    let (account, strategy) = (key.account(), key.strategy());
    SavedPosition { account, strategy, key: to.key(key.instrument()), base, fees, lacks_a_fee }
}

fn fits(what: &'static str, found: usize, limit: usize) -> Result<(), StateError> {
    if found > limit { Err(StateError::TooLarge { what, found, limit }) } else { Ok(()) }
}

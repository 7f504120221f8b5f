//! State of the orders, canonical: everything sorted by what names it.

use super::counters::Counter;
use super::cycle::State;
use super::intake::Group;
use super::money::{Holding, Terms};
use super::positions::Key;
use super::stage::{Instrument, OrdersStage};
use super::table::Order;
use flow::{OrderId, Px, Side, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct SavedOrder {
    id: OrderId,
    link: OrderId,
    qty: u64,
    filled: u64,
    key: String,
    side: Side,
    state: State,
    sent: bool,
}

#[derive(Serialize, Deserialize)]
struct SavedPosition {
    account: u8,
    strategy: u16,
    key: String,
    holding: Holding,
    last_px: Px,
}

#[derive(Serialize, Deserialize)]
struct SavedInstrument {
    key: String,
    terms: Option<Terms>,
    last_px: Px,
}

impl OrdersStage {
    pub(super) fn save_state(&self, to: &mut StateWriter<'_>) {
        let pairs: Vec<_> = self.counters.pairs().iter().map(|p| (p.account, p.strategy, p.last)).collect();
        to.put(&(self.counters.base, pairs));
        to.put(&self.group);
        let saved = |(at, i): (usize, &Instrument)| SavedInstrument {
            key: to.key(at as u32),
            terms: i.terms,
            last_px: i.last_px,
        };
        let known = self.instruments.iter().enumerate().filter(|(_, i)| i.terms.is_some() || i.last_px != Px::NONE);
        let mut instruments: Vec<_> = known.map(saved).collect();
        instruments.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let saved = |o: &Order| {
            let Order { id, link, qty, filled, instrument, side, state, sent } = *o;
            SavedOrder { id, link, qty, filled, key: to.key(instrument), side, state, sent }
        };
        let mut orders: Vec<_> = self.orders.iter().map(saved).collect();
        orders.sort_unstable_by_key(|o| o.id);
        let mut positions: Vec<_> = self.positions.iter().map(|p| saved_position(p, to)).collect();
        positions.sort_unstable_by(|a, b| (a.account, a.strategy, &a.key).cmp(&(b.account, b.strategy, &b.key)));
        to.put(&instruments);
        to.put(&orders);
        to.put(&positions);
    }

    pub(super) fn load_state(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.counters.clear();
        self.orders.clear();
        self.positions.clear();
        self.instruments.fill(Instrument::UNLISTED);
        let (base, pairs) = from.get::<(u64, Vec<(u8, u16, u64)>)>()?;
        if pairs.len() > self.counters.limit() {
            return Err(too_large("accounts", pairs.len(), self.counters.limit()));
        }
        self.counters.base = base.min(OrderId::MAX_COUNTER);
        let fits = |(account, strategy, last)| self.counters.append(Counter { account, strategy, last });
        if !pairs.into_iter().all(fits) {
            return Err(StateError::Inconsistent("counters of orders that are not sorted or too large"));
        }
        self.group = from.get::<Group>()?;
        for saved in from.get::<Vec<SavedInstrument>>()? {
            let at = self.index(&saved.key, from)?;
            self.instruments[at as usize] = Instrument { terms: saved.terms, last_px: saved.last_px };
        }
        self.load_orders(from)?;
        let positions = from.get::<Vec<SavedPosition>>()?;
        if positions.len() > self.positions.limit() {
            return Err(too_large("positions", positions.len(), self.positions.limit()));
        }
        for saved in positions {
            let key = Key::new(saved.account, saved.strategy, self.index(&saved.key, from)?);
            if let Some(place) = self.positions.open(key) {
                (place.holding, place.last_px) = (saved.holding, saved.last_px);
            }
        }
        Ok(())
    }

    fn load_orders(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let orders = from.get::<Vec<SavedOrder>>()?;
        if orders.len() > self.orders.limit() {
            return Err(too_large("orders", orders.len(), self.orders.limit()));
        }
        for saved in orders {
            let SavedOrder { id, link, qty, filled, ref key, side, state, sent } = saved;
            let instrument = self.index(key, from)?;
            if state.is_over() || !self.counters.has_given(id) || self.orders.get(id).is_some() || filled > qty {
                return Err(StateError::Inconsistent("an order that is over, not given here, or there twice"));
            }
            self.orders.add(Order { id, link, qty, filled, instrument, side, state, sent });
        }
        Ok(())
    }

    fn index(&self, key: &str, from: &StateReader<'_>) -> Result<u32, StateError> {
        let at = from.instrument(key)?;
        if at == 0 || at as usize >= self.instruments.len() {
            return Err(too_large("instruments", at as usize + 1, self.instruments.len()));
        }
        Ok(at)
    }
}

fn saved_position(place: &super::positions::Place, to: &StateWriter<'_>) -> SavedPosition {
    let key = place.key;
    SavedPosition {
        account: key.account(),
        strategy: key.strategy(),
        key: to.key(key.instrument()),
        holding: place.holding,
        last_px: place.last_px,
    }
}

fn too_large(what: &'static str, found: usize, limit: usize) -> StateError {
    StateError::TooLarge { what, found, limit }
}

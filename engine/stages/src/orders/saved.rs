//! Saves and loads the orders stage in canonical form: sorted by key, fills in arrival order.
//!
//! What can be derived is not saved: a position is its base sum and the fills that stand, and the fills per order are
//! counted on loading. So a state that loads is consistent.

use super::busts::key_of;
use super::chains::{Chain, Ended};
use super::closing::Closing;
use super::counters::Counter;
use super::cycle::State;
use super::manager::{Group, Instrument, OrderManager};
use super::money::{Holding, Terms};
use super::positions::{Filled, Key, Note};
use super::table::Order;
use crate::executions::{Saved, too_many};
use flow::{Account, Halts, OrderId, Px, Side, StateError, StateReader, StateWriter, StrategyId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
struct SavedOrder {
    id: OrderId,
    link: OrderId,
    qty: u64,
    root: OrderId,
    filled: u64,
    busted: u64,
    key: String,
    side: Side,
    state: State,
    sent: bool,
}

#[derive(Serialize, Deserialize)]
struct SavedPosition {
    account: Account,
    strategy: StrategyId,
    key: String,
    base: Filled,
    fees: i128,
    lacks_a_fee: bool,
    closing: Closing,
}

#[derive(Serialize, Deserialize)]
struct SavedInstrument {
    key: String,
    terms: Option<Terms>,
    last_px: Px,
    halts: Halts,
}

impl OrderManager {
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let pairs: Vec<_> = self.counters.pairs().iter().map(|p| (p.account, p.strategy, p.last)).collect();
        to.put(&(self.counters.base, pairs));
        to.put(&(self.group, self.reported_twice));
        let saved = |(at, i): (usize, &Instrument)| SavedInstrument {
            key: to.key(at as u32),
            terms: i.terms,
            last_px: i.last_px,
            halts: i.halts,
        };
        let known = self
            .instruments
            .values()
            .iter()
            .enumerate()
            .filter(|(_, i)| i.terms.is_some() || i.last_px != Px::NONE || i.halts.any());
        let mut instruments: Vec<_> = known.map(saved).collect();
        instruments.sort_by(|a, b| a.key.cmp(&b.key));
        let saved = |o: &Order| {
            let Order { id, link, qty, root, filled, busted, instrument, side, state, sent } = *o;
            SavedOrder { id, link, qty, root, filled, busted, key: to.key(instrument), side, state, sent }
        };
        let mut orders: Vec<_> = self.orders.iter().map(saved).collect();
        orders.sort_by_key(|o| o.id);
        let mut positions: Vec<_> = self.positions.iter().map(|p| saved_position(p, to)).collect();
        positions.sort_by(|a, b| (a.account, a.strategy, &a.key).cmp(&(b.account, b.strategy, &b.key)));
        to.put(&instruments);
        to.put(&orders);
        to.put(&positions);
        let mut chains: Vec<_> = self.chains.iter().map(|c| (c.root, c.last, c.ended)).collect();
        chains.sort_by_key(|c| c.0);
        to.put(&chains);
        let fills = self.fills.saved(to, |note| note.root);
        to.put(&fills);
        self.flatten.save(to);
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.counters.clear();
        self.orders.clear();
        self.positions.clear();
        self.fills.clear();
        self.chains.clear();
        self.instruments.clear();
        let (base, pairs) = from.get::<(u64, Vec<(Account, StrategyId, u64)>)>()?;
        if pairs.len() > self.counters.limit() {
            return Err(too_large("accounts", pairs.len(), self.counters.limit()));
        }
        self.counters.base = base.min(OrderId::MAX_COUNTER);
        let fits = |(account, strategy, last)| self.counters.append(Counter { account, strategy, last });
        if !pairs.into_iter().all(fits) {
            return Err(StateError::Inconsistent("order counters that are not sorted, or too large"));
        }
        (self.group, self.reported_twice) = from.get::<(Group, Option<(OrderId, u64)>)>()?;
        for saved in from.get::<Vec<SavedInstrument>>()? {
            let at = self.index(&saved.key, from)?;
            if saved.terms.is_some_and(|t| t.multiplier < 0 || t.qty_decimals > 18) {
                return Err(StateError::Inconsistent("an instrument with invalid terms"));
            }
            self.instruments[at as usize] =
                Instrument { terms: saved.terms, last_px: saved.last_px, halts: saved.halts, ..Instrument::UNLISTED };
        }
        self.load_orders(from)?;
        self.load_positions(from)?;
        self.load_chains(from)?;
        self.load_fills(from)?;
        self.check_chains()?;
        self.flatten.load(from, self.instruments.bound())
    }

    fn load_positions(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let positions = from.get::<Vec<SavedPosition>>()?;
        if positions.len() > self.positions.limit() {
            return Err(too_large("positions", positions.len(), self.positions.limit()));
        }
        for saved in positions {
            let SavedPosition { account, strategy, ref key, base, fees, lacks_a_fee, closing } = saved;
            let key = Key::new(account, strategy, self.index(key, from)?);
            let entry = self.positions.open(key).filter(|entry| entry.now == Filled::NOTHING && entry.fees == 0);
            let Holding { qty, cost, fees: of_fills, .. } = base.holding;
            let sound = (qty != 0 || cost == 0) && qty != i64::MIN && of_fills == 0;
            let Some(entry) = entry.filter(|_| sound) else {
                return Err(StateError::Inconsistent("a position twice, or a flat position with a cost"));
            };
            (entry.base, entry.now, entry.closing) = (base, base, closing);
            (entry.fees, entry.lacks_a_fee) = (fees, lacks_a_fee);
        }
        Ok(())
    }

    fn load_chains(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let chains = from.get::<Vec<(OrderId, OrderId, Option<Ended>)>>()?;
        too_many(chains.len(), self.fills.limit())?;
        for (root, last, ended) in chains {
            let is_new = self.chains.insert(Chain { root, last, ended, fills: 0 });
            let order = self.orders.get(last);
            let lives = order.is_some_and(|o| o.root == root && !o.state.is_in_flight());
            let over = |e: Ended| match e.state {
                State::Done => true,
                State::Busted => e.filled == 0,
                _ => false,
            };
            if !is_new || !self.counters.has_issued(last) || !ended.map_or(lives, |e| order.is_none() && over(e)) {
                return Err(StateError::Inconsistent("an order with fills that is neither open nor terminal"));
            }
        }
        Ok(())
    }

    fn load_fills(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let fills = from.get::<Vec<Saved<OrderId>>>()?;
        too_many(fills.len(), self.fills.limit())?;
        for saved in fills {
            let fill = saved.loaded(from, |root| Note { root, ..Note::NONE })?;
            let root = fill.note.root;
            let listed = self.instruments.get(fill.instrument as usize).is_some_and(|i| i.terms.is_some());
            let known = root.0 == 0 || self.chains.get(root).is_some();
            if !listed || !known || self.positions.get_mut(key_of(&fill)).is_none() {
                return Err(StateError::Inconsistent("a fill without its listing, position or order"));
            }
            self.book(fill, root);
        }
        Ok(())
    }

    /// Every chain has a remembered fill, and every order has filled at least its fills that stand.
    fn check_chains(&self) -> Result<(), StateError> {
        let mut standing: BTreeMap<OrderId, u64> = BTreeMap::new();
        for fill in self.fills.iter().filter(|f| !f.busted && f.note.root.0 != 0) {
            let sum = standing.entry(fill.note.root).or_default();
            *sum = sum.saturating_add(fill.qty);
        }
        let filled = |c: &Chain| c.ended.map_or_else(|| self.orders.get(c.last).map(|o| o.filled), |e| Some(e.filled));
        let holds = |c: &Chain| {
            let filled_qty = filled(c).unwrap_or(0);
            c.fills > 0 && filled_qty >= standing.get(&c.root).copied().unwrap_or(0)
        };
        if self.chains.iter().all(holds) {
            return Ok(());
        }
        Err(StateError::Inconsistent("an order that has filled less than its fills"))
    }

    fn load_orders(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let orders = from.get::<Vec<SavedOrder>>()?;
        if orders.len() > self.orders.limit() {
            return Err(too_large("orders", orders.len(), self.orders.limit()));
        }
        for saved in orders {
            let SavedOrder { id, link, qty, root, filled, busted, ref key, side, state, sent } = saved;
            let instrument = self.index(key, from)?;
            let given = self.counters.has_issued(id) && self.counters.has_issued(root);
            let executed = filled.checked_add(busted).is_some_and(|executed| executed <= qty);
            if state.is_terminal() || !given || self.orders.get(id).is_some() || !executed || side == Side::None {
                return Err(StateError::Inconsistent("an order that is terminal, never issued, or there twice"));
            }
            self.add(Order { id, link, qty, root, filled, busted, instrument, side, state, sent });
        }
        Ok(())
    }

    fn index(&self, key: &str, from: &StateReader<'_>) -> Result<u32, StateError> {
        let at = from.instrument(key)?;
        if at == 0 || at as usize >= self.instruments.bound() {
            return Err(too_large("instruments", at as usize + 1, self.instruments.bound()));
        }
        Ok(at)
    }
}

fn saved_position(entry: &super::positions::Entry, to: &StateWriter<'_>) -> SavedPosition {
    let key = entry.key;
    SavedPosition {
        account: key.account(),
        strategy: key.strategy(),
        key: to.key(key.instrument()),
        base: entry.base,
        fees: entry.fees,
        lacks_a_fee: entry.lacks_a_fee,
        closing: entry.closing,
    }
}

fn too_large(what: &'static str, found: usize, limit: usize) -> StateError {
    StateError::TooLarge { what, found, limit }
}

//! Saves and loads the orders stage in canonical form: sorted by key, fills in the order in which they were booked.
//!
//! The fills per order are counted on loading, so a state that loads is consistent.

use super::chains::{Chain, Ended};
use super::closing::Closing;
use super::counters::Counter;
use super::cycle::State;
use super::held::Held;
use super::manager::{Group, Instrument, OrderManager};
use super::table::Order;
use crate::portfolio::Key;
use flow::{Account, Halts, OrderId, Side, StateError, StateReader, StateWriter, StrategyId};
use serde::{Deserialize, Serialize};

const FEWER: StateError = StateError::Inconsistent("fewer fills than are remembered");
const UNKNOWN: StateError =
    StateError::Inconsistent("a fill of an order that is not known, or such an order without one");

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
struct SavedHeld {
    account: Account,
    strategy: StrategyId,
    key: String,
    qty: i64,
    closing: Closing,
}

#[derive(Serialize, Deserialize)]
struct SavedInstrument {
    key: String,
    listed: bool,
    halts: Halts,
}

impl OrderManager {
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let pairs: Vec<_> = self.counters.pairs().iter().map(|p| (p.account, p.strategy, p.last)).collect();
        to.put(&(self.counters.base, pairs));
        to.put(&self.group);
        let saved = |(at, i): (usize, &Instrument)| SavedInstrument {
            key: to.key(at as u32),
            listed: i.listed,
            halts: i.halts,
        };
        let known = self.instruments.values().iter().enumerate().filter(|(_, i)| i.listed || i.halts.any());
        let mut instruments: Vec<_> = known.map(saved).collect();
        instruments.sort_by(|a, b| a.key.cmp(&b.key));
        let saved = |o: &Order| {
            let Order { id, link, qty, root, filled, busted, instrument, side, state, sent } = *o;
            SavedOrder { id, link, qty, root, filled, busted, key: to.key(instrument), side, state, sent }
        };
        let mut orders: Vec<_> = self.orders.iter().map(saved).collect();
        orders.sort_by_key(|o| o.id);
        let mut held: Vec<_> = self.holdings.iter().map(|h| saved_held(h, to)).collect();
        held.sort_by(|a, b| (a.account, a.strategy, &a.key).cmp(&(b.account, b.strategy, &b.key)));
        to.put(&instruments);
        to.put(&orders);
        to.put(&held);
        let mut chains: Vec<_> = self.chains.iter().map(|c| (c.root, c.last, c.ended)).collect();
        chains.sort_by_key(|c| c.0);
        to.put(&chains);
        to.put(&self.roots.all());
        self.flatten.save(to);
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.counters.clear();
        self.orders.clear();
        self.holdings.clear();
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
        self.group = from.get::<Group>()?;
        for saved in from.get::<Vec<SavedInstrument>>()? {
            let at = self.index(&saved.key, from)?;
            self.instruments[at as usize] =
                Instrument { listed: saved.listed, halts: saved.halts, ..Instrument::UNLISTED };
        }
        self.load_orders(from)?;
        self.load_holdings(from)?;
        self.load_chains(from)?;
        self.load_roots(from)?;
        self.flatten.load(from, self.instruments.bound())
    }

    fn load_holdings(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let all = from.get::<Vec<SavedHeld>>()?;
        if all.len() > self.holdings.limit() {
            return Err(too_large("positions", all.len(), self.holdings.limit()));
        }
        for saved in all {
            let SavedHeld { account, strategy, ref key, qty, closing } = saved;
            let key = Key::new(account, strategy, self.index(key, from)?);
            let is_there = self.holdings.get_mut(key.word()).is_some();
            let Some(held) = self.holdings.open(key.word(), || Held::at(key)).filter(|_| !is_there && qty != i64::MIN)
            else {
                return Err(StateError::Inconsistent("a position twice, or of an impossible size"));
            };
            (held.qty, held.closing) = (qty, closing);
        }
        Ok(())
    }

    fn load_chains(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let chains = from.get::<Vec<(OrderId, OrderId, Option<Ended>)>>()?;
        if chains.len() > self.roots.limit() {
            return Err(too_large("orders with fills", chains.len(), self.roots.limit()));
        }
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

    /// Every remembered fill counts in a known order or in none, and every chain has one.
    fn load_roots(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let (last, roots) = from.get::<(u64, Vec<OrderId>)>()?;
        if roots.len() > self.roots.limit() {
            return Err(too_large("fills", roots.len(), self.roots.limit()));
        }
        let forgotten = last.checked_sub(roots.len() as u64);
        let is_whole = forgotten.is_some_and(|forgotten| forgotten == 0 || roots.len() == self.roots.limit());
        self.roots.begin_after(forgotten.filter(|_| is_whole).ok_or(FEWER)?);
        for root in roots {
            self.roots.add(root);
            if root.0 != 0 {
                self.chains.get_mut(root).ok_or(UNKNOWN)?.fills += 1;
            }
        }
        if self.chains.iter().any(|chain| chain.fills == 0) {
            return Err(UNKNOWN);
        }
        Ok(())
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

fn saved_held(held: &Held, to: &StateWriter<'_>) -> SavedHeld {
    let Held { key, qty, closing } = *held;
    let (account, strategy) = (key.account(), key.strategy());
    SavedHeld { account, strategy, key: to.key(key.instrument()), qty, closing }
}

fn too_large(what: &'static str, found: usize, limit: usize) -> StateError {
    StateError::TooLarge { what, found, limit }
}

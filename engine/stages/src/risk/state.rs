//! Saving and loading the gate's state: everything is sorted, instruments by the key of their listing.
//!
//! Open quantities per instrument are not saved, since they are sums over the orders. Message times that no window can
//! reach any more are left out, so gates that will behave alike save equal bytes.

use super::checks::Limits;
use super::gate::Gate;
use super::group::{Held, Leg, MAX_LEGS};
use super::levels::Sum;
use super::limits;
use super::market::Market;
use super::messages::MAX_MESSAGES;
use super::open::{Open, Role};
use super::stage::RiskStage;
use flow::records::Request;
use flow::{Account, Ns, OrderId, Px, Qty, Side, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// All state except the instruments and what refers to them.
#[derive(Serialize, Deserialize)]
struct Saved {
    halted: bool,
    lost: u32,
    limits: Limits,
    messages: Vec<Ns>,
    ids: Vec<OrderId>,
    seq: u64,
    fallen: u32,
}

#[derive(Serialize, Deserialize)]
struct SavedOrder {
    id: u64,
    other: u64,
    open: u64,
    executed: u64,
    key: String,
    side: Side,
    order_type: u8,
    tif: u8,
    role: Role,
    late: bool,
}

/// A held leg keeps its instrument index, listed or not; an unlisted leg is refused later.
#[derive(Serialize, Deserialize)]
struct SavedLeg {
    order_id: u64,
    px: Px,
    qty: Qty,
    group: u32,
    order_type: u8,
    tif: u8,
    legs: u8,
    key: String,
    side: Side,
}

impl RiskStage {
    pub(super) fn save_state(&self, to: &mut StateWriter<'_>) {
        let gate = &self.gate;
        to.put(&Saved {
            halted: gate.halted,
            lost: gate.lost,
            limits: self.limits,
            messages: gate.messages.counting(),
            ids: gate.ids.sorted(),
            seq: self.held.seq,
            fallen: self.held.fallen,
        });
        let legs: Vec<_> = self.held.legs().iter().map(|leg| save_leg(leg, to.key(leg.instrument))).collect();
        to.put(&legs);
        let is_known = |m: &Market| *m != Market { first: m.first, exposure: m.exposure, ..Market::UNKNOWN };
        let known = gate.markets.values().iter().enumerate().filter(|(_, m)| is_known(m));
        let mut markets: Vec<_> = known.map(|(at, m)| (to.key(at as u32), *m)).collect();
        markets.sort_by(|a, b| a.0.cmp(&b.0));
        to.put(&markets);
        let positions = gate.exposures.positions(&gate.markets);
        let mut positions: Vec<_> = positions.map(|(account, at, qty)| (to.key(at), account, qty)).collect();
        positions.sort_unstable();
        to.put(&(positions, gate.exposures.has_lost()));
        gate.levels.save(to);
        gate.rates.save(to);
        gate.trust.save(to);
        let late = |o: &Open| gate.open.late().contains(&o.id);
        let orders: Vec<_> = gate.open.sorted().iter().map(|o| save_order(o, to.key(o.instrument), late(o))).collect();
        to.put(&orders);
        let unexplained: Vec<_> = gate.unexplained.iter().map(|(id, at)| (id, to.key(at as u32))).collect();
        to.put(&unexplained);
    }

    pub(super) fn load_state(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let saved: Saved = from.get()?;
        let gate = &mut self.gate;
        fits("pairs of account and strategy", saved.ids.len(), gate.ids.most())?;
        fits("messages", saved.messages.len(), MAX_MESSAGES as usize)?;
        if !limits::are_valid(&saved.limits, &self.ceilings) {
            return Err(StateError::Inconsistent("a limit that no command could have set"));
        }
        (gate.halted, gate.lost, self.limits) = (saved.halted, saved.lost, saved.limits);
        gate.messages.restore(&saved.messages);
        gate.ids.clear();
        saved.ids.iter().for_each(|id| gate.ids.raise(*id));
        self.held = Held::new();
        (self.held.seq, self.held.fallen) = (saved.seq, saved.fallen);
        let legs: Vec<SavedLeg> = from.get()?;
        fits("legs", legs.len(), MAX_LEGS - 1)?;
        for leg in &legs {
            let instrument = from.instrument(&leg.key)?;
            self.held.push(load_leg(leg, instrument));
        }
        self.load_markets(from)?;
        self.gate.levels.load(from)?;
        self.gate.rates.load(from)?;
        if !self.gate.levels.agree(self.gate.exposures.positions(&self.gate.markets)) {
            return Err(StateError::Inconsistent("strategies that do not hold what their account does"));
        }
        self.gate.trust.load(from)?;
        self.load_orders(from)?;
        self.gate.unexplained.clear();
        for (id, key) in from.get::<Vec<(OrderId, String)>>()? {
            let at = from.instrument(&key)? as usize;
            fits("instruments", at + 1, self.gate.markets.bound())?;
            if !self.gate.unexplained.add(id, at) {
                return Err(StateError::Inconsistent("more unexplained orders than fit"));
            }
        }
        Ok(())
    }

    fn load_markets(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.gate.markets.clear();
        for (key, market) in from.get::<Vec<(String, Market)>>()? {
            let at = from.instrument(&key)? as usize;
            fits("instruments", at + 1, self.gate.markets.bound())?;
            if !market.is_possible() {
                return Err(StateError::Inconsistent("an instrument with impossible terms"));
            }
            self.gate.markets[at] = market;
        }
        let (positions, lost) = from.get::<(Vec<(String, Account, i64)>, bool)>()?;
        self.gate.exposures.clear(lost);
        for (key, account, qty) in positions {
            let at = from.instrument(&key)? as usize;
            fits("instruments", at + 1, self.gate.markets.bound())?;
            let Gate { exposures, markets, .. } = &mut self.gate;
            if at == 0 || qty == 0 || !exposures.has_room() {
                return Err(StateError::Inconsistent("an impossible position"));
            }
            exposures.change(markets, account, at, |exposure| exposure.position = qty);
        }
        Ok(())
    }

    fn load_orders(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let gate = &mut self.gate;
        let orders: Vec<SavedOrder> = from.get()?;
        fits("open orders", orders.len(), gate.open.slots())?;
        gate.open.clear();
        // Replaces in flight come after the orders that they replace, so that inserting them restores the pairs.
        let (replacing, others): (Vec<_>, Vec<_>) = orders.into_iter().partition(|o| o.role == Role::Replacing);
        for saved in others.iter().chain(&replacing) {
            let instrument = from.instrument(&saved.key)?;
            fits("instruments", instrument as usize + 1, gate.markets.bound())?;
            let paired = (saved.role == Role::Replaced) == (saved.other != 0) || saved.role == Role::Replacing;
            let alive = saved.role != Role::Replacing || saved.other == 0 || gate.open.get(saved.other).is_some();
            if !paired || !alive || saved.id == 0 || saved.side == Side::None || gate.open.get(saved.id).is_some() {
                return Err(StateError::Inconsistent("an impossible open order"));
            }
            let SavedOrder { id, open, executed, side, order_type, tif, role, late, .. } = *saved;
            let (role, other) = if role == Role::Replacing { (role, saved.other) } else { (Role::Alone, 0) };
            gate.open.insert(Open { id, other, open, executed, instrument, side, order_type, tif, role });
            if late {
                gate.open.unanswered(id);
            }
        }
        for order in gate.open.sorted().iter().filter(|o| o.role != Role::Replacing || o.other == 0) {
            let (weight, at) = (gate.open.weight(order), gate.place(order.instrument));
            let (account, mut fits) = (OrderId(order.id).account(), true);
            gate.exposures.change(&mut gate.markets, account, at, |exposure| {
                let open = exposure.open_mut(order.side);
                (*open, fits) = open.checked_add(weight).map_or((*open, false), |sum| (sum, true));
            });
            if !fits {
                return Err(StateError::Inconsistent("an open quantity that overflows"));
            }
            if !gate.levels.is_empty() {
                gate.levels.change(OrderId(order.id), at, &Sum::of_order(order.side, weight));
            }
        }
        Ok(())
    }
}

fn fits(what: &'static str, found: usize, limit: usize) -> Result<(), StateError> {
    if found > limit { Err(StateError::TooLarge { what, found, limit }) } else { Ok(()) }
}

fn save_order(order: &Open, key: String, late: bool) -> SavedOrder {
    let Open { id, other, open, executed, side, order_type, tif, role, .. } = *order;
    SavedOrder { id, other, open, executed, key, side, order_type, tif, role, late }
}

fn save_leg(leg: &Leg, key: String) -> SavedLeg {
    let Request { order_id, px, qty, group, order_type, tif, legs, .. } = leg.request;
    SavedLeg { order_id, px, qty, group, order_type, tif, legs, key, side: leg.side }
}

fn load_leg(saved: &SavedLeg, instrument: u32) -> Leg {
    let SavedLeg { order_id, px, qty, group, order_type, tif, legs, side, .. } = *saved;
    let request = Request { order_id, px, qty, group, order_type, tif, legs, ..Request::default() };
    Leg { request, instrument, side }
}

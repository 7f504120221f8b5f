//! Orders with fills, by the first id of their replace chain.
//!
//! A bust may arrive when its order is long done, or lives on under another id. So an order with fills is remembered as long
//! as one of its fills is: under its first id, with its current id and, once it is terminal, how it ended. Open addressing
//! with linear probing, like the table of orders; removal shifts entries back.
//!
//! Bound: one chain per remembered fill. Worst case: colliding ids cost one probe each.

use super::cycle::State;
use flow::{OrderId, table};
use serde::{Deserialize, Serialize};

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// `Done` or `Busted`.
    pub state: State,
    /// Filled and not busted.
    pub filled: u64,
    /// Filled and busted.
    pub busted: u64,
}

/// An order with all its ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// Its first id; 0 = none.
    pub(super) root: OrderId,
    /// Its current id.
    pub(super) last: OrderId,
    /// Number of its remembered fills.
    pub(super) fills: u32,
    /// How it ended; `None` while it is in the table of orders.
    pub(super) ended: Option<Ended>,
}

impl Chain {
    /// No order. Not all zero, so that filling memory with it touches the memory.
    const NONE: Chain = Chain { root: OrderId(0), last: OrderId(u64::MAX), fills: 0, ended: None };
}

/// The table of chains.
pub(super) struct Chains {
    slots: Box<[Chain]>,
    shift: u32,
}

impl Chains {
    /// Room for one chain per fill.
    pub(super) fn new(fills: usize) -> Chains {
        let size = (fills * 2).next_power_of_two().max(2);
        Chains { slots: table(size, Chain::NONE), shift: 64 - size.trailing_zeros() }
    }

    /// All chains, in arbitrary order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Chain> {
        self.slots.iter().filter(|c| c.root.0 != 0)
    }

    #[inline]
    fn home(&self, root: OrderId) -> usize {
        (root.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    #[inline]
    fn seek(&self, root: OrderId) -> usize {
        let mut at = self.home(root);
        while self.slots[at].root != root && self.slots[at].root.0 != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }

    /// The chain that begins with that id, if one of its fills is remembered.
    pub(super) fn get(&self, root: OrderId) -> Option<&Chain> {
        Some(&self.slots[self.seek(root)]).filter(|chain| chain.root.0 != 0)
    }

    /// [`Chains::get`], mutable.
    #[inline]
    pub(super) fn get_mut(&mut self, root: OrderId) -> Option<&mut Chain> {
        let at = self.seek(root);
        Some(&mut self.slots[at]).filter(|chain| chain.root.0 != 0)
    }

    /// Counts a remembered fill; `last` is the order's current id, if its chain is new.
    #[inline]
    pub(super) fn count(&mut self, root: OrderId, last: OrderId) {
        let at = self.seek(root);
        let chain = &mut self.slots[at];
        if chain.root.0 == 0 {
            *chain = Chain { root, last, ..Chain::NONE };
        }
        chain.fills += 1;
    }

    /// Uncounts a forgotten fill; the chain leaves with its last one.
    pub(super) fn forget(&mut self, root: OrderId) {
        let at = self.seek(root);
        let chain = &mut self.slots[at];
        assert!(chain.fills > 0, "an order of a remembered fill has a chain");
        chain.fills -= 1;
        if chain.fills == 0 {
            self.remove(at);
        }
    }

    fn remove(&mut self, mut hole: usize) {
        let mask = self.slots.len() - 1;
        let mut at = (hole + 1) & mask;
        while self.slots[at].root.0 != 0 {
            let home = self.home(self.slots[at].root);
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = self.slots[at];
                hole = at;
            }
            at = (at + 1) & mask;
        }
        self.slots[hole] = Chain::NONE;
    }

    /// Adds a saved chain; false if it exists.
    pub(super) fn insert(&mut self, chain: Chain) -> bool {
        let at = self.seek(chain.root);
        let vacant = self.slots[at].root.0 == 0 && chain.root.0 != 0;
        if vacant {
            self.slots[at] = chain;
        }
        vacant
    }

    /// Removes all chains.
    pub(super) fn clear(&mut self) {
        self.slots.fill(Chain::NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Account, StrategyId};
    use std::collections::BTreeMap;

    #[test]
    fn who_has_a_fill_is_found_until_the_last_is_forgotten() {
        for limit in [1, 3, 8] {
            let (mut chains, mut model, mut drawn) = (Chains::new(limit), BTreeMap::<u64, u32>::new(), 1_u64);
            for n in 0..20_000_u64 {
                drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let root = OrderId::new(Account(1), StrategyId(3), 1 + (drawn >> 59));
                if drawn >> 20 & 1 == 0 && (model.values().sum::<u32>() as usize) < limit {
                    chains.count(root, OrderId(n));
                    *model.entry(root.0).or_default() += 1;
                } else if let Some(fills) = model.get_mut(&root.0) {
                    chains.forget(root);
                    *fills -= 1;
                    model.retain(|_, fills| *fills > 0);
                }
                let mut found: Vec<_> = chains.iter().map(|c| (c.root.0, c.fills)).collect();
                found.sort_unstable();
                assert!(found.into_iter().eq(model.iter().map(|(root, fills)| (*root, *fills))), "{n}");
                let known =
                    (1..33).filter(|n| chains.get_mut(OrderId::new(Account(1), StrategyId(3), *n)).is_some()).count();
                assert_eq!(known, model.len());
            }
        }
    }
}

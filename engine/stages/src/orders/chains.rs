//! Orders with fills, by the first id of their replace chain.
//!
//! A bust may arrive when its order is long done, or lives on under another id. So an order with fills is remembered as long
//! as one of its fills is: under its first id, with its current id and, once it is terminal, how it ended.
//!
//! Bound: one chain per remembered fill, and one more. Worst case: colliding ids cost one probe each.

use super::cycle::State;
use crate::by_key::{ByKey, Keyed};
use flow::OrderId;
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

impl Keyed for Chain {
    const VACANT: Chain = Chain { root: OrderId(0), last: OrderId(0), fills: 0, ended: None };

    #[inline]
    fn key(&self) -> u64 {
        self.root.0
    }
}

/// The table of chains.
pub(super) struct Chains(ByKey<Chain>);

impl Chains {
    /// Room for one chain per fill, and one more: a fill is counted before the oldest is forgotten.
    pub(super) fn new(fills: usize) -> Chains {
        Chains(ByKey::new(fills + 1))
    }

    /// All chains, in arbitrary order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Chain> {
        self.0.iter()
    }

    /// The chain that begins with that id, if one of its fills is remembered.
    pub(super) fn get(&self, root: OrderId) -> Option<&Chain> {
        self.0.get(root.0)
    }

    /// [`Chains::get`], mutable.
    #[inline]
    pub(super) fn get_mut(&mut self, root: OrderId) -> Option<&mut Chain> {
        self.0.get_mut(root.0)
    }

    /// Counts a remembered fill; `last` is the order's current id, if its chain is new.
    #[inline]
    pub(super) fn count(&mut self, root: OrderId, last: OrderId) {
        match self.0.get_mut(root.0) {
            Some(chain) => chain.fills += 1,
            None => {
                let added = self.0.add(Chain { root, last, fills: 1, ended: None });
                assert!(added.is_some(), "there is room for a chain per remembered fill");
            }
        }
    }

    /// Uncounts a forgotten fill; the chain leaves with its last one.
    pub(super) fn forget(&mut self, root: OrderId) {
        let chain = self.0.get_mut(root.0).expect("an order of a remembered fill has a chain");
        chain.fills -= 1;
        if chain.fills == 0 {
            self.0.remove(root.0);
        }
    }

    /// Adds a saved chain; false if it exists.
    pub(super) fn insert(&mut self, chain: Chain) -> bool {
        chain.root.0 != 0 && self.get(chain.root).is_none() && self.0.add(chain).is_some()
    }

    /// Removes all chains.
    pub(super) fn clear(&mut self) {
        self.0.clear();
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

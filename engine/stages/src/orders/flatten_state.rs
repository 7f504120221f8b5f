//! How far a flatten is, for an operator who asks.
//!
//! Bound: [`TradingState::ROWS`] positions; all are counted. Worst case: two passes over the positions.

use super::held::Held;
use super::manager::OrderManager;
use flow::{ClosingPosition, ClosingWait, FlattenState, TradingState};

impl OrderManager {
    /// What is closed by command, and what that waits for; `None` if nothing is.
    pub(super) fn flatten_state(&self) -> Option<FlattenState> {
        if !self.flatten.is_active() {
            return None;
        }
        let is_left = |entry: &&Held| {
            let key = entry.key;
            entry.qty != 0 && self.flatten.holds(key.account(), key.strategy(), key.instrument())
        };
        let left = || self.holdings.iter().filter(is_left).map(|entry| self.closing_position(entry));
        let is_stuck = |p: &ClosingPosition| matches!(p.waits, ClosingWait::Halt | ClosingWait::Refused(_));
        let stuck = left().filter(is_stuck);
        Some(FlattenState {
            of: self.flatten.wanted.clone(),
            orders: self.flatten.orders.iter().filter(|id| self.orders.get(**id).is_some()).count() as u64,
            left: left().count() as u64,
            positions: stuck.chain(left().filter(|p| !is_stuck(p))).take(TradingState::ROWS).collect(),
        })
    }

    fn closing_position(&self, entry: &Held) -> ClosingPosition {
        let Held { key, qty, closing } = *entry;
        let waits = if self.orders.get(closing.order).is_some() {
            ClosingWait::Fill
        } else if self.instruments[key.instrument() as usize].halts.any() {
            ClosingWait::Halt
        } else if closing.refused != 0 {
            ClosingWait::Refused(closing.refused)
        } else {
            ClosingWait::Turn
        };
        let (account, strategy, instrument) = (key.account(), key.strategy(), key.instrument());
        ClosingPosition { account, strategy, instrument, qty, waits }
    }
}

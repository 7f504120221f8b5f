//! What is to be closed by command, and how far that is: the state of [`super::flatten`].
//!
//! Bound: [`MOST`] commands, and room for the ids of all open orders. Worst case: each command is looked at for a position.

use flow::{Account, FlattenTarget, Ns, OrderId, Reserve, StateError, StateReader, StateWriter, StrategyId};
use serde::{Deserialize, Serialize};

/// The most commands that are carried out at once.
pub(super) const MOST: usize = 64;

/// How far the work is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Orders that have been asked to be cancelled, of those that were open; all of them: their ends are awaited.
    pub(super) asked: u64,
    /// Instrument and number of the pair where the search for positions goes on; instrument 0 = orders are still open.
    pub(super) instrument: u32,
    pub(super) pair: u64,
    /// Whether this search has found a position that is not flat, or one was opened behind it.
    pub(super) found: bool,
    /// The last event that did a part.
    pub(super) last: Ns,
    /// When a cancel that was rejected is asked for again.
    pub(super) ask_again: Ns,
    /// Nothing is done before this time.
    pub(super) not_before: Ns,
}

/// What is commanded, and how far it is.
pub(super) struct Flatten {
    pub(super) wanted: Vec<FlattenTarget>,
    /// The orders that were open, sorted; the last ones leave as they end.
    pub(super) orders: Reserve<OrderId>,
    pub(super) progress: Progress,
}

impl Flatten {
    /// Nothing is commanded; room for `orders` open orders.
    pub(super) fn new(orders: usize) -> Flatten {
        Flatten {
            wanted: Vec::with_capacity(MOST),
            orders: Reserve::new(orders, OrderId(0)),
            progress: Progress::default(),
        }
    }

    /// Whether anything is left to do.
    #[inline]
    pub(super) fn is_active(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Whether positions of this pair in this instrument are being closed.
    #[inline]
    pub(super) fn holds(&self, account: Account, strategy: StrategyId, instrument: u32) -> bool {
        self.wanted.iter().any(|wanted| wanted.holds(account, strategy, instrument))
    }

    /// The first and the last instrument of which a position may be wanted.
    pub(super) fn range(&self, instruments: u32) -> (u32, u32) {
        let all = self.wanted.iter().any(|wanted| wanted.instrument == 0);
        let named = || self.wanted.iter().map(|wanted| wanted.instrument);
        if all { (1, instruments - 1) } else { (named().min().unwrap_or(1), named().max().unwrap_or(0)) }
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let wanted: Vec<_> = self.wanted.iter().map(|w| (w.account, w.strategy, to.key(w.instrument))).collect();
        to.put(&(wanted, &self.orders[..], self.progress, to.key(self.progress.instrument)));
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>, instruments: usize) -> Result<(), StateError> {
        let room = self.orders.bound();
        self.wanted.clear();
        self.orders.clear();
        type Saved = (Vec<(Account, StrategyId, String)>, Vec<OrderId>, Progress, String);
        let (wanted, orders, progress, at) = from.get::<Saved>()?;
        if wanted.len() > MOST || orders.len() > room || !orders.is_sorted() || progress.asked > orders.len() as u64 {
            return Err(StateError::Inconsistent("more to flatten than fits, or unsorted orders of it"));
        }
        for (account, strategy, key) in wanted {
            self.wanted.push(FlattenTarget { account, strategy, instrument: from.instrument(&key)? });
        }
        for id in orders {
            self.orders.push(id);
        }
        self.progress = Progress { instrument: from.instrument(&at)?, ..progress };
        let beyond = |instrument: u32| instrument as usize >= instruments;
        if beyond(self.progress.instrument) || self.wanted.iter().any(|w| beyond(w.instrument)) {
            return Err(StateError::Inconsistent("an instrument to flatten beyond the table"));
        }
        Ok(())
    }
}

/// How far the closing of a position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Closing {
    /// The last order that was sent for it.
    pub(super) order: OrderId,
    /// No other one before this time.
    pub(super) not_before: Ns,
    /// Whether it was said that it waits.
    pub(super) waits: bool,
    /// The check of the gate that refused that order; 0 = none.
    pub(super) refused: u16,
}

impl Closing {
    /// No order was sent for it.
    pub(super) const NEVER: Closing = Closing { order: OrderId(0), not_before: Ns(0), waits: false, refused: 0 };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_counts_the_ids_of_all_open_orders() {
        let (_, bytes) = flow::planned(|| Flatten::new(1 << 40));
        assert_eq!(bytes, 8 << 40);
    }
}

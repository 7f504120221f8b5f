//! The last counter of every account and strategy.
//!
//! A sorted array: pairs are few and never leave. An id at or below its pair's counter was given here, so that an answer
//! for an order that is over is told from one that this pipeline never sent, without keeping the orders.
//!
//! Bound: the number of pairs. Worst case: a look is a binary search; a new pair moves those behind it once.

use flow::{Account, OrderId, StrategyId};

/// A pair with the counter of its last order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Counter {
    pub(super) account: Account,
    pub(super) strategy: StrategyId,
    pub(super) last: u64,
}

/// The counters.
pub(super) struct Counters {
    pairs: Box<[Counter]>,
    len: usize,
    /// Where pairs begin that are not in the array yet.
    pub(super) base: u64,
}

impl Counters {
    /// Room for `limit` pairs.
    pub(super) fn new(limit: usize) -> Counters {
        let vacant = Counter { account: Account(u8::MAX), strategy: StrategyId(u16::MAX), last: u64::MAX };
        Counters { pairs: vec![vacant; limit].into_boxed_slice(), len: 0, base: 0 }
    }

    /// The most pairs.
    pub(super) fn limit(&self) -> usize {
        self.pairs.len()
    }

    /// The pairs, rising.
    pub(super) fn pairs(&self) -> &[Counter] {
        &self.pairs[..self.len]
    }

    #[inline]
    fn find(&self, account: Account, strategy: StrategyId) -> Result<usize, usize> {
        self.pairs().binary_search_by_key(&(account, strategy), |p| (p.account, p.strategy))
    }

    /// Whether the id was given, or skipped, here.
    pub(super) fn has_given(&self, id: OrderId) -> bool {
        let last = self.find(id.account(), id.strategy()).map_or(self.base, |at| self.pairs[at].last);
        (1..=last).contains(&id.counter())
    }

    /// Whether a pair can be given `n` more ids.
    pub(super) fn has_room(&self, account: Account, strategy: StrategyId, n: u64) -> bool {
        let last = match self.find(account, strategy) {
            Ok(at) => self.pairs[at].last,
            Err(_) if self.len == self.pairs.len() => return false,
            Err(_) => self.base,
        };
        last + n <= OrderId::MAX_COUNTER
    }

    /// The next id of a pair that has room for it.
    pub(super) fn give(&mut self, account: Account, strategy: StrategyId) -> OrderId {
        let at = self.find(account, strategy).unwrap_or_else(|at| {
            self.insert(at, Counter { account, strategy, last: self.base });
            at
        });
        self.pairs[at].last += 1;
        OrderId::new(account, strategy, self.pairs[at].last)
    }

    fn insert(&mut self, at: usize, counter: Counter) {
        self.pairs.copy_within(at..self.len, at + 1);
        self.pairs[at] = counter;
        self.len += 1;
    }

    /// Adds a pair behind the others; false when it does not belong there or there is no room.
    pub(super) fn append(&mut self, counter: Counter) -> bool {
        let fits = self.find(counter.account, counter.strategy) == Err(self.len);
        let fits = fits && self.len < self.pairs.len() && counter.last <= OrderId::MAX_COUNTER;
        if fits {
            self.insert(self.len, counter);
        }
        fits
    }

    /// Moves the counters of a strategy (0 = of all, those to come too) ahead; false when there is no such strategy.
    pub(super) fn skip(&mut self, strategy: u32, by: u64) -> bool {
        let ahead = |last: u64| last.saturating_add(by).min(OrderId::MAX_COUNTER);
        let mut found = strategy == 0;
        if found {
            self.base = ahead(self.base);
        }
        for pair in &mut self.pairs[..self.len] {
            if strategy == 0 || u32::from(pair.strategy.0) == strategy {
                pair.last = ahead(pair.last);
                found = true;
            }
        }
        found
    }

    /// Forgets all pairs.
    pub(super) fn clear(&mut self) {
        (self.len, self.base) = (0, 0);
    }
}

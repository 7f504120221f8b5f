//! The id counter of every account and strategy.
//!
//! A sorted array: pairs are few and never leave. An id at or below its pair's counter was issued here; that separates a report
//! for a finished order from one for an order that this pipeline never sent, without keeping finished orders.
//!
//! Bound: the number of pairs. Worst case: a lookup is a binary search; a new pair shifts the pairs behind it once.

use flow::{Account, OrderId, StrategyId, table};

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
    /// Where the counter of a new pair starts.
    pub(super) base: u64,
}

impl Counters {
    /// Room for `limit` pairs.
    pub(super) fn new(limit: usize) -> Counters {
        let vacant = Counter { account: Account(u8::MAX), strategy: StrategyId(u16::MAX), last: u64::MAX };
        Counters { pairs: table(limit, vacant), len: 0, base: 0 }
    }

    /// The most pairs.
    pub(super) fn limit(&self) -> usize {
        self.pairs.len()
    }

    /// All pairs, sorted.
    pub(super) fn pairs(&self) -> &[Counter] {
        &self.pairs[..self.len]
    }

    #[inline]
    fn find(&self, account: Account, strategy: StrategyId) -> Result<usize, usize> {
        self.pairs().binary_search_by_key(&(account, strategy), |p| (p.account, p.strategy))
    }

    /// Whether the id was issued, or skipped, here.
    pub(super) fn has_issued(&self, id: OrderId) -> bool {
        let last = self.find(id.account(), id.strategy()).map_or(self.base, |at| self.pairs[at].last);
        (1..=last).contains(&id.counter())
    }

    /// Whether `n` more ids can be issued to a pair.
    pub(super) fn has_room(&self, account: Account, strategy: StrategyId, n: u64) -> bool {
        let last = match self.find(account, strategy) {
            Ok(at) => self.pairs[at].last,
            Err(_) if self.len == self.pairs.len() => return false,
            Err(_) => self.base,
        };
        last + n <= OrderId::MAX_COUNTER
    }

    /// Issues the next id of a pair; the caller has checked [`Counters::has_room`].
    pub(super) fn issue(&mut self, account: Account, strategy: StrategyId) -> OrderId {
        let at = self.find(account, strategy).unwrap_or_else(|at| {
            self.insert(at, Counter { account, strategy, last: self.base });
            at
        });
        self.pairs[at].last += 1;
        OrderId::new(account, strategy, self.pairs[at].last)
    }

    /// Takes in a pair that holds something without having sent an order from here; nothing changes for its ids.
    pub(super) fn know(&mut self, account: Account, strategy: StrategyId) {
        if let Err(at) = self.find(account, strategy)
            && self.len < self.pairs.len()
        {
            self.insert(at, Counter { account, strategy, last: self.base });
        }
    }

    fn insert(&mut self, at: usize, counter: Counter) {
        self.pairs.copy_within(at..self.len, at + 1);
        self.pairs[at] = counter;
        self.len += 1;
    }

    /// Appends a saved pair; false if it is out of order, too large, or there is no room.
    pub(super) fn append(&mut self, counter: Counter) -> bool {
        let fits = self.find(counter.account, counter.strategy) == Err(self.len);
        let fits = fits && self.len < self.pairs.len() && counter.last <= OrderId::MAX_COUNTER;
        if fits {
            self.insert(self.len, counter);
        }
        fits
    }

    /// Advances the counters of a strategy (0 = all, future pairs too); false if there is no such strategy.
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

    /// Removes all pairs.
    pub(super) fn clear(&mut self) {
        (self.len, self.base) = (0, 0);
    }
}

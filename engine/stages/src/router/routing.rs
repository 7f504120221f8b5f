//! Which venue an order goes to.
//!
//! That of its strategy, if it states one; else the one of its account, if it states one, as paper accounts do; else that of all
//! others. Both stand in the id of an order, so its cancels and replaces, and what closes its positions, go where the order
//! went. The router and the gate read the same table: a venue that does not answer stops the orders that go there, and no
//! others. Bound: one entry a strategy that has a venue of its own, found by a binary search, and one an account; a run with one
//! venue looks at nothing.

use flow::{Account, IntParam, OrderId, Params, SIMULATED_EXCHANGE, StrategyId, Value};

/// The tables that the configuration adds to the parameters of the router and of the gate, one a strategy or account.
pub const ROUTE: &str = "route";

const STRATEGY: IntParam<u16> = IntParam::new("strategy_number", (0, 65_535), "0", "number of a strategy, 0 = any");
const ACCOUNT: IntParam<u8> = IntParam::new("account", (0, 255), "0", "an account, 0 = any");
const VENUE: IntParam<u16> = IntParam::new("venue_number", (1, 255), "1", "number of the venue of its orders");

/// The table for the orders of a strategy, or of an account; of all others if both are none.
pub fn route(strategy: StrategyId, account: Account, venue: u16) -> Params {
    let mut table = Params::default();
    table.set(&STRATEGY.param(), Value::Int(strategy.0.into()));
    table.set(&ACCOUNT.param(), Value::Int(account.0.into()));
    table.set(&VENUE.param(), Value::Int(venue.into()));
    table
}

/// The venue of each order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Routing {
    /// Of strategies and accounts without one of their own.
    others: u16,
    by_strategy: Box<[(StrategyId, u16)]>,
    /// By account; `None` if none has one of its own.
    by_account: Option<Box<[u16; 256]>>,
    /// All venues, each once.
    venues: Box<[u16]>,
}

impl Routing {
    /// That of the tables; without one all orders go to the simulated exchange.
    pub(crate) fn of(params: &Params) -> Routing {
        let table = |table: &Params| {
            let (strategy, account) = (StrategyId(table.find(STRATEGY)?), Account(table.find(ACCOUNT)?));
            Some((strategy, account, table.find(VENUE)?))
        };
        let all: Vec<_> = params.tables(ROUTE).iter().filter_map(table).collect();
        let any = all.iter().find(|(strategy, account, _)| (*strategy, *account) == (StrategyId::NONE, Account::NONE));
        let others = any.map_or(SIMULATED_EXCHANGE, |(.., venue)| *venue);
        let own = all.iter().filter(|(strategy, ..)| *strategy != StrategyId::NONE);
        let mut by_strategy: Vec<_> = own.map(|(strategy, _, venue)| (*strategy, *venue)).collect();
        by_strategy.sort_unstable();
        let mut by_account = [others; 256];
        for (_, account, venue) in all.iter().filter(|(strategy, ..)| *strategy == StrategyId::NONE) {
            by_account[usize::from(account.0)] = *venue;
        }
        let by_account = by_account.iter().any(|venue| *venue != others).then(|| Box::new(by_account));
        let mut venues: Vec<u16> = all.iter().map(|(.., venue)| *venue).chain([others]).collect();
        venues.sort_unstable();
        venues.dedup();
        Routing { others, by_strategy: by_strategy.into(), by_account, venues: venues.into() }
    }

    /// The venue of an order.
    #[inline]
    pub(crate) fn venue(&self, order: OrderId) -> u16 {
        if self.by_strategy.is_empty() && self.by_account.is_none() { self.others } else { self.find(order) }
    }

    #[cold]
    #[inline(never)]
    fn find(&self, order: OrderId) -> u16 {
        let by_account = || self.by_account.as_ref().map_or(self.others, |by| by[usize::from(order.account().0)]);
        self.of_strategy(order.strategy()).unwrap_or_else(by_account)
    }

    fn of_strategy(&self, strategy: StrategyId) -> Option<u16> {
        let found = self.by_strategy.binary_search_by_key(&strategy, |(own, _)| *own);
        found.ok().map(|at| self.by_strategy[at].1)
    }

    /// The venues where orders of a strategy may be; of [`StrategyId::NONE`] all, each once.
    pub(crate) fn venues(&self, strategy: StrategyId) -> &[u16] {
        let own = self.of_strategy(strategy).and_then(|own| self.venues.iter().position(|venue| *venue == own));
        own.map_or(&self.venues, |at| &self.venues[at..=at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_goes_to_the_venue_of_its_strategy_or_of_its_account_or_of_all_others() {
        let mut params = Params::default();
        let order = |strategy, account| OrderId::new(Account(account), StrategyId(strategy), 9);
        assert_eq!(Routing::of(&params).venue(order(7, 1)), SIMULATED_EXCHANGE);
        for (strategy, account, venue) in [(33, 0, 1), (0, 0, 3), (32, 0, 2), (34, 0, 3), (0, 5, 1)] {
            params.add_table(ROUTE, route(StrategyId(strategy), Account(account), venue));
        }
        let routing = Routing::of(&params);
        assert_eq!([0, 1, 32, 33, 34, 35].map(|n| routing.venue(order(n, 1))), [3, 3, 2, 1, 3, 3]);
        assert_eq!([0, 1, 32, 33, 34, 35].map(|n| routing.venue(order(n, 5))), [1, 1, 2, 1, 3, 1]);
        assert_eq!(routing.venues(StrategyId::NONE), [1, 2, 3]);
        assert_eq!(routing.venues(StrategyId(32)), [2]);
        assert_eq!(routing.venues(StrategyId(35)), [1, 2, 3], "its accounts may be paper or not");
    }
}

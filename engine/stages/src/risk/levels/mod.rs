//! Levels: tables of limits for some of the orders, inside those of the section `risk`.
//!
//! An order falls into every level whose scope it is of. The levels of an account, of a strategy and of an instrument are
//! three sets, so those of an order are what the three have in common. What a level adds up — positions, open orders,
//! messages — is kept for live and for paper accounts apart: what is short on paper hides nothing of what is long with
//! real money.
//!
//! Bound: [`MAX_LEVELS`] tables; a set of 32 bytes an instrument; what the [holdings](holdings) take; two rings of message
//! times for each level with a throttle. Without a table nothing is kept. Worst case of an order: 24 levels, one for each
//! choice of keys; of a listing that changes the currency of an instrument: one pass over the holdings.

mod holdings;
mod level;
mod scope;
mod set;
mod state;

pub(super) use holdings::{MAX_HOLDINGS, Sum};
pub use level::Mode;
pub(super) use level::{Level, Summed};
pub use scope::LimitScope;
pub(super) use set::LevelSet;
pub use set::MAX_LEVELS;

use super::messages::Messages;
use flow::records::Listing;
use flow::{Account, Currency, Event, LevelInForce, LimitInForce, Mic, Ns, OrderId, StrategyId, SymbolIndex, table};
use holdings::Holdings;
use std::collections::BTreeSet;

/// The times of messages of a level, of live accounts and of paper accounts.
type Rings = Option<[Messages; 2]>;

/// What levels are made for.
pub(super) struct Setup {
    /// Number of checks.
    pub(super) checks: usize,
    pub(super) summed: Summed,
    /// Instrument indices are below this number.
    pub(super) instruments: u32,
    /// Most holdings.
    pub(super) holdings: usize,
    /// Window of the throttle.
    pub(super) window_ms: u64,
    /// Messages beyond a throttle's limit that may pass or be taken back.
    pub(super) beyond: u64,
}

/// The levels, and what they add up.
pub(super) struct Levels {
    /// The most specific first.
    levels: Box<[Level]>,
    /// By check, the levels that limit it.
    limited: Box<[LevelSet]>,
    summed: Summed,
    by_account: Box<[LevelSet]>,
    /// Of the strategies that some scope names, in their order.
    by_strategy: Box<[(StrategyId, LevelSet)]>,
    /// Of all other strategies.
    other_strategies: LevelSet,
    by_instrument: Box<[LevelSet]>,
    /// Of what is not listed.
    unlisted: LevelSet,
    symbols: SymbolIndex,
    modes: [Mode; 256],
    holdings: Holdings,
    /// Open orders by level, of live accounts and of paper accounts.
    orders: Box<[[i64; 2]]>,
    messages: Box<[Rings]>,
}

impl Levels {
    /// Nothing is kept yet.
    pub(super) fn new(levels: Vec<Level>, modes: [Mode; 256], setup: &Setup) -> Levels {
        let Setup { summed, checks, .. } = *setup;
        let set_of = |is_in: &dyn Fn(&LimitScope) -> bool| {
            let mut set = LevelSet::NONE;
            levels.iter().enumerate().filter(|(_, level)| is_in(&level.scope)).for_each(|(at, _)| set.add(at));
            set
        };
        let mut limited = vec![LevelSet::NONE; checks];
        for (at, level) in levels.iter().enumerate() {
            limited.iter_mut().zip(&level.limits).filter(|(_, limit)| limit.is_some()).for_each(|(set, _)| set.add(at));
        }
        let of_strategy = |strategy| set_of(&|scope| scope.strategy.is_none_or(|own| Some(own) == strategy));
        let named: BTreeSet<StrategyId> = levels.iter().filter_map(|level| level.scope.strategy).collect();
        let by_strategy = named.into_iter().map(|strategy| (strategy, of_strategy(Some(strategy)))).collect();
        let of_account = |n: u8| set_of(&|scope| scope.account.is_none_or(|own| own == Account(n)));
        let accounts = if levels.is_empty() { 0 } else { 256 };
        let unlisted = set_of(&|scope| scope.symbol.is_none() && scope.currency.is_none());
        let instruments = if levels.is_empty() { 0 } else { setup.instruments };
        let kinds: BTreeSet<_> = levels.iter().map(|level| level.scope.keys()).collect();
        let holdings = if levels.is_empty() { 0 } else { setup.holdings };
        let ring = |level: &Level| {
            let room = level.ceilings[summed.throttle]? as u64 + setup.beyond;
            Some([Messages::new(setup.window_ms, room), Messages::new(setup.window_ms, room)])
        };
        Levels {
            limited: limited.into(),
            summed,
            by_account: (0..accounts).map(|n| of_account(n as u8)).collect(),
            by_strategy,
            other_strategies: of_strategy(None),
            by_instrument: table(instruments as usize, unlisted),
            unlisted,
            symbols: SymbolIndex::new(levels.iter().filter_map(|level| level.scope.symbol.as_ref()), instruments),
            modes,
            holdings: Holdings::new(holdings, kinds.len()),
            orders: vec![[0; 2]; levels.len()].into(),
            messages: levels.iter().map(ring).collect(),
            levels: levels.into(),
        }
    }

    /// Whether there are none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// Whether some scope names a symbol.
    pub(super) fn name_symbols(&self) -> bool {
        !self.symbols.is_empty()
    }

    /// The levels that an order falls into.
    #[inline]
    pub(super) fn of(&self, order: OrderId, at: usize) -> LevelSet {
        LevelSet::all(
            &self.by_account[usize::from(order.account().0)],
            self.of_strategy(order),
            &self.by_instrument[at],
        )
    }

    #[inline]
    fn of_strategy(&self, order: OrderId) -> &LevelSet {
        let found = self.by_strategy.binary_search_by_key(&order.strategy(), |(strategy, _)| *strategy);
        found.map_or(&self.other_strategies, |at| &self.by_strategy[at].1)
    }

    /// Those that limit a check, by its place.
    #[inline]
    pub(super) fn limited(&self, place: usize) -> &LevelSet {
        &self.limited[place]
    }

    /// The limit of a level for a check that it limits.
    #[inline]
    pub(super) fn limit(&self, level: usize, place: usize) -> i64 {
        self.levels[level].limits[place].unwrap_or(0)
    }

    /// The limit of a table, by its number, for the check at a place, and the most that a command may set it to.
    #[cold]
    pub(super) fn limit_mut(&mut self, table: u16, place: usize) -> Option<(&mut i64, i64)> {
        let level = self.levels.iter_mut().find(|level| level.number == table)?;
        Some((level.limits.get_mut(place)?.as_mut()?, level.ceilings[place]?))
    }

    /// All limits, table by table in the order of the configuration; `number` is that of the check at a place.
    pub(super) fn limits(&self, number: impl Fn(usize) -> u16) -> Vec<LevelInForce> {
        let of = |level: &Level| {
            let in_force = |place: usize| {
                let (limit, configured) = (level.limits[place]?, level.configured[place]?);
                let of = LimitInForce { check: number(place), limit, configured, ceiling: level.ceilings[place]? };
                Some(LevelInForce { table: level.number, of })
            };
            (0..level.limits.len()).filter_map(in_force).collect::<Vec<_>>()
        };
        let mut limits: Vec<_> = self.levels.iter().flat_map(of).collect();
        limits.sort_by_key(|limit| limit.table);
        limits
    }

    /// The account that a level is for, if it is for one.
    #[inline]
    pub(super) fn account(&self, level: usize) -> Option<Account> {
        self.levels[level].scope.account
    }

    /// The number of a level's table.
    #[inline]
    pub(super) fn number(&self, level: usize) -> u16 {
        self.levels[level].number
    }

    #[inline]
    pub(super) fn mode(&self, order: OrderId) -> Mode {
        self.modes[usize::from(order.account().0)]
    }

    /// What the accounts and strategies of a level hold and have open of an instrument, in the mode of the order's account.
    #[inline]
    pub(super) fn held(&self, level: usize, order: OrderId, at: usize) -> Sum {
        self.holdings.sum(level, self.mode(order), at)
    }

    /// Open orders of a level, in the mode of the order's account.
    #[inline]
    pub(super) fn orders(&self, level: usize, order: OrderId) -> i64 {
        self.orders[level][self.mode(order) as usize]
    }

    /// Times of messages of a level with a throttle, in the mode of the order's account.
    #[inline]
    pub(super) fn messages(&self, level: usize, order: OrderId) -> &Messages {
        &self.messages[level].as_ref().expect("it has a throttle")[self.mode(order) as usize]
    }

    /// The most holdings, if an order would need one more.
    #[inline]
    pub(super) fn is_full(&self, order: OrderId, at: usize) -> Option<i64> {
        if self.is_empty() { None } else { self.holdings.is_full(order, at) }
    }

    /// What the account and strategy of an order hold of an instrument has changed.
    pub(super) fn change(&mut self, order: OrderId, at: usize, change: &Sum) {
        let (mode, levels) = (self.mode(order), self.of(order, at));
        self.holdings.change(order, at, mode, levels.and(&self.limited[self.summed.position]), change);
        if change.orders != 0 {
            for level in levels.and(&self.limited[self.summed.open_orders]).iter() {
                self.orders[level][mode as usize] += change.orders;
            }
        }
    }

    /// A message about an order has passed.
    pub(super) fn sent(&mut self, order: OrderId, at: usize, now: Ns) {
        self.throttled(order, at, |messages| messages.push(now));
    }

    /// The last message that passed is taken back.
    pub(super) fn take_back(&mut self, order: OrderId, at: usize) {
        self.throttled(order, at, Messages::pop);
    }

    fn throttled(&mut self, order: OrderId, at: usize, change: impl Fn(&mut Messages)) {
        let mode = self.mode(order) as usize;
        for level in self.of(order, at).and(&self.limited[self.summed.throttle]).iter() {
            change(&mut self.messages[level].as_mut().expect("it has a throttle")[mode]);
        }
    }

    /// Takes a piece of an instrument's name.
    pub(super) fn name(&mut self, event: &Event) {
        self.symbols.name(event);
    }

    /// An instrument is listed: its symbol, its venue and its currency say which levels it is in.
    #[cold]
    pub(super) fn list(&mut self, instrument: u32, listing: &Listing) {
        let at = instrument as usize;
        if at >= self.by_instrument.len() {
            return;
        }
        let (venue, currency) = (Mic(listing.venue), Currency::listed(listing.currency).whole().0);
        let symbol = self.symbols.of(instrument).map(|place| self.symbols.symbols()[place].as_str());
        let mut set = LevelSet::NONE;
        for (place, Level { scope, .. }) in self.levels.iter().enumerate() {
            let is_symbol = scope.symbol.is_none() || scope.symbol.as_deref() == symbol;
            let is_venue = scope.venue.is_none_or(|own| own == venue);
            if is_symbol && is_venue && scope.currency.is_none_or(|own| own == currency) {
                set.add(place);
            }
        }
        let before = std::mem::replace(&mut self.by_instrument[at], set);
        if before != set {
            self.moved(at, before, set);
        }
    }

    /// What is held of an instrument counts in the levels that it is in now.
    fn moved(&mut self, at: usize, before: LevelSet, after: LevelSet) {
        let Levels { holdings, orders, limited, summed, by_account, by_strategy, other_strategies, modes, .. } = self;
        let of = |order: OrderId, among: LevelSet| {
            let account = usize::from(order.account().0);
            let found = by_strategy.binary_search_by_key(&order.strategy(), |(strategy, _)| *strategy);
            let strategy = found.map_or(&*other_strategies, |at| &by_strategy[at].1);
            (modes[account], LevelSet::all(&by_account[account], strategy, &among))
        };
        let (left, entered) = (before.without(&after), after.without(&before));
        let by_orders = limited[summed.open_orders];
        for (order, sum) in holdings.of_instrument(at) {
            for (among, sign) in [(left, -1), (entered, 1)] {
                let (mode, levels) = of(order, among.and(&by_orders));
                levels.iter().for_each(|level| orders[level][mode as usize] += sign * sum.orders);
            }
        }
        let by_position = limited[summed.position];
        holdings.moved(at, (left.and(&by_position), entered.and(&by_position)), of);
    }
}

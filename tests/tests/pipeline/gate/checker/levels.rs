//! Tables of limits: every sum is made anew from orders, holdings and messages.

use super::checks::Breach;
use super::{Checker, MOST, Own, Proposal, Verdict};
use flow::records::Command;
use flow::{Account, OrderId, Side, StrategyId};
use std::collections::BTreeMap;

/// A table: what an order must have to be in it, and its limits by check.
#[derive(Clone, Default)]
pub(crate) struct Level {
    pub(crate) account: Option<Account>,
    pub(crate) strategy: Option<StrategyId>,
    /// The symbol, and the last letter of the venue.
    pub(crate) symbol: Option<(&'static str, Option<u8>)>,
    pub(crate) currency: Option<&'static str>,
    pub(crate) limits: BTreeMap<u16, i64>,
    /// How far commands may raise some of them; the others as far as they are configured.
    pub(crate) ceilings: BTreeMap<u16, i64>,
}

impl Level {
    /// More keys first, then strategy, symbol at a venue, symbol, account.
    fn weight(&self) -> [usize; 5] {
        let is = |key: bool| usize::from(key);
        let (account, strategy) = (is(self.account.is_some()), is(self.strategy.is_some()));
        let (symbol, currency) = (is(self.symbol.is_some()), is(self.currency.is_some()));
        let venue = is(self.symbol.is_some_and(|(_, venue)| venue.is_some()));
        [account + strategy + symbol + currency, strategy, venue, symbol, account]
    }
}

impl Checker {
    /// A command sets a limit of a table.
    pub(super) fn set_in_table(&mut self, command: &Command) -> Verdict {
        let [table, check] = [command.target >> 16, command.target & 0xFFFF].map(|n| n as u16);
        let level = usize::from(table).checked_sub(1).and_then(|at| self.levels.get_mut(at));
        let Some((limit, most)) = level.and_then(|level| {
            let ceiling = level.ceilings.get(&check).or_else(|| self.configured.get(&(table, check))).copied();
            Some((level.limits.get_mut(&check)?, ceiling?))
        }) else {
            return Verdict::Commanded(5, 0, 0);
        };
        let (old, allowed) = (*limit, MOST.iter().find(|(number, _)| *number == check).unwrap().1);
        let result = match command.new {
            _ if old != command.old => 2,
            new if new < 0 || new > allowed => 3,
            new if new > most => 4,
            new => {
                *limit = new;
                1
            }
        };
        Verdict::Commanded(result, old, *limit)
    }

    fn is_in(&self, level: &Level, id: u64, instrument: u32) -> bool {
        let id = OrderId(id);
        let listing = self.listings.get(&instrument).map(|(listing, _)| listing);
        let symbol = super::super::traffic::symbol(instrument);
        let whole = |code: &[u8; 4]| match code {
            b"GBX\0" => *b"GBP",
            [a, b, c, _] => [*a, *b, *c],
        };
        level.account.is_none_or(|own| own == id.account())
            && level.strategy.is_none_or(|own| own == id.strategy())
            && level.symbol.is_none_or(|(own, venue)| {
                own == symbol && listing.is_some_and(|l| venue.is_none_or(|v| l.venue == [b'X', b'T', b'S', v]))
            })
            && level.currency.is_none_or(|own| listing.is_some_and(|l| own.as_bytes() == whole(&l.currency)))
    }

    /// Numbers of the tables that an order is in, the most specific first.
    pub(super) fn of_order(&self, proposal: &Proposal) -> Vec<usize> {
        let is_in = |level: &Level| self.is_in(level, proposal.request.order_id, proposal.instrument);
        let mut of: Vec<_> = (1..).zip(&self.levels).filter(|(_, level)| is_in(level)).collect();
        of.sort_by_key(|(_, level)| std::cmp::Reverse(level.weight()));
        of.into_iter().map(|(number, _)| number).collect()
    }

    /// What a check finds with the limit of a table, if it has one.
    pub(super) fn at_level(&self, proposal: &Proposal, check: u16, number: usize) -> Breach {
        let level = &self.levels[number - 1];
        let limit = *level.limits.get(&check)?;
        let id = proposal.request.order_id;
        let is_paper = |id: u64| self.paper.contains(&OrderId(id).account());
        let counts =
            |other: u64, instrument: u32| is_paper(other) == is_paper(id) && self.is_in(level, other, instrument);
        let value = match check {
            6 => {
                let held = self.holdings.iter().filter(|((account, strategy, at), _)| {
                    *at == proposal.instrument && counts(OrderId::new(*account, *strategy, 0).0, *at)
                });
                let held: i128 = held.map(|(_, qty)| *qty).sum();
                let of = |o: &Own| o.instrument == proposal.instrument && o.side == proposal.side;
                let open = self.counted().filter(|(other, o)| of(o) && counts(*other, o.instrument));
                let open: i128 = open.map(|(other, o)| self.pair(other, o)).sum();
                open + self.added(proposal) + if proposal.side == Side::Sell { -held } else { held }
            }
            7 => {
                let open = self.counted().filter(|(other, o)| counts(*other, o.instrument)).count();
                open as i128 + i128::from(proposal.replaces == 0)
            }
            8 => {
                let young = |t: u64| proposal.now - t < self.window_ms * 1_000_000;
                let young = self.sent.iter().filter(|(t, other, at)| young(*t) && counts(*other, *at));
                young.count() as i128 + 1
            }
            _ => self.of_order_alone(proposal, check, level.account),
        };
        (limit == 0 || value > i128::from(limit)).then_some((limit, super::checks::narrow(value)))
    }
}

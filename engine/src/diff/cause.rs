//! What a difference follows from.
//!
//! **Idea.** What can decide an event is known by its role. If a setting that decides it was changed, that is the change; else the
//! nearest thing that decides it and differs already. Where the settings are the same and neither the order nor its strategy
//! nor its account differs so far, only what is shared is left: of a verdict the limit, which counts what others send, of an
//! answer the exchange, where others take depth. Bound: a mark a strategy, an account, and an instrument of each strategy.

use super::mask::{Role, order_of, owner, role};
use flow::records::Refused;
use flow::{Event, Kind, Ns};
use std::collections::{BTreeMap, BTreeSet};

/// Classes of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// A setting that was changed decides it.
    Change,
    /// The same order differs already.
    Order,
    /// The same strategy does.
    Strategy,
    /// The same account does.
    Account,
    /// A limit counts what differs already.
    Limit,
    /// At the exchange something of other orders differs already.
    Exchange,
    /// The recorded answers were not those of the simulated exchange under event time.
    Answers,
    /// None of these.
    Rest,
}

impl Class {
    pub(super) const ALL: [Class; 8] = [
        Class::Change,
        Class::Order,
        Class::Strategy,
        Class::Account,
        Class::Limit,
        Class::Exchange,
        Class::Answers,
        Class::Rest,
    ];

    /// Its name in JSON.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Class::Change => "change",
            Class::Order => "order",
            Class::Strategy => "strategy",
            Class::Account => "account",
            Class::Limit => "limit",
            Class::Exchange => "exchange",
            Class::Answers => "answers",
            Class::Rest => "rest",
        }
    }
}

/// Why something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Because {
    pub(super) class: Class,
    /// When that differed first; absent for the change and for the rest.
    pub(super) since: Option<Ns>,
}

/// The settings that were changed, by what they decide.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// Strategies whose own settings were changed.
    pub(crate) strategies: BTreeSet<u16>,
    /// Risk checks whose settings were changed.
    pub(crate) checks: BTreeSet<u16>,
    /// Settings of risk that are of no single check were changed, or of accounts.
    pub(crate) risk: bool,
    /// Settings of the simulated exchange were changed.
    pub(crate) exchange: bool,
    /// Something was changed that may decide everything else: stages, terms of instruments, the book, bars, measures.
    pub(crate) others: bool,
    /// The record is not of the simulated exchange under event time: its answers come otherwise.
    pub(crate) answers: bool,
    /// Orders went elsewhere in the record.
    pub(crate) elsewhere: bool,
}

/// What differs so far, and since when.
#[derive(Default)]
pub(super) struct Marks {
    strategies: BTreeMap<u16, Ns>,
    accounts: BTreeMap<u8, Ns>,
    /// By instrument and strategy.
    traded: BTreeMap<(u32, u16), Ns>,
    market: Option<Ns>,
    orders: Option<Ns>,
}

impl Marks {
    /// Takes note of a difference.
    pub(super) fn mark(&mut self, event: &Event, is_of_order: bool) {
        let (ts, (account, strategy)) = (event.ts, owner(event));
        if role(event.kind) == Role::Market {
            self.market.get_or_insert(ts);
            return;
        }
        if strategy != 0 {
            self.strategies.entry(strategy).or_insert(ts);
        }
        if account != 0 {
            self.accounts.entry(account).or_insert(ts);
        }
        if is_of_order || order_of(event).is_some() {
            self.orders.get_or_insert(ts);
            self.traded.entry((event.instrument, strategy)).or_insert(ts);
        }
    }
}

/// A difference that looks for its cause.
pub(super) struct Asked<'a> {
    pub(super) sides: [Option<&'a Event>; 2],
    /// The order differs since then.
    pub(super) order: Option<Ns>,
}

impl Asked<'_> {
    fn event(&self) -> &Event {
        self.sides[1].or(self.sides[0]).expect("a difference has a side")
    }

    /// The check that refused on one side.
    fn check(&self) -> Option<u16> {
        self.sides.into_iter().flatten().find_map(|event| event.get::<Refused>()).map(|refused| refused.check)
    }
}

impl Changes {
    /// Whether nothing was changed.
    fn is_empty(&self) -> bool {
        let nothing = self.strategies.is_empty() && self.checks.is_empty();
        nothing && !(self.risk || self.exchange || self.others)
    }

    /// Why it differs.
    pub(super) fn because(&self, asked: &Asked<'_>, marks: &Marks) -> Because {
        let event = asked.event();
        let change = Because { class: Class::Change, since: None };
        let role = role(event.kind);
        if role == Role::Market && !self.is_empty() {
            return change;
        }
        if let Some(since) = asked.order {
            return Because { class: Class::Order, since: Some(since) };
        }
        let (account, strategy) = owner(event);
        let of = |class, since: Option<Ns>| since.map(|since| Because { class, since: Some(since) });
        let own = || of(Class::Strategy, marks.strategies.get(&strategy).copied());
        let shared = || of(Class::Account, marks.accounts.get(&account).copied());
        let market = || marks.market.map(|_| change);
        let others = |changed: bool| (changed || self.others).then_some(change);
        let found = match role {
            Role::Decision => {
                let decided = self.strategies.contains(&strategy).then_some(change);
                decided.or_else(own).or_else(market).or_else(|| others(false)).or_else(shared)
            }
            Role::Verdict => {
                let decided = asked.check().is_some_and(|check| self.checks.contains(&check)).then_some(change);
                let limit = || of(Class::Limit, marks.orders).filter(|_| asked.check().is_some());
                let changed = || others(self.risk || !self.checks.is_empty());
                decided.or_else(own).or_else(shared).or_else(limit).or_else(changed).or_else(market)
            }
            Role::Answer => self.at_the_exchange(event, strategy, marks),
            Role::Position => own().or_else(|| others(false)),
            Role::Other | Role::Market => others(!self.is_empty()).or_else(own).or_else(shared),
        };
        found.unwrap_or(Because { class: Class::Rest, since: None })
    }

    /// Why the exchange answers otherwise to an order that is the same so far.
    fn at_the_exchange(&self, event: &Event, strategy: u16, marks: &Marks) -> Option<Because> {
        if self.exchange || (self.others && event.kind == Kind::Route) {
            return Some(Because { class: Class::Change, since: None });
        }
        if self.answers {
            return Some(Because { class: Class::Answers, since: None });
        }
        let by = |since: &Ns, class| Because { class, since: Some(*since) };
        let own = marks.traded.get(&(event.instrument, strategy)).map(|since| by(since, Class::Strategy));
        let range = (event.instrument, 0)..=(event.instrument, u16::MAX);
        let here = || marks.traded.range(range).map(|(_, since)| since).min().map(|since| by(since, Class::Exchange));
        let session = || marks.orders.map(|since| by(&since, Class::Exchange));
        let rest = || self.others.then_some(Because { class: Class::Change, since: None });
        own.or_else(here).or_else(session).or_else(rest)
    }
}

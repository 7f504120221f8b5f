//! The orders that a table of limits is for, and which of two scopes is the more specific.
//!
//! The scope with more keys is the more specific. Of as many, the one with a strategy; else with a symbol, at a venue before
//! at all; else with an account. Two scopes that an order falls into are never alike in that, unless they are equal.

use flow::{Account, Currency, Mic, StrategyId};
use std::cmp::Reverse;

/// Which orders a table of limits is for; what is absent may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitScope {
    /// Of this account.
    pub account: Option<Account>,
    /// Of this strategy.
    pub strategy: Option<StrategyId>,
    /// In instruments of this symbol.
    pub symbol: Option<String>,
    /// At this venue; only with a symbol.
    pub venue: Option<Mic>,
    /// In instruments that trade in this currency or in a part of it.
    pub currency: Option<Currency>,
}

impl LimitScope {
    /// Sorts scopes, the most specific first.
    pub(in crate::risk) fn rank(&self) -> impl Ord + use<> {
        let has = self.keys();
        // A venue is a part of the symbol, not a key.
        let keys = has.iter().filter(|has| **has).count() - usize::from(self.venue.is_some());
        Reverse((keys, has))
    }

    /// Which keys it has, the one that makes it most specific first.
    pub(super) fn keys(&self) -> [bool; 5] {
        let LimitScope { account, strategy, symbol, venue, currency } = self;
        [strategy.is_some(), venue.is_some(), symbol.is_some(), account.is_some(), currency.is_some()]
    }

    /// Whether every order of the other scope is of this one too.
    pub fn contains(&self, other: &LimitScope) -> bool {
        fn holds<T: PartialEq>(own: Option<&T>, other: Option<&T>) -> bool {
            own.is_none() || own == other
        }
        holds(self.account.as_ref(), other.account.as_ref())
            && holds(self.strategy.as_ref(), other.strategy.as_ref())
            && holds(self.symbol.as_ref(), other.symbol.as_ref())
            && holds(self.venue.as_ref(), other.venue.as_ref())
            && holds(self.currency.as_ref(), other.currency.as_ref())
    }

    /// Its name in refusals: `account 2, mom-fast, AAPL`; `strategy` is the name of its strategy.
    pub fn name(&self, strategy: &str) -> String {
        let venue = self.venue.map_or(String::new(), |venue| format!("@{}", venue.as_str()));
        let parts = [
            self.account.map(|account| format!("account {}", account.0)),
            self.strategy.map(|_| strategy.to_owned()),
            self.symbol.as_ref().map(|symbol| format!("{symbol}{venue}")),
            self.currency.map(|currency| currency.to_string()),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "firm".to_owned() } else { parts.join(", ") }
    }

    /// Reads `AAPL` or `AAPL@XNAS`.
    pub(in crate::risk) fn set_symbol(&mut self, text: &str) -> Option<()> {
        let venue = |mic: &str| {
            let letters = mic.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            mic.as_bytes().try_into().ok().filter(|_| letters).map(Mic)
        };
        let (symbol, at) = text.rsplit_once('@').map_or((text, None), |(symbol, mic)| (symbol, Some(venue(mic))));
        self.venue = at.map_or(Some(None), |at| at.map(Some))?;
        self.symbol = (!symbol.is_empty()).then(|| symbol.to_owned());
        self.symbol.as_ref().map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_specific_comes_first() {
        let symbol = |text: &str| {
            let mut scope = LimitScope::default();
            scope.set_symbol(text).map(|()| scope)
        };
        let (at, all) = (symbol("A@XNAS").unwrap(), symbol("A").unwrap());
        assert_eq!((symbol("A@XNA"), symbol("@XNAS"), symbol("")), (None, None, None));
        let account = LimitScope { account: Some(Account(2)), ..LimitScope::default() };
        let strategy = LimitScope { strategy: Some(StrategyId(9)), ..LimitScope::default() };
        let currency = LimitScope { currency: Currency::parse("USD"), ..LimitScope::default() };
        let both = LimitScope { account: Some(Account(2)), ..currency.clone() };
        let order = [both, strategy, at, all, account, currency, LimitScope::default()];
        assert!(order.is_sorted_by(|a, b| a.rank() < b.rank()));
        let names: Vec<_> = order.iter().map(|scope| scope.name("mom")).collect();
        assert_eq!(names, ["account 2, USD", "mom", "A@XNAS", "A", "account 2", "USD", "firm"]);
        let inside = |a: usize, b: usize| order[a].contains(&order[b]);
        assert!(inside(4, 0) && inside(5, 0) && inside(3, 2) && inside(6, 1));
        assert!(!inside(0, 4) && !inside(2, 3) && !inside(4, 5));
    }
}

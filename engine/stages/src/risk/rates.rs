//! Money in another currency: what a limit in dollars says of an order in euros, and what a profit in euros is in dollars.
//!
//! A limit in money is in the currency of the firm, or of the account that its table is for. What an instrument trades in is
//! converted at the mid of a listed pair: straight, the other way round, or over a third currency. Parts of a currency, as
//! pence, are first made whole ones. Every step is rounded up to 1e-9, against the order. A rate that is missing, one-sided,
//! doubtful or too old is no rate, and the order is refused.
//!
//! Profit and loss are valued on the same way, but at the last quote of both sides that could be trusted, however old it is:
//! a day's result must be known after the close too. So that quote is kept of each pair. Whoever asks gets the steps and
//! rounds half to even, neither for nor against anybody.
//!
//! Bound: [`MAX_PAIRS`] pairs, four bytes an instrument; nothing if no limit has a currency. Worst case of an order: over a
//! third currency, a look at every two pairs; of a top, where pairs are listed, a search among them; of a question,
//! [`Valuation::MOST`] such ways and one pass over the instruments.

use super::market::Market;
use flow::records::{BookTop, Listing};
use flow::{
    Account, Currency, Event, GrowingTable, IntParam, Ns, Px, Rate, RateStep, StateError, StateReader, StateWriter,
    SymbolIndex, Trust, Valuation, table,
};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;

/// The most listed pairs that rates are taken from; further ones are not used.
const MAX_PAIRS: usize = 64;

/// How old a rate may be.
pub(super) const MAX_RATE_AGE_MS: IntParam = IntParam::new(
    "max_rate_age_ms",
    (1, 86_400_000),
    "60_000",
    "age of the last top or trade of a pair beyond which its rate is no longer used",
)
.unit("ms");

/// Why there is no rate; the number is the value in a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The listing states no currency, or no listed pair leads from it to that of the limit.
    Pair = 1,
    /// The pair has no bid and ask that can be trusted.
    Quote = 2,
    /// Its last top or trade is too old.
    Old = 3,
}

/// A pair of currencies as the configuration states it: the price of one of the first in the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) symbol: String,
    pub(super) base: Currency,
    pub(super) quote: Currency,
}

/// A listed pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair {
    instrument: u32,
    base: Currency,
    quote: Currency,
    /// Bid and ask of its last quote that had both and could be trusted, added up.
    twice: Option<NonZero<u64>>,
}

impl Pair {
    /// The way over it from one currency to the other, if it leads there.
    fn leads(&self, from: Currency, to: Currency) -> Option<Step> {
        let inverse = (self.quote, self.base) == (from, to);
        let leads = inverse || (self.base, self.quote) == (from, to);
        leads.then_some(Step { instrument: self.instrument, inverse })
    }

    /// The currency on its other side.
    fn other(&self, than: Currency) -> Option<Currency> {
        if self.base == than { Some(self.quote) } else { Some(self.base).filter(|_| self.quote == than) }
    }
}

/// A pair as it is taken, and whether the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    instrument: u32,
    inverse: bool,
}

impl Step {
    /// What it makes of money when bid and ask added up are `twice`.
    fn over(self, twice: NonZero<u64>) -> RateStep {
        let (times, by) = if self.inverse { (TWO, twice) } else { (twice, TWO) };
        RateStep { times: times.get(), by }
    }
}

/// What a rate is read from.
#[derive(Clone, Copy)]
pub(super) struct Quotes<'a> {
    pub(super) markets: &'a GrowingTable<Market>,
    pub(super) trust: &'a Trust,
    pub(super) now: Ns,
}

/// The currencies of limits and of instruments, and the pairs between them.
pub(super) struct Rates {
    /// Of the limits of the section; unknown = each listing's own.
    firm: Currency,
    /// Of the limits of an account's table.
    by_account: [Currency; 256],
    stated: Box<[Stated]>,
    symbols: SymbolIndex,
    /// In the order of their instruments.
    pairs: Vec<Pair>,
    by_instrument: Box<[Currency]>,
    max_age: u64,
}

impl Rates {
    /// No instrument is listed yet.
    pub(super) fn new(
        firm: Currency,
        by_account: [Currency; 256],
        mut stated: Vec<Stated>,
        instruments: u32,
        max_age_ms: u64,
    ) -> Rates {
        let is_on = firm.is_known() || by_account.iter().any(|currency| currency.is_known());
        let instruments = if is_on { instruments } else { 0 };
        stated.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        stated.dedup_by(|a, b| a.symbol == b.symbol);
        let symbols = SymbolIndex::new(stated.iter().map(|pair| &pair.symbol), instruments);
        Rates {
            firm,
            by_account,
            stated: stated.into(),
            symbols,
            pairs: Vec::with_capacity(if is_on { MAX_PAIRS } else { 0 }),
            by_instrument: table(instruments as usize, Currency::UNKNOWN),
            max_age: max_age_ms * 1_000_000,
        }
    }

    /// Whether no limit has a currency.
    #[inline]
    pub(super) fn is_off(&self) -> bool {
        self.by_instrument.is_empty()
    }

    /// Whether it reads names.
    pub(super) fn name_symbols(&self) -> bool {
        !self.symbols.is_empty()
    }

    /// The currency of the limits of the section.
    #[inline]
    pub(super) fn firm(&self) -> Currency {
        self.firm
    }

    /// The currency of the limits of a table that is for this account; without one, that of the firm.
    #[inline]
    pub(super) fn of(&self, account: Option<Account>) -> Currency {
        account.map_or(self.firm, |account| self.by_account[usize::from(account.0)])
    }

    /// Whether money of an instrument must be converted for a limit in that currency.
    #[inline]
    pub(super) fn differs(&self, at: usize, to: Currency) -> bool {
        to.is_known() && self.by_instrument[at] != to
    }

    /// Money of an instrument in 1e-9 of its currency, in 1e-9 of another, rounded up; the largest number if it is beyond
    /// that.
    pub(super) fn convert(&self, at: usize, nano: i128, to: Currency, quotes: Quotes<'_>) -> Result<i128, Missing> {
        let (from, parts) = self.by_instrument[at].whole();
        let whole = div_up(nano, parts.into());
        if from == to {
            return Ok(whole);
        }
        let (first, second) = self.route(from, to).ok_or(Missing::Pair)?;
        let nano = self.step(whole, first, quotes)?;
        second.map_or(Ok(nano), |second| self.step(nano, second, quotes))
    }

    /// The way from one currency to another: over one pair, or over two with a third currency between them; the first in the
    /// order of the instruments.
    fn route(&self, from: Currency, to: Currency) -> Option<(Step, Option<Step>)> {
        let straight = |from, to| self.pairs.iter().find_map(|pair| pair.leads(from, to));
        if let Some(step) = straight(from, to) {
            return Some((step, None));
        }
        self.pairs.iter().find_map(|pair| {
            let third = pair.other(from)?;
            Some((pair.leads(from, third)?, Some(straight(third, to)?)))
        })
    }

    /// Money over a pair, rounded up.
    fn step(&self, nano: i128, step: Step, quotes: Quotes<'_>) -> Result<i128, Missing> {
        let Quotes { markets, trust, now } = quotes;
        let market = &markets[step.instrument as usize];
        let twice = twice(market.bid, market.ask).filter(|_| !trust.is_doubtful(step.instrument));
        let RateStep { times, by } = step.over(twice.ok_or(Missing::Quote)?);
        if now.0.saturating_sub(market.last_update.0) > self.max_age {
            return Err(Missing::Old);
        }
        Ok(nano.checked_mul(times.into()).map_or(i128::MAX, |product| div_up(product, by.get().into())))
    }

    /// The top of an instrument's book: of a pair it is kept, if it can be used.
    #[inline]
    pub(super) fn top(&mut self, instrument: u32, top: &BookTop, trust: &Trust) {
        if !self.pairs.is_empty() {
            self.quote(instrument, top, trust);
        }
    }

    #[inline(never)]
    fn quote(&mut self, instrument: u32, top: &BookTop, trust: &Trust) {
        let Ok(at) = self.place(instrument) else { return };
        if let Some(twice) = twice(top.bid_px, top.ask_px).filter(|_| !trust.is_doubtful(instrument)) {
            self.pairs[at].twice = Some(twice);
        }
    }

    /// The place of a pair, or where it would stand.
    fn place(&self, instrument: u32) -> Result<usize, usize> {
        self.pairs.binary_search_by_key(&instrument, |pair| pair.instrument)
    }

    /// The currencies of the accounts, and the rates into them from what instruments trade in.
    pub(super) fn valuation(&self) -> Valuation {
        let known = |currency: &Currency| currency.is_known();
        let listed: BTreeSet<Currency> = self.by_instrument.iter().copied().filter(known).collect();
        let accounts = (1..=u8::MAX).map(|n| (Account(n), self.by_account[usize::from(n)]));
        let accounts: BTreeMap<Account, Currency> = accounts.filter(|(_, currency)| currency.is_known()).collect();
        let wanted: BTreeSet<Currency> = accounts.values().copied().collect();
        let ways = wanted.iter().flat_map(|to| listed.iter().map(|from| (*from, *to))).filter(|(from, to)| from != to);
        let rates = ways.take(Valuation::MOST).filter_map(|(from, to)| self.rate(from, to)).collect();
        Valuation { accounts, rates }
    }

    /// The steps from one currency to another at the last quotes, if every pair on the way has one.
    fn rate(&self, from: Currency, to: Currency) -> Option<Rate> {
        let (whole, parts) = from.whole();
        let made_whole = NonZero::new(u64::from(parts)).filter(|_| whole != from);
        let made_whole = made_whole.map(|parts| RateStep { times: 1, by: parts });
        let way = if whole == to { None } else { Some(self.route(whole, to)?) };
        let pairs = way.into_iter().flat_map(|(first, second)| [Some(first), second]).flatten();
        let steps = made_whole.map(Some).into_iter().chain(pairs.map(|step| self.last(step)));
        Some(Rate { from, to, steps: steps.collect::<Option<_>>()? })
    }

    /// A step at the last quote of its pair.
    fn last(&self, step: Step) -> Option<RateStep> {
        let twice = self.pairs[self.place(step.instrument).ok()?].twice?;
        Some(step.over(twice))
    }

    /// Takes a piece of an instrument's name.
    pub(super) fn name(&mut self, event: &Event) {
        self.symbols.name(event);
    }

    /// An instrument is listed: what it trades in, and whether it is a pair.
    #[cold]
    pub(super) fn list(&mut self, instrument: u32, listing: &Listing) {
        if let Some(currency) = self.by_instrument.get_mut(instrument as usize) {
            *currency = Currency::listed(listing.currency);
            self.add_pair(instrument);
        }
    }

    fn add_pair(&mut self, instrument: u32) {
        let Some(symbol) = self.symbols.of(instrument) else { return };
        let place = self.place(instrument);
        let (Stated { base, quote, .. }, pairs) = (&self.stated[symbol], &mut self.pairs);
        if let (Err(at), true) = (place, pairs.len() < MAX_PAIRS) {
            pairs.insert(at, Pair { instrument, base: *base, quote: *quote, twice: None });
        }
    }

    /// Saves what instruments trade in, and which of them are pairs, with their last quotes.
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        if self.is_off() {
            return;
        }
        self.symbols.save(to);
        let known = self.by_instrument.iter().enumerate().filter(|(_, currency)| currency.is_known());
        let mut known: Vec<_> = known.map(|(at, currency)| (to.key(at as u32), currency.0)).collect();
        known.sort_unstable();
        to.put(&known);
        let mut pairs: Vec<_> = self.pairs.iter().map(|pair| (to.key(pair.instrument), pair.twice)).collect();
        pairs.sort_unstable();
        to.put(&pairs);
    }

    /// Loads what [`Rates::save`] wrote with the same configuration.
    ///
    /// # Errors
    /// When it is of another one, or of more instruments.
    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        if self.is_off() {
            return Ok(());
        }
        self.by_instrument.fill(Currency::UNKNOWN);
        self.pairs.clear();
        self.symbols.load(from)?;
        let limit = self.by_instrument.len();
        for (key, code) in from.get::<Vec<(String, [u8; 4])>>()? {
            let at = from.instrument(&key)? as usize;
            let place = self.by_instrument.get_mut(at);
            *place.ok_or(StateError::TooLarge { what: "instruments", found: at + 1, limit })? = Currency(code);
        }
        let pairs = from.get::<Vec<(String, Option<NonZero<u64>>)>>()?;
        for (key, twice) in &pairs {
            let instrument = from.instrument(key)?;
            self.add_pair(instrument);
            if let Ok(at) = self.place(instrument) {
                self.pairs[at].twice = *twice;
            }
        }
        let all = self.pairs.len() == pairs.len();
        if all { Ok(()) } else { Err(StateError::Inconsistent("a pair that is not stated")) }
    }
}

/// Twice one in 1e-9: a mid is half of bid and ask.
const TWO: NonZero<u64> = NonZero::new(2 * Px::ONE as u64).expect("it is not 0");

/// Bid and ask added up, if there are both and the mid is above 0.
fn twice(bid: Px, ask: Px) -> Option<NonZero<u64>> {
    let (bid, ask) = (bid.known()?, ask.known()?);
    u64::try_from(i128::from(bid.0) + i128::from(ask.0)).ok().and_then(NonZero::new)
}

/// Of numbers that are not below 0.
fn div_up(a: i128, b: i128) -> i128 {
    a / b + i128::from(a % b != 0)
}

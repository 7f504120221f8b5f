//! Money in another currency: what a limit in dollars says of an order in euros.
//!
//! A limit in money is in the currency of the firm, or of the account that its table is for. What an instrument trades in is
//! converted at the mid of a listed pair: straight, the other way round, or over a third currency. Parts of a currency, as
//! pence, are first made whole ones. Every step is rounded up to 1e-9, against the order. A rate that is missing, one-sided,
//! doubtful or too old is no rate, and the order is refused.
//!
//! Bound: [`MAX_PAIRS`] pairs, four bytes an instrument; nothing if no limit has a currency. Worst case of an order: over a
//! third currency, a look at every two pairs.

use super::market::Market;
use flow::records::Listing;
use flow::{
    Account, Currency, Event, GrowingTable, IntParam, Ns, Px, StateError, StateReader, StateWriter, SymbolIndex, Trust,
    table,
};

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
        let twice = i128::from(market.bid.0) + i128::from(market.ask.0);
        let is_quoted = market.bid != Px::NONE && market.ask != Px::NONE && twice > 0;
        if !is_quoted || trust.is_doubtful(step.instrument) {
            return Err(Missing::Quote);
        }
        if now.0.saturating_sub(market.last_update.0) > self.max_age {
            return Err(Missing::Old);
        }
        let (times, by) = if step.inverse { (TWO, twice) } else { (twice, TWO) };
        Ok(nano.checked_mul(times).map_or(i128::MAX, |product| div_up(product, by)))
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
        let Some(place) = self.symbols.of(instrument) else { return };
        let (Stated { base, quote, .. }, pairs) = (&self.stated[place], &mut self.pairs);
        let at = pairs.partition_point(|pair| pair.instrument < instrument);
        if pairs.len() < MAX_PAIRS && pairs.get(at).is_none_or(|pair| pair.instrument != instrument) {
            pairs.insert(at, Pair { instrument, base: *base, quote: *quote });
        }
    }

    /// Saves what instruments trade in, and which of them are pairs.
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        if self.is_off() {
            return;
        }
        self.symbols.save(to);
        let known = self.by_instrument.iter().enumerate().filter(|(_, currency)| currency.is_known());
        let mut known: Vec<_> = known.map(|(at, currency)| (to.key(at as u32), currency.0)).collect();
        known.sort_unstable();
        to.put(&known);
        let mut pairs: Vec<_> = self.pairs.iter().map(|pair| to.key(pair.instrument)).collect();
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
        let pairs = from.get::<Vec<String>>()?;
        for key in &pairs {
            let instrument = from.instrument(key)?;
            self.add_pair(instrument);
        }
        let all = self.pairs.len() == pairs.len();
        if all { Ok(()) } else { Err(StateError::Inconsistent("a pair that is not stated")) }
    }
}

/// Twice one in 1e-9: a mid is half of bid and ask.
const TWO: i128 = 2 * Px::ONE as i128;

/// Of numbers that are not below 0.
fn div_up(a: i128, b: i128) -> i128 {
    a / b + i128::from(a % b != 0)
}

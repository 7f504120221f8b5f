//! Listings: what an instrument index stands for.
//!
//! A feed defines an instrument by a [`Definition`], which becomes `name` and `listing` inputs, so a journal needs nothing
//! beside it. [`Listings`] collects them wherever a row or a saved state needs a symbol. Bound: [`Listings::MAX`] entries;
//! later definitions are not kept, and their rows show no symbol.

use crate::records::{Listing, Name};
use crate::words::words;
use crate::{Event, Flags, Inputs, Ns, Px};
use bytemuck::{Pod, Zeroable};
use std::collections::BTreeMap;

/// A market identifier code (ISO 10383), four letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, Default)]
#[repr(transparent)]
pub struct Mic(pub [u8; 4]);

impl Mic {
    /// The four letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("").trim_end_matches(['\0', ' '])
    }
}

words! {
    /// Type of the instrument.
    #[derive(Default)]
    InstrumentType: u8 {
        /// The feed does not report it.
        #[default]
        Unknown = 0 "unknown",
        /// Share or fund.
        Equity = 1 "equity",
        /// Future.
        Future = 2 "future",
        /// Call option.
        Call = 3 "call",
        /// Put option.
        Put = 4 "put",
        /// Crypto pair.
        Crypto = 5 "crypto",
        /// Currency pair.
        CurrencyPair = 6 "currency-pair",
        /// Index.
        Index = 7 "index",
        /// Two or more instruments traded as one, for the difference of their prices.
        Spread = 8 "spread",
    }
    /// How the book of a listing is kept.
    #[derive(Default)]
    BookKind: u8 {
        /// No book: trades or bars only.
        #[default]
        None = 0 "none",
        /// By level: from `level` inputs, or from order messages that carry price, side and quantity.
        ByLevel = 1 "by-level",
        /// By order reference, in price-time priority.
        ByOrder = 2 "by-order",
        /// Best bid and ask from quotes.
        Quotes = 3 "quotes",
    }
    /// What a `name` names.
    NameSpace: u8 {
        /// The symbol of the instrument in the header.
        Symbol = 0 "symbol",
        /// An account.
        Account = 1 "account",
        /// A venue's id of an order.
        VenueOrder = 2 "venue-order",
        /// Who gave a command.
        Actor = 3 "actor",
        /// The instrument that a command concerns, as the operator wrote it.
        Instrument = 4 "instrument",
        /// The settings of the input with that number, as its entry in the configuration.
        Input = 5 "input",
        /// The symbols that are watched of the input with that number.
        WatchList = 6 "watched",
        /// The stage or measure whose `memory` follows under that number.
        Owner = 7 "owner",
        /// The parameter that a command sets: name of the instance, dot, name of the parameter.
        Param = 8 "param",
    }
    /// Whether data can be acted on.
    DataTrust: u8 {
        /// Nothing is missing, as far as the source knows.
        Trusted = 1 "trusted",
        /// Messages are missing; what was built from them may be wrong.
        Doubtful = 2 "doubtful",
    }
    /// What a `status` is the state of.
    StatusKind: u8 {
        /// The session.
        Session = 1 "session",
        /// Trading in the instrument.
        Trading = 2 "trading",
        /// An operational halt.
        OperationalHalt = 3 "operational-halt",
        /// The restriction of short sales.
        ShortSale = 4 "short-sale",
        /// The circuit breaker of the whole market.
        CircuitBreaker = 5 "circuit-breaker",
    }
}

impl InstrumentType {
    /// Whether what has this number may be ordered at a price of 0 or below: a future may, and so may a spread, whose price is
    /// a difference. A share, a call or a put is never bought for less than nothing, and of what has no type nobody knows.
    pub fn may_be_negative(number: u8) -> bool {
        number == InstrumentType::Future as u8 || number == InstrumentType::Spread as u8
    }
}

/// A feed's definition of an instrument.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Definition {
    /// Symbol at the venue.
    pub symbol: String,
    /// Venue.
    pub venue: Mic,
    /// Calendar and time zone.
    pub calendar: Mic,
    /// ISO 4217, empty if not known.
    pub currency: [u8; 4],
    /// Type of the instrument.
    pub instrument_type: InstrumentType,
    /// How its book is kept.
    pub book: BookKind,
    /// Whether order references are unique within this book only, and not over all books of the source.
    pub own_references: bool,
    /// Smallest price step; 0 = not known.
    pub tick_px: Px,
    /// Decimals of a printed price; [`Listed::SHORTEST`] = shortest exact, at least 2.
    pub price_decimals: u8,
    /// Scale of the smallest quantity.
    pub qty_decimals: u8,
    /// Shares or contracts in a round lot; 0 = not known.
    pub round_lot: u32,
    /// Money per unit of price and quantity in 1e-9; 0 = not known.
    pub multiplier: i64,
}

impl Definition {
    /// Appends the inputs that define `instrument`: its name in pieces, then its listing.
    pub fn push(&self, to: &mut Inputs, due: Ns, instrument: u32, record: u64) {
        push_name(to, due, instrument, &self.symbol, record);
        let listing = Listing {
            tick_px: self.tick_px,
            multiplier: self.multiplier,
            round_lot: self.round_lot,
            venue: self.venue.0,
            currency: self.currency,
            calendar: self.calendar.0,
            underlying: 0,
            price_decimals: self.price_decimals,
            qty_decimals: self.qty_decimals,
            instrument_type: self.instrument_type as u8,
            book: self.book as u8,
        };
        let own = if self.own_references { Flags::OWN_REFERENCES } else { Flags::NONE };
        to.push(Event::new(due, instrument, Flags::LAST_OF_GROUP.with(own), &listing), record);
    }
}

/// Pushes a name in up to 8 pieces of 24 bytes; a longer name is cut.
fn push_name(to: &mut Inputs, due: Ns, instrument: u32, text: &str, record: u64) {
    let bytes = &text.as_bytes()[..text.len().min(8 * 24)];
    let parts = bytes.chunks(24).len().max(1) as u8;
    for (part, piece) in bytes.chunks(24).enumerate() {
        let mut name = Name { part: part as u8, parts, len: piece.len() as u8, ..Name::default() };
        name.text[..piece.len()].copy_from_slice(piece);
        to.push(Event::new(due, instrument, Flags::NONE, &name), record);
    }
}

/// A listed instrument.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its index.
    pub instrument: u32,
    /// The source that defined it.
    pub source: u8,
    /// Symbol at the venue.
    pub symbol: String,
    /// The listing record.
    pub terms: Listing,
}

impl Listed {
    /// Marks a listing without a tick size: prices print as the shortest exact decimal of at least two places.
    pub const SHORTEST: u8 = 255;

    /// The least number of decimals that a price prints with.
    pub fn price_decimals(&self) -> u32 {
        if self.terms.price_decimals == Self::SHORTEST { 2 } else { u32::from(self.terms.price_decimals) }
    }

    /// Venue.
    pub fn venue(&self) -> Mic {
        Mic(self.terms.venue)
    }

    /// Calendar and time zone.
    pub fn calendar(&self) -> Mic {
        Mic(self.terms.calendar)
    }
}

/// The table of listings, filled from the event sequence.
#[derive(Clone, Debug, Default)]
pub struct Listings {
    listed: BTreeMap<u32, Listed>,
    naming: BTreeMap<u32, Vec<u8>>,
    names: BTreeMap<u32, String>,
}

impl Listings {
    /// The most entries.
    pub const MAX: usize = 1 << 20;

    /// Applies `name` and `listing` events; ignores all others.
    pub fn observe(&mut self, event: &Event) {
        if let Some(name) = event.get::<Name>() {
            self.observe_name(event.instrument, name);
        } else if let Some(terms) = event.get::<Listing>() {
            if self.listed.len() >= Self::MAX && !self.listed.contains_key(&event.instrument) {
                return;
            }
            let symbol = self.names.get(&event.instrument).cloned().unwrap_or_default();
            let listed = Listed { instrument: event.instrument, source: event.source, symbol, terms: *terms };
            self.listed.insert(event.instrument, listed);
        }
    }

    fn observe_name(&mut self, instrument: u32, name: &Name) {
        if name.space != NameSpace::Symbol.code()
            || (self.names.len() >= Self::MAX && !self.names.contains_key(&instrument))
        {
            return;
        }
        let text = self.naming.entry(instrument).or_default();
        if name.part == 0 {
            text.clear();
        }
        text.extend_from_slice(&name.text[..usize::from(name.len).min(24)]);
        if name.part + 1 >= name.parts {
            let text = self.naming.remove(&instrument).unwrap_or_default();
            self.names.insert(instrument, String::from_utf8_lossy(&text).into_owned());
        }
    }

    /// The listing of an instrument.
    pub fn get(&self, instrument: u32) -> Option<&Listed> {
        self.listed.get(&instrument)
    }

    /// All listings by index.
    pub fn iter(&self) -> impl Iterator<Item = &Listed> {
        self.listed.values()
    }

    /// The key of an instrument in a saved state: `symbol@venue`, or `#index` without a listing.
    pub fn key(&self, instrument: u32) -> String {
        match self.get(instrument) {
            Some(l) => format!("{}@{}", l.symbol, l.venue().as_str()),
            None => format!("#{instrument}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_symbols_come_back_whole() {
        let symbol = "UD:1V: VT 2412345678 with a long tail";
        let definition = Definition { symbol: symbol.into(), venue: Mic(*b"GLBX"), ..Definition::default() };
        let mut inputs = Inputs::with_capacity(0);
        definition.push(&mut inputs, Ns(1), 7, 1);
        let mut listings = Listings::default();
        inputs.waiting().iter().for_each(|e| listings.observe(e));
        assert_eq!(listings.get(7).unwrap().symbol, symbol);
        let state = crate::StateReader::new(&listings, &[]);
        assert_eq!(state.instrument(&listings.key(7)).unwrap(), 7);
    }
}

//! Instruments: from Databento's instrument ids to dense local indices, each with a listing.
//!
//! A listing is a symbol at a venue. The symbol of an id comes from the mappings for the date of the record, from a
//! symbol mapping in the stream, or from a definition; without any it is `#id`. The venue is the publisher's, so an id
//! that several publishers report has a listing for each. A listing gets the next index with its first input and keeps
//! it, also where a joined stream gives its symbol another id; an id that is remapped to another symbol goes to that
//! symbol's listing.
//!
//! A definition sets the terms of its symbol. A listing takes them over when it is looked up the next time, so that one
//! definition never makes inputs for many listings.
//!
//! Bound: [`LIMIT`] indices; instruments beyond it are dropped with an anomaly. Worst case: a new instrument costs
//! some five allocations.

use super::definitions::{Definitions, day_after};
use super::terms::{Defined, Leg, of_option};
use crate::ladder::Rung;
use dbn::{InstrumentDefMsg, Metadata, SType, SymbolMappingMsg};
use flow::records::{Contract, Quote};
use flow::{BookKind, Definition, Event, Flags, Inputs, InstrumentType, Listed, Mic, Ns, Px};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Local indices are below this number.
pub(super) const LIMIT: u32 = flow::LOCAL_INSTRUMENTS;

/// The symbol of an id during an interval.
struct SymbolInterval {
    from: u64,
    until: u64,
    symbol: String,
}

/// Who supplies a listing's book or its trades: a publisher, by records of one type.
type Supplier = (u16, u8);

/// What a definition says of a symbol.
#[derive(Clone, PartialEq, Default)]
struct Terms {
    definition: Definition,
    contract: Option<(Px, Ns)>,
}

/// What is known about one listing.
#[derive(Default)]
pub(super) struct Slot {
    terms: Terms,
    /// Who supplies its book and its trades, once anyone did.
    book_from: Option<Supplier>,
    trades_from: Option<Supplier>,
    /// The best bid and ask of a venue that shows nothing else.
    pub(super) top: Option<Quote>,
    /// The ten levels of each side in the last record.
    pub(super) bids: Vec<Rung>,
    pub(super) asks: Vec<Rung>,
}

/// A record's identity and time: what listing its instrument needs.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) id: u32,
    pub(super) publisher: u16,
    /// The record's type, and the kind of book that records of this type supply.
    pub(super) rtype: u8,
    pub(super) book: BookKind,
    /// The time at which symbols are looked up.
    pub(super) ts: u64,
    pub(super) due: Ns,
    pub(super) record: u64,
}

impl At {
    fn supplier(&self) -> Supplier {
        (self.publisher, self.rtype)
    }
}

/// Which listing a publisher means by an id, and until when.
#[derive(Clone, Copy, Default)]
struct Meant {
    id: u32,
    publisher: u16,
    local: u32,
    until: u64,
}

impl Meant {
    fn holds(&self, at: At) -> bool {
        at.id == self.id && at.publisher == self.publisher && at.ts < self.until
    }
}

/// Defaults for listings without a definition of their own.
struct Defaults {
    dataset: String,
    venue: Option<Mic>,
    calendar: Mic,
    currency: [u8; 4],
    instrument_type: InstrumentType,
}

/// All instruments of a file, whose streams may be joined.
pub(super) struct Instruments {
    /// The symbols of an id in the present stream.
    names: HashMap<u32, Vec<SymbolInterval>>,
    /// The listings of an id, one a publisher.
    index: HashMap<u32, Vec<Meant>>,
    /// The listings of a symbol, one a venue.
    listed: HashMap<String, Vec<u32>>,
    /// What definitions say of a symbol.
    defined: HashMap<String, Terms>,
    /// Definitions in files of their own, and the symbols that the stream defines itself.
    beside: Option<Arc<Definitions>>,
    own: HashSet<String>,
    /// Whether symbols in the metadata are the venue's own.
    is_raw: bool,
    /// The legs of the spreads that the stream defines.
    legs: HashMap<String, Vec<Leg>>,
    slots: Vec<Slot>,
    last: Meant,
    defaults: Defaults,
}

impl Instruments {
    pub(super) fn new(metadata: &Metadata, beside: Option<Arc<Definitions>>) -> Instruments {
        Instruments {
            beside,
            own: HashSet::new(),
            is_raw: metadata.stype_in == Some(SType::RawSymbol),
            legs: HashMap::new(),
            names: symbols(metadata),
            index: HashMap::new(),
            listed: HashMap::new(),
            defined: HashMap::new(),
            slots: vec![Slot::default()],
            last: Meant::default(),
            defaults: Defaults::of(&metadata.dataset),
        }
    }

    /// Begins a joined stream: its ids are its own, and listings that it names again go on.
    pub(super) fn join(&mut self, metadata: &Metadata) {
        self.names = symbols(metadata);
        self.index.clear();
        self.last = Meant::default();
        self.defaults = Defaults::of(&metadata.dataset);
        self.is_raw = metadata.stype_in == Some(SType::RawSymbol);
    }

    /// Whether the stream is of OPRA.
    pub(super) fn is_opra(&self) -> bool {
        self.defaults.is_opra()
    }

    pub(super) fn slot(&mut self, local: u32) -> &mut Slot {
        &mut self.slots[local as usize]
    }

    /// Whether the record is of the same instrument as the last one and leaves its listing unchanged.
    pub(super) fn unchanged(&self, at: At) -> bool {
        let slot = &self.slots[self.last.local as usize];
        self.last.holds(at) && (at.book == BookKind::None || slot.book_from.is_some())
    }

    /// The index of the record's instrument, which is listed first if it is new; `None` if there are too many.
    pub(super) fn local(&mut self, at: At, to: &mut Inputs) -> Option<u32> {
        if self.last.holds(at) {
            return Some(self.last.local);
        }
        let known = self.index.get(&at.id).and_then(|all| all.iter().find(|m| m.publisher == at.publisher)).copied();
        self.last = match known {
            Some(meant) if meant.holds(at) => meant,
            known => self.resolve(at, known, to)?,
        };
        Some(self.last.local)
    }

    /// Looks up the symbol of a record, and the listing that it means.
    fn resolve(&mut self, at: At, before: Option<Meant>, to: &mut Inputs) -> Option<Meant> {
        let (symbol, until) = self.look_up(at.id, at.ts);
        let symbol = symbol.cloned().or_else(|| before.map(|meant| self.symbol_of(meant.local)));
        let (symbol, until) = self.defined_beside(at, symbol, until);
        let local = self.listing(&symbol.unwrap_or_else(|| unnamed(at.id)), at, to)?;
        let meant = Meant { id: at.id, publisher: at.publisher, local, until };
        let all = self.index.entry(at.id).or_default();
        match all.iter_mut().find(|m| m.publisher == at.publisher) {
            Some(before) => *before = meant,
            None => all.push(meant),
        }
        Some(meant)
    }

    /// Takes what a definition in a file of its own says, until the day ends; it also names what the data does not name.
    fn defined_beside(&mut self, at: At, symbol: Option<String>, until: u64) -> (Option<String>, u64) {
        let Some(beside) = &self.beside else { return (symbol, until) };
        let until = until.min(day_after(at.ts));
        let named = symbol.filter(|symbol| *symbol != unnamed(at.id));
        let Some((raw, told)) = beside.find(at.id, named.as_deref(), self.is_raw, at.ts) else { return (named, until) };
        let symbol = named.unwrap_or_else(|| raw.to_owned());
        if !self.own.contains(&symbol) {
            let mut definition = self.defaults.definition(symbol.clone(), Mic::default(), BookKind::None);
            told.apply(&mut definition);
            self.defined.insert(symbol.clone(), Terms { definition, contract: told.contract });
        }
        (Some(symbol), until)
    }

    /// What a record of a definition tells; a spread has a record for each leg, and takes what it lacks from all of them.
    fn told(&mut self, symbol: &str, message: &InstrumentDefMsg) -> Defined {
        let mut told = Defined::of(message, self.is_opra());
        if !told.legs.is_empty() {
            let legs = self.legs.entry(symbol.to_owned()).or_default();
            if message.leg_index == 0 {
                legs.clear();
            }
            legs.append(&mut told.legs);
            told.legs.clone_from(legs);
            if told.legs.len() == usize::from(message.leg_count) {
                let of_leg = |leg: &Leg| {
                    let Definition { tick_px, multiplier, .. } = self.defined.get(&leg.symbol)?.definition;
                    Some((tick_px.0, multiplier))
                };
                let of_legs: Vec<_> = told.legs.iter().map(of_leg).collect();
                told.take_from_legs(&of_legs);
            }
        }
        told
    }

    /// The listing of a symbol at the publisher's venue, with the terms of its definition.
    fn listing(&mut self, symbol: &str, at: At, to: &mut Inputs) -> Option<u32> {
        let venue = self.defaults.venue_of(at.publisher);
        let venue_of = |local: &u32| self.slots[*local as usize].terms.definition.venue;
        let found = self.listed.get(symbol).and_then(|all| all.iter().find(|l| venue_of(l) == venue)).copied();
        let (local, is_new) = match found {
            Some(local) => (local, false),
            None => (self.open(at, symbol.to_owned(), venue)?, true),
        };
        let slot = &mut self.slots[local as usize];
        let changed = self.defined.get(symbol).is_some_and(|defined| slot.take_over(defined));
        if is_new || changed {
            self.list(local, at, to);
        }
        Some(local)
    }

    fn symbol_of(&self, local: u32) -> String {
        self.slots[local as usize].terms.definition.symbol.clone()
    }

    /// The symbol of an id at a time, and until when it is valid.
    fn look_up(&self, id: u32, ts: u64) -> (Option<&String>, u64) {
        let names = self.names.get(&id).map(Vec::as_slice).unwrap_or_default();
        match names.iter().rev().find(|n| (n.from..n.until).contains(&ts)) {
            Some(interval) => (Some(&interval.symbol), interval.until),
            // A record just outside its own mapping's interval still belongs to that instrument.
            None => (names.last().map(|n| &n.symbol), u64::MAX),
        }
    }

    fn open(&mut self, at: At, symbol: String, venue: Mic) -> Option<u32> {
        let local = self.slots.len() as u32;
        if local >= LIMIT {
            return None;
        }
        self.listed.entry(symbol.clone()).or_default().push(local);
        let terms = Terms { definition: self.defaults.definition(symbol, venue, at.book), contract: None };
        let book_from = (at.book != BookKind::None).then_some(at.supplier());
        self.slots.push(Slot { terms, book_from, ..Slot::default() });
        Some(local)
    }

    fn list(&self, local: u32, at: At, to: &mut Inputs) {
        let Terms { definition, contract } = &self.slots[local as usize].terms;
        definition.push(to, at.due, local, at.record);
        if let Some((strike, expiry)) = *contract {
            let contract = Contract { strike, expiry, ..Contract::default() };
            to.push(Event::new(at.due, local, Flags::LAST_OF_GROUP, &contract), at.record);
        }
    }

    /// Applies a symbol mapping from the stream, valid for all records from now on.
    pub(super) fn map(&mut self, message: &SymbolMappingMsg) {
        let (Ok(symbol), id) = (message.stype_out_symbol(), message.hd.instrument_id) else { return };
        self.rename(id, symbol.to_owned());
    }

    /// From now on an id has this symbol, whoever publishes it.
    fn rename(&mut self, id: u32, symbol: String) {
        self.names.insert(id, vec![SymbolInterval { from: 0, until: u64::MAX, symbol }]);
        self.forget(id);
    }

    /// The listings of an id are looked up anew with their next records.
    fn forget(&mut self, id: u32) {
        self.index.remove(&id);
        self.last = Meant::default();
    }

    /// Applies a definition to its symbol, which is listed at the publisher's venue if it was not.
    pub(super) fn define(&mut self, at: At, message: &InstrumentDefMsg, to: &mut Inputs) -> Option<u32> {
        let symbol = message.raw_symbol().unwrap_or_default().to_owned();
        if self.look_up(at.id, at.ts).0 != Some(&symbol) {
            self.rename(at.id, symbol.clone());
        }
        let told = self.told(&symbol, message);
        let undefined = || self.defaults.definition(symbol.clone(), Mic::default(), BookKind::None);
        let mut definition = self.defined.get(&symbol).map_or_else(undefined, |defined| defined.definition.clone());
        told.apply(&mut definition);
        self.defined.insert(symbol.clone(), Terms { definition, contract: told.contract });
        self.own.insert(symbol.clone());
        self.forget(at.id);
        let Some(meant) = self.resolve(at, None, to) else {
            self.defined.remove(&symbol);
            return None;
        };
        self.last = meant;
        Some(meant.local)
    }

    /// How the listing's book is kept.
    pub(super) fn book(&self, local: u32) -> BookKind {
        self.slots[local as usize].terms.definition.book
    }

    /// Whether such records supply the listing's book: the first that can, do. They also say how it is kept.
    pub(super) fn supplies_book(&mut self, local: u32, at: At, to: &mut Inputs) -> bool {
        let slot = &mut self.slots[local as usize];
        if *slot.book_from.get_or_insert(at.supplier()) != at.supplier() {
            return false;
        }
        if slot.terms.definition.book != at.book {
            slot.terms.definition.book = at.book;
            self.list(local, at, to);
        }
        true
    }

    /// Whether such records supply the listing's trades: the first that can, do.
    pub(super) fn supplies_trades(&mut self, local: u32, at: At) -> bool {
        *self.slots[local as usize].trades_from.get_or_insert(at.supplier()) == at.supplier()
    }
}

impl Slot {
    /// Takes over what a definition says; true if that changes anything.
    fn take_over(&mut self, defined: &Terms) -> bool {
        let Definition { symbol, venue, book, .. } = self.terms.definition.clone();
        let definition = Definition { symbol, venue, book, ..defined.definition.clone() };
        let terms = Terms { definition, contract: defined.contract };
        let before = std::mem::replace(&mut self.terms, terms);
        before != self.terms
    }
}

/// The name of an instrument without a symbol.
fn unnamed(id: u32) -> String {
    format!("#{id}")
}

/// The symbols of a stream's metadata, by id.
fn symbols(metadata: &Metadata) -> HashMap<u32, Vec<SymbolInterval>> {
    let mut names: HashMap<u32, Vec<SymbolInterval>> = HashMap::new();
    for mapping in &metadata.mappings {
        for interval in &mapping.intervals {
            let (id, symbol) = match (metadata.stype_in, metadata.stype_out) {
                (_, SType::InstrumentId) => (&interval.symbol, &mapping.raw_symbol),
                (Some(SType::InstrumentId), _) => (&mapping.raw_symbol, &interval.symbol),
                _ => continue,
            };
            let Ok(id) = id.parse() else { continue };
            let from = interval.start_date.midnight().assume_utc().unix_timestamp_nanos();
            let until = interval.end_date.midnight().assume_utc().unix_timestamp_nanos();
            let (from, until) = (u64::try_from(from).unwrap_or(0), u64::try_from(until).unwrap_or(u64::MAX));
            names.entry(id).or_default().push(SymbolInterval { from, until, symbol: symbol.clone() });
        }
    }
    names
}

impl Defaults {
    /// The defaults that follow from a dataset's code (`XNAS.ITCH`).
    fn of(dataset: &str) -> Defaults {
        let code: Option<Mic> = dataset.as_bytes().get(..4).and_then(|c| c.try_into().ok()).map(Mic);
        let american = *b"USD\0";
        let (calendar, currency, instrument_type) = match code.map(|c| c.0).as_ref() {
            Some(b"GLBX") => (*b"GLBX", *b"\0\0\0\0", InstrumentType::Unknown),
            Some(b"OPRA") => (*b"OPRA", american, InstrumentType::Unknown),
            Some(b"IFEU" | b"NDEX") => (*b"XLON", *b"\0\0\0\0", InstrumentType::Unknown),
            Some(b"XEUR" | b"XEEE") => (*b"XEUR", *b"\0\0\0\0", InstrumentType::Unknown),
            Some(b"EQUS" | b"DBEQ") => (*b"EQUS", american, InstrumentType::Equity),
            Some(
                b"XNAS" | b"XBOS" | b"XPSX" | b"BATS" | b"BATY" | b"EDGA" | b"EDGX" | b"XNYS" | b"XCIS" | b"XASE"
                | b"XCHI" | b"ARCX" | b"MEMX" | b"EPRL" | b"IEXG",
            ) => (*b"XNAS", american, InstrumentType::Equity),
            other => (other.copied().unwrap_or_default(), *b"\0\0\0\0", InstrumentType::Unknown),
        };
        Defaults { dataset: dataset.to_owned(), venue: code, calendar: Mic(calendar), currency, instrument_type }
    }

    /// The venue of a publisher of this dataset; where the publisher is not known, the dataset's own code.
    fn venue_of(&self, publisher: u16) -> Mic {
        let publisher = dbn::Publisher::try_from(publisher).ok();
        let publisher = publisher.filter(|p| self.dataset.is_empty() || p.dataset().as_str() == self.dataset);
        let venue = publisher.and_then(|p| p.venue().as_str().as_bytes().try_into().ok()).map(Mic);
        venue.or(self.venue).unwrap_or_default()
    }

    fn is_opra(&self) -> bool {
        self.dataset.starts_with("OPRA")
    }

    /// A listing before its definition.
    fn definition(&self, symbol: String, venue: Mic, book: BookKind) -> Definition {
        let multiplier = match self.instrument_type {
            InstrumentType::Equity => Px::ONE,
            _ if self.is_opra() => of_option(&symbol),
            _ => 0,
        };
        Definition {
            multiplier,
            symbol,
            venue,
            calendar: self.calendar,
            currency: self.currency,
            instrument_type: self.instrument_type,
            book,
            own_references: true,
            price_decimals: Listed::SHORTEST,
            ..Definition::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_implies_venue_and_calendar() {
        let of = |dataset| {
            let d = Defaults::of(dataset);
            (d.venue.map(|v| v.as_str().to_owned()), d.calendar.as_str().to_owned(), d.instrument_type)
        };
        assert_eq!(of("XNAS.ITCH"), (Some("XNAS".into()), "XNAS".into(), InstrumentType::Equity));
        assert_eq!(of("GLBX.MDP3"), (Some("GLBX".into()), "GLBX".into(), InstrumentType::Unknown));
        assert_eq!(of("EQUS.MINI"), (Some("EQUS".into()), "EQUS".into(), InstrumentType::Equity));
        assert_eq!(of(""), (None, String::new(), InstrumentType::Unknown));
    }
}

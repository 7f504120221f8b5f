//! Instruments: from Databento's instrument ids to dense local indices, each with a listing.
//!
//! An id gets the next index with its first input. Its symbol comes from the file's mappings for the date of the
//! record, from a symbol mapping in the stream, or from a definition; an id that is remapped to another symbol gets
//! another index. Without any symbol it is listed as `#id`.
//!
//! Bound: [`LIMIT`] indices; instruments beyond it are dropped with an anomaly. Worst case: a new instrument costs two
//! or three allocations.

use crate::ladder::Rung;
use dbn::{InstrumentClass, InstrumentDefMsg, Metadata, SType, SymbolMappingMsg};
use flow::records::Contract;
use flow::{BookKind, Definition, Event, Flags, Inputs, InstrumentType, Listed, Mic, Ns, Px};
use std::collections::HashMap;

/// Local indices are below this number.
pub(super) const LIMIT: u32 = 65_536;

/// The symbol of an id during an interval.
struct SymbolInterval {
    from: u64,
    until: u64,
    symbol: String,
}

/// What is known about one listing.
#[derive(Default)]
pub(super) struct Slot {
    definition: Definition,
    contract: Option<(Px, Ns)>,
    /// The symbol is valid until this time.
    until: u64,
    /// The record types that supply its book and its trades, once there were any.
    book_from: Option<u8>,
    trades_from: Option<u8>,
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

/// Defaults for listings without a definition of their own.
struct Defaults {
    venue: Option<Mic>,
    calendar: Mic,
    currency: [u8; 4],
    instrument_type: InstrumentType,
}

/// All instruments of one stream.
pub(super) struct Instruments {
    names: HashMap<u32, Vec<SymbolInterval>>,
    index: HashMap<u32, u32>,
    slots: Vec<Slot>,
    last: (u32, u32),
    defaults: Defaults,
}

impl Instruments {
    pub(super) fn new(metadata: &Metadata) -> Instruments {
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
        Instruments {
            names,
            index: HashMap::new(),
            slots: vec![Slot::default()],
            last: (0, 0),
            defaults: Defaults::of(&metadata.dataset),
        }
    }

    /// The highest index plus one.
    fn count(&self) -> u32 {
        self.slots.len() as u32
    }

    pub(super) fn slot(&mut self, local: u32) -> &mut Slot {
        &mut self.slots[local as usize]
    }

    /// Whether the record is of the same instrument as the last one and leaves its listing unchanged.
    pub(super) fn unchanged(&self, at: At) -> bool {
        let slot = &self.slots[self.last.1 as usize];
        at.id == self.last.0 && at.ts < slot.until && (at.book == BookKind::None || slot.book_from.is_some())
    }

    /// The index of the record's instrument, which is listed first if it is new; `None` if there are too many.
    pub(super) fn local(&mut self, at: At, to: &mut Inputs) -> Option<u32> {
        if at.id == self.last.0 && at.ts < self.slots[self.last.1 as usize].until {
            return Some(self.last.1);
        }
        let known = self.index.get(&at.id).copied();
        let local = match known {
            Some(local) if at.ts < self.slots[local as usize].until => local,
            known => {
                let (symbol, until) = self.look_up(at.id, at.ts);
                let same = known.filter(|l| symbol.is_none() || symbol == Some(&self.symbol_of(*l)));
                let symbol = symbol.cloned().unwrap_or_else(|| format!("#{}", at.id));
                match same {
                    Some(local) => {
                        self.slots[local as usize].until = until;
                        local
                    }
                    None => {
                        let local = self.open(at, symbol, until)?;
                        self.list(local, at, to);
                        local
                    }
                }
            }
        };
        self.last = (at.id, local);
        Some(local)
    }

    fn symbol_of(&self, local: u32) -> String {
        self.slots[local as usize].definition.symbol.clone()
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

    fn open(&mut self, at: At, symbol: String, until: u64) -> Option<u32> {
        let local = self.count();
        if local >= LIMIT {
            return None;
        }
        let Defaults { venue, calendar, currency, instrument_type } = self.defaults;
        let definition = Definition {
            symbol,
            venue: venue.unwrap_or_else(|| venue_of(at.publisher)),
            calendar,
            currency,
            instrument_type,
            book: at.book,
            own_references: true,
            price_decimals: Listed::SHORTEST,
            ..Definition::default()
        };
        let book_from = (at.book != BookKind::None).then_some(at.rtype);
        self.slots.push(Slot { definition, until, book_from, ..Slot::default() });
        self.index.insert(at.id, local);
        Some(local)
    }

    fn list(&self, local: u32, at: At, to: &mut Inputs) {
        let slot = &self.slots[local as usize];
        slot.definition.push(to, at.due, local, at.record);
        if let Some((strike, expiry)) = slot.contract {
            let contract = Contract { strike, expiry, ..Contract::default() };
            to.push(Event::new(at.due, local, Flags::LAST_OF_GROUP, &contract), at.record);
        }
    }

    /// Applies a symbol mapping from the stream, valid for all records from now on.
    pub(super) fn map(&mut self, message: &SymbolMappingMsg) {
        let (Ok(symbol), id) = (message.stype_out_symbol(), message.hd.instrument_id) else { return };
        let interval = SymbolInterval { from: 0, until: u64::MAX, symbol: symbol.to_owned() };
        self.names.insert(id, vec![interval]);
        if let Some(local) = self.index.get(&id) {
            self.slots[*local as usize].until = 0;
        }
    }

    /// Applies a definition's terms to its listing.
    pub(super) fn define(&mut self, at: At, message: &InstrumentDefMsg, to: &mut Inputs) -> Option<u32> {
        let symbol = message.raw_symbol().unwrap_or_default().to_owned();
        let known = self.index.get(&at.id).copied();
        let unnamed = format!("#{}", at.id);
        let same = known.filter(|local| [&symbol, &unnamed].contains(&&self.symbol_of(*local)));
        let local = match same {
            Some(local) => local,
            None => self.open(at, symbol.clone(), u64::MAX)?,
        };
        let slot = &mut self.slots[local as usize];
        let before = (slot.definition.clone(), slot.contract);
        slot.until = u64::MAX;
        slot.definition.symbol = symbol;
        terms(&mut slot.definition, message);
        slot.contract = contract(slot.definition.instrument_type, message);
        self.last = (at.id, local);
        let slot = &self.slots[local as usize];
        if same.is_none() || before != (slot.definition.clone(), slot.contract) {
            self.list(local, at, to);
        }
        Some(local)
    }

    /// Whether records of this type supply the instrument's book: the first type that can, does.
    pub(super) fn supplies_book(&mut self, local: u32, at: At, to: &mut Inputs) -> bool {
        let slot = &mut self.slots[local as usize];
        if slot.book_from.is_none() {
            slot.book_from = Some(at.rtype);
            slot.definition.book = at.book;
            self.list(local, at, to);
        }
        self.slots[local as usize].book_from == Some(at.rtype)
    }

    /// Whether records of `rtype` supply the instrument's trades: the first type that can, does.
    pub(super) fn supplies_trades(&mut self, local: u32, rtype: u8) -> bool {
        *self.slots[local as usize].trades_from.get_or_insert(rtype) == rtype
    }
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
        Defaults { venue: code, calendar: Mic(calendar), currency, instrument_type }
    }
}

fn venue_of(publisher: u16) -> Mic {
    let venue = dbn::Publisher::try_from(publisher).map(|p| p.venue().as_str());
    venue.ok().and_then(|v| v.as_bytes().try_into().ok()).map(Mic).unwrap_or_default()
}

/// Copies the terms of a definition.
fn terms(definition: &mut Definition, message: &InstrumentDefMsg) {
    let known = |px: i64| (px != i64::MAX && px > 0).then_some(px);
    let positive = |n: i32| (n != i32::MAX).then(|| u32::try_from(n).ok()).flatten().filter(|n| *n > 0);
    if let Some(tick) = known(message.min_price_increment) {
        definition.tick_px = Px(tick);
        definition.price_decimals = decimals(tick);
    }
    definition.instrument_type = match message.instrument_class().ok() {
        Some(InstrumentClass::Stock) => InstrumentType::Equity,
        Some(InstrumentClass::Future | InstrumentClass::FutureSpread) => InstrumentType::Future,
        Some(InstrumentClass::Call) => InstrumentType::Call,
        Some(InstrumentClass::Put) => InstrumentType::Put,
        Some(InstrumentClass::FxSpot) => InstrumentType::CurrencyPair,
        Some(InstrumentClass::Index) => InstrumentType::Index,
        _ => definition.instrument_type,
    };
    let currency = message.currency.map(|c| c as u8);
    if currency[0].is_ascii_alphabetic() {
        definition.currency = currency;
    }
    definition.round_lot = positive(message.min_lot_size_round_lot).unwrap_or(definition.round_lot);
    let whole = || positive(message.contract_multiplier).map(|n| i64::from(n) * Px::ONE);
    let derivative = definition.instrument_type != InstrumentType::Equity;
    let unit = known(message.unit_of_measure_qty).filter(|_| derivative);
    definition.multiplier = unit.or_else(whole).unwrap_or(definition.multiplier);
}

/// Strike and expiry of a derivative.
fn contract(instrument_type: InstrumentType, message: &InstrumentDefMsg) -> Option<(Px, Ns)> {
    match instrument_type {
        InstrumentType::Future => Some((Px::NONE, Ns(message.expiration))),
        InstrumentType::Call | InstrumentType::Put => Some((Px(message.strike_price), Ns(message.expiration))),
        _ => None,
    }
}

/// How many decimals a price on this tick needs.
fn decimals(tick: i64) -> u8 {
    (0..9).find(|places| tick % 10i64.pow(9 - places) == 0).unwrap_or(9) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_a_tick() {
        let ticks = [1_000_000_000, 250_000_000, 10_000_000, 100_000, 1, 31_250_000, 50_000_000_000];
        assert_eq!(ticks.map(decimals), [0, 2, 2, 4, 9, 5, 0]);
    }

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

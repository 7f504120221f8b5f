//! Definitions that stand in files of their own, and how they join the data that they define.
//!
//! A file of definitions beside files of data of the same dataset defines their instruments: it is read whole before the run
//! begins, so it does not matter in which order the files are given, and each instrument has its terms before its first event.
//! An instrument joins by its id on the day of the record, or else by its raw symbol on any day of its life: ids are given
//! anew from day to day, and symbols from decade to decade. Of several definitions that fit the last before the record counts,
//! or else the first after it.
//!
//! Bound: [`MOST`] definitions, a few hundred bytes each.

use super::terms::Defined;
use dbn::InstrumentDefMsg;
use flow::Ns;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The most definitions that are kept: more than any dataset has.
const MOST: usize = 1 << 22;
const DAY: u64 = 86_400 * Ns::SECOND;

/// The definitions of several datasets, by the dataset's code, padded with zeros.
pub(super) type Beside = BTreeMap<[u8; 16], Arc<Definitions>>;

/// The start of the next day.
pub(super) fn day_after(ts: u64) -> u64 {
    (ts / DAY + 1) * DAY
}

/// A definition.
#[derive(Clone, Debug)]
struct Entry {
    ts: u64,
    id: u32,
    symbol: String,
    /// The days of its life.
    activation: u64,
    expiration: u64,
    terms: Defined,
}

impl Entry {
    /// Whether the instrument lives on the day of `ts`; what is not told is no bound.
    fn lives_at(&self, ts: u64) -> bool {
        let day = ts / DAY;
        let starts = Ns(self.activation).known().is_none_or(|from| from.0 / DAY <= day);
        starts && Ns(self.expiration).known().is_none_or(|until| until.0 == 0 || day <= until.0 / DAY)
    }
}

/// The definitions of a dataset.
#[derive(Clone, Debug, Default)]
pub(super) struct Definitions {
    entries: Vec<Entry>,
    by_id: HashMap<u32, Vec<u32>>,
    by_symbol: HashMap<String, Vec<u32>>,
}

impl Definitions {
    /// Takes a record; the records of a spread, one for each leg, make one definition.
    pub(super) fn add(&mut self, message: &InstrumentDefMsg, is_opra: bool) {
        let ts = Ns(message.ts_recv).known().map_or(message.hd.ts_event, |ts| ts.0);
        let (id, symbol) = (message.hd.instrument_id, message.raw_symbol().unwrap_or_default().to_owned());
        let terms = Defined::of(message, is_opra);
        if let Some(last) = self.entries.last_mut()
            && (last.id, last.ts, &last.symbol) == (id, ts, &symbol)
            && message.leg_index > 0
        {
            last.terms.legs.extend(terms.legs);
        } else if self.entries.len() < MOST {
            let (activation, expiration) = (message.activation, message.expiration);
            self.entries.push(Entry { ts, id, symbol, activation, expiration, terms });
        }
    }

    /// Takes the definitions of another file.
    pub(super) fn extend(&mut self, other: Definitions) {
        let room = MOST.saturating_sub(self.entries.len());
        self.entries.extend(other.entries.into_iter().take(room));
    }

    /// Sorts them by time, whatever the order of the files, and indexes them.
    pub(super) fn index(&mut self) {
        let terms = |e: &Entry| (e.terms.tick, e.terms.multiplier, e.expiration, e.activation);
        self.entries.sort_by(|a, b| (a.ts, a.id, &a.symbol, terms(a)).cmp(&(b.ts, b.id, &b.symbol, terms(b))));
        for (i, entry) in (0..).zip(&self.entries) {
            self.by_id.entry(entry.id).or_default().push(i);
            self.by_symbol.entry(entry.symbol.clone()).or_default().push(i);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.entries.len() * (size_of::<Entry>() + 160)) as u64
    }

    /// The raw symbol and the terms of an instrument at a time. `symbol` is what the data calls it, if anything; `is_raw` = that
    /// is the venue's own symbol.
    pub(super) fn find(&self, id: u32, symbol: Option<&str>, is_raw: bool, ts: u64) -> Option<(&str, Defined)> {
        let entry = self.entry(id, symbol, is_raw, ts)?;
        let mut terms = entry.terms.clone();
        if !terms.legs.is_empty() && (terms.tick == 0 || terms.multiplier == 0) {
            let of_leg = |terms: &Defined| (terms.tick, terms.multiplier);
            let legs =
                terms.legs.iter().map(|leg| Some(of_leg(&self.entry(leg.id, Some(&leg.symbol), true, ts)?.terms)));
            let legs: Vec<_> = legs.collect();
            terms.take_from_legs(&legs);
        }
        Some((&entry.symbol, terms))
    }

    fn entry(&self, id: u32, symbol: Option<&str>, is_raw: bool, ts: u64) -> Option<&Entry> {
        let all =
            |found: Option<&'_ Vec<u32>>| found.into_iter().flatten().map(|i| &self.entries[*i as usize]).collect();
        let mut fit: Vec<&Entry> = all(self.by_id.get(&id));
        fit.retain(|e| e.ts / DAY == ts / DAY && (!is_raw || symbol.is_none_or(|s| s == e.symbol)));
        if fit.is_empty() {
            fit = all(symbol.and_then(|symbol| self.by_symbol.get(symbol)));
            fit.retain(|e| e.lives_at(ts));
        }
        fit.iter().rev().find(|e| e.ts <= ts).or(fit.first()).copied()
    }
}

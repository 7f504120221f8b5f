//! From a source's own numbers of instruments to indices.
//!
//! What a source sends is translated by one load from a table when it is polled, up to the first input that needs a
//! decision: a definition, or the first market data of a local number. That one and those behind it are marked, and
//! decided when they enter, since another source may come between. So an input of a known instrument costs a load and a
//! comparison, and the inputs shown ahead bear their indices.
//!
//! A definition gives its local number the index of its key, and its name enters; its listing does unless another source owns
//! the instrument. The first market data claim the instrument; if its owner has not ended, an anomaly enters in their place,
//! and listings and market data of that key from this source are left out for good. So are all data of a number that no definition names, and of a
//! key beyond the bound. What was decided follows from the recorded inputs alone: a symbol bears its local number, a
//! definition whose listing is not recorded was withheld, and a refusal is an anomaly. Bound: [`LOCAL_INSTRUMENTS`] local numbers.

use super::directory::{Directory, Key, Naming, symbol_piece};
use flow::records::{Anomaly, Listing, Name};
use flow::{AnomalyKind, Event, Kind, Kinds, LOCAL_INSTRUMENTS, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Marks an instrument number that is still local, and an entry that has not claimed its instrument.
const OPEN: u32 = 1 << 31;
/// Marks an entry whose market data are left out; without an index, all its data.
const OUT: u32 = 1 << 30;
/// A number that nothing has named.
const UNSEEN: u32 = OPEN | OUT;
/// A number without an index.
const BEYOND: u32 = OUT;

/// Whether inputs of this kind define an instrument.
#[inline(always)]
const fn defines(kind: Kind) -> bool {
    matches!(kind, Kind::Listing | Kind::Contract | Kind::Name)
}

/// Whether an input still bears its local number.
#[inline(always)]
pub(super) const fn is_local(event: &Event) -> bool {
    event.instrument & OPEN != 0
}

/// What a decision depends on: the present, or the record of what was decided.
pub(super) trait Situation {
    /// The index of a key that the definition with this ordinal tells; `None` if there are too many.
    fn index(&mut self, key: Key, ordinal: u64) -> Option<u32>;
    /// Whether the listing of the definition with this ordinal may enter, of an instrument.
    fn lists(&mut self, index: u32, ordinal: u64) -> bool;
    /// Whether the source may report market data of an instrument, from now on.
    fn takes(&mut self, index: u32) -> bool;
}

/// The definition that is passing.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Defining {
    local: u32,
    /// 0 = it is left out.
    index: u32,
    /// Whether its listing entered; the terms that follow share its fate.
    listed: bool,
}

/// The instruments of one source.
#[derive(Default)]
pub(super) struct Locals {
    id: u8,
    table: Vec<u32>,
    defining: Defining,
    naming: Naming,
    /// Definitions so far, and the ordinals of those whose listing was withheld.
    definitions: u64,
    withheld: BTreeSet<u64>,
    /// Instruments whose market data are left out.
    refused: BTreeSet<u32>,
    /// The symbols of the numbers that definitions gave an instrument.
    symbols: BTreeMap<u32, String>,
    /// What the record has changed since the source's last cursor, from where it may be read again.
    since: Since,
}

/// Changes since a cursor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Since {
    /// Definitions before it.
    definitions: u64,
    /// The entries that were changed, with what they held before, in order.
    entries: Vec<(u32, u32)>,
    /// The instruments that were refused.
    refused: Vec<u32>,
}

impl Locals {
    /// The instruments of the source `id`.
    pub(super) fn new(id: u8) -> Locals {
        Locals { id, table: vec![0], ..Locals::default() }
    }

    /// Stamps inputs just polled, and translates those in front of the first that needs a decision.
    #[inline]
    pub(super) fn begin(&self, inputs: &mut [Event]) {
        let mut inputs = inputs.iter_mut();
        for event in inputs.by_ref() {
            event.source = self.id;
            let entry = self.entry(event.instrument);
            if (entry >= OUT) | defines(event.kind) {
                event.instrument |= OPEN;
                break;
            }
            event.instrument = entry;
        }
        for event in inputs {
            event.source = self.id;
            event.instrument |= OPEN;
        }
    }

    /// Translates further after a decision, up to the next input that needs one.
    pub(super) fn resume(&self, inputs: &mut [Event]) {
        for event in inputs {
            let entry = self.entry(event.instrument & !OPEN);
            if (entry >= OUT) | defines(event.kind) {
                return;
            }
            event.instrument = entry;
        }
    }

    #[inline(always)]
    fn entry(&self, local: u32) -> u32 {
        self.table.get(local as usize).copied().unwrap_or(UNSEEN)
    }

    fn set(&mut self, local: u32, entry: u32) {
        if local < LOCAL_INSTRUMENTS {
            self.table.resize(self.table.len().max(local as usize + 1), UNSEEN);
            self.table[local as usize] = entry;
        }
    }

    /// Decides on an input that needs it: gives it its index, or puts an anomaly in its place; `false` if it is left out.
    /// `upcoming` are the inputs behind it, which are translated further.
    pub(super) fn decide(&mut self, event: &mut Event, upcoming: &mut [Event], by: &mut impl Situation) -> bool {
        let enters = self.decided(event, upcoming, by);
        self.resume(upcoming);
        enters
    }

    fn decided(&mut self, event: &mut Event, upcoming: &[Event], by: &mut impl Situation) -> bool {
        let local = event.instrument & !OPEN;
        event.instrument = local;
        match event.kind {
            _ if local == 0 => true,
            Kind::Name if symbol_piece(event).is_some_and(|name| name.part == 0) => {
                self.define(local, event, upcoming, by)
            }
            Kind::Name | Kind::Listing | Kind::Contract => self.go_on_defining(event, by),
            kind => match self.entry(local) {
                UNSEEN => {
                    self.learn_entry(local, BEYOND);
                    replace(event, AnomalyKind::UnknownInstrument, 0, local.into())
                }
                BEYOND => false,
                entry => {
                    event.instrument = entry & !UNSEEN;
                    !Kinds::MARKET_DATA.has(kind) || self.takes(event, local, entry, by)
                }
            },
        }
    }

    /// Whether market data of a listed instrument enter.
    fn takes(&mut self, event: &mut Event, local: u32, entry: u32, by: &mut impl Situation) -> bool {
        let index = event.instrument;
        if entry & OUT != 0 || self.refused.contains(&index) {
            return false;
        }
        if by.takes(index) {
            self.learn_entry(local, index);
            return true;
        }
        self.refuse(local, index);
        replace(event, AnomalyKind::DuplicateInstrument, index, local.into())
    }

    /// The entry of a number that a definition gives to an instrument.
    fn named(&self, index: u32) -> u32 {
        index | if self.refused.contains(&index) { OUT } else { OPEN }
    }

    fn refuse(&mut self, local: u32, index: u32) {
        self.refused.insert(index);
        self.since.refused.push(index);
        self.learn_entry(local, index | OUT);
    }

    /// The first input of a definition.
    fn define(&mut self, local: u32, event: &mut Event, upcoming: &[Event], by: &mut impl Situation) -> bool {
        self.defining = Defining { local, ..Defining::default() };
        let Some(key) = key_of(event, upcoming).filter(|_| local < LOCAL_INSTRUMENTS) else { return false };
        self.definitions += 1;
        self.symbols.insert(local, key.0.clone());
        let Some(index) = by.index(key, self.definitions) else {
            self.learn_entry(local, BEYOND);
            return replace(event, AnomalyKind::InstrumentRange, 0, local.into());
        };
        if self.entry(local) != index {
            self.learn_entry(local, self.named(index));
        }
        self.defining.index = index;
        self.go_on_defining(event, by)
    }

    fn go_on_defining(&mut self, event: &mut Event, by: &mut impl Situation) -> bool {
        let Defining { local, index, .. } = self.defining;
        if index == 0 || event.instrument != local {
            return false;
        }
        event.instrument = index;
        match event.kind {
            Kind::Name => {
                event.record_mut::<Name>().handle = local.into();
                return true;
            }
            Kind::Listing => {
                let refused = self.refused.contains(&index);
                self.defining.listed = !refused && by.lists(index, self.definitions);
                if !self.defining.listed {
                    self.withheld.insert(self.definitions);
                }
            }
            _ => {}
        }
        self.defining.listed
    }

    /// Whether an input that still bears its local number is left out, whatever else holds; `passed` = the record went on with
    /// another source, so a listing that is not recorded was withheld: nothing of another source enters between a name and its
    /// listing.
    pub(super) fn leaves_out(&self, event: &Event, passed: bool) -> bool {
        let local = event.instrument & !OPEN;
        match event.kind {
            Kind::Name if symbol_piece(event).is_some_and(|name| name.part == 0) => false,
            Kind::Name | Kind::Listing | Kind::Contract if self.defining.index == 0 || self.defining.local != local => {
                true
            }
            Kind::Name => false,
            Kind::Listing => passed,
            Kind::Contract => !self.defining.listed,
            kind => match self.entry(local) {
                UNSEEN => false,
                entry => {
                    let refused = entry & OUT != 0 || self.refused.contains(&(entry & !UNSEEN));
                    entry == BEYOND || refused && Kinds::MARKET_DATA.has(kind)
                }
            },
        }
    }

    /// Learns from a recorded input of this source what was decided.
    pub(super) fn learn(&mut self, event: &Event, directory: &mut Directory) {
        if let Some(name) = symbol_piece(event) {
            let local = u32::try_from(name.handle).unwrap_or(LOCAL_INSTRUMENTS);
            if name.part == 0 {
                self.withhold();
                self.definitions += 1;
                self.defining = Defining { local, index: event.instrument, listed: false };
                self.learn_entry(local, self.named(event.instrument));
            }
            self.naming.observe(event);
        } else if event.kind == Kind::Listing {
            self.defining.listed = true;
            directory.learn(&mut self.naming, event);
        } else if event.kind != Kind::Contract {
            self.withhold();
            if Kinds::MARKET_DATA.has(event.kind) && event.instrument != 0 {
                directory.claim(event.instrument, self.id);
            } else if event.kind == Kind::Cursor {
                self.pass_cursor();
            } else if let Some(anomaly) = event.get::<Anomaly>() {
                self.learn_anomaly(event.instrument, anomaly);
            }
        }
    }

    /// A cursor enters: the source may be read again from there.
    pub(super) fn pass_cursor(&mut self) {
        self.since = Since { definitions: self.definitions, ..Since::default() };
    }

    fn learn_anomaly(&mut self, index: u32, anomaly: &Anomaly) {
        // A source that has too many numbers of its own says so with one beyond the bound.
        let Some(local) = u32::try_from(anomaly.detail).ok().filter(|local| *local < LOCAL_INSTRUMENTS) else { return };
        match AnomalyKind::from_code(anomaly.what) {
            Some(AnomalyKind::DuplicateInstrument) => {
                self.learn_entry(local, index | OUT);
                self.refused.insert(index);
                self.since.refused.push(index);
            }
            Some(AnomalyKind::UnknownInstrument) => self.learn_entry(local, BEYOND),
            Some(AnomalyKind::InstrumentRange) => {
                self.definitions += 1;
                self.learn_entry(local, BEYOND);
            }
            _ => {}
        }
    }

    fn learn_entry(&mut self, local: u32, entry: u32) {
        self.since.entries.push((local, self.entry(local)));
        self.set(local, entry);
    }

    /// The source reports something else: a definition without a listing was one whose listing was withheld.
    fn withhold(&mut self) {
        if self.defining.index != 0 && !self.defining.listed {
            self.withheld.insert(self.definitions);
        }
        self.defining = Defining::default();
    }

    /// Begins anew, as the source does, from its last cursor or from its start. Returns what was decided.
    pub(super) fn again(&mut self, from_cursor: bool) -> Precedents {
        let begun = (!self.defining.listed).then_some((self.definitions, self.defining.index));
        let precedents = Precedents { withheld: self.withheld.clone(), refused: self.refused.clone(), begun };
        if !from_cursor {
            *self = Locals::new(self.id);
            return precedents;
        }
        let Since { definitions, entries, refused } = std::mem::take(&mut self.since);
        entries.into_iter().rev().for_each(|(local, before)| self.set(local, before));
        self.refused.retain(|index| !refused.contains(index));
        self.withheld.retain(|ordinal| *ordinal <= definitions);
        self.definitions = definitions;
        precedents
    }

    /// The source lists its instruments anew, under numbers that need not be those of before.
    pub(super) fn list_anew(&mut self) {
        (self.table, self.defining) = (vec![0], Defining::default());
        self.symbols.clear();
    }

    /// The symbols of its numbers.
    pub(super) fn symbols(&self) -> &BTreeMap<u32, String> {
        &self.symbols
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        to.put(&(&self.table, self.defining, &self.naming, self.definitions));
        to.put(&(&self.withheld, &self.refused, &self.since));
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        (self.table, self.defining, self.naming, self.definitions) = from.get()?;
        (self.withheld, self.refused, self.since) = from.get()?;
        Ok(())
    }
}

/// What was decided before a restart.
#[derive(Default)]
pub(super) struct Precedents {
    withheld: BTreeSet<u64>,
    refused: BTreeSet<u32>,
    /// Ordinal and index of a definition of which the record ends before the listing: it may be of a new key.
    begun: Option<(u64, u32)>,
}

/// Decides as before, about inputs that are read once more.
pub(super) struct AsRecorded<'a> {
    pub(super) directory: &'a mut Directory,
    pub(super) precedents: &'a Precedents,
}

impl Situation for AsRecorded<'_> {
    fn index(&mut self, key: Key, ordinal: u64) -> Option<u32> {
        let begun = self.precedents.begun.filter(|(at, index)| *at == ordinal && *index != 0);
        self.directory.get(&key).or_else(|| begun.map(|(_, index)| self.directory.insert(key, index)))
    }

    fn lists(&mut self, _: u32, ordinal: u64) -> bool {
        !self.precedents.withheld.contains(&ordinal)
    }

    fn takes(&mut self, index: u32) -> bool {
        !self.precedents.refused.contains(&index)
    }
}

/// Decides by what holds now, for the source `id`.
pub(super) struct Now<'a, F> {
    pub(super) directory: &'a mut Directory,
    pub(super) id: u8,
    /// Whether a source has ended.
    pub(super) has_ended: F,
}

impl<F: Fn(u8) -> bool> Now<'_, F> {
    fn is_free(&self, index: u32) -> bool {
        let owner = self.directory.owner(index);
        owner == 0 || owner == self.id || (self.has_ended)(owner)
    }
}

impl<F: Fn(u8) -> bool> Situation for Now<'_, F> {
    fn index(&mut self, key: Key, _: u64) -> Option<u32> {
        self.directory.index(key)
    }

    fn lists(&mut self, index: u32, _: u64) -> bool {
        self.is_free(index)
    }

    fn takes(&mut self, index: u32) -> bool {
        let free = self.is_free(index);
        if free {
            self.directory.claim(index, self.id);
        }
        free
    }
}

/// The key of the definition that begins with `event`: its symbol, and the venue of the listing behind it.
fn key_of(event: &Event, upcoming: &[Event]) -> Option<Key> {
    let mut naming = Naming::default();
    naming.observe(event);
    for next in upcoming.iter().take_while(|next| defines(next.kind) && next.instrument & !OPEN == event.instrument) {
        if let Some(listing) = next.get::<Listing>() {
            return Some((naming.symbol(), listing.venue));
        }
        naming.observe(next);
    }
    None
}

/// Puts an anomaly in the place of an input.
fn replace(event: &mut Event, what: AnomalyKind, instrument: u32, detail: u64) -> bool {
    let exchange_ts = event.exchange_ts().unwrap_or(flow::Ns::NONE);
    let anomaly = what.event(event.ts, instrument, exchange_ts, detail);
    *event = Event { id: event.id, source: event.source, ..anomaly };
    true
}

//! Which instrument a key stands for: a symbol at a venue has one index, whoever reports it.
//!
//! A key gets the next free index with its first definition and keeps it, over files, days, feeds and restarts: the record
//! has every definition under its index, so the directory follows from it. Market data of an instrument come from one source
//! at a time, its owner, until that source has ended. Bound: `pipeline.max_instruments` keys; one that comes later has no
//! index. Nothing here is touched by an event of a known instrument.

use flow::records::{Listing, Name};
use flow::{Event, Mic, NameSpace, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Symbol and venue.
pub(super) type Key = (String, [u8; 4]);

/// Every key that has an index.
pub(super) struct Directory {
    /// Indices are below this number.
    bound: u32,
    keys: BTreeMap<Key, u32>,
    /// The source whose market data an index takes; 0 = nobody's yet.
    owners: Vec<u8>,
    /// The definition that an operator's inputs are telling: an earlier journal's.
    carried: Naming,
}

impl Directory {
    pub(super) fn new(bound: u32) -> Directory {
        Directory { bound, keys: BTreeMap::new(), owners: vec![0], carried: Naming::default() }
    }

    /// The index of a key, if it has one.
    pub(super) fn get(&self, key: &Key) -> Option<u32> {
        self.keys.get(key).copied()
    }

    /// The only instrument that an operator can mean by `SYMBOL` or `SYMBOL@MIC`.
    pub(super) fn named(&self, text: &str) -> Option<u32> {
        let of = |symbol: &str| {
            let from = self.keys.range((symbol.to_owned(), [0; 4])..);
            let of = from.take_while(|((other, _), _)| other == symbol);
            of.map(|((_, venue), index)| (*venue, *index)).collect::<Vec<_>>()
        };
        if let Some((symbol, venue)) = text.rsplit_once('@')
            && let Some((_, index)) = of(symbol).iter().find(|(mic, _)| Mic(*mic).as_str() == venue)
        {
            return Some(*index);
        }
        match of(text)[..] {
            [(_, index)] => Some(index),
            _ => None,
        }
    }

    /// The index of a key, which gets one if it has none; `None` if there are too many.
    pub(super) fn index(&mut self, key: Key) -> Option<u32> {
        let next = self.owners.len() as u32;
        if let Some(index) = self.get(&key) {
            return Some(index);
        }
        (next < self.bound).then(|| self.insert(key, next))
    }

    /// How many instruments there are, and the most that there may be.
    pub(super) fn room(&self) -> [u32; 2] {
        [self.owners.len() as u32 - 1, self.bound - 1]
    }

    /// The key has that index.
    pub(super) fn insert(&mut self, key: Key, index: u32) -> u32 {
        self.keys.insert(key, index);
        self.owners.resize(self.owners.len().max(index as usize + 1), 0);
        index
    }

    /// The source that owns an instrument; 0 = none.
    pub(super) fn owner(&self, index: u32) -> u8 {
        self.owners.get(index as usize).copied().unwrap_or(0)
    }

    /// The source `id` owns the instrument from now on.
    pub(super) fn claim(&mut self, index: u32, id: u8) {
        if let Some(owner) = self.owners.get_mut(index as usize) {
            *owner = id;
        }
    }

    /// Learns from an input of the record, a part of the definition that its source is telling.
    pub(super) fn learn(&mut self, naming: &mut Naming, event: &Event) {
        naming.observe(event);
        if let Some(listing) = event.get::<Listing>().filter(|_| naming.index == event.instrument) {
            self.insert((naming.symbol(), listing.venue), event.instrument);
        }
    }

    /// Learns from an input of an operator: a definition that was carried over from an earlier journal.
    pub(super) fn carry(&mut self, event: &Event) {
        let mut carried = std::mem::take(&mut self.carried);
        self.learn(&mut carried, event);
        self.carried = carried;
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        to.put(&self.keys.iter().collect::<Vec<_>>());
        to.put(&self.owners);
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.keys = from.get::<Vec<(Key, u32)>>()?.into_iter().collect();
        self.owners = from.get()?;
        let found = self.owners.len();
        if found > self.bound as usize {
            return Err(StateError::TooLarge { what: "instruments", found, limit: self.bound as usize });
        }
        Ok(())
    }
}

/// A symbol that comes in pieces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Naming {
    /// The instrument that is named.
    index: u32,
    text: Vec<u8>,
}

impl Naming {
    /// Takes a piece of the name; ignores everything else.
    pub(super) fn observe(&mut self, event: &Event) {
        if let Some(name) = symbol_piece(event) {
            if name.part == 0 {
                self.text.clear();
                self.index = event.instrument;
            }
            self.text.extend_from_slice(&name.text[..usize::from(name.len).min(name.text.len())]);
        }
    }

    pub(super) fn symbol(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// A piece of an instrument's symbol.
pub(super) fn symbol_piece(event: &Event) -> Option<&Name> {
    event.get::<Name>().filter(|name| name.space == NameSpace::Symbol.code())
}

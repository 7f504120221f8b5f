//! What is held, as the portfolio tells it, by account, strategy and instrument, and how far its closing is.
//!
//! Found [by key](ByKey); an entry is never removed. It is opened with the first request, so the portfolio has room for whatever
//! fills an order requested here. Bound: `pipeline.max_positions`. Worst case: colliding keys cost one probe each.

use super::closing::Closing;
use crate::by_key::{ByKey, Keyed};
use crate::portfolio::Key;

/// A quantity that is held.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub(super) key: Key,
    /// Signed quantity.
    pub(super) qty: i64,
    pub(super) closing: Closing,
}

impl Keyed for Held {
    const VACANT: Held = Held { key: Key::NONE, qty: 0, closing: Closing::NEVER };

    #[inline]
    fn key(&self) -> u64 {
        self.key.word()
    }
}

/// The table.
pub(super) struct Holdings(ByKey<Held>);

impl Holdings {
    /// Room for `limit` of them.
    pub(super) fn new(limit: usize) -> Holdings {
        Holdings(ByKey::new(limit))
    }

    /// The most.
    pub(super) fn limit(&self) -> usize {
        self.0.limit()
    }

    /// All of them, in arbitrary order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.0.iter()
    }

    /// That of a key, opened if there is none; `None` when there is no room.
    #[inline]
    pub(super) fn open(&mut self, key: Key) -> Option<&mut Held> {
        if self.0.get(key.word()).is_none() {
            return self.0.add(Held { key, ..Held::VACANT });
        }
        self.0.get_mut(key.word())
    }

    /// That of a key, if it is open.
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Held> {
        self.0.get_mut(key.word())
    }

    /// Removes all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

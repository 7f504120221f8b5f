//! What is held, as the portfolio tells it, by account, strategy and instrument, and how far its closing is.
//!
//! Found [by key](crate::by_key); an entry is never removed. It is opened with the first request, so the portfolio has room for whatever
//! fills an order requested here. Bound: `pipeline.max_positions`. Worst case: colliding keys cost one probe each.

use super::closing::Closing;
use crate::by_key::Keyed;
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

impl Held {
    /// Nothing is held.
    pub(super) fn at(key: Key) -> Held {
        Held { key, ..Held::VACANT }
    }
}

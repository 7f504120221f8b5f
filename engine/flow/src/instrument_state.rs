//! Where one instrument stands: what the stages say of it when somebody looks at a pipeline that is at rest.
//!
//! Bound: as many levels a side as are asked for, and one row an open order of the instrument.

use crate::{Px, Qty, WorkingOrder};

/// A price level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelState {
    /// Its price.
    pub px: Px,
    /// Total displayed quantity.
    pub qty: Qty,
    /// How many orders rest there; `None` = the book does not know.
    pub orders: Option<u32>,
}

/// A book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookState {
    /// The best levels of each side, best first.
    pub bids: Vec<LevelState>,
    /// The same of the asks.
    pub asks: Vec<LevelState>,
    /// How many levels the bids have in all.
    pub bid_levels: u64,
    /// The same of the asks.
    pub ask_levels: u64,
    /// Whether it is doubtful after lost messages.
    pub doubtful: bool,
}

/// What the stages say; every stage adds what it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstrumentState {
    /// Its book; `None` if it has none.
    pub book: Option<BookState>,
    /// Its open orders, in no order.
    pub orders: Vec<WorkingOrder>,
}

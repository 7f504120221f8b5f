//! Depth, rebuilt from level changes.
//!
//! It is independent of the book stage: all it knows is the quantity at each level. One map per side and instrument.

use flow::records::Level;
use flow::{Event, Kind, Px, Qty, Side};
use std::collections::BTreeMap;

#[derive(Default)]
struct Sides {
    source: u8,
    bids: BTreeMap<i64, u64>,
    asks: BTreeMap<i64, u64>,
}

/// The levels of every instrument, and which instruments changed since they were last shown.
#[derive(Default)]
pub(super) struct Depths {
    books: BTreeMap<u32, Sides>,
    /// Changed instruments, each with the last event that changed it.
    changed: BTreeMap<u32, Event>,
}

impl Depths {
    /// Applies a `level` or a `clear`.
    pub(super) fn apply(&mut self, event: &Event) {
        match event.kind {
            Kind::Level => self.level(event),
            Kind::Clear => self.clear(event),
            _ => {}
        }
    }

    fn level(&mut self, event: &Event) {
        let level = event.record::<Level>();
        let book = self.books.entry(event.instrument).or_default();
        book.source = event.source;
        let side = if event.side() == Side::Buy { &mut book.bids } else { &mut book.asks };
        if level.qty.0 == 0 {
            side.remove(&level.px.0);
        } else {
            side.insert(level.px.0, level.qty.0);
        }
        self.changed.insert(event.instrument, *event);
    }

    fn clear(&mut self, event: &Event) {
        for (instrument, book) in &mut self.books {
            let named = event.instrument == *instrument || (event.instrument == 0 && event.source == book.source);
            if named && !(book.bids.is_empty() && book.asks.is_empty()) {
                (book.bids, book.asks) = Default::default();
                self.changed.insert(*instrument, *event);
            }
        }
    }

    /// Takes the changed instruments, each with its last change.
    pub(super) fn take_changed(&mut self) -> BTreeMap<u32, Event> {
        std::mem::take(&mut self.changed)
    }

    /// Whether an instrument changed since the last take.
    pub(super) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The best `levels` levels of both sides, best first.
    pub(super) fn best(&self, instrument: u32, levels: usize) -> [Vec<(Px, Qty)>; 2] {
        let Some(book) = self.books.get(&instrument) else {
            return Default::default();
        };
        let pair = |(px, qty): (&i64, &u64)| (Px(*px), Qty(*qty));
        [book.bids.iter().rev().take(levels).map(pair).collect(), book.asks.iter().take(levels).map(pair).collect()]
    }
}

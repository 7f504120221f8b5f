//! Depth: the levels of all books, rebuilt from the events of the pipeline.
//!
//! It uses the structure of the book stage, kept by level: one pool of levels for all instruments. It follows the `level`
//! events that the book emits, or those of the feed for books kept by level; listings and clears as the book does.
//!
//! Bound: the books and levels in [`DepthLimits`]. If one is exceeded, the depth of that instrument is unknown until its
//! next clear. Cost and worst cases are those of [`Books`].

use super::{MeasureState, PerInstrument};
use crate::Space;
use crate::book::{Book, Books, Keeping, Limits, Place};
use flow::records::{Level, Listing};
use flow::{AnomalyKind, BookKind, Event, InstrumentType, Side, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// Limits on the depth that a host keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthLimits {
    /// Most books.
    pub books: u32,
    /// Most price levels, over all books.
    pub levels: u32,
}

impl DepthLimits {
    /// The larger of the two, limit by limit.
    pub fn max(self, other: DepthLimits) -> DepthLimits {
        DepthLimits { books: self.books.max(other.books), levels: self.levels.max(other.levels) }
    }
}

/// How much of an instrument's depth is known.
pub enum Depth<'a> {
    /// All levels.
    Levels(Book<'a>),
    /// Only the touch: a book of quotes has no more.
    TouchOnly,
    /// Some levels may be missing.
    Unknown,
}

/// How a listing keeps its book, and whether all its levels are here.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    kind: u8,
    source: u8,
    whole: bool,
}

impl Default for Kept {
    fn default() -> Kept {
        Kept { kind: BookKind::None as u8, source: 0, whole: true }
    }
}

/// The levels of all books.
pub(super) struct Ladders {
    books: Books,
    kept: PerInstrument<Kept>,
}

impl Ladders {
    pub(super) fn new(space: Space, DepthLimits { books, levels }: DepthLimits) -> Ladders {
        let limits = Limits { instruments: space.instruments, books, orders: 1, levels };
        Ladders { books: Books::new(limits), kept: PerInstrument::new(space) }
    }

    pub(super) fn list(&mut self, event: &Event) {
        let listing: &Listing = event.record();
        let Some(kept) = self.kept.get_mut(event.instrument) else { return };
        let now = Kept { kind: listing.book, source: event.source, whole: kept.whole };
        if std::mem::replace(kept, now) != now {
            self.clear_one(event.instrument);
        }
        let layered = [BookKind::ByLevel, BookKind::ByOrder].into_iter().any(|k| k as u8 == listing.book);
        let kind = if layered { BookKind::ByLevel } else { BookKind::None };
        // The ladder accepts every level that a book emits: an order may rest below zero from before a listing that forbids it.
        let signed = listing.book != BookKind::ByLevel as u8 || listing.instrument_type != InstrumentType::Equity as u8;
        let had = self.books.book(event.instrument).is_some();
        let keeping = Keeping { kind, source: event.source, signed, own_references: false };
        let listed = self.books.list(event.instrument, keeping);
        if let (false, Some(kept)) = (had, self.kept.get_mut(event.instrument)) {
            kept.whole = listed.is_ok();
        }
    }

    /// A level from the feed changes only a book that is kept by level.
    #[inline]
    pub(super) fn level(&mut self, event: &Event) {
        let Place::Book(book) = self.books.place(event.instrument) else { return };
        // What has a book was listed.
        let Some(kept) = self.kept.get(event.instrument) else { return };
        if event.id.position() == 0 && kept.kind != BookKind::ByLevel as u8 {
            return;
        }
        let level: &Level = event.record();
        let set = self.books.set_level(book, event.side(), level.px, level.qty.0, 0);
        if set.is_err_and(|fault| fault.what == AnomalyKind::BookFull) {
            self.overflow(event.instrument);
        }
    }

    /// A level of the instrument had no room.
    #[cold]
    fn overflow(&mut self, instrument: u32) {
        if let Some(kept) = self.kept.get_mut(instrument) {
            kept.whole = false;
        }
    }

    pub(super) fn clear(&mut self, event: &Event) {
        if event.instrument != 0 {
            return self.clear_one(event.instrument);
        }
        self.books.clear_source(event.source);
        self.kept.iter_mut().filter(|k| k.source == event.source).for_each(|k| k.whole = true);
    }

    fn clear_one(&mut self, instrument: u32) {
        if let (Place::Book(book), Some(kept)) = (self.books.place(instrument), self.kept.get_mut(instrument)) {
            self.books.clear(book);
            kept.whole = true;
        }
    }

    #[inline]
    pub(super) fn depth(&self, instrument: u32) -> Depth<'_> {
        let kept = self.kept.get(instrument).copied().unwrap_or_default();
        match self.books.book(instrument) {
            Some(book) if kept.whole => Depth::Levels(book),
            None if kept.kind == BookKind::Quotes as u8 => Depth::TouchOnly,
            _ => Depth::Unknown,
        }
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        self.kept.save(to);
        self.books.save(to);
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.kept.load(from)?;
        self.books.load(from)
    }
}

/// The quantities of a side's levels, best first.
#[inline]
pub(super) fn quantities<'a>(book: &Book<'a>, side: Side) -> impl Iterator<Item = f64> + use<'a> {
    book.depth(side).map(|level| level.qty.0 as f64)
}

//! The levels of all books, rebuilt from what the pipeline says of them.
//!
//! The structure is that of the book stage, held by level: a pool of levels for all instruments. It follows the `level`
//! events that the book emits and, where a book is kept by level, those that came in; listings and clears as the book
//! does.
//!
//! Bound: books and levels, as the parameters say. Where one is reached the ladder of that instrument is not whole any
//! more and says so until it is cleared. Cost and worst cases are those of [`Books`].

use crate::Space;
use crate::book::{Book, Books, Limits, Place};
use flow::records::{Level, Listing};
use flow::{AnomalyKind, BookKind, Event, InstrumentType, Side, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// What a listing said of a book, and whether its ladder is whole.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    kind: u8,
    source: u8,
    whole: bool,
}

impl Entry {
    const UNLISTED: Entry = Entry { kind: 0, source: 0, whole: true };
}

/// What is known of the depth of a book.
pub(super) enum Known<'a> {
    /// All of it.
    Levels(Book<'a>),
    /// A book of quotes has the touch alone.
    Touch,
    /// Not all of it.
    Nothing,
}

pub(super) struct Ladders {
    books: Books,
    entries: Box<[Entry]>,
}

impl Ladders {
    pub(super) fn new(space: Space, books: u32, levels: u32) -> Ladders {
        let limits = Limits { instruments: space.instruments, books, orders: 1, levels };
        let entries = vec![Entry::UNLISTED; space.instruments as usize].into_boxed_slice();
        Ladders { books: Books::new(limits), entries }
    }

    pub(super) fn list(&mut self, event: &Event) {
        let listing: &Listing = event.record();
        let Some(entry) = self.entries.get_mut(event.instrument as usize) else { return };
        let now = Entry { kind: listing.book, source: event.source, whole: entry.whole };
        let changed = *entry != now;
        *entry = now;
        if changed {
            self.clear_one(event.instrument);
        }
        let layered = [BookKind::ByLevel, BookKind::ByOrder].into_iter().any(|k| k as u8 == listing.book);
        let kind = if layered { BookKind::ByLevel } else { BookKind::None };
        // What a book emits, its ladder takes: an order may rest below zero from before a listing that forbids it.
        let signed = listing.book != BookKind::ByLevel as u8 || listing.instrument_type != InstrumentType::Equity as u8;
        let had = self.books.book(event.instrument).is_some();
        let listed = self.books.list(event.instrument, event.source, kind, signed);
        if !had {
            self.entries[event.instrument as usize].whole = listed.is_ok();
        }
    }

    /// A level that came in moves only a book that is kept by level.
    #[inline]
    pub(super) fn level(&mut self, event: &Event) {
        let Place::Book(book) = self.books.place(event.instrument) else { return };
        let entry = &mut self.entries[event.instrument as usize];
        if event.id.position() == 0 && entry.kind != BookKind::ByLevel as u8 {
            return;
        }
        let level: &Level = event.record();
        if let Err(fault) = self.books.set_level(book, event.side(), level.px, level.qty.0, 0) {
            entry.whole &= fault.what != AnomalyKind::BookFull;
        }
    }

    pub(super) fn clear(&mut self, event: &Event) {
        if event.instrument != 0 {
            return self.clear_one(event.instrument);
        }
        self.books.clear_source(event.source);
        self.entries.iter_mut().filter(|e| e.source == event.source).for_each(|e| e.whole = true);
    }

    fn clear_one(&mut self, instrument: u32) {
        if let Place::Book(book) = self.books.place(instrument) {
            self.books.clear(book);
            self.entries[instrument as usize].whole = true;
        }
    }

    #[inline]
    pub(super) fn known(&self, instrument: u32) -> Known<'_> {
        let entry = self.entries.get(instrument as usize).copied().unwrap_or(Entry::UNLISTED);
        match self.books.book(instrument) {
            Some(book) if entry.whole => Known::Levels(book),
            None if entry.kind == BookKind::Quotes as u8 => Known::Touch,
            _ => Known::Nothing,
        }
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let known = self.entries.iter().enumerate().filter(|(_, e)| **e != Entry::UNLISTED);
        let mut saved: Vec<(String, Entry)> = known.map(|(at, e)| (to.key(at as u32), *e)).collect();
        saved.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        to.put(&saved);
        self.books.save(to);
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.entries.fill(Entry::UNLISTED);
        for (key, entry) in from.get::<Vec<(String, Entry)>>()? {
            let at = from.instrument(&key)? as usize;
            let limit = self.entries.len();
            let full = StateError::TooLarge { what: "instruments", found: at + 1, limit };
            *self.entries.get_mut(at).ok_or(full)? = entry;
        }
        self.books.load(from)
    }
}

/// The levels of a side, best first, as numbers.
#[inline]
pub(super) fn quantities<'a>(book: &Book<'a>, side: Side) -> impl Iterator<Item = f64> + use<'a> {
    book.depth(side).map(|level| level.qty.0 as f64)
}

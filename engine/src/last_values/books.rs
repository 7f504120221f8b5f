//! Books of the symbols that somebody wants to look at, kept by the code of the book stage from what the journal records.
//!
//! The stage that runs in the pipeline is not looked at: this is a second one, behind the journal. Bound: the memory of one book stage
//! and its work for the messages of these symbols. A book is known from the beginning of a journal that no other precedes, or from where
//! its feed begins it anew: until then it is absent.

use crate::config::Settings;
use flow::{BookState, Event, InstrumentState, Kind, Kinds, Listings, Ns, Out, Stage};
use stages::book::BookStage;
use std::collections::BTreeMap;

/// An instrument whose book is kept.
struct KeptBook {
    /// Whether all of it is known.
    is_known: bool,
    /// The time of the last message about it.
    changed: Option<Ns>,
}

/// The books.
pub(super) struct Books {
    stage: BookStage,
    out: Out,
    /// Symbols, or `SYMBOL@MIC`, whose books are kept.
    wanted: Vec<String>,
    /// The instruments of these.
    watched: BTreeMap<u32, KeptBook>,
    is_from_the_beginning: bool,
}

impl Books {
    /// Those of the symbols in `wanted`, in a run with these settings; `None` if none are.
    pub(super) fn new(
        wanted: &[String],
        settings: &Settings,
        instruments: u32,
        is_from_the_beginning: bool,
    ) -> Option<Books> {
        let params = settings.stages.get("book").filter(|_| !wanted.is_empty())?;
        let stage = BookStage::new(params, settings.space(instruments));
        let (wanted, watched) = (wanted.to_vec(), BTreeMap::new());
        Some(Books { stage, out: Out::new(1, Kinds::NONE), wanted, watched, is_from_the_beginning })
    }

    /// Takes an input; its listing is known.
    pub(super) fn take(&mut self, input: &Event, listings: &Listings) {
        if input.kind == Kind::Listing
            && let Some(listed) = listings.get(input.instrument)
            && [&listed.symbol, &listings.key(input.instrument)].into_iter().any(|name| self.wanted.contains(name))
        {
            let watched = KeptBook { is_known: self.is_from_the_beginning, changed: None };
            self.watched.entry(input.instrument).or_insert(watched);
        }
        if input.kind == Kind::Clear {
            let begins = |instrument: u32| {
                let source = listings.get(instrument).map(|listed| listed.source);
                input.instrument == instrument || input.instrument == 0 && source == Some(input.source)
            };
            self.watched.iter_mut().filter(|(at, _)| begins(**at)).for_each(|(_, book)| book.is_known = true);
        }
        let is_watched = input.instrument == 0 || self.watched.contains_key(&input.instrument);
        if is_watched && self.stage.reads().has(input.kind) {
            self.out.begin(input);
            self.stage.on_event(input, &mut self.out);
            let book = self.watched.get_mut(&input.instrument).filter(|_| input.kind != Kind::Listing);
            book.into_iter().for_each(|book| book.changed = Some(input.ts));
        }
    }

    /// Something of the record was gone before it was read: no book is known any more until its feed begins it anew.
    pub(super) fn miss(&mut self) {
        self.is_from_the_beginning = false;
        self.watched.values_mut().for_each(|book| book.is_known = false);
    }

    /// The best levels of an instrument's book; `None` if it is not kept or not known.
    pub(super) fn book(&self, instrument: u32, levels: usize) -> Option<BookState> {
        let mut state = InstrumentState::default();
        self.watched.get(&instrument).filter(|book| book.is_known)?;
        self.stage.instrument_state(instrument, levels, &mut state);
        state.book
    }

    /// The time of the last message about an instrument's book.
    pub(super) fn changed(&self, instrument: u32) -> Option<Ns> {
        self.watched.get(&instrument)?.changed
    }

    /// Whether an instrument's book is kept.
    pub(super) fn keeps(&self, instrument: u32) -> bool {
        self.watched.contains_key(&instrument)
    }
}

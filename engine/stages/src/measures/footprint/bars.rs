//! The open bar of every instrument, the one that is over and waits to be closed, and the extremes of those before.
//!
//! Bound: per instrument, 120 bytes and a ring of extremes. Worst case: that of the rows.

use super::super::{Context, MeasureState, Session};
use super::rows::{BarRows, Rows, Running, Sums};
use crate::{Space, keyed};
use flow::{GrowingTable, Ns, Px, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// What is known of an instrument.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Height of a row; 0 = the listing has no price step, and every price is a row of its own.
    row: i64,
    pub(super) open: BarRows,
    /// The bar before, until the pipeline has closed it.
    pub(super) over: BarRows,
    /// Start of the bar whose volumes come next.
    closing_s: u32,
    session: Session,
    /// Slot for the next extremes, and how many there are.
    head: u16,
    held: u16,
}

impl Place {
    const NONE: Place = Place {
        row: 0,
        open: BarRows::NONE,
        over: BarRows::NONE,
        closing_s: BarRows::NO_START,
        session: Session::NONE,
        head: 0,
        held: 0,
    };

    /// The row of a price.
    pub(super) fn index(&self, px: Px) -> i64 {
        if self.row > 0 { px.0.div_euclid(self.row) } else { px.0 }
    }

    /// The lowest price of a row.
    pub(super) fn px(&self, index: i64) -> Px {
        Px(index.saturating_mul(self.row.max(1)))
    }
}

/// The lowest and the highest row of a bar.
type Span = (i64, i64);

/// The footprints of all instruments.
pub struct Bars {
    places: GrowingTable<Place>,
    /// Rings of spans, one behind the other.
    spans: GrowingTable<Span>,
    /// Bars in a ring.
    len: usize,
    pub(super) rows: Rows,
}

impl Bars {
    /// Rings of `len` bars for every instrument of the space, and so many rows for all together.
    pub(super) fn new(space: Space, len: usize, max_rows: u32) -> Bars {
        let instruments = space.instruments as usize;
        Bars {
            places: GrowingTable::new(instruments, Place::NONE),
            spans: GrowingTable::new(instruments * len, (0, 0)),
            len,
            rows: Rows::new(max_rows),
        }
    }

    /// The place of an instrument.
    #[inline]
    pub(super) fn place(&mut self, instrument: u32) -> Option<(&mut Place, &mut Rows)> {
        let place = if instrument == 0 { None } else { self.places.get_mut(instrument as usize) };
        place.map(|place| (place, &mut self.rows))
    }

    /// An instrument has rows of that height. With another height than before its bars begin anew.
    #[cold]
    pub(super) fn size(&mut self, instrument: u32, row: i64) {
        let Some((place, rows)) = self.place(instrument) else { return };
        if place.row != row {
            rows.give(&place.open);
            rows.give(&place.over);
            *place = Place { row, ..Place::NONE };
        }
    }

    /// The bar whose volumes come next.
    pub(super) fn announce(&mut self, instrument: u32, start_s: u32) {
        if let Some((place, _)) = self.place(instrument) {
            place.closing_s = start_s;
        }
    }

    /// Takes the announced bar out; its rows are to be given back.
    pub(super) fn close(&mut self, instrument: u32) -> Option<BarRows> {
        let (place, _) = self.place(instrument)?;
        let start_s = std::mem::replace(&mut place.closing_s, BarRows::NO_START);
        let bar = if place.over.start_s == start_s { &mut place.over } else { &mut place.open };
        let is_it = start_s != BarRows::NO_START && bar.start_s == start_s;
        is_it.then(|| std::mem::replace(bar, BarRows::NONE))
    }

    /// The lowest and the highest row of the bars before, if there are as many as are asked for in the trade date of `start`; and
    /// adds those of a bar, if all of it is in rows, else forgets the others.
    pub(super) fn extremes(
        &mut self,
        instrument: u32,
        start: Ns,
        span: Option<Span>,
        context: &Context,
    ) -> Option<Span> {
        let (at, len) = (instrument as usize, self.len);
        let place = self.places.get_mut(at)?;
        if place.session.is_over(start) {
            (place.session, place.head, place.held) = (context.session(instrument, start), 0, 0);
        }
        let ring = self.spans.span_mut(at * len, len);
        let is_full = usize::from(place.held) == len;
        let all = ring.iter().copied().reduce(|all, one| (all.0.min(one.0), all.1.max(one.1))).filter(|_| is_full);
        match span {
            Some(span) => {
                ring[usize::from(place.head)] = span;
                place.head = if usize::from(place.head) + 1 == len { 0 } else { place.head + 1 };
                place.held += u16::from(!is_full);
            }
            None => (place.head, place.held) = (0, 0),
        }
        all
    }

    fn saved_bar(&self, bar: &BarRows) -> SavedBar {
        let rows = self.rows.of(bar).map(|row| (row.index, row.sums)).collect();
        SavedBar { start_s: bar.start_s, running: bar.running, rows }
    }

    fn load_bar(&mut self, saved: SavedBar) -> Result<BarRows, StateError> {
        let mut bar = BarRows::at(saved.start_s);
        bar.running = saved.running;
        for row in saved.rows {
            if !self.rows.restore(&mut bar, row) {
                return Err(StateError::Inconsistent("rows of a footprint that do not rise or have no room"));
            }
        }
        Ok(bar)
    }
}

/// A bar, with its rows from the lowest up.
#[derive(Serialize, Deserialize)]
struct SavedBar {
    start_s: u32,
    running: Running,
    rows: Vec<(i64, Sums)>,
}

/// An instrument, with the spans of its bars from the oldest on.
#[derive(Serialize, Deserialize)]
struct Saved {
    row: i64,
    bars: [SavedBar; 2],
    closing_s: u32,
    session: Session,
    spans: Vec<Span>,
}

impl MeasureState for Bars {
    fn list(&mut self, instrument: u32) {
        let at = instrument as usize;
        self.places.reach(at);
        if at < self.places.bound() {
            self.spans.reach((at + 1) * self.len - 1);
        }
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        keyed::save(to, self.places.values().len(), |at| {
            let place = Some(&self.places[at]).filter(|place| **place != Place::NONE)?;
            let (head, held) = (usize::from(place.head), usize::from(place.held));
            let slot = |back: usize| at * self.len + (head + self.len - back) % self.len;
            Some(Saved {
                row: place.row,
                bars: [&place.open, &place.over].map(|bar| self.saved_bar(bar)),
                closing_s: place.closing_s,
                session: place.session,
                spans: (1..=held).rev().map(|back| self.spans[slot(back)]).collect(),
            })
        });
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.places.clear();
        self.spans.clear();
        self.rows.clear();
        let len = self.len;
        keyed::load(from, self.places.bound(), |at, saved: Saved| {
            let held = saved.spans.len();
            if held > len {
                return Err(StateError::Inconsistent("extremes of more bars than are kept"));
            }
            let [open, over] = saved.bars;
            let (open, over) = (self.load_bar(open)?, self.load_bar(over)?);
            self.spans.span_mut(at * len, len)[..held].copy_from_slice(&saved.spans);
            let head = if held == len { 0 } else { held as u16 };
            let (closing_s, session, held) = (saved.closing_s, saved.session, held as u16);
            self.places[at] = Place { row: saved.row, open, over, closing_s, session, head, held };
            Ok(())
        })
    }
}

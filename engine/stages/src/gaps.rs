//! Since when messages are missing: what was summed up over a gap stays short of them after the book is whole again.
//!
//! The book marks what it emits while it may be wrong, and ends that with a snapshot ([`flow::Trust`]). A sum over a session or a bar is
//! not mended by it: the trades that were in the missing messages will never be in it. So whoever sums up keeps the last gap of each
//! instrument, and marks with [`Flags::AFTER_GAP`] what it says in the same session, or of the same bar. A gap counts from where it is
//! noticed, which is at the first message after it.
//!
//! Bound: 24 bytes an instrument. Worst case: the gap of a source, once over all its instruments.

use crate::{Space, keyed};
use flow::records::Listing;
use flow::{Calendar, Event, Flags, GrowingTable, Mic, Ns, StateError, StateReader, StateWriter, table};
use serde::{Deserialize, Serialize};

/// What is kept of an instrument. Times are [`Ns::NONE`] until there is a gap.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    source: u8,
    calendar: Calendar,
    /// When the last gap was noticed.
    last: Ns,
    /// The end of the session in which it was.
    until: Ns,
}

impl Kept {
    const NEW: Kept = Kept { source: 0, calendar: Calendar::Utc, last: Ns::NONE, until: Ns::NONE };

    fn gap(&mut self, ts: Ns) {
        self.last = ts;
        self.until = self.calendar.trade_date(ts).end;
    }
}

/// A source is a byte.
const SOURCES: usize = 256;

/// The last gap of every instrument.
pub(crate) struct Gaps {
    kept: GrowingTable<Kept>,
    /// The last gap of each whole source, for what it lists later.
    sources: Box<[Ns]>,
    any: bool,
}

impl Gaps {
    pub(crate) fn new(space: Space) -> Gaps {
        let kept = GrowingTable::new(space.instruments as usize, Kept::NEW);
        Gaps { kept, sources: table(SOURCES, Ns::NONE), any: false }
    }

    /// Takes the `listing` of an instrument.
    #[cold]
    pub(crate) fn list(&mut self, event: &Event) {
        let at = event.instrument as usize;
        self.kept.reach(at);
        let Some(kept) = self.kept.get_mut(at).filter(|_| at != 0) else { return };
        kept.calendar = Calendar::of(Mic(event.record::<Listing>().calendar));
        let (before, last) =
            (std::mem::replace(&mut kept.source, event.source), self.sources[usize::from(event.source)]);
        if before != event.source && last != Ns::NONE {
            kept.gap(last);
        }
    }

    /// Takes a `gap`: of an instrument, or of all of its source.
    #[cold]
    pub(crate) fn gap(&mut self, event: &Event) {
        self.any = true;
        if event.instrument != 0 {
            self.kept.get_mut(event.instrument as usize).into_iter().for_each(|kept| kept.gap(event.ts));
            return;
        }
        self.sources[usize::from(event.source)] = event.ts;
        self.kept
            .values_mut()
            .iter_mut()
            .filter(|kept| kept.source == event.source)
            .for_each(|kept| kept.gap(event.ts));
    }

    /// The badge of what an event gives rise to: whether messages were missing in its session.
    #[inline(always)]
    pub(crate) fn of_session(&self, event: &Event) -> Flags {
        if self.any { self.in_session(event) } else { Flags::NONE }
    }

    #[cold]
    fn in_session(&self, event: &Event) -> Flags {
        let kept = self.kept.get(event.instrument as usize).filter(|_| event.instrument != 0);
        badge(kept.is_some_and(|kept| kept.until != Ns::NONE && event.ts < kept.until))
    }

    /// The badge of a bar: whether messages were missing while it was open.
    #[inline]
    pub(crate) fn of_bar(&self, instrument: u32, start: Ns, end: Ns) -> Flags {
        let kept = self.kept.get(instrument as usize).filter(|_| self.any && instrument != 0);
        badge(kept.is_some_and(|kept| kept.last != Ns::NONE && (start..end).contains(&kept.last)))
    }

    pub(crate) fn save(&self, to: &mut StateWriter<'_>) {
        let kept = self.kept.values();
        keyed::save(to, kept.len(), |at| Some(&kept[at]).filter(|kept| **kept != Kept::NEW));
        let sources = (0..=u8::MAX).zip(&self.sources).filter(|(_, last)| **last != Ns::NONE);
        to.put(&(sources.collect::<Vec<_>>(), self.any));
    }

    pub(crate) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.kept.clear();
        keyed::load(from, self.kept.bound(), |at, kept| {
            self.kept.reach(at);
            self.kept.get_mut(at).into_iter().for_each(|place| *place = kept);
            Ok(())
        })?;
        let (sources, any) = from.get::<(Vec<(u8, Ns)>, bool)>()?;
        self.any = any;
        self.sources.fill(Ns::NONE);
        sources.into_iter().for_each(|(source, last)| self.sources[usize::from(source)] = last);
        Ok(())
    }
}

fn badge(is_after: bool) -> Flags {
    if is_after { Flags::AFTER_GAP } else { Flags::NONE }
}

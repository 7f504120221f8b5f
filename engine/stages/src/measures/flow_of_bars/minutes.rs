//! The last bars of every instrument, and what a bar is still waiting for.
//!
//! Each instrument has a ring of the bars of its session that are over. A bar comes as two events, prices first; the start is kept
//! from one to the other. What is volume alone is in no flow and in the volume of its bar all the same, so it is summed beside,
//! for the interval that is open and for the one before: the trade that ends a bar is seen before the bar.
//!
//! Bound: per instrument, 64 bytes and a ring. Worst case: one session is looked up when another begins.

use super::super::{Context, MeasureState, Session};
use crate::{Space, keyed};
use flow::{GrowingTable, Ns, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// A bar that is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Minute {
    pub(super) volume: u64,
    pub(super) bought: u64,
    pub(super) sold: u64,
    /// Sum of the deltas of a look-back, this bar included; `None` before there are as many bars.
    pub(super) change: Option<i64>,
}

impl Minute {
    /// Bought less sold.
    pub(super) fn delta(&self) -> i64 {
        clamped(i128::from(self.bought) - i128::from(self.sold))
    }
}

/// The nearest number that an `i64` holds.
pub(super) fn clamped(sum: i128) -> i64 {
    sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// What is known of an instrument besides its bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Now {
    session: Session,
    /// Market hours of the session.
    from: Ns,
    until: Ns,
    /// Start of the bar whose volume comes next.
    start_s: u32,
    /// Slot for the next bar.
    head: u16,
    /// Number of bars in the ring.
    held: u16,
    /// Start of an interval and what was volume alone in it; the newest first.
    besides: [(u32, u64); 2],
}

impl Now {
    /// No bar is waiting for its volume; no interval.
    const NONE_S: u32 = u32::MAX;
    const NONE: Now = Now {
        session: Session::NONE,
        from: Ns(0),
        until: Ns(0),
        start_s: Now::NONE_S,
        head: 0,
        held: 0,
        besides: [(Now::NONE_S, 0); 2],
    };
}

/// The bars of all instruments.
pub struct Minutes {
    now: GrowingTable<Now>,
    /// The rings, one behind the other.
    rings: GrowingTable<Minute>,
    /// Bars in a ring.
    len: usize,
}

/// The bars of a session before one.
pub(super) struct Past<'a> {
    ring: &'a [Minute],
    head: usize,
    held: usize,
}

impl Past<'_> {
    /// The bars, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Minute> {
        let len = self.ring.len();
        (1..=self.held).map(move |back| &self.ring[(self.head + len - back) % len])
    }
}

impl Minutes {
    /// Rings of `len` bars for every instrument of the space.
    pub(super) fn new(space: Space, len: usize) -> Minutes {
        let instruments = space.instruments as usize;
        Minutes {
            now: GrowingTable::new(instruments, Now::NONE),
            rings: GrowingTable::new(instruments * len, Minute::default()),
            len,
        }
    }

    #[inline]
    fn of(&mut self, instrument: u32) -> Option<&mut Now> {
        if instrument == 0 { None } else { self.now.get_mut(instrument as usize) }
    }

    /// Adds what is volume alone to the interval that begins at `start_s`.
    pub(super) fn add_besides(&mut self, instrument: u32, start_s: u32, qty: u64) {
        let Some(now) = self.of(instrument) else { return };
        if now.besides[0].0 != start_s {
            now.besides = [(start_s, 0), now.besides[0]];
        }
        now.besides[0].1 = now.besides[0].1.saturating_add(qty);
    }

    /// Takes out what is broken of it.
    pub(super) fn take_besides(&mut self, instrument: u32, start_s: u32, qty: u64) {
        let Some(now) = self.of(instrument) else { return };
        for (_, sum) in now.besides.iter_mut().filter(|(start, _)| *start == start_s) {
            super::super::take_out(sum, qty);
        }
    }

    /// The bar whose volume comes next begins at `start_s`.
    pub(super) fn announce(&mut self, instrument: u32, start_s: u32) {
        if let Some(now) = self.of(instrument) {
            now.start_s = start_s;
        }
    }

    /// The announced bar, if it is in market hours: its start and what of its volume is volume alone. The first bar of a session
    /// empties the ring.
    pub(super) fn begin(&mut self, instrument: u32, context: &Context) -> Option<(u32, u64)> {
        let now = self.of(instrument)?;
        let start_s = std::mem::replace(&mut now.start_s, Now::NONE_S);
        let start = Ns(u64::from(start_s) * Ns::SECOND);
        if start_s == Now::NONE_S {
            return None;
        }
        if now.session.is_over(start) {
            let (from, until) = context.market_hours(instrument, start);
            let session = context.session(instrument, start);
            *now = Now { session, from, until, head: 0, held: 0, ..*now };
        }
        let besides = now.besides.iter().find(|(of, _)| *of == start_s).map_or(0, |(_, qty)| *qty);
        (now.from <= start && start < now.until).then_some((start_s, besides))
    }

    /// The bars of the running session.
    pub(super) fn past(&mut self, instrument: u32) -> Past<'_> {
        let at = instrument as usize;
        let Now { head, held, .. } = self.now[at];
        let ring = self.rings.span_mut(at * self.len, self.len);
        Past { ring, head: head.into(), held: held.into() }
    }

    /// Adds a bar, in place of the oldest if the ring is full.
    pub(super) fn push(&mut self, instrument: u32, minute: Minute) {
        let (at, len) = (instrument as usize, self.len);
        let now = &mut self.now[at];
        self.rings.span_mut(at * len, len)[usize::from(now.head)] = minute;
        now.head = if usize::from(now.head) + 1 == len { 0 } else { now.head + 1 };
        now.held += u16::from(usize::from(now.held) < len);
    }
}

/// An instrument: what is known besides its bars, and these from the oldest on.
type Saved = (Now, Vec<Minute>);

impl MeasureState for Minutes {
    fn list(&mut self, instrument: u32) {
        let at = instrument as usize;
        self.now.reach(at);
        if at < self.now.bound() {
            self.rings.reach((at + 1) * self.len - 1);
        }
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        keyed::save(to, self.now.values().len(), |at| {
            let now = Some(self.now[at]).filter(|now| *now != Now::NONE)?;
            let (head, held) = (usize::from(now.head), usize::from(now.held));
            let slot = |back: usize| at * self.len + (head + self.len - back) % self.len;
            let ring: Vec<Minute> = (1..=held).rev().map(|back| self.rings[slot(back)]).collect();
            Some((Now { head: 0, ..now }, ring))
        });
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.now.clear();
        self.rings.clear();
        let len = self.len;
        keyed::load(from, self.now.bound(), |at, (now, ring): Saved| {
            let held = usize::from(now.held);
            if held != ring.len() || held > len {
                return Err(StateError::Inconsistent("a ring of more bars than it holds"));
            }
            self.now[at] = Now { head: if held == len { 0 } else { now.held }, ..now };
            self.rings.span_mut(at * len, len)[..held].copy_from_slice(&ring);
            Ok(())
        })
    }
}

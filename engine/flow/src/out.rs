//! The events that one event causes in one stage.
//!
//! A stage pushes them; the runner passes them on, depth first, before the stage sees its next event. The buffer belongs to
//! the runner and never grows: a stage declares its bound and the plan checks it against [`Out::CAP`], so a push past the
//! end is a broken invariant and panics.

use crate::records::Order;
use crate::{Approved, Event, EventId, Flags, Kind, Kinds, Ns, Record};

/// The output buffer of a stage. It gives each event seq and time of its cause, the stage's position and an ordinal.
pub struct Out {
    events: Box<[Event; Out::CAP]>,
    /// The number of events, and [`Out::ASKS`]: one word, so that one look shows the runner that there is nothing.
    effects: u64,
    position: u8,
    wanted: Kinds,
    seq: u64,
    ordinal: u16,
    ordinal_inside: u16,
    ts: Ns,
    source: u8,
    instance: u8,
}

impl Out {
    /// The most events that one event may cause in a stage.
    pub const CAP: usize = 64;
    /// How many places are kept warm: a decision emits an intent, a signal and a reason or two.
    const WARM: usize = 4;
    /// The first ordinal of what stages tell each other: it is counted apart, so that the ids of all else are the same whether or
    /// not anybody is told. A stage that tells anything has fewer than this many other events for one input.
    const INSIDE: u16 = 1 << 15;
    /// The bit that asks for a pulse, above the number of events.
    const ASKS: u64 = 1 << 32;

    /// The buffer of the stage at `position` (from 1) of the uncut pipeline; `wanted` are the kinds that anything after the
    /// stage reads.
    pub fn new(position: u8, wanted: Kinds) -> Out {
        let events = vec![bytemuck::Zeroable::zeroed(); Out::CAP].into_boxed_slice();
        let events = events.try_into().unwrap_or_else(|_| unreachable!("made with that length"));
        let (ordinal, ordinal_inside) = (0, Out::INSIDE);
        Out { events, effects: 0, position, wanted, seq: 0, ordinal, ordinal_inside, ts: Ns(0), source: 0, instance: 0 }
    }

    /// Starts the output for `cause`; the runner calls it before the stage.
    #[inline]
    pub fn begin(&mut self, cause: &Event) {
        let seq = cause.id.seq();
        if seq != self.seq {
            self.seq = seq;
            (self.ordinal, self.ordinal_inside) = (0, Out::INSIDE);
        }
        self.effects = 0;
        self.ts = cause.ts;
        self.source = cause.source;
    }

    /// Asks for the next pulse: the stage has something to decide. It gets no pulse otherwise, but for the first after it was
    /// built or loaded.
    #[inline]
    pub fn ask_for_pulse(&mut self) {
        self.effects |= Out::ASKS;
    }

    /// Whether the stage asked for a pulse when it handled the current event.
    #[inline]
    pub fn asks_for_pulse(&self) -> bool {
        self.effects & Out::ASKS != 0
    }

    /// Whether the current event had no effect: no event was pushed, and no pulse asked for.
    #[inline]
    pub fn is_silent(&self) -> bool {
        self.effects == 0
    }

    /// The number of events that were pushed for the current one.
    #[inline]
    fn len(&self) -> usize {
        self.effects as u32 as usize
    }

    /// Sets the instance of a measure that the events pushed from now on are of.
    #[inline]
    pub fn set_instance(&mut self, number: u8) {
        self.instance = number;
    }

    /// How many more events may be pushed for the current one.
    #[inline]
    pub fn room(&self) -> usize {
        Out::CAP - self.len()
    }

    /// Has the places of the next events in the cache: those of a stage that emits rarely are not.
    pub fn warm(&self) {
        for event in &self.events[..Out::WARM] {
            std::hint::black_box(event.kind);
        }
    }

    /// The stage's position.
    pub fn position(&self) -> u8 {
        self.position
    }

    /// Whether anything reads that kind; if not, a stage may skip the work.
    #[inline]
    pub fn wants(&self, kind: Kind) -> bool {
        self.wanted.has(kind)
    }

    /// Pushes an event. Kinds that nothing reads are dropped but still numbered, so that ids do not depend on the readers.
    #[inline]
    pub fn push<R: Record>(&mut self, instrument: u32, flags: Flags, record: &R) {
        const { assert!(R::KIND.0 != Kind::Order.0, "an order is made by risk alone: see Approved") }
        self.add(instrument, flags, record);
    }

    /// Pushes an order that risk approved.
    #[inline]
    pub fn push_approved(&mut self, instrument: u32, flags: Flags, order: &Approved<Order>) {
        self.add(instrument, flags, order.get());
    }

    #[inline]
    fn add<R: Record>(&mut self, instrument: u32, flags: Flags, record: &R) {
        let ordinal = self.next_ordinal(R::KIND);
        if !self.wanted.has(R::KIND) {
            return;
        }
        let len = self.len();
        assert!(len < Out::CAP, "a stage caused more than {} events: its fan_out() is wrong", Out::CAP);
        let slot = &mut self.events[len];
        *slot = Event::new(self.ts, instrument, flags, record);
        slot.id = EventId::new(self.seq, self.position, ordinal);
        slot.source = self.source;
        if let Some(at) = R::INSTANCE {
            slot.body[at] = self.instance;
        }
        self.effects += 1;
    }

    #[inline(always)]
    fn next_ordinal(&mut self, kind: Kind) -> u16 {
        let next = if kind.is_inside() { &mut self.ordinal_inside } else { &mut self.ordinal };
        let ordinal = *next;
        *next = ordinal.checked_add(1).expect("more than 65,535 events of one stage for one input");
        ordinal
    }

    /// Sets flags on the last event that was pushed for the current one, if any.
    #[inline]
    pub fn flag_last(&mut self, flags: Flags) {
        if let Some(last) = self.len().checked_sub(1) {
            self.events[last].flags = self.events[last].flags.with(flags);
        }
    }

    /// Sets flags on every event that was pushed for the current one.
    pub fn flag_all(&mut self, flags: Flags) {
        let len = self.len();
        self.events[..len].iter_mut().for_each(|event| event.flags = event.flags.with(flags));
    }

    /// Sets flags on every event that was pushed for the current one, but for those of a kind.
    pub fn flag_all_but(&mut self, kind: Kind, flags: Flags) {
        let len = self.len();
        for event in self.events[..len].iter_mut().filter(|event| event.kind != kind) {
            event.flags = event.flags.with(flags);
        }
    }

    /// The events that were pushed for the current one.
    #[inline]
    pub fn events(&self) -> &[Event] {
        &self.events[..self.len()]
    }
}

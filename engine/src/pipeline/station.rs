//! A group of stages on one thread, and how an event passes through it.
//!
//! A bit mask per kind names the stages that read it, so an event goes from reader to reader and skips the rest. Bound: 62
//! stages per group, one bit each. Worst case: the recursion is as deep as the group has stages.
//!
//! The stage `pulse` says after nearly every input the same, so the usual pulse is made here, without a call, and only for
//! those who have asked for one. The stage itself is called where groups of inputs are open, and at the beginning, when a
//! loaded state may be in the middle of one.

use super::exit::Accepts;
use super::meter::Meter;
use super::times::TimesReader;
use crate::deliberate::spins;
use crate::plan::{GroupPlan, Planned};
use flow::records::Pulse;
use flow::{Event, EventId, Flags, Kind, Kinds, Out, Stage};
use stages::book::{Books, shown_by};

/// Bit in a kind's mask: the exit takes it.
const EXIT: u64 = 1 << (GroupPlan::MAX_STAGES + 1);
/// Bit in a kind's mask: the stage `pulse`, the first of the group, reads it.
const PULSE: u64 = 1 << GroupPlan::MAX_STAGES;
const _: () = assert!(GroupPlan::MAX_STAGES + 1 < u64::BITS as usize);
/// The bits of the stages.
const STAGES: u64 = PULSE - 1;

/// A stage and the buffer of the events that it emits. Two cache lines of its own: the neighbours of a station are called
/// in turn with it.
#[repr(align(64))]
struct Station {
    stage: Box<dyn Stage>,
    out: Out,
    name: String,
}

/// Consecutive stages of the pipeline.
pub struct Group {
    stations: Vec<Station>,
    /// The readers of each kind: one bit per station, and one for the exit.
    readers: Box<[u64; Kind::COUNT]>,
    meter: Meter,
    pulses: Pulses,
    /// Stations that prefetch, and the kinds that they prefetch for.
    prefetching: Vec<usize>,
    prefetched: Kinds,
    /// The station that shows its books.
    with_books: Option<usize>,
}

impl Group {
    /// A group of these stages; `forwards` are the kinds that its exit takes.
    pub fn new(stages: Vec<Planned>, forwards: Kinds, sample_every: u64) -> Group {
        let meter = Meter::new(stages.len(), sample_every);
        assert!(stages.len() <= GroupPlan::MAX_STAGES, "the plan refuses a group of more stages");
        let begins_with_pulse = stages.first().is_some_and(|p| p.stage.emits().has(Kind::Pulse));
        let mut readers = Box::new([0; Kind::COUNT]);
        for (kind, all) in readers.iter_mut().enumerate() {
            let kind = Kind(kind as u8);
            let own = |p: &Planned| u64::from(p.stage.reads().has(kind));
            let exit = if forwards.has(kind) { EXIT } else { 0 };
            *all = exit | stages.iter().rev().fold(0, |all, p| all << 1 | own(p));
            if begins_with_pulse && *all & 1 != 0 {
                *all ^= 1 | PULSE;
            }
        }
        let station = |p: Planned| Station { name: p.name, out: Out::new(p.position, p.wanted), stage: p.stage };
        let prefetches = |p: &Planned| p.stage.prefetches();
        let prefetching: Vec<usize> = (0..stages.len()).filter(|i| prefetches(&stages[*i]) != Kinds::NONE).collect();
        let prefetched = stages.iter().map(prefetches).fold(Kinds::NONE, Kinds::or);
        let with_books = stages.iter().position(|p| shown_by(p.stage.as_ref()).is_some());
        let stations = stages.into_iter().map(station).collect();
        // A pulse goes only where one is pending.
        let to_pulse = std::mem::take(&mut readers[usize::from(Kind::Pulse.0)]);
        let (open, ends) = if begins_with_pulse { (PULSE, Flags::LAST_OF_GROUP) } else { (0, Flags::NONE) };
        let pulses = Pulses { readers: to_pulse, pending: to_pulse | open, ends };
        Group { stations, readers, meter, pulses, prefetching, prefetched, with_books }
    }

    /// A group of the first `deciding` stages, and one of the others, which the tail runs on what it holds back. If none of the
    /// stages decides, or all do, they are one group.
    pub fn and_observers(
        mut stages: Vec<Planned>,
        deciding: usize,
        forwards: Kinds,
        sample_every: u64,
    ) -> (Group, Option<Group>) {
        if deciding == 0 || deciding >= stages.len() {
            return (Group::new(stages, forwards, sample_every), None);
        }
        let observers = stages.split_off(deciding);
        let read = observers.iter().fold(forwards, |kinds, s| kinds.or(s.stage.reads()));
        (Group::new(stages, read, sample_every), Some(Group::new(observers, forwards, sample_every)))
    }

    /// Passes one event and its consequences through the group into `exit`, which calls `on_backpressure` while it waits.
    #[inline]
    pub fn process<E: Accepts>(&mut self, event: &Event, exit: &mut E, on_backpressure: &mut dyn FnMut()) {
        while spins(event.id.seq()) && self.stations.iter().any(|s| s.name == "risk") {
            std::hint::spin_loop();
        }
        if self.meter.is_due() {
            return self.process_timed(event, exit, on_backpressure);
        }
        let Group { stations, readers, meter, pulses, .. } = self;
        Pass { readers, exit, on_backpressure, meter, pulses }.run::<false>(stations, event);
    }

    /// Passes many events, each with its consequences.
    #[inline]
    pub fn process_all<E: Accepts>(&mut self, events: &[Event], exit: &mut E, on_backpressure: &mut dyn FnMut()) {
        let Group { stations, readers, meter, pulses, .. } = self;
        let mut pass = Pass { readers, exit, on_backpressure, meter, pulses };
        for event in events {
            if pass.meter.is_due() {
                pass.run_timed(stations, event);
            } else {
                pass.run::<false>(stations, event);
            }
        }
    }

    #[cold]
    fn process_timed<E: Accepts>(&mut self, event: &Event, exit: &mut E, on_backpressure: &mut dyn FnMut()) {
        let Group { stations, readers, meter, pulses, .. } = self;
        Pass { readers, exit, on_backpressure, meter, pulses }.run_timed(stations, event);
    }

    /// Lets stages prefetch for the inputs that will probably come, if the next one is of a kind that they prefetch for.
    #[inline]
    pub fn prefetch(&mut self, lookahead: &[Event]) {
        if lookahead.first().is_some_and(|next| self.prefetched.has(next.kind)) {
            for station in &self.prefetching {
                self.stations[*station].stage.prefetch(lookahead);
            }
        }
    }

    /// Has the stages read what their next decisions will read.
    pub fn warm(&self) {
        for station in &self.stations {
            station.out.warm();
            station.stage.warm();
        }
    }

    /// The books of its book stage, if it has one: as they stand after the last event.
    #[inline]
    pub fn books(&self) -> Option<&Books> {
        shown_by(self.stations[self.with_books?].stage.as_ref())
    }

    /// The stages in order.
    pub fn stages(&self) -> impl Iterator<Item = &dyn Stage> {
        self.stations.iter().map(|s| s.stage.as_ref())
    }

    /// The stages in order, each with its name and its position.
    pub fn named(&self) -> impl Iterator<Item = (&str, u8, &dyn Stage)> {
        self.stations.iter().map(|s| (s.name.as_str(), s.out.position(), s.stage.as_ref()))
    }

    /// The positions of the stages.
    pub fn positions(&self) -> impl Iterator<Item = u8> {
        self.stations.iter().map(|s| s.out.position())
    }

    /// The reading ends of the latencies by stage, then of the whole group, under an empty name.
    pub fn times(&self) -> Vec<(String, TimesReader)> {
        self.stage_times().chain([(String::new(), self.meter.whole())]).collect()
    }

    /// The reading ends of the latencies by stage.
    pub fn stage_times(&self) -> impl Iterator<Item = (String, TimesReader)> {
        self.stations.iter().map(|s| s.name.clone()).zip(self.meter.stages())
    }
}

/// What decides about pulses.
struct Pulses {
    /// The stations that read pulses, and the exit if it takes them.
    readers: u64,
    /// Those of them who have asked for one since their last, and always the exit. [`PULSE`] while a group of inputs may be
    /// open, so that the stage `pulse` has to be called. With nothing pending the end of a group costs one look.
    pending: u64,
    /// The flag of the events that end a group of inputs, in the group that makes the pulses; none elsewhere.
    ends: Flags,
}

/// The context of one event's pass.
struct Pass<'a, E> {
    readers: &'a [u64; Kind::COUNT],
    exit: &'a mut E,
    on_backpressure: &'a mut dyn FnMut(),
    meter: &'a mut Meter,
    pulses: &'a mut Pulses,
}

impl<E: Accepts> Pass<'_, E> {
    /// Passes an event through `stations`: first the event itself, up to the exit, then what its last reader emitted, then
    /// what the reader before that emitted, and so on.
    #[inline]
    fn run<const TIMED: bool>(&mut self, stations: &mut [Station], event: &Event) {
        let emitters = self.deliver::<TIMED>(stations, 0, event);
        if emitters != 0 {
            self.deliver_emitted::<TIMED>(stations, 0, emitters);
        }
        if self.pulses.pending != 0 || !event.flags.has(self.pulses.ends) {
            self.end::<TIMED>(stations, event);
        }
    }

    #[cold]
    fn run_timed(&mut self, stations: &mut [Station], event: &Event) {
        let start = self.meter.now();
        self.run::<true>(stations, event);
        self.meter.record_whole(start);
    }

    /// All that an input caused has been delivered, and a pulse may be due.
    #[inline(never)]
    fn end<const TIMED: bool>(&mut self, stations: &mut [Station], event: &Event) {
        if event.kind == Kind::Pulse {
            return self.pulse::<TIMED>(stations, event);
        }
        if self.readers[usize::from(event.kind.0)] & PULSE == 0 {
            return;
        }
        if self.pulses.pending & PULSE != 0 || !event.flags.has(Flags::LAST_OF_GROUP) {
            return self.call_pulse::<TIMED>(stations, event);
        }
        let (record, position) = (Pulse::after(event), stations[0].out.position());
        let pulse = Event {
            id: EventId::new(event.id.seq(), position, 0),
            source: event.source,
            ..Event::new(event.ts, event.instrument, Flags::LAST_OF_GROUP, &record)
        };
        self.pulse::<TIMED>(stations, &pulse);
    }

    /// Calls the stage `pulse` itself.
    #[cold]
    fn call_pulse<const TIMED: bool>(&mut self, stations: &mut [Station], event: &Event) {
        let Some(first) = stations.first_mut() else { return };
        self.visit::<TIMED>(first, 0, event);
        match first.out.events().first().copied() {
            // Only what ends the last open group is followed by a pulse.
            Some(pulse) => {
                self.pulses.pending &= !PULSE;
                self.pulse::<TIMED>(stations, &pulse);
            }
            None => self.pulses.pending |= PULSE,
        }
    }

    /// Passes a pulse to the stations that have asked for one, and to the exit.
    fn pulse<const TIMED: bool>(&mut self, stations: &mut [Station], pulse: &Event) {
        let due = self.pulses.pending;
        self.pulses.pending &= !STAGES;
        let emitters = self.deliver_to::<TIMED>(stations, 0, pulse, due);
        if emitters != 0 {
            self.deliver_emitted::<TIMED>(stations, 0, emitters);
        }
    }

    /// Passes an event through `stations`, the first of which has the number `from`, and to the exit. Returns a mask of the
    /// stations that emitted something or asked for a pulse.
    #[inline(always)]
    fn deliver<const TIMED: bool>(&mut self, stations: &mut [Station], from: usize, event: &Event) -> u64 {
        self.deliver_to::<TIMED>(stations, from, event, self.readers[usize::from(event.kind.0)])
    }

    /// As [`Pass::deliver`], to the readers of a mask.
    #[inline(always)]
    fn deliver_to<const TIMED: bool>(&mut self, stations: &mut [Station], from: usize, event: &Event, all: u64) -> u64 {
        let mut readers = (all & STAGES) >> from;
        let mut emitters = 0_u64;
        while readers != 0 {
            let at = readers.trailing_zeros() as usize;
            readers &= readers - 1;
            let station = &mut stations[at];
            self.visit::<TIMED>(station, from + at, event);
            emitters |= u64::from(!station.out.is_silent()) << at;
        }
        if all & EXIT != 0 {
            self.exit.accept(event, self.on_backpressure);
        }
        emitters
    }

    /// Passes what these `emitters` emitted through the stations after each, with all its consequences.
    fn deliver_emitted<const TIMED: bool>(&mut self, stations: &mut [Station], from: usize, mut emitters: u64) {
        while emitters != 0 {
            let at = emitters.ilog2() as usize;
            emitters ^= 1 << at;
            let (passed, rest) = stations.split_at_mut(at + 1);
            if passed[at].out.asks_for_pulse() {
                self.pulses.pending |= self.pulses.readers & 1 << (from + at);
            }
            for caused in passed[at].out.events() {
                let emitters = self.deliver::<TIMED>(rest, from + at + 1, caused);
                if emitters != 0 {
                    self.deliver_emitted::<TIMED>(rest, from + at + 1, emitters);
                }
            }
        }
    }

    #[inline]
    fn visit<const TIMED: bool>(&mut self, station: &mut Station, number: usize, event: &Event) {
        station.out.begin(event);
        if TIMED {
            let start = self.meter.now();
            station.stage.on_event(event, &mut station.out);
            self.meter.record(number, start);
        } else {
            station.stage.on_event(event, &mut station.out);
        }
    }
}

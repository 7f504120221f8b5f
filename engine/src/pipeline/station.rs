//! A group of stages on one thread, and how an event passes it.

use super::exit::Exit;
use super::meter::Meter;
use super::times::TimesReader;
use crate::plan::{GroupPlan, Planned};
use flow::{Event, Kind, Kinds, Out, Stage};

/// Among the bits of a kind: the exit takes it.
const EXIT: u64 = 1 << (GroupPlan::MAX_STAGES + 1);
const _: () = assert!(GroupPlan::MAX_STAGES + 1 < u64::BITS as usize);

/// A stage and the buffer of what it causes.
struct Station {
    name: String,
    out: Out,
    stage: Box<dyn Stage>,
}

/// Consecutive stages of the pipeline.
pub struct Group {
    stations: Vec<Station>,
    /// Who reads each kind: a bit a station, so that an event goes from reader to reader, and one for the exit.
    readers: Box<[u64; Kind::COUNT]>,
    meter: Meter,
    /// Those of the stations that look ahead, and what for.
    ahead: Vec<usize>,
    prefetched: Kinds,
}

impl Group {
    /// The group of the given stages; `forwards` are the kinds that its exit takes.
    pub fn new(stages: Vec<Planned>, forwards: Kinds, sample_every: u64) -> Group {
        let meter = Meter::new(stages.len(), sample_every);
        assert!(stages.len() <= GroupPlan::MAX_STAGES, "the plan refuses a group of more stages");
        let mut readers = Box::new([0; Kind::COUNT]);
        for (kind, all) in readers.iter_mut().enumerate() {
            let kind = Kind(kind as u8);
            let own = |p: &Planned| u64::from(p.stage.reads().has(kind));
            let exit = if forwards.has(kind) { EXIT } else { 0 };
            *all = exit | stages.iter().rev().fold(0, |all, p| all << 1 | own(p));
        }
        let station = |p: Planned| Station { name: p.name, out: Out::new(p.position, p.wanted), stage: p.stage };
        let prefetches = |p: &Planned| p.stage.prefetches();
        let ahead: Vec<usize> = (0..stages.len()).filter(|i| prefetches(&stages[*i]) != Kinds::NONE).collect();
        let prefetched = stages.iter().map(prefetches).fold(Kinds::NONE, Kinds::or);
        let stations = stages.into_iter().map(station).collect();
        Group { stations, readers, meter, ahead, prefetched }
    }

    /// Passes one event through the group into `exit`, which calls `on_backpressure` while it waits for room.
    #[inline]
    pub fn process<E: Exit>(&mut self, event: &Event, exit: &mut E, on_backpressure: &mut dyn FnMut()) {
        if self.meter.is_due() {
            return self.process_timed(event, exit, on_backpressure);
        }
        let Group { stations, readers, meter, .. } = self;
        Pass { readers, exit, on_backpressure, meter }.whole::<false>(stations, event);
    }

    #[cold]
    fn process_timed<E: Exit>(&mut self, event: &Event, exit: &mut E, on_backpressure: &mut dyn FnMut()) {
        let Group { stations, readers, meter, .. } = self;
        let start = meter.now();
        Pass { readers, exit, on_backpressure, meter }.whole::<true>(stations, event);
        self.meter.record_whole(start);
    }

    /// Shows what will probably come to the stages that look ahead, if the next of it is of a kind that they look for.
    #[inline]
    pub fn prefetch(&mut self, lookahead: &[Event]) {
        if lookahead.first().is_some_and(|next| self.prefetched.has(next.kind)) {
            for station in &self.ahead {
                self.stations[*station].stage.prefetch(lookahead);
            }
        }
    }

    /// The stages in order.
    pub fn stages(&self) -> impl Iterator<Item = &dyn Stage> {
        self.stations.iter().map(|s| s.stage.as_ref())
    }

    /// Reads what the meter saw, by stage, and last of the whole pass, which has no name.
    pub fn times(&self) -> Vec<(String, TimesReader)> {
        self.meter.times(self.stations.iter().map(|s| s.name.as_str()))
    }
}

/// What stays the same while an event passes.
struct Pass<'a, E> {
    readers: &'a [u64; Kind::COUNT],
    exit: &'a mut E,
    on_backpressure: &'a mut dyn FnMut(),
    meter: &'a mut Meter,
}

impl<E: Exit> Pass<'_, E> {
    /// Takes an event past `stations`: the event itself to the end, then what its last reader made of it, then what the one before
    /// did.
    #[inline]
    fn whole<const TIMED: bool>(&mut self, stations: &mut [Station], event: &Event) {
        let told = self.itself::<TIMED>(stations, 0, event);
        if told != 0 {
            self.caused::<TIMED>(stations, 0, told);
        }
    }

    /// Takes an event past `stations`, of which the first has the number `from`, and out; gives those that it made tell something.
    #[inline(always)]
    fn itself<const TIMED: bool>(&mut self, stations: &mut [Station], from: usize, event: &Event) -> u64 {
        let all = self.readers[usize::from(event.kind.0)];
        let mut readers = (all & !EXIT) >> from;
        let mut told = 0_u64;
        while readers != 0 {
            let at = readers.trailing_zeros() as usize;
            readers &= readers - 1;
            let station = &mut stations[at];
            self.visit::<TIMED>(station, from + at, event);
            told |= u64::from(!station.out.events().is_empty()) << at;
        }
        if all & EXIT != 0 {
            self.exit.accept(event, self.on_backpressure);
        }
        told
    }

    /// Takes what those `stations` told past the ones behind each, and what follows from it.
    fn caused<const TIMED: bool>(&mut self, stations: &mut [Station], from: usize, mut told: u64) {
        while told != 0 {
            let at = told.ilog2() as usize;
            told ^= 1 << at;
            let (passed, rest) = stations.split_at_mut(at + 1);
            for caused in passed[at].out.events() {
                let told = self.itself::<TIMED>(rest, from + at + 1, caused);
                if told != 0 {
                    self.caused::<TIMED>(rest, from + at + 1, told);
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

//! A group of stages on one thread, and how an event passes it.

use super::load::Stalls;
use super::meter::Meter;
use super::times::TimesReader;
use crate::plan::Planned;
use flow::{Event, Kinds, Out, Stage};

/// Where a group hands its events: a ring, or the tail.
pub trait Exit {
    /// Takes an event; waits for room rather than drop it, and calls `relieve` while it waits.
    fn accept(&mut self, event: &Event, relieve: &mut dyn FnMut());
    /// All inputs up to `seq` are finished and everything they caused was handed over.
    fn finished(&mut self, seq: u64, relieve: &mut dyn FnMut());
    /// Whether nothing lies behind it: what it has taken is finished.
    fn ends_the_line(&self) -> bool {
        false
    }
    /// Whether the other side is gone: the group stops.
    fn is_closed(&self) -> bool;
    /// How long it waited for room so far.
    #[inline]
    fn stalls(&self) -> Stalls {
        Stalls::default()
    }
}

/// A stage, the kinds it reads, and the buffer of what it causes.
struct Station {
    name: &'static str,
    reads: Kinds,
    out: Out,
    stage: Box<dyn Stage>,
}

/// Consecutive stages of the line.
pub struct Group {
    stations: Vec<Station>,
    forwards: Kinds,
    meter: Meter,
    /// Those of the stations that look ahead.
    ahead: Vec<usize>,
}

impl Group {
    /// The group of the given stages; `forwards` are the kinds that its exit takes.
    pub fn new(stages: Vec<Planned>, forwards: Kinds, sample_every: u64) -> Group {
        let meter = Meter::new(stages.len(), sample_every);
        let station = |p: Planned| Station {
            name: p.name,
            reads: p.stage.reads(),
            out: Out::new(p.position, p.wanted),
            stage: p.stage,
        };
        let ahead = (0..stages.len()).filter(|i| stages[*i].stage.looks_ahead()).collect();
        Group { stations: stages.into_iter().map(station).collect(), forwards, meter, ahead }
    }

    /// Passes one event through the group into `exit`, which calls `relieve` while it waits for room.
    #[inline]
    pub fn process<E: Exit>(&mut self, event: &Event, exit: &mut E, relieve: &mut dyn FnMut()) {
        let mut leave = Leave { forwards: self.forwards, exit, relieve };
        if self.meter.is_due() {
            let start = self.meter.now();
            pass::<E, true>(&mut self.stations, event, &mut leave, &mut self.meter, 0);
            self.meter.record_whole(start);
        } else {
            pass::<E, false>(&mut self.stations, event, &mut leave, &mut self.meter, 0);
        }
    }

    /// Shows what will probably come to the stages that look ahead.
    #[inline]
    pub fn foresee(&mut self, coming: &[Event]) {
        for station in &self.ahead {
            self.stations[*station].stage.foresee(coming);
        }
    }

    /// The stages in order.
    pub fn stages(&self) -> impl Iterator<Item = &dyn Stage> {
        self.stations.iter().map(|s| s.stage.as_ref())
    }

    /// Reads what the meter saw, by stage, and last of the whole pass, which has no name.
    pub fn times(&self) -> Vec<(String, TimesReader)> {
        self.meter.times(self.stations.iter().map(|s| s.name))
    }
}

struct Leave<'a, E> {
    forwards: Kinds,
    exit: &'a mut E,
    relieve: &'a mut dyn FnMut(),
}

fn pass<E: Exit, const TIMED: bool>(
    stations: &mut [Station],
    event: &Event,
    leave: &mut Leave<'_, E>,
    meter: &mut Meter,
    depth: usize,
) {
    let Some((station, rest)) = stations.split_first_mut() else {
        if leave.forwards.has(event.kind) {
            leave.exit.accept(event, leave.relieve);
        }
        return;
    };
    if !station.reads.has(event.kind) {
        return pass::<E, TIMED>(rest, event, leave, meter, depth + 1);
    }
    station.out.begin(event);
    if TIMED {
        let start = meter.now();
        station.stage.on_event(event, &mut station.out);
        meter.record(depth, start);
    } else {
        station.stage.on_event(event, &mut station.out);
    }
    pass::<E, TIMED>(rest, event, leave, meter, depth + 1);
    for caused in station.out.events() {
        pass::<E, TIMED>(rest, caused, leave, meter, depth + 1);
    }
}

//! The stage of a strategy that runs several times.
//!
//! All instances of an entry run in one stage, in the order of their numbers, so an instance takes no position of its own.
//! Each sees every event, of `memory` only what is its own; at a pulse each decides as long as there is room for what it
//! emits ([`Out::room`]) and asks for another pulse for the rest. Bound: what a stage may emit for one event, however many instances there are.

use flow::records::Memory;
use flow::{Event, Kinds, Lasting, Out, Scope, Stage, StateError, StateReader, StateWriter, Ticks, TradingState};

/// Several instances of a strategy.
pub(crate) struct Several(Box<[Box<dyn Stage>]>);

impl Several {
    /// The most instances: a row of memory has a byte for which of them it is from.
    pub(crate) const MOST: usize = 1 << u8::BITS;

    /// These instances, in this order.
    pub(crate) fn new(instances: Vec<Box<dyn Stage>>) -> Several {
        assert!(instances.len() <= Several::MOST, "the plan refuses more");
        Several(instances.into())
    }

    fn kinds(&self, of: fn(&dyn Stage) -> Kinds) -> Kinds {
        self.0.iter().fold(Kinds::NONE, |all, stage| all.or(of(stage.as_ref())))
    }
}

impl Stage for Several {
    fn reads(&self) -> Kinds {
        self.kinds(|stage| stage.reads())
    }

    fn emits(&self) -> Kinds {
        self.kinds(|stage| stage.emits())
    }

    fn scope(&self) -> Scope {
        let is_global = self.0.iter().any(|stage| stage.scope() == Scope::Global);
        if is_global { Scope::Global } else { Scope::Instrument }
    }

    fn fan_out(&self) -> usize {
        self.0.iter().map(|stage| stage.fan_out()).sum::<usize>().min(Out::CAP)
    }

    fn ticks(&self) -> Ticks {
        let mut all = Ticks::default();
        for ticks in self.0.iter().map(|stage| stage.ticks()) {
            all.per_instrument += ticks.per_instrument;
            all.intervals.extend(ticks.intervals);
        }
        all.intervals.sort_unstable();
        all.intervals.dedup();
        all
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        match event.get::<Memory>() {
            None => self.0.iter_mut().for_each(|stage| stage.on_event(event, out)),
            Some(row) => {
                let of = self.0.get_mut(row.ordinal()).filter(|_| row.position() == out.position());
                of.into_iter().for_each(|stage| stage.on_event(event, out));
            }
        }
    }

    fn prefetches(&self) -> Kinds {
        self.kinds(|stage| stage.prefetches())
    }

    fn prefetch(&mut self, coming: &[Event]) {
        self.0.iter_mut().for_each(|stage| stage.prefetch(coming));
    }

    fn warm(&self) {
        self.0.iter().for_each(|stage| stage.warm());
    }

    fn trading_state(&self, to: &mut TradingState) {
        self.0.iter().for_each(|stage| stage.trading_state(to));
    }

    fn remember(&self, to: &mut Lasting) {
        for (ordinal, stage) in (0..=u8::MAX).zip(&self.0) {
            to.begin_member(ordinal);
            stage.remember(to);
        }
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.0.iter().for_each(|stage| stage.save(to));
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.0.iter_mut().try_for_each(|stage| stage.load(from))
    }
}

//! The stage that runs the measures of a family.
//!
//! A host is generic over what it runs. A single measure is a concrete type, so only the group's call of the stage is
//! dynamic; several measures are a list, and each costs one more dynamic call for the kinds that it reads: who they are stands in a table
//! by kind, so that an event does not pass those that it does not concern. The host passes the event to the measures,
//! pushes what they emit in registry order, marks it if messages of the session are missing, and then updates the context.
//!
//! Bound: the events that its measures emit together for one event; the plan checks it against [`Out::CAP`].

use super::{Context, Measure, MeasureState, Needs};
use crate::Space;
use crate::gaps::Gaps;
use crate::instance::owner_of_measure;
use flow::records::Memory;
use flow::{
    Event, Flags, Kind, Kinds, Lasting, Out, ParamError, Params, RecordGroup, Scope, Stage, StateError, StateReader,
    StateWriter, TradingState,
};

/// One or more measures that a host runs.
pub trait MeasureSet: Send {
    /// Kinds that it reads.
    fn reads(&self) -> Kinds;
    /// Kinds that it can emit.
    fn emits(&self) -> Kinds;
    /// Most events that one event can cause.
    fn fan_out(&self) -> usize;
    /// Whether what one of them says of an instrument depends on others.
    fn scope(&self) -> Scope;
    /// Parts of the context that it needs.
    fn needs(&self) -> Needs;
    /// Takes memory for an instrument that is listed.
    fn list(&mut self, instrument: u32);
    /// Whether some of what it knows outlives the journal.
    fn lasts(&self) -> bool;
    /// Says what does; the first measure has this ordinal.
    fn remember(&self, to: &mut Lasting, ordinal: u8);
    /// Takes a row back that the measure with this ordinal had said, counted from the first.
    fn recall(&mut self, ordinal: usize, instrument: u32, row: &Memory);
    /// Whether names and commands change values of it.
    fn varies(&self) -> bool;
    /// Takes a piece of a name, or a command.
    fn vary(&mut self, event: &Event, out: &mut Out);
    /// Says which values commands have set.
    fn trading_state(&self, to: &mut TradingState);
    /// The inputs for which it fetches memory ahead.
    fn prefetches(&self) -> Kinds;
    /// Fetches the memory of the inputs that are likely next.
    fn prefetch(&mut self, lookahead: &[Event]);
    /// Takes an event.
    fn on(&mut self, context: &Context, event: &Event, out: &mut Out);
    /// Saves the state.
    fn save(&self, to: &mut StateWriter<'_>);
    /// Loads a state.
    ///
    /// # Errors
    /// When the bytes are not a valid state.
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError>;
}

/// One measure with its state.
pub struct One<M: Measure> {
    measure: M,
    state: M::State,
    /// What it is told from an earlier journal was learned under other parameters.
    is_foreign: bool,
}

/// The key of the rows that hold a measure's terms: each with its ordinal as the index, its value and their count.
const TERMS: u16 = 0;

impl<M: Measure> One<M> {
    /// The instance with this number (0 = the plain one), with an empty state.
    ///
    /// # Errors
    /// As [`Measure::new`].
    pub fn new(params: &Params, number: u8, space: Space) -> Result<One<M>, ParamError> {
        let (measure, mut state) = M::new(params, space)?;
        measure.belongs_to(&mut state, owner_of_measure(M::Records::KINDS, number));
        Ok(One { measure, state, is_foreign: false })
    }
}

impl<M: Measure> MeasureSet for One<M> {
    #[inline]
    fn reads(&self) -> Kinds {
        self.measure.reads()
    }

    fn emits(&self) -> Kinds {
        Kinds::of(M::Records::KINDS)
    }

    fn fan_out(&self) -> usize {
        M::FAN_OUT
    }

    fn scope(&self) -> Scope {
        M::SCOPE
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        self.measure.needs()
    }

    fn prefetches(&self) -> Kinds {
        M::PREFETCHES
    }

    #[inline]
    fn prefetch(&mut self, lookahead: &[Event]) {
        self.measure.prefetch(&mut self.state, lookahead);
    }

    #[inline(always)]
    fn on(&mut self, context: &Context, event: &Event, out: &mut Out) {
        self.measure.run(&mut self.state, context, event, out);
    }

    #[cold]
    fn list(&mut self, instrument: u32) {
        self.state.list(instrument);
    }

    #[inline(always)]
    fn lasts(&self) -> bool {
        M::LASTS
    }

    fn remember(&self, to: &mut Lasting, ordinal: u8) {
        if M::LASTS {
            to.begin_member(ordinal);
            let terms = self.measure.terms();
            for (index, term) in (0..).zip(&terms) {
                to.put(0, TERMS, index, [*term as i64, terms.len() as i64, 0]);
            }
            self.measure.remember(&self.state, to);
        }
    }

    #[cold]
    fn recall(&mut self, _: usize, instrument: u32, row: &Memory) {
        if row.key == TERMS {
            let terms = self.measure.terms();
            let same = terms.get(row.index as usize).is_some_and(|term| *term as i64 == row.first);
            self.is_foreign |= !same || row.second != terms.len() as i64;
        } else if M::LASTS && !self.is_foreign && instrument != 0 {
            self.measure.recall(&mut self.state, instrument, row);
        }
    }

    #[inline(always)]
    fn varies(&self) -> bool {
        M::VARIES
    }

    #[cold]
    fn vary(&mut self, event: &Event, out: &mut Out) {
        self.measure.vary(&mut self.state, event, out);
    }

    fn trading_state(&self, to: &mut TradingState) {
        to.add_params(self.measure.in_force(&self.state));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        to.put(&(self.measure.terms(), self.is_foreign));
        self.state.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let (terms, is_foreign) = from.get::<(Vec<u64>, bool)>()?;
        self.is_foreign = is_foreign;
        if terms != self.measure.terms() {
            return Err(StateError::Inconsistent("a measure with other parameters"));
        }
        self.state.load(from)
    }
}

/// Several measures, each called only for the kinds that it reads.
pub struct Many {
    measures: Box<[Box<dyn MeasureSet>]>,
    reads: Kinds,
    /// The numbers of the measures that read a kind, kind by kind; and where those of each kind lie among them.
    readers: Box<[u16]>,
    of_kind: Box<[(u32, u32); Kind::COUNT]>,
    /// The numbers of the measures that fetch ahead.
    prefetching: Box<[u16]>,
    needs: Needs,
}

impl Many {
    /// These measures, in this order.
    pub fn new(measures: Vec<Box<dyn MeasureSet>>) -> Many {
        let needs = measures.iter().map(|m| m.needs()).fold(Needs::NONE, Needs::or);
        let reads: Vec<Kinds> = measures.iter().map(|m| m.reads()).collect();
        let (mut readers, mut of_kind) = (Vec::new(), Box::new([(0, 0); Kind::COUNT]));
        for (kind, place) in (0..=u8::MAX).zip(&mut of_kind[..]) {
            let from = readers.len() as u32;
            readers.extend((0..).zip(&reads).filter(|(_, reads)| reads.has(Kind(kind))).map(|(number, _)| number));
            *place = (from, readers.len() as u32);
        }
        let prefetching = (0..).zip(&measures).filter(|(_, m)| m.prefetches() != Kinds::NONE).map(|(number, _)| number);
        let prefetching = prefetching.collect();
        let (reads, readers) = (reads.into_iter().fold(Kinds::NONE, Kinds::or), readers.into_boxed_slice());
        Many { measures: measures.into_boxed_slice(), reads, readers, of_kind, prefetching, needs }
    }
}

impl MeasureSet for Many {
    fn reads(&self) -> Kinds {
        self.reads
    }

    fn emits(&self) -> Kinds {
        self.measures.iter().fold(Kinds::NONE, |all, m| all.or(m.emits()))
    }

    fn fan_out(&self) -> usize {
        self.measures.iter().map(|m| m.fan_out()).sum()
    }

    fn scope(&self) -> Scope {
        let is_global = self.measures.iter().any(|m| m.scope() == Scope::Global);
        if is_global { Scope::Global } else { Scope::Instrument }
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn prefetches(&self) -> Kinds {
        self.prefetching
            .iter()
            .fold(Kinds::NONE, |all, number| all.or(self.measures[usize::from(*number)].prefetches()))
    }

    fn prefetch(&mut self, lookahead: &[Event]) {
        for number in &self.prefetching {
            self.measures[usize::from(*number)].prefetch(lookahead);
        }
    }

    fn on(&mut self, context: &Context, event: &Event, out: &mut Out) {
        let (from, to) = self.of_kind[usize::from(event.kind.0)];
        for number in &self.readers[from as usize..to as usize] {
            self.measures[usize::from(*number)].on(context, event, out);
        }
    }

    fn list(&mut self, instrument: u32) {
        self.measures.iter_mut().for_each(|measure| measure.list(instrument));
    }

    fn lasts(&self) -> bool {
        self.measures.iter().any(|measure| measure.lasts())
    }

    fn remember(&self, to: &mut Lasting, ordinal: u8) {
        (ordinal..).zip(&self.measures).for_each(|(ordinal, measure)| measure.remember(to, ordinal));
    }

    fn recall(&mut self, ordinal: usize, instrument: u32, row: &Memory) {
        if let Some(measure) = self.measures.get_mut(ordinal) {
            measure.recall(0, instrument, row);
        }
    }

    fn varies(&self) -> bool {
        self.measures.iter().any(|measure| measure.varies())
    }

    fn vary(&mut self, event: &Event, out: &mut Out) {
        self.measures.iter_mut().for_each(|measure| measure.vary(event, out));
    }

    fn trading_state(&self, to: &mut TradingState) {
        self.measures.iter().for_each(|measure| measure.trading_state(to));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.measures.iter().for_each(|m| m.save(to));
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.measures.iter_mut().try_for_each(|m| m.load(from))
    }
}

/// The stage: measures with their context.
pub struct Host<S> {
    measures: S,
    context: Context,
    gaps: Gaps,
}

impl<S: MeasureSet> Host<S> {
    /// Runs these measures.
    pub fn new(measures: S, space: Space) -> Host<S> {
        Host { context: Context::new(measures.needs(), space), gaps: Gaps::new(space), measures }
    }
}

impl<M: Measure> Host<One<M>> {
    /// Runs one measure.
    ///
    /// # Errors
    /// As [`Measure::new`].
    pub fn alone(params: &Params, space: Space) -> Result<Host<One<M>>, ParamError> {
        Ok(Host::new(One::new(params, 0, space)?, space))
    }
}

impl<S: MeasureSet> Stage for Host<S> {
    fn reads(&self) -> Kinds {
        let when = |asked: bool, kinds: &[Kind]| if asked { Kinds::of(kinds) } else { Kinds::NONE };
        let memory = when(self.measures.lasts(), &[Kind::Memory]);
        let varies = when(self.measures.varies(), &[Kind::Name, Kind::Command]);
        let own = self.measures.reads().or(self.measures.needs().reads());
        own.or(Kinds::of(&[Kind::Listing, Kind::Gap])).or(memory).or(varies)
    }

    fn emits(&self) -> Kinds {
        let said = if self.measures.varies() { Kinds::of(&[Kind::CommandOutcome]) } else { Kinds::NONE };
        self.measures.emits().or(said)
    }

    fn scope(&self) -> Scope {
        self.measures.scope()
    }

    fn fan_out(&self) -> usize {
        self.measures.fan_out()
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        self.measures.on(&self.context, event, out);
        let badge = self.gaps.of_session(event);
        if badge != Flags::NONE {
            out.flag_all(badge);
        }
        if self.context.observe(event, self.measures.needs()) {
            self.gaps.list(event);
            self.measures.list(event.instrument);
            return;
        }
        match event.kind {
            Kind::Gap => self.gaps.gap(event),
            Kind::Memory if self.measures.lasts() => {
                let row: &Memory = event.record();
                if row.position() == out.position() {
                    self.measures.recall(row.ordinal(), event.instrument, row);
                }
            }
            Kind::Name | Kind::Command if self.measures.varies() => self.measures.vary(event, out),
            _ => {}
        }
    }

    fn prefetches(&self) -> Kinds {
        self.measures.prefetches()
    }

    #[inline]
    fn prefetch(&mut self, lookahead: &[Event]) {
        self.measures.prefetch(lookahead);
    }

    fn trading_state(&self, to: &mut TradingState) {
        self.measures.trading_state(to);
    }

    fn remember(&self, to: &mut Lasting) {
        self.measures.remember(to, 0);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.context.save(to);
        self.gaps.save(to);
        self.measures.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.context.load(from)?;
        self.gaps.load(from)?;
        self.measures.load(from)
    }
}

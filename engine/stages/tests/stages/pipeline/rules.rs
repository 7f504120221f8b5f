//! The rules of determinism, for every stage of the registry: no stage has a test of its own for them, and none escapes.
//!
//! A random pipeline plays, and what each stage read is kept. Then each stage is judged alone, on what it read:
//!
//! 1. Outcomes follow from what was read, and from nothing that comes later: a fresh stage that reads the first events
//!    emits the first outcomes, whatever it was shown ahead, and whether it was kept warm.
//! 2. A state is all of the past: saved anywhere between two inputs and loaded into a stage with another past, it goes on
//!    alike, and ends as the same bytes. Of the trades it remembers it needs those of instruments whose trades are broken later;
//!    without the others it emits the same.
//! 3. Nobody who listens changes anything: with other kinds wanted, the same ids, the same state, and of the outcomes those
//!    that are wanted.
//! 4. Real numbers are finite or the one unknown, and no zero is negative.

use super::filling::{INPUTS, Step};
use super::play::{World, build, opened_with};
use flow::{
    Event, FieldType, Kind, Kinds, Listings, Ns, Out, Scope, Stage, StateError, StateReader, StateWriter, kind_info,
};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Everything that a stage may emit.
const EVERYTHING: Kinds = Kinds::ALL.or(Kinds::INSIDE);

/// How far ahead a stage is shown what comes.
const AHEAD: usize = 8;

/// A stage of which everything that it reads is kept.
struct Taped {
    stage: Box<dyn Stage>,
    tape: Sender<Event>,
}

impl Stage for Taped {
    fn reads(&self) -> Kinds {
        self.stage.reads()
    }
    fn emits(&self) -> Kinds {
        self.stage.emits()
    }
    fn scope(&self) -> Scope {
        self.stage.scope()
    }
    fn fan_out(&self) -> usize {
        self.stage.fan_out()
    }
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        self.tape.send(*event).expect("the test reads it");
        self.stage.on_event(event, out);
    }
    fn save(&self, to: &mut StateWriter<'_>) {
        self.stage.save(to);
    }
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.stage.load(from)
    }
}

/// A stage to be judged.
pub(super) struct Judged<'a> {
    pub(super) name: &'a str,
    pub(super) position: u8,
    pub(super) build: &'a dyn Fn() -> Box<dyn Stage>,
    pub(super) listings: &'a Listings,
    pub(super) tape: &'a [Event],
}

/// A stage at work.
struct Working {
    stage: Box<dyn Stage>,
    out: Out,
}

impl Working {
    /// Reads these events; `ahead` is what it is shown before each, the next first. Gives what each of them caused.
    fn read(&mut self, events: &[Event], ahead: impl Fn(usize) -> Vec<Event>) -> Vec<Vec<Event>> {
        let one = |(at, event): (usize, &Event)| {
            let ahead = ahead(at);
            if !ahead.is_empty() {
                self.stage.prefetch(&ahead);
                self.stage.warm();
                self.out.warm();
            }
            self.out.begin(event);
            self.stage.on_event(event, &mut self.out);
            self.out.events().to_vec()
        };
        events.iter().enumerate().map(one).collect()
    }

    fn saved(&self, listings: &Listings) -> Vec<u8> {
        let mut writer = StateWriter::new(listings);
        self.stage.save(&mut writer);
        writer.into_bytes()
    }
}

/// Fails where the outcomes differ in any byte.
fn same(whole: &[Vec<Event>], part: &[Vec<Event>], what: &str) -> Result<(), String> {
    match whole.iter().zip(part).position(|(l, r)| l != r) {
        Some(at) => Err(format!("{what}: event {at} caused\n{:?}, and now\n{:?}", whole[at], part[at])),
        None if whole.len() != part.len() => Err(format!("{what}: {} and {}", whole.len(), part.len())),
        None => Ok(()),
    }
}

impl Judged<'_> {
    fn fresh(&self, wanted: Kinds) -> Working {
        Working { stage: (self.build)(), out: Out::new(self.position, wanted) }
    }

    /// The place between two inputs that is nearest before `at`.
    fn between_inputs(&self, at: usize) -> usize {
        let begins = |at: &usize| *at == 0 || self.tape[*at].id.seq() != self.tape[*at - 1].id.seq();
        (0..=at.min(self.tape.len().saturating_sub(1))).rev().find(begins).unwrap_or(0)
    }

    /// Judges the stage by all rules; `cut` is any place of its tape, `wanted` are kinds that somebody may want.
    ///
    /// # Errors
    /// The rule that it breaks, with where.
    pub(super) fn check(&self, cut: usize, wanted: Kinds) -> Result<usize, String> {
        let Judged { name, listings, tape, .. } = *self;
        let mut first = self.fresh(EVERYTHING);
        let coming = |at: usize| tape[at..].iter().take(AHEAD).copied().collect();
        let whole = first.read(tape, coming);
        let end = first.saved(listings);
        reals(&whole).map_err(|wrong| format!("{name}: {wrong}"))?;

        // What it is shown now is what it has read long ago.
        let (at, mut other) = (self.between_inputs(cut), self.fresh(EVERYTHING));
        let past = |at: usize| tape[..at].iter().rev().take(AHEAD).copied().collect();
        let part = other.read(&tape[..at], past);
        same(&whole[..at], &part, &format!("{name} depends on what comes after"))?;

        let saved = other.saved(listings);
        let mut loaded = self.fresh(EVERYTHING);
        loaded.read(&tape[at / 2..], |_| Vec::new());
        let mut reader = StateReader::new(listings, &saved);
        let load = loaded.stage.load(&mut reader).and_then(|()| reader.finish());
        load.map_err(|e| format!("{name} does not load what it saved: {e}"))?;
        if loaded.saved(listings) != saved {
            return Err(format!("{name} saves other bytes than it loaded"));
        }
        loaded.out = Out::new(self.position, EVERYTHING);
        let rest = loaded.read(&tape[at..], |_| Vec::new());
        same(&whole[at..], &rest, &format!("{name} goes on differently from a saved state"))?;
        if loaded.saved(listings) != end {
            return Err(format!("{name} ends in another state when it goes on from a saved one"));
        }
        let rest =
            self.read_in_part(&other, at).map_err(|e| format!("{name} does not load a part of the past: {e}"))?;
        same(&whole[at..], &rest, &format!("{name} needs more of the past than what is broken"))?;

        let mut picky = self.fresh(wanted);
        let heard = picky.read(tape, |_| Vec::new());
        let kept = |events: &Vec<Event>| events.iter().filter(|e| wanted.has(e.kind)).copied().collect();
        same(&whole.iter().map(kept).collect::<Vec<_>>(), &heard, &format!("{name} depends on who listens"))?;
        if picky.saved(listings) != end {
            return Err(format!("{name} ends in another state when others listen"));
        }
        Ok(whole.iter().map(Vec::len).sum())
    }
}

impl Judged<'_> {
    /// What its tape from `at` on causes behind the state of `before`, of which it has only the past that is broken.
    fn read_in_part(&self, before: &Working, at: usize) -> Result<Vec<Vec<Event>>, StateError> {
        let breaks = |event: &&Event| matches!(event.kind, Kind::Break | Kind::BrokenTrade);
        let whose: Vec<u32> = self.tape[at..].iter().filter(breaks).map(|event| event.instrument).collect();
        let mut writer = StateWriter::new(self.listings);
        before.stage.save(&mut writer);
        let saved = writer.into_parts();
        let mut loaded = self.fresh(EVERYTHING);
        let mut reader = StateReader::apart(self.listings, &saved.now, Some(&saved.past)).whose_past(&whose);
        loaded.stage.load(&mut reader)?;
        reader.finish()?;
        Ok(loaded.read(&self.tape[at..], |_| Vec::new()))
    }
}

/// Every real number is one that a record may hold; the bits are judged by themselves, not by the door that they came through.
fn reals(outcomes: &[Vec<Event>]) -> Result<(), String> {
    for event in outcomes.iter().flatten() {
        let fields = kind_info(event.kind).expect("every outcome has a kind").fields;
        for field in fields.iter().filter(|f| f.ty == FieldType::Float) {
            let bits = field.number(&event.body);
            let finite = f64::from_bits(bits).is_finite() && bits != (-0.0_f64).to_bits();
            if !finite && bits != 0x7ff8_0000_0000_0000 {
                return Err(format!("{} holds {bits:x} in {event:?}", field.name));
            }
        }
    }
    Ok(())
}

/// A pipeline that has played, and what each of its stages read.
pub(super) fn taped(bytes: &[u8]) -> (World, Vec<Vec<Event>>) {
    let (turned, rest) = bytes.split_first().expect("at least one byte");
    let tapes = RefCell::new(Vec::<Receiver<Event>>::new());
    let mut world = opened_with(*turned, |stage| {
        let (tape, read) = channel();
        tapes.borrow_mut().push(read);
        Box::new(Taped { stage, tape })
    });
    rest.as_chunks::<16>().0.iter().for_each(|step| world.step(Step::of(step)));
    world.until(Ns(i64::MAX as u64));
    let read = tapes.into_inner().iter().map(|tape| tape.try_iter().collect()).collect();
    (world, read)
}

/// Bytes that stand for anything.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..16 * 150)
}

/// Bytes that stand for a market: orders, executions, trades and ticks of few instruments, so that a strategy finds what it
/// waits for.
fn market() -> impl Strategy<Value = Vec<u8>> {
    let of = |kind: Kind| INPUTS.iter().position(|k| *k == kind).expect("an input") as u8;
    let kinds = [Kind::Add, Kind::Add, Kind::Exec, Kind::Trade, Kind::Trade, Kind::Trade, Kind::Tick].map(of);
    let step = (prop::sample::select(kinds.to_vec()), 40_u8..255, 0_u8..240, 1_u8..3, any::<[u8; 11]>());
    let step = step.prop_map(|(what, instrument, time, side, numbers)| {
        let numbers = numbers.map(|n| 6 + n % 200);
        [&[what, instrument, time, side, 1][..], &numbers].concat()
    });
    (any::<u8>(), prop::collection::vec(step, 50..200))
        .prop_map(|(turned, steps)| [vec![turned], steps.concat()].concat())
}

#[test]
fn every_stage_keeps_the_rules() {
    let emitted = RefCell::new(BTreeMap::<String, usize>::new());
    let bytes = prop_oneof![anything(), market()];
    proptest!(|(bytes in bytes, cut in any::<prop::sample::Index>(), wanted in any::<[u64; 4]>())| {
        let (world, tapes) = taped(&bytes);
        for (station, tape) in world.stations.iter().zip(&tapes) {
            let build = || build(&station.part, world.turned);
            let (name, position) = (station.name.as_str(), station.part.position());
            let judged = Judged { name, position, build: &build, listings: &world.listings, tape };
            let count = judged.check(cut.index(tape.len().max(1)), Kinds::from_words(wanted));
            *emitted.borrow_mut().entry(name.to_owned()).or_default() += count.map_err(TestCaseError::fail)?;
        }
    });
    let emitted = emitted.into_inner();
    let all = stages::uncut(|_| true);
    let enough = |name: &str| emitted.get(name).is_some_and(|count| *count >= 100);
    let silent: Vec<_> = all.iter().map(|part| part.names()[0]).filter(|name| !enough(name)).collect();
    assert!(silent.is_empty(), "stages that emitted too little to be judged: {silent:?}");
}

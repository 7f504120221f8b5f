//! Where the pipeline is cut changes speed, never results.
//!
//! The reference is always the fused pipeline: one thread, no ring, nothing to race. Every other shape must bring the same
//! events to the end, in the same order, equal in all 64 bytes, and leave the stages in the same state. By default the
//! shapes, rings and batches are covered in pairs; `TIDEGATE_FULL` runs every combination on longer days.

use crate::harness::{Day, Delays, Pipeline, Taken, add_day, inputs, listings, same, set, small, taken};
use flow::{AnomalyKind, Event, Kind, Kinds, Out, Px, Qty, Stage, StateError, StateReader, StateWriter};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tidegate::config::Settings;
use tidegate::plan::{Plan, Planned};
use tidegate_tests::amount;

const RINGS: [&str; 2] = ["phase", "disruptor"];
const BATCHES: [u64; 4] = [1, 7, 64, 1024];

/// The presets, and every subset of the places where the pipeline can be cut.
fn shapes() -> Vec<(&'static str, String)> {
    let subset = |bits: usize| {
        let places = ["book", "bars", "tail"].into_iter().enumerate();
        places.filter(|(i, _)| bits >> i & 1 == 1).map(|(_, place)| place).collect::<Vec<_>>().join(",")
    };
    let cuts = (0..8).map(|bits| ("cuts", subset(bits)));
    [("fused", String::new()), ("split", String::new())].into_iter().chain(cuts).collect()
}

fn shape(settings: &Settings, (preset, cuts): &(&str, String), ring: &str, batch: u64) -> Settings {
    let mut shaped = settings.clone();
    set(&mut shaped, &format!("pipeline.preset={preset}"));
    set(&mut shaped, &format!("pipeline.cuts={cuts}"));
    set(&mut shaped, &format!("pipeline.ring={ring}"));
    set(&mut shaped, &format!("pipeline.batch={batch}"));
    shaped
}

/// The kinds as `outcomes.kinds` lists them.
fn names(kinds: Kinds) -> String {
    kinds.iter().filter_map(flow::kind_info).map(|k| k.name).collect::<Vec<_>>().join(",")
}

#[track_caller]
fn equal(reference: &Taken, found: &Taken, what: &str) {
    same(&reference.events, &found.events, what);
    assert_eq!(reference.outcome_hash, found.outcome_hash, "outcome hash, {what}");
    assert_eq!(reference.state_hash, found.state_hash, "state hash, {what}");
}

/// Runs the settings in every shape and compares each with the fused pipeline. How many runs were compared.
fn every_shape(settings: &Settings, kinds: Kinds) -> usize {
    let reference = taken(settings, kinds);
    assert!(reference.events.len() > 100, "{} events prove little", reference.events.len());
    let all = amount(0, 1) == 1;
    let mut compared = 0;
    for (s, cuts) in shapes().iter().enumerate() {
        for (b, batch) in BATCHES.into_iter().enumerate() {
            for (r, ring) in RINGS.into_iter().enumerate() {
                if all || (s + b + r).is_multiple_of(2) {
                    let found = taken(&shape(settings, cuts, ring, batch), kinds);
                    equal(&reference, &found, &format!("{cuts:?}, ring {ring}, batch {batch}"));
                    compared += 1;
                }
            }
        }
    }
    compared
}

#[test]
fn every_shape_gives_the_same_bytes() {
    let mut settings = small();
    add_day(&mut settings, Day { seed: 11, messages: amount(4_000, 100_000), symbols: 7, live_orders: 300 });
    assert_eq!(every_shape(&settings, Kinds::ALL) as u64, amount(40, 80));
}

/// Cuts forward only what is read after them: with few readers they forward little.
#[test]
fn every_shape_gives_the_same_bytes_to_a_picky_reader() {
    let mut settings = small();
    let bars = Kinds::of(&[Kind::Bar, Kind::BarFlow]);
    set(&mut settings, &format!("outcomes.kinds={}", names(bars)));
    add_day(&mut settings, Day { seed: 12, messages: amount(6_000, 100_000), symbols: 5, live_orders: 200 });
    every_shape(&settings, bars);
}

fn two_days(settings: &mut Settings, seed: u64, messages: u64) {
    add_day(settings, Day { seed, messages, symbols: 6, live_orders: 200 });
    add_day(settings, Day { seed: seed + 1, messages: messages * 2 / 3, symbols: 9, live_orders: 100 });
}

#[test]
fn every_shape_gives_the_same_bytes_of_several_inputs_and_ticks() {
    let mut settings = small();
    set(&mut settings, "pipeline.ring_capacity=128");
    two_days(&mut settings, 21, amount(2_000, 60_000));
    let reference = taken(&settings, Kinds::ALL);
    let sources = |n| inputs(&reference.events).iter().filter(|e| e.source == n).count();
    let ticks = reference.events.iter().filter(|e| e.kind == Kind::Tick).count();
    assert!(sources(1) > 500 && sources(2) > 500 && ticks > 20, "{ticks} ticks");
    every_shape(&settings, Kinds::ALL);
}

/// Kinds that nobody reads are dropped but numbered: who reads less reads a part of the same bytes.
#[test]
fn a_reader_of_fewer_kinds_reads_a_part_of_the_same_bytes() {
    let mut settings = small();
    two_days(&mut settings, 31, 3_000);
    let whole = taken(&settings, Kinds::ALL).events;
    for kinds in [Kinds::of(&[Kind::Bar, Kind::BarFlow]), Kinds::of(&[Kind::BookTop, Kind::Anomaly])] {
        let part: Vec<Event> = whole.iter().filter(|e| kinds.has(e.kind)).copied().collect();
        assert!(!part.is_empty());
        set(&mut settings, &format!("outcomes.kinds={}", names(kinds)));
        let split = shape(&settings, &("split", String::new()), "phase", 64);
        for settings in [&settings, &split] {
            same(&part, &taken(settings, kinds).events, &format!("only {}", names(kinds)));
        }
    }
}

/// A random pipeline over a random day.
#[derive(Clone, Debug)]
struct Random {
    day: Day,
    second: bool,
    shape: usize,
    ring: &'static str,
    capacity: u64,
    batch: u64,
    idle: &'static str,
    delays: u64,
    every: u64,
}

fn random() -> impl Strategy<Value = Random> {
    let day = (any::<u64>(), 1_500_u64..4_000, 1_u64..12, 24_u64..400)
        .prop_map(|(seed, messages, symbols, live_orders)| Day { seed, messages, symbols, live_orders });
    let pipeline = (1..shapes().len(), prop::sample::select(&RINGS[..]), 7_u32..12, 1_u64..300);
    let idle = prop::sample::select(&["yield", "spin", "hint", "pauses"][..]);
    (day, any::<bool>(), pipeline, idle, any::<u64>(), 20_u64..400).prop_map(
        |(day, second, (shape, ring, capacity, batch), idle, delays, every)| Random {
            day,
            second,
            shape,
            ring,
            capacity: 1 << capacity,
            batch,
            idle,
            delays,
            every,
        },
    )
}

fn late_and_on_time(random: &Random) -> Result<(), TestCaseError> {
    let mut settings = small();
    add_day(&mut settings, random.day);
    if random.second {
        add_day(&mut settings, Day { seed: !random.day.seed, ..random.day });
    }
    let reference = taken(&settings, Kinds::ALL);
    let inputs = inputs(&reference.events);
    let mut cut = shape(&settings, &shapes()[random.shape], random.ring, random.batch);
    set(&mut cut, &format!("pipeline.ring_capacity={}", random.capacity));
    set(&mut cut, &format!("pipeline.idle={}", random.idle));
    let listings = listings(&inputs);
    let instruments = inputs.iter().map(|e| e.instrument).max().unwrap_or(0) + 1;
    let pipeline = Pipeline { settings: &cut, instruments, kinds: Kinds::ALL, listings: &listings };
    let played = pipeline.play(pipeline.plan(), &inputs, Some(Delays::new(random.delays, random.every)));
    same(&reference.events, &played.events, "delayed");
    prop_assert_eq!(reference.state_hash, played.state_hash());
    Ok(())
}

/// Cuts, rings, batches, idling and lateness at random. The failure prints the case, which is all that it depends on.
#[test]
fn random_pipelines_over_random_days_with_late_threads() {
    let config = Config { cases: amount(12, 1_000) as u32, max_shrink_iters: 64, ..Config::default() };
    TestRunner::new(Config { failure_persistence: None, ..config })
        .run(&random(), |random| late_and_on_time(&random))
        .unwrap_or_else(|failure| panic!("{failure}"));
}

/// What must never be: a stage that knows how far another one is. The one before counts, the one after emits the count.
struct Peeking {
    stage: Box<dyn Stage>,
    seen: Arc<AtomicU64>,
    reports: bool,
}

impl Stage for Peeking {
    fn reads(&self) -> Kinds {
        self.stage.reads()
    }
    fn emits(&self) -> Kinds {
        self.stage.emits().or(Kinds::of(&[Kind::Anomaly]))
    }
    fn scope(&self) -> flow::Scope {
        self.stage.scope()
    }
    fn fan_out(&self) -> usize {
        self.stage.fan_out()
    }
    fn ticks(&self) -> flow::Ticks {
        self.stage.ticks()
    }
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        self.stage.on_event(event, out);
        if !self.reports {
            self.seen.fetch_add(1, Ordering::Relaxed);
        } else if event.kind == Kind::Trade && event.id.seq() < 2_000 {
            std::thread::sleep(Duration::from_millis(1));
            let seen = self.seen.load(Ordering::Relaxed);
            let peeked = AnomalyKind::BackwardClock.event_at(event.ts, 0, event.ts, seen, Px::NONE, Qty(0));
            out.push::<flow::records::Anomaly>(0, flow::Flags::NONE, peeked.record());
        }
    }
    fn save(&self, to: &mut StateWriter<'_>) {
        self.stage.save(to);
    }
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.stage.load(from)
    }
}

fn peeking(mut plan: Plan) -> Plan {
    let seen = Arc::new(AtomicU64::new(0));
    let peek = |p: Planned| {
        let reports = p.name == "bars";
        Planned { stage: Box::new(Peeking { stage: p.stage, seen: Arc::clone(&seen), reports }), ..p }
    };
    plan.stages = plan.stages.into_iter().map(peek).collect();
    plan
}

/// The comparison finds a stage whose result depends on the cut, and a day that is another.
#[test]
fn what_depends_on_the_cut_is_found() {
    let day = Day { seed: 41, messages: 3_000, symbols: 3, live_orders: 60 };
    let (mut fused, mut other) = (small(), small());
    add_day(&mut fused, day);
    add_day(&mut other, Day { seed: 42, ..day });
    let [whole, another] = [&fused, &other].map(|s| taken(s, Kinds::ALL));
    let differ = |left: &[Event], right: &[Event]| std::panic::catch_unwind(|| same(left, right, "planted")).is_err();
    assert!(differ(&whole.events, &another.events) && whole.outcome_hash != another.outcome_hash);
    assert!(whole.state_hash != another.state_hash);
    let stamped = inputs(&whole.events);
    let listings = listings(&stamped);
    let split = shape(&fused, &("split", String::new()), "phase", 64);
    let play = |settings: &Settings| {
        let pipeline = Pipeline { settings, instruments: 4, kinds: Kinds::ALL, listings: &listings };
        pipeline.play(peeking(pipeline.plan()), &stamped, None).events
    };
    let one = play(&fused);
    assert!(!differ(&one, &play(&fused)), "on one thread even a peeking stage repeats itself");
    assert!(differ(&one, &play(&split)), "a stage that peeks across the cut must be found");
}

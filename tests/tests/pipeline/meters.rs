//! Meters: where a pipeline's time goes, and that looking changes nothing.

use crate::harness::{Day, Pipeline, Played, add_day, inputs, listings, same, set, small, taken};
use flow::{Event, Kind, Kinds, Out, Scope, Stage, StateError, StateReader, StateWriter, Ticks};
use std::time::{Duration, Instant};
use tidegate::config::Settings;
use tidegate::pipeline::{GroupLoad, RingLoad};
use tidegate::plan::{Plan, Planned};

const DAY: Day = Day { seed: 71, messages: 3_000, symbols: 4, live_orders: 60 };

/// A stage that takes its time over every event that it reads.
struct Slow(Box<dyn Stage>, Duration);

impl Stage for Slow {
    fn reads(&self) -> Kinds {
        self.0.reads()
    }
    fn emits(&self) -> Kinds {
        self.0.emits()
    }
    fn scope(&self) -> Scope {
        self.0.scope()
    }
    fn fan_out(&self) -> usize {
        self.0.fan_out()
    }
    fn ticks(&self) -> Ticks {
        self.0.ticks()
    }
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        std::thread::sleep(self.1);
        self.0.on_event(event, out);
    }
    fn save(&self, to: &mut StateWriter<'_>) {
        self.0.save(to);
    }
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.0.load(from)
    }
}

/// A small day, its inputs, and how the pipeline over it is set.
fn cut(more: &[&str]) -> (Settings, Vec<Event>) {
    let mut settings = small();
    add_day(&mut settings, DAY);
    let inputs = inputs(&taken(&settings, Kinds::ALL).events);
    ["pipeline.preset=split", "pipeline.stages=book,bars,cvd", "pipeline.ring_capacity=128"]
        .iter()
        .chain(more)
        .for_each(|one| set(&mut settings, one));
    (settings, inputs)
}

/// Plays the inputs with the stage `slow` taking so long, and returns what the whole took.
fn play(settings: &Settings, inputs: &[Event], slow: &str, by: Duration) -> (Played, Duration) {
    let all = listings(inputs);
    let pipeline = Pipeline { settings, instruments: 8, kinds: Kinds::ALL, listings: &all };
    let Plan { stages, .. } = pipeline.plan();
    let slowed = |p: Planned| match p.name == slow {
        true => Planned { stage: Box::new(Slow(p.stage, by)), ..p },
        false => p,
    };
    let plan = Plan { stages: stages.into_iter().map(slowed).collect(), ..pipeline.plan() };
    let start = Instant::now();
    let played = pipeline.play(plan, inputs, None);
    (played, start.elapsed())
}

fn group<'a>(load: &'a [GroupLoad], name: &str) -> &'a GroupLoad {
    load.iter().find(|g| g.group == name).unwrap_or_else(|| panic!("{name} in {load:?}"))
}

fn ring<'a>(rings: &'a [RingLoad], name: &str) -> &'a RingLoad {
    rings.iter().find(|r| r.ring == name).unwrap_or_else(|| panic!("{name} in {rings:?}"))
}

/// How much of a group's time this was.
fn share(part: u64, group: &GroupLoad) -> f64 {
    part as f64 / group.total_ns() as f64
}

#[test]
fn a_slow_stage_stalls_what_is_before_it_and_starves_what_is_behind() {
    let (settings, inputs) = cut(&[]);
    let (played, wall) = play(&settings, &inputs, "bars", Duration::from_micros(300));
    let (load, rings) = (played.meters.groups(), played.meters.rings());
    let (book, bars, cvd) = (group(&load, "core0"), group(&load, "core1"), group(&load, "core2"));
    assert!(share(book.stalled_ns, book) > 0.5, "{load:?}");
    assert!(share(bars.busy_ns, bars) > 0.6 && share(cvd.idle_ns, cvd) > 0.6, "{load:?}");
    // A machine with other work may keep the last group from its core until the ring before it is full, now and then.
    assert!(book.stalls > 0 && share(bars.stalled_ns, bars) < 0.2 && cvd.stalls == 0, "{load:?}");
    assert!(book.longest_stall_ns >= 300_000 && book.longest_stall_ns <= book.stalled_ns, "{load:?}");
    assert!(bars.longest_turn_ns >= 300_000 && bars.longest_turn_ns <= bars.busy_ns, "{load:?}");
    let (full, roomy) = (ring(&rings, "core0 > core1"), ring(&rings, "core1 > core2"));
    assert_eq!((full.capacity, full.high_water), (128, 128), "{rings:?}");
    assert!(full.refused > 0 && (roomy.refused == 0 || bars.stalls > 0), "{rings:?}");
    assert!(full.events >= inputs.len() as u64 && full.occupancy == 0, "{rings:?}");
    for group in [bars, cvd] {
        // The groups begin when their threads do and end one after the other.
        let covered = Duration::from_nanos(group.total_ns());
        assert!(covered <= wall && covered >= wall.mul_f64(0.6), "{group:?} of {wall:?}");
    }
}

#[test]
fn the_three_parts_cover_the_time_of_every_group() {
    for preset in ["fused", "split"] {
        let (settings, inputs) = cut(&[&format!("pipeline.preset={preset}"), "pipeline.ring_capacity=16384"]);
        // The first stage is the slow one: nobody ends long before the others.
        let (played, wall) = play(&settings, &inputs, "book", Duration::from_micros(100));
        for group in played.meters.groups() {
            let covered = Duration::from_nanos(group.total_ns());
            assert!(covered <= wall && covered >= wall.mul_f64(0.6), "{preset}: {group:?} of {wall:?}");
        }
    }
}

#[test]
fn what_is_measured_changes_nothing() {
    let (off, inputs) = cut(&["pipeline.meters=false", "pipeline.sample_every=0"]);
    let (none, _) = play(&off, &inputs, "", Duration::ZERO);
    assert_eq!(none.meters.groups(), []);
    assert!(none.meters.latencies().iter().all(|l| l.histogram.is_empty()));
    assert_eq!(none.meters.rings().len(), 2, "rings count always");
    for preset in ["fused", "split"] {
        let (on, _) = cut(&[&format!("pipeline.preset={preset}"), "pipeline.meters=true", "pipeline.sample_every=1"]);
        let (all, _) = play(&on, &inputs, "", Duration::ZERO);
        same(&none.events, &all.events, preset);
        assert_eq!(none.state_hash(), all.state_hash());
        let latencies = all.meters.latencies();
        let book = latencies.iter().find(|l| l.name == "book").expect("it is a stage");
        let read = inputs.iter().filter(|e| [Kind::Add, Kind::Exec, Kind::Delete].contains(&e.kind)).count();
        assert!(book.histogram.len() >= read as u64 && read > 0, "{} of {read}", book.histogram.len());
        assert_eq!(latencies.iter().filter(|l| l.name.starts_with("group ")).count(), all.meters.groups().len());
    }
}

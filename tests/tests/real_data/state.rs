//! A saved state goes on as if nothing had been in between.
//!
//! A run is cut in two at a random input: the first part ends with its stages saved, the second begins elsewhere, with
//! fresh stages that load those bytes, and with other cuts. Both parts together must be the run in one go: the same
//! events in all 64 bytes, the same state at the end, and the state itself the same when it is saved again at once.

use crate::harness::{Day, Pipeline, add_day, add_file, inputs, listings, same, set, small, taken};
use flow::{Event, Kinds, StateReader, StateWriter};
use tidegate::config::Settings;
use tidegate_tests::{Case, amount};

/// The cuts of the parts, in turn.
const CUTS: [&str; 4] = ["", "bars", "tail", "book,bars,tail"];

fn cut(settings: &Settings, turn: usize) -> Settings {
    let mut settings = settings.clone();
    set(&mut settings, "pipeline.preset=cuts");
    set(&mut settings, &format!("pipeline.cuts={}", CUTS[turn % CUTS.len()]));
    settings
}

/// A whole run, to be taken apart.
struct Whole {
    events: Vec<Event>,
    inputs: Vec<Event>,
    state_hash: String,
    instruments: u32,
}

fn whole(settings: &Settings) -> Whole {
    let run = taken(settings, Kinds::ALL);
    let inputs = inputs(&run.events);
    let instruments = inputs.iter().map(|e| e.instrument).max().unwrap_or(0) + 1;
    Whole { events: run.events, inputs, state_hash: run.state_hash, instruments }
}

/// Interrupts the run after `point` inputs and continues it with other cuts.
fn interrupted(settings: &Settings, whole: &Whole, point: usize, turn: usize) {
    let (before, after) = whole.inputs.split_at(point);
    let known = listings(before);
    let all = listings(&whole.inputs);
    let (here, elsewhere) = (cut(settings, turn), cut(settings, turn / CUTS.len() + turn + 1));
    let pipeline =
        |settings, listings| Pipeline { settings, instruments: whole.instruments, kinds: Kinds::ALL, listings };
    let first = pipeline(&here, &known);
    let saved = first.play(first.plan(), before, None);
    let second = pipeline(&elsewhere, &all);
    let mut plan = second.plan();
    let mut reader = StateReader::new(&known, &saved.state);
    for planned in &mut plan.stages {
        planned.stage.load(&mut reader).unwrap_or_else(|e| panic!("{}: {e}", planned.name));
    }
    reader.finish().unwrap_or_else(|e| panic!("{e}"));
    let mut again = StateWriter::new(&known);
    plan.stages.iter().for_each(|planned| planned.stage.save(&mut again));
    let what = format!("interrupted after {point} of {} inputs, turn {turn}", whole.inputs.len());
    assert!(again.into_bytes() == saved.state, "{what}: the state that was loaded is saved as another");
    let rest = second.play(plan, after, None);
    let both = [saved.events, rest.events.clone()].concat();
    same(&whole.events, &both, &what);
    assert_eq!(rest.state_hash(), whole.state_hash, "{what}: state at the end");
}

/// Interrupts at random points, the first and the last included.
fn at_random_points(settings: &Settings, seed: u64) {
    let whole = whole(settings);
    let (inputs, points) = (whole.inputs.len(), amount(12, 100));
    let mut random = seed;
    for turn in 0..points {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let point = match turn {
            0 => 0,
            1 => inputs,
            _ => (random >> 33) as usize % inputs,
        };
        interrupted(settings, &whole, point, turn as usize);
    }
}

fn one_day(messages: u64) -> Settings {
    let mut settings = small();
    add_day(&mut settings, Day { seed: 51, messages, symbols: 8, live_orders: 300 });
    settings
}

/// An order of the saved part is forgotten: the rest must differ, or the comparison sees nothing.
fn a_state_that_is_not_loaded_is_found() {
    let settings = one_day(3_000);
    let whole = whole(&settings);
    let (before, after) = whole.inputs.split_at(whole.inputs.len() / 2);
    let all = listings(&whole.inputs);
    let pipeline = Pipeline { settings: &settings, instruments: whole.instruments, kinds: Kinds::ALL, listings: &all };
    let (first, rest) = (pipeline.play(pipeline.plan(), before, None), pipeline.play(pipeline.plan(), after, None));
    assert!([first.events, rest.events.clone()].concat() != whole.events);
    assert!(rest.state_hash() != whole.state_hash);
}

pub(super) fn cases() -> Vec<Case> {
    let file = |feed: &'static str, date: Option<&'static str>, seed| {
        move |paths: &[std::path::PathBuf]| {
            let mut settings = small();
            add_file(&mut settings, feed, &paths[0], date);
            at_random_points(&settings, seed);
        }
    };
    let itch = file("itch", Some("2019-01-30"), 2);
    let lobster = file("lobster", None, 3);
    vec![
        Case::new("state::synthetic", &[], |_| at_random_points(&one_day(amount(4_000, 50_000)), 1)),
        Case::new("state::two_days", &[], |_| {
            let mut settings = one_day(amount(2_000, 20_000));
            add_day(&mut settings, Day { seed: 52, messages: 2_500, symbols: 5, live_orders: 100 });
            at_random_points(&settings, 4);
        }),
        Case::new("state::itch_aapl", &["nasdaq_itch/locate-13-10k.bin"], itch),
        Case::new("state::lobster_aapl", &["lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip"], lobster),
        Case::new("state::a_state_that_is_not_loaded_is_found", &[], |_| a_state_that_is_not_loaded_is_found()),
    ]
}

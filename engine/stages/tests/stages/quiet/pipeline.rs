//! After they are built the stages allocate nothing, whatever comes.

use crate::stream;
use flow::records::Tick;
use flow::{Event, EventId, Flags, Kind, Kinds, Ns, Out, Params, Stage};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use stages::measures::{Host, MEASURES, Many};
use stages::{Instances, Space};
use std::collections::BTreeMap;

/// Runs an event through the stages from `at` on, depth first.
fn run(pipeline: &mut [(Box<dyn Stage>, Out)], event: &Event) -> usize {
    let Some(((stage, out), rest)) = pipeline.split_first_mut() else { return 1 };
    let mut emitted = run(rest, event);
    if stage.reads().has(event.kind) {
        out.begin(event);
        stage.on_event(event, out);
        for caused in out.events() {
            emitted += run(rest, caused);
        }
    }
    emitted
}

/// The parameters of a name with small pools, and what else is set.
fn params(name: &str, set: &[(&'static str, &str)]) -> Params {
    let bars = [("intervals", "5s,1m,1d"), ("interval", "5s"), ("max_rows", "64"), ("exhaustion_bars", "2")];
    let small = [("max_orders", "32"), ("max_levels", "40"), ("bucket_qty", "5")];
    let table = stages::entries().find(|entry| entry.name() == name).unwrap().params();
    let mut params = Params::defaults(table);
    for (name, text) in small.iter().chain(&bars).chain(set) {
        if let Some(param) = table.iter().find(|p| p.name == *name) {
            params.set(param, param.parse(name, text).unwrap());
        }
    }
    params
}

const SPACE: Space = Space { instruments: 16, fills: 64, positions: 64 };

#[test]
fn nothing_is_allocated_per_event() {
    let mut pipeline: Vec<(Box<dyn Stage>, Out)> = Vec::new();
    let all: BTreeMap<&str, Params> = stages::entries().map(|e| (e.name(), params(e.name(), &[]))).collect();
    for part in stages::uncut(|_| true) {
        let stage = part.build(|name| &all[name], &Instances::PLAIN, SPACE).unwrap();
        pipeline.push((stage, Out::new(part.position(), Kinds::ALL.or(Kinds::INSIDE))));
    }
    // The path of a measure that its defaults do not take, beside others in one stage that keep all of the context.
    let bulk = params("vpin", &[("mode", "bulk"), ("bulk_bar", "5s")]);
    let mut several = vec![(flow::find(MEASURES, "vpin").unwrap().build.among)(&bulk, 128, SPACE).unwrap()];
    several.extend(MEASURES.iter().map(|m| (m.build.among)(&all[m.name], 0, SPACE).unwrap()));
    pipeline.push((Box::new(Host::new(Many::new(several), SPACE)), Out::new(126, Kinds::ALL)));
    let mut runner = TestRunner::deterministic();
    let (opening, listings) = stream::opening();
    assert!(listings.get(6).is_some_and(|_| stream::source_of(6) == 2));
    let mut events = opening;
    for i in 0..200 {
        let steps = stream::steps(400).new_tree(&mut runner).unwrap().current();
        events.extend(steps.iter().enumerate().map(|(j, s)| s.event((i * 400 + j as u64) * Ns::SECOND)));
        let tick = Tick { first: 0, last: 8, interval_s: 60, ..Default::default() };
        events.push(Event::new(Ns(i * 400 * Ns::SECOND + 500 * Ns::SECOND), 0, Flags::NONE, &tick));
    }
    (1..).zip(&mut events).for_each(|(seq, event)| event.id = EventId::new(seq, 0, 0));
    assert!(events.iter().any(|e| e.kind == Kind::Clear) && events.len() > 20_000);
    let seen = allocation_counter::measure(|| drop(std::hint::black_box(Box::new(1))));
    assert_eq!(seen.count_total, 1, "an allocation is counted");
    let mut emitted = 0;
    // Of this thread alone: the one that runs the tests does as it likes.
    let allocated = allocation_counter::measure(|| {
        emitted = events.iter().map(|event| run(&mut pipeline, event)).sum();
    });
    assert_eq!((allocated.count_total, allocated.count_current), (0, 0));
    assert!(emitted > events.len() * 3 / 2, "the stream makes the stages work: {emitted} of {}", events.len());
}

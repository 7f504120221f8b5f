//! One stage at a time: the events that it reads, in the order in which it sees them, and nothing else.
//!
//! A day goes through a pipeline once, which [`kept`] notes; a stage is then fed with events of it alone, 64 bytes one after
//! the other, and what it emits is read again. [`reading`] is the loop without the stage. Bound: the events, in memory.

use crate::naive_stages::Tally;
use crate::rounds::Run;
use flow::records::Pulse;
use flow::{Event, Flags, Kinds, Out, Params, Sink, SinkError, Stage};
use stages::Space;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tidegate::config::Settings;
use tidegate::run::{Options, execute};

/// Room for the instruments of these days.
pub const SPACE: Space = Space { instruments: 1 << 10, fills: 65_536, positions: 16_384 };

/// Keeps events of some kinds.
struct Keep(Kinds, Vec<Event>, Arc<Mutex<Vec<Event>>>);

impl Sink for Keep {
    fn kinds(&self) -> Kinds {
        self.0
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.1.push(*event);
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        *self.2.lock().expect("nobody panics with it") = std::mem::take(&mut self.1);
        Ok(())
    }
}

/// Settings with these assignments.
///
/// # Panics
/// When one is not valid.
pub fn settings(with: &[&str]) -> Settings {
    let mut settings = Settings::default();
    with.iter().for_each(|one| settings.set(one).expect("the assignment is valid"));
    settings
}

/// Adds files of a feed, or what it makes itself.
///
/// # Panics
/// When there is no such feed.
pub fn add_input(settings: &mut Settings, feed: &str, files: Vec<PathBuf>) {
    let feed = flow::find(feeds::FEEDS, feed).expect("it is registered");
    let params = settings.feeds[feed.name].clone();
    settings.add_input(feed, files, None, params);
}

/// Runs a pipeline, and gives the events of these kinds that came to its end.
///
/// # Panics
/// When it does not run to its end.
pub fn kept(settings: &Settings, kinds: Kinds) -> Vec<Event> {
    let (sink, kept) = keeping(kinds);
    let options = Options { sinks: vec![sink], ..Options::default() };
    let (_, error) = execute(settings, options).expect("the day starts");
    assert!(error.is_none(), "{error:?}");
    std::mem::take(&mut *kept.lock().expect("nobody panics with it"))
}

/// The default parameters of an entry.
///
/// # Panics
/// When there is no such entry.
pub fn defaults(name: &str) -> Params {
    Params::defaults(stages::entries().find(|entry| entry.name() == name).expect("it is registered").params())
}

/// A stage, or a measure alone in its stage, with some parameters.
///
/// # Panics
/// When there is no such stage, or a parameter is not valid.
pub fn built(name: &str, set: &[(&str, &str)]) -> Box<dyn Stage> {
    let [part] = &stages::uncut(|one| one == name)[..] else { panic!("{name} is no stage and no measure") };
    let table = stages::entries().find(|entry| entry.name() == name).expect("it is registered").params();
    let mut params = Params::defaults(table);
    for (key, text) in set {
        let param = table.iter().find(|p| p.name == *key).expect("it is a parameter");
        params.set(param, param.parse(key, text).expect("it is valid"));
    }
    part.build(|_| &params, &stages::Instances::PLAIN, SPACE).expect("a valid stage")
}

/// A sink that keeps events of some kinds, and where they are when it has ended.
pub fn keeping(kinds: Kinds) -> (Box<dyn Sink>, Arc<Mutex<Vec<Event>>>) {
    let kept = Arc::default();
    (Box::new(Keep(kinds, Vec::new(), Arc::clone(&kept))), kept)
}

/// A stage that asks for a pulse gets it as in a pipeline: behind all that the input caused.
pub fn ours(events: &[Event], stage: Box<dyn Stage>) -> Run {
    after(0, events, stage)
}

/// The same, of which the first so many events are not timed. As in a pipeline, a stage is shown the inputs to come if it fetches ahead.
pub fn after(first: usize, events: &[Event], mut stage: Box<dyn Stage>) -> Run {
    let (mut out, mut tally) = (Out::new(1, stage.emits()), Tally::default());
    let mut asked: Option<&Event> = None;
    let (before, events) = events.split_at(first);
    before.iter().for_each(|event| give(stage.as_mut(), event, &mut out, &mut tally));
    let prefetched = stage.prefetches();
    let is_input = |event: &&Event| prefetched != Kinds::NONE && event.id.position() == 0;
    let inputs: Vec<Event> = events.iter().filter(is_input).copied().collect();
    let mut lookahead = &inputs[..];
    let start = Instant::now();
    for event in events {
        if is_input(&event) {
            lookahead = &lookahead[1..];
            if lookahead.first().is_some_and(|next| prefetched.has(next.kind)) {
                stage.prefetch(lookahead);
            }
        }
        if let Some(last) = asked.take_if(|last| last.id.seq() != event.id.seq()) {
            let pulse = Event::new(last.ts, last.instrument, Flags::LAST_OF_GROUP, &Pulse::after(last));
            give(stage.as_mut(), &Event { id: last.id, ..pulse }, &mut out, &mut tally);
        }
        give(stage.as_mut(), event, &mut out, &mut tally);
        if out.asks_for_pulse() {
            asked = Some(event);
        }
    }
    Run { time: start.elapsed(), check: tally.0 }
}

fn give(stage: &mut dyn Stage, event: &Event, out: &mut Out, tally: &mut Tally) {
    out.begin(event);
    stage.on_event(event, out);
    for emitted in out.events() {
        tally.add(emitted.instrument, &emitted.body);
    }
}

/// The loop alone; `check` is what the others agree on.
pub fn reading(events: &[Event], check: u64) -> Run {
    let mut out = Out::new(1, Kinds::NONE);
    let start = Instant::now();
    for event in events {
        out.begin(event);
        black_box((event.instrument, event.body[0], out.events().len()));
    }
    Run { time: start.elapsed(), check }
}

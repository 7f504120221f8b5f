//! A pipeline under a test's control: the same inputs, cut and delayed as the test asks.
//!
//! [`taken`] runs settings as a user would, sources and all, and keeps every event that reaches the end. Its inputs are
//! numbered and timed, so [`Pipeline`] can repeat them without the sources: whole or in parts, with other cuts, with stages
//! that hold a saved state, and with [`Delays`] wherever a thread may be late.
#![allow(dead_code, reason = "every test binary takes its part")]

use flow::{Event, Kinds, Listings, Out, Sink, SinkError, Stage, StateError, StateReader, StateWriter, Ticks};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidegate::config::Settings;
use tidegate::drive::{Control, run_pipeline};
use tidegate::ingress::{Admitted, Head, IngressError};
use tidegate::pipeline::{Group, Meters, Tail};

use tidegate::plan::{Plan, Planned};
use tidegate::run::{Options, execute};

/// A synthetic day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day {
    pub(crate) seed: u64,
    pub(crate) messages: u64,
    pub(crate) symbols: u64,
    pub(crate) live_orders: u64,
}

/// Settings with pools as large as the tests need; the defaults take long to touch.
pub(crate) fn small() -> Settings {
    made_small(Settings::default())
}

/// The same of other settings.
pub(crate) fn made_small(mut settings: Settings) -> Settings {
    for one in ["book.max_orders=65536", "book.max_levels=65536", "book.max_books=1024", "bars.intervals=5s,1m,1d"] {
        set(&mut settings, one);
    }
    set(&mut settings, "outcomes.kinds=all");
    settings
}

/// Sets `section.param=value`.
#[track_caller]
pub(crate) fn set(settings: &mut Settings, assignment: &str) {
    settings.set(assignment).unwrap_or_else(|fault| panic!("{fault}"));
}

/// Adds a synthetic day to the inputs.
pub(crate) fn add_day(settings: &mut Settings, day: Day) {
    let feed = flow::find(feeds::FEEDS, "synthetic").expect("it is registered");
    for (name, value) in
        [("seed", day.seed), ("messages", day.messages), ("symbols", day.symbols), ("live_orders", day.live_orders)]
    {
        set(settings, &format!("synthetic.{name}={value}"));
    }
    // Days that run together have instruments of their own.
    set(settings, &format!("synthetic.prefix={}", "D".repeat(settings.inputs.len())));
    let params = settings.feeds[feed.name].clone();
    settings.add_input(feed, Vec::new(), None, params);
}

/// Adds a file to the inputs.
pub(crate) fn add_file(settings: &mut Settings, feed: &str, file: &Path, date: Option<&str>) {
    let feed = flow::find(feeds::FEEDS, feed).expect("it is registered");
    let params = settings.feeds[feed.name].clone();
    let date = date.map(|d| d.parse().expect("a date"));
    settings.add_input(feed, vec![PathBuf::from(file)], date, params);
}

/// Keeps what reaches the end of the pipeline.
pub(crate) struct Collect {
    kinds: Kinds,
    events: Vec<Event>,
    to: Arc<Mutex<Vec<Event>>>,
}

impl Collect {
    /// Takes these kinds; they are at the other place when the run has ended.
    pub(crate) fn new(kinds: Kinds) -> (Collect, Arc<Mutex<Vec<Event>>>) {
        let to = Arc::default();
        (Collect { kinds, events: Vec::new(), to: Arc::clone(&to) }, to)
    }
}

impl Sink for Collect {
    fn kinds(&self) -> Kinds {
        self.kinds
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.events.push(*event);
        Ok(())
    }

    fn finished(&mut self, _seq: u64) -> Result<(), SinkError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        *self.to.lock().expect("nobody panics with it") = std::mem::take(&mut self.events);
        Ok(())
    }
}

/// Every event of the given kinds that reaches the end, in order, and the hashes of outcomes and state.
pub(crate) struct Taken {
    pub(crate) events: Vec<Event>,
    pub(crate) outcome_hash: String,
    pub(crate) state_hash: String,
}

/// Runs the settings, as a command would.
#[track_caller]
pub(crate) fn taken(settings: &Settings, kinds: Kinds) -> Taken {
    let (sink, events) = Collect::new(kinds);
    let options = Options { sinks: vec![Box::new(sink)], ..Options::default() };
    let (report, error) = execute(settings, options).unwrap_or_else(|e| panic!("{e}"));
    assert!(error.is_none(), "{error:?}");
    let events = std::mem::take(&mut *events.lock().expect("nobody panics with it"));
    Taken { events, outcome_hash: report.outcome_hash, state_hash: report.state_hash }
}

/// The inputs among these events: what came in from outside, numbered and timed.
pub(crate) fn inputs(events: &[Event]) -> Vec<Event> {
    events.iter().filter(|e| e.id.position() == 0).copied().collect()
}

/// The listings in these inputs.
pub(crate) fn listings(inputs: &[Event]) -> Listings {
    let mut listings = Listings::default();
    inputs.iter().for_each(|event| listings.observe(event));
    listings
}

/// Fails at the first event that differs in any of its 64 bytes.
#[track_caller]
pub(crate) fn same(left: &[Event], right: &[Event], what: &str) {
    if bytemuck::cast_slice::<Event, u8>(left) == bytemuck::cast_slice::<Event, u8>(right) {
        return;
    }
    let at = left.iter().zip(right).position(|(l, r)| l != r).unwrap_or(left.len().min(right.len()));
    let (l, r) = (left.get(at), right.get(at));
    panic!("{what}: {} and {} events, the first difference at {at}:\n{l:?}\n{r:?}", left.len(), right.len());
}

/// Now and then a thread is late: by a yield, or by a sleep. Which events it hits follows from the seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delays {
    state: u64,
    /// About one event in so many.
    every: u64,
}

impl Delays {
    pub(crate) fn new(seed: u64, every: u64) -> Delays {
        Delays { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, every }
    }

    /// Another place's delays.
    pub(crate) fn at(&self, place: u64) -> Delays {
        Delays::new(self.state ^ place.wrapping_mul(0xD134_2543_DE82_EF95), self.every)
    }

    /// Whether this event is hit.
    fn hits(&mut self) -> bool {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 20).is_multiple_of(self.every)
    }

    fn wait(&mut self) {
        if self.hits() {
            match self.state >> 60 {
                0 => std::thread::sleep(Duration::from_micros(200)),
                1..4 => (0..2_000).for_each(|_| std::hint::spin_loop()),
                _ => std::thread::yield_now(),
            }
        }
    }
}

/// A stage on a thread that is late now and then.
struct Late(Box<dyn Stage>, Delays);

impl Stage for Late {
    fn reads(&self) -> Kinds {
        self.0.reads()
    }
    fn emits(&self) -> Kinds {
        self.0.emits()
    }
    fn scope(&self) -> flow::Scope {
        self.0.scope()
    }
    fn fan_out(&self) -> usize {
        self.0.fan_out()
    }
    fn ticks(&self) -> Ticks {
        self.0.ticks()
    }
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        self.1.wait();
        self.0.on_event(event, out);
    }
    fn save(&self, to: &mut StateWriter<'_>) {
        self.0.save(to);
    }
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.0.load(from)
    }
}

/// A sink on a thread that is late now and then.
struct LateSink(Delays);

impl Sink for LateSink {
    fn kinds(&self) -> Kinds {
        Kinds::ALL
    }
    fn take(&mut self, _event: &Event) -> Result<(), SinkError> {
        self.0.wait();
        Ok(())
    }
    fn finished(&mut self, _seq: u64) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Stamped inputs as the head of a pipeline; sometimes the next is not there yet.
struct Repeated {
    inputs: Vec<Event>,
    at: usize,
    delays: Option<Delays>,
}

impl Head for Repeated {
    fn begin_turn(&mut self) {}

    fn admit(&mut self, to: &mut Event, _group: &Group) -> Result<Admitted, IngressError> {
        if self.delays.as_mut().is_some_and(Delays::hits) {
            return Ok(Admitted::Pending);
        }
        let Some(event) = self.inputs.get(self.at) else { return Ok(Admitted::Ended) };
        self.at += 1;
        *to = *event;
        Ok(Admitted::One)
    }

    fn stop(&mut self) {
        self.at = self.inputs.len();
    }

    fn seq(&self) -> u64 {
        self.at.checked_sub(1).map_or(0, |last| self.inputs[last].id.seq())
    }
}

/// What a repetition gave: the events at the end of the pipeline, the state of its stages, and what the pipeline showed.
pub(crate) struct Played {
    pub(crate) events: Vec<Event>,
    pub(crate) state: Vec<u8>,
    pub(crate) meters: Meters,
}

/// A pipeline over stamped inputs.
pub(crate) struct Pipeline<'a> {
    pub(crate) settings: &'a Settings,
    /// Instruments are below this number.
    pub(crate) instruments: u32,
    /// Kinds kept at the end.
    pub(crate) kinds: Kinds,
    /// The listings of the whole run.
    pub(crate) listings: &'a Listings,
}

impl Pipeline<'_> {
    /// The pipeline's stages, built afresh, with where it is cut.
    #[track_caller]
    pub(crate) fn plan(&self) -> Plan {
        let space = self.settings.space(self.instruments);
        let readers = Tail::READS.or(self.kinds);
        let mut plan = Plan::build(self.settings, space, readers).unwrap_or_else(|faults| panic!("{faults}"));
        plan.outcomes = plan.stages.iter().fold(Kinds::NONE, |all, s| all.or(s.stage.emits())).and(self.kinds);
        plan
    }

    /// Runs `inputs` through `plan` on its threads.
    #[track_caller]
    pub(crate) fn play(&self, mut plan: Plan, inputs: &[Event], delays: Option<Delays>) -> Played {
        let (sink, events) = Collect::new(self.kinds);
        let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(sink)];
        if let Some(delays) = delays {
            sinks.push(Box::new(LateSink(delays.at(1))));
            let late = |(p, place): (Planned, u64)| Planned { stage: Box::new(Late(p.stage, delays.at(place))), ..p };
            plan.stages = plan.stages.into_iter().zip(2..).map(late).collect();
        }
        let tail = Tail::new(
            Vec::new(),
            sinks,
            plan.outcomes,
            (self.instruments, &plan.instances, plan.emits()),
            Arc::default(),
        );
        let head = Repeated { inputs: inputs.to_vec(), at: 0, delays };
        let done = run_pipeline(head, plan, tail, &Control::default()).unwrap_or_else(|e| panic!("{e}"));
        let (_, error) = done.tail.finish();
        assert!(error.is_none(), "{error:?}");
        let mut state = StateWriter::new(self.listings);
        done.groups.iter().flat_map(|group| group.stages()).for_each(|stage| stage.save(&mut state));
        let events = std::mem::take(&mut *events.lock().expect("nobody panics with it"));
        Played { events, state: state.into_bytes(), meters: done.meters }
    }
}

impl Played {
    /// The name of the state.
    pub(crate) fn state_hash(&self) -> String {
        blake3::hash(&self.state).to_hex().to_string()
    }
}

//! Stages of analytics and the strategy, one at a time, beside what one would write with the standard collections.
//!
//! A day of the synthetic exchange goes through the pipeline once; what a stage reads of it is kept in the order in which the
//! stage saw it, and fed to the stage alone: 64-byte events one after the other, what it emits is read again. The rival
//! must emit the same, to the bit; of `flow`, `footprint`, `pace`, `profile`, `state`, `breakout`, `legs`, `lvn-alerts`, `patterns`, `venues`, `absorption`, `layering`, `fate` and the indicators there is none. `reading` is the loop without the stage: the events are read and the buffer is
//! prepared, so what a stage costs in a pipeline is the difference to it. Units are trades, tops, bars, or whatever the group's
//! name says; what else the stage reads is in the time.

use benches::naive_momentum::Momentum;
use benches::naive_stages::{Bars, Lean, Naive, SignedVolume, Tally, Toxicity};
use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use flow::records::Pulse;
use flow::{Event, Flags, Kind, Kinds, Out, Params, Sink, SinkError, Stage};
use stages::Space;
use stages::book::BookStage;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tidegate::config::Settings;
use tidegate::run::{Options, execute};

const INSTRUMENTS: u32 = 1 << 10;

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

/// What the pipeline emits in a day of so many messages.
fn day(messages: u64, stages: &str, kinds: Kinds) -> Vec<Event> {
    let mut settings = Settings::default();
    let set = [
        format!("pipeline.stages={stages}"),
        format!("synthetic.messages={messages}"),
        "synthetic.symbols=200".to_owned(),
        "vpin.bucket_qty=1000".to_owned(),
        "imbalance.levels=1".to_owned(),
    ];
    set.iter().for_each(|one| settings.set(one).expect("the assignment is valid"));
    let feed = flow::find(feeds::FEEDS, "synthetic").expect("it is registered");
    let params = settings.feeds[feed.name].clone();
    settings.add_input(feed, Vec::new(), None, params);
    let kept = Arc::default();
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(Keep(kinds, Vec::new(), Arc::clone(&kept)))];
    let options = Options { sinks, ..Options::default() };
    let (_, error) = execute(&settings, options).expect("the day starts");
    assert!(error.is_none(), "{error:?}");
    std::mem::take(&mut *kept.lock().expect("nobody panics with it"))
}

/// A stage, or a measure alone in its stage, with some parameters.
fn built(name: &str, set: &[(&str, &str)]) -> Box<dyn Stage> {
    let [part] = &stages::uncut(|one| one == name)[..] else { panic!("{name} is no stage and no measure") };
    let table = stages::entries().find(|entry| entry.name() == name).expect("it is registered").params();
    let mut params = Params::defaults(table);
    for (key, text) in set {
        let param = table.iter().find(|p| p.name == *key).expect("it is a parameter");
        params.set(param, param.parse(key, text).expect("it is valid"));
    }
    part.build(
        |_| &params,
        &stages::Instances::PLAIN,
        Space { instruments: INSTRUMENTS, fills: 65_536, positions: 16_384 },
    )
    .expect("a valid stage")
}

/// A stage that asks for a pulse gets it as in a pipeline: behind all that the input caused.
fn ours(events: &[Event], mut stage: Box<dyn Stage>) -> Run {
    let (mut out, mut tally) = (Out::new(1, stage.emits()), Tally::default());
    let mut asked: Option<&Event> = None;
    let start = Instant::now();
    for event in events {
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

/// Inputs, each with what the book makes of it, as `fate` and `layering` see them: what stages say to each other is in no day.
fn with_orders(inputs: &[Event]) -> Vec<Event> {
    let table = stages::entries().find(|entry| entry.name() == "book").expect("it is registered").params();
    let space = Space { instruments: INSTRUMENTS, fills: 65_536, positions: 16_384 };
    let mut book = BookStage::new(&Params::defaults(table), space).saying_orders(true).saying_levels(true);
    let (reads, mut out, mut all) = (book.reads(), Out::new(1, book.emits()), Vec::new());
    for input in inputs {
        all.push(*input);
        if reads.has(input.kind) {
            out.begin(input);
            book.on_event(input, &mut out);
            all.extend_from_slice(out.events());
        }
    }
    all
}

fn naively(events: &[Event], mut rival: impl Naive) -> Run {
    let mut tally = Tally::default();
    let start = Instant::now();
    events.iter().for_each(|event| rival.on_event(event, &mut tally));
    Run { time: start.elapsed(), check: tally.0 }
}

/// The loop alone; `check` is what the others agree on.
fn reading(events: &[Event], check: u64) -> Run {
    let mut out = Out::new(1, Kinds::NONE);
    let start = Instant::now();
    for event in events {
        out.begin(event);
        black_box((event.instrument, event.body[0], out.events().len()));
    }
    Run { time: start.elapsed(), check }
}

/// Measures the stage `name` on those of the events that it reads; `unit` is what is counted.
fn measure<N: Naive>(
    report: &mut Report,
    group: &str,
    (name, set): (&str, &[(&str, &str)]),
    day: &[Event],
    unit: Kind,
    rival: impl Fn() -> N,
) {
    let reads = built(name, set).reads();
    let events: Vec<Event> = day.iter().filter(|e| reads.has(e.kind)).copied().collect();
    let units = events.iter().filter(|e| e.kind == unit).count() as u64;
    let check = ours(&events, built(name, set)).check;
    let mut contenders = [
        Contender::new("tidegate", || ours(&events, built(name, set))),
        Contender::new("std collections", || naively(&events, rival())),
        Contender::new("reading", || reading(&events, check)),
    ];
    compare(report, group, units, count(41), &mut contenders);
}

/// Measures a stage on those of the events that it reads, beside the loop alone.
fn cost(report: &mut Report, group: &str, (name, set): (&str, &[(&str, &str)]), day: &[Event], unit: Kind) {
    let reads = built(name, set).reads();
    let events: Vec<Event> = day.iter().filter(|e| reads.has(e.kind)).copied().collect();
    let units = events.iter().filter(|e| e.kind == unit).count() as u64;
    let check = ours(&events, built(name, set)).check;
    let mut contenders = [
        Contender::new("tidegate", || ours(&events, built(name, set))),
        Contender::new("reading", || reading(&events, check)),
    ];
    compare(report, group, units, count(41), &mut contenders);
}

fn main() {
    let mut report = Report::new("stages");
    let report = &mut report;
    let flow = Kinds::of(&[Kind::Listing, Kind::Trade, Kind::Tick, Kind::Bar, Kind::BarFlow]);
    let trades = day(if count(2) > 1 { 3_000_000 } else { 100_000 }, "book,bars", flow);
    measure(report, "cvd, a trade", ("cvd", &[]), &trades, Kind::Trade, SignedVolume::default);
    measure(report, "vpin exact, a trade", ("vpin", &[]), &trades, Kind::Trade, || Toxicity::exact(10_000, 50));
    let bulk: (_, &[_]) = ("vpin", &[("mode", "bulk"), ("bucket_qty", "1000"), ("sigma_bars", "60")]);
    measure(report, "vpin bulk, a bar", bulk, &trades, Kind::Bar, || Toxicity::bulk(1_000, 50, 60, 60));
    cost(report, "flow, a trade", ("flow", &[]), &trades, Kind::Trade);
    cost(report, "footprint, a trade", ("footprint", &[]), &trades, Kind::Trade);
    cost(report, "pace, a trade", ("pace", &[]), &trades, Kind::Trade);
    cost(report, "profile, a trade", ("profile", &[]), &trades, Kind::Trade);
    cost(report, "profile by ticks, a trade", ("profile", &[("row_ticks", "1")]), &trades, Kind::Trade);
    cost(report, "vwap, a trade", ("vwap", &[]), &trades, Kind::Trade);
    cost(report, "patterns, a trade", ("patterns", &[]), &trades, Kind::Trade);
    cost(report, "venues, a trade", ("venues", &[]), &trades, Kind::Trade);
    cost(report, "absorption, a trade", ("absorption", &[]), &trades, Kind::Trade);
    cost(report, "event-bars, a trade", ("event-bars", &[]), &trades, Kind::Trade);
    for of_bars in [
        "average",
        "rsi",
        "macd",
        "atr",
        "bollinger",
        "donchian",
        "pivots",
        "swings",
        "volatility",
        "regime",
        "correlation",
    ] {
        cost(report, &format!("{of_bars}, a bar"), (of_bars, &[]), &trades, Kind::Bar);
    }
    let profiles = Kinds::of(&[Kind::Session, Kind::Profile, Kind::ProfileArea]);
    let told = day(if count(2) > 1 { 600_000 } else { 100_000 }, "book,bars,profile", flow.or(profiles));
    cost(report, "state, a bar", ("state", &[]), &told, Kind::Bar);
    cost(report, "breakout, a bar", ("breakout", &[]), &told, Kind::Bar);
    let said = [Kind::Session, Kind::Flow, Kind::MarketState, Kind::MarketStateNumbers, Kind::Breakout];
    let said = flow.or(Kinds::of(&said)).or(Kinds::of(&[Kind::BreakoutRange]));
    let told = day(if count(2) > 1 { 600_000 } else { 100_000 }, "book,bars,flow,profile,state,breakout", said);
    cost(report, "legs, a trade", ("legs", &[]), &told, Kind::Trade);
    let nodes = [Kind::Session, Kind::Profile, Kind::ProfileNode, Kind::Leg, Kind::LegProfile, Kind::LegNode];
    let told = day(
        if count(2) > 1 { 600_000 } else { 100_000 },
        "book,bars,flow,profile,state,breakout,legs",
        flow.or(Kinds::of(&nodes)),
    );
    cost(report, "lvn-alerts, a trade", ("lvn-alerts", &[]), &told, Kind::Trade);
    measure(report, "bars, a trade", ("bars", &[]), &trades, Kind::Trade, || Bars::new(60));
    let kinds = Kinds::of(&[Kind::BookTop, Kind::Imbalance, Kind::Cvd, Kind::Vpin]);
    let messages = if count(2) > 1 { 600_000 } else { 100_000 };
    let depth = day(messages, "book,bars,cvd,imbalance,vpin", flow.or(kinds));
    // More than the touch is the book's work: the bench `pipeline` has it.
    let touch: &[_] = &[("levels", "1")];
    measure(report, "imbalance 1, a top", ("imbalance", touch), &depth, Kind::BookTop, || Lean);
    let any_time: &[_] = &[("session_start", "00:00"), ("session_end", "24:00")];
    measure(report, "momentum, a trade", ("momentum", any_time), &depth, Kind::Cvd, Momentum::default);
    let orders = [Kind::Add, Kind::Exec, Kind::Cancel, Kind::Delete, Kind::Replace, Kind::Clear];
    let shown = with_orders(&day(messages, "book", flow.or(Kinds::of(&orders))));
    cost(report, "fate, an order", ("fate", &[]), &shown, Kind::Add);
    cost(report, "layering, an order", ("layering", &[]), &shown, Kind::Add);
}

//! Stages of analytics and the strategy, one at a time, beside what one would write with the standard collections.
//!
//! A day of the synthetic exchange goes through the pipeline once; what a stage reads of it is kept in the order in which the
//! stage saw it, and fed to the stage alone: 64-byte events one after the other, what it emits is read again. The rival
//! must emit the same, to the bit; of `flow`, `footprint`, `pace`, `profile`, `state`, `breakout`, `legs`, `lvn-alerts`, `patterns`, `venues`, `absorption`, `layering`, `fate` and the indicators there is none. `reading` is the loop without the stage: the events are read and the buffer is
//! prepared, so what a stage costs in a pipeline is the difference to it. Units are trades, tops, bars, or whatever the group's
//! name says; what else the stage reads is in the time.

use benches::alone::{SPACE, add_input, built, defaults, kept, ours, reading, settings};
use benches::naive_momentum::Momentum;
use benches::naive_stages::{Bars, Lean, Naive, SignedVolume, Tally, Toxicity};
use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use flow::{Event, Kind, Kinds, Out, Stage};
use stages::book::BookStage;
use std::time::Instant;

/// What the pipeline emits in a day of so many messages.
fn day(messages: u64, stages: &str, kinds: Kinds) -> Vec<Event> {
    let (stages, messages) = (format!("pipeline.stages={stages}"), format!("synthetic.messages={messages}"));
    let more = ["synthetic.symbols=200", "vpin.bucket_qty=1000", "imbalance.levels=1"];
    let mut settings = settings(&[&[stages.as_str(), messages.as_str()][..], &more].concat());
    add_input(&mut settings, "synthetic", Vec::new());
    kept(&settings, kinds)
}

/// Inputs, each with what the book makes of it, as `fate` and `layering` see them: what stages say to each other is in no day.
fn with_orders(inputs: &[Event]) -> Vec<Event> {
    let mut book = BookStage::new(&defaults("book"), SPACE).saying_orders(true).saying_levels(true);
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

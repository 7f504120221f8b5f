//! `tidegate bench decode`, `book` and `pipeline`: benchmarks on a file.

use super::output::{Progress, print, ratio, spread, table};
use crate::bench::pipeline::{self, PipelineCost, PipelineError, Variant};
use crate::bench::recording::Wanted;
use crate::bench::stages::{self, Bbo, BookCost, MessageCost, StageError};
use crate::bench::{Recording, RecordingError, Setting, own_cores};
use crate::cli::console;
use crate::cli::exit::{Exit, Failure};
use crate::cli::numbers::{grouped, known};
use crate::cli::pipeline::{PipelineArgs, set_all};
use crate::cli::replay::feed_named;
use crate::config::Settings;
use crate::config::keys::{self, Preset};
use crate::registries::Registries;
use chrono::NaiveDate;
use clap::Args;
use flow::{Selection, Symbols};
use serde::Serialize;
use std::path::PathBuf;

/// The file to measure.
#[derive(Args)]
pub(crate) struct FileArgs {
    /// File; the feed is recognised by its first bytes, compressed files are decompressed.
    file: PathBuf,
    /// Feed of the file; recognised by the first bytes if left out.
    #[arg(long)]
    feed: Option<String>,
    /// Trading date, for feeds whose times count from midnight.
    #[arg(long, value_parser = feeds::reader::date::parse)]
    date: Option<NaiveDate>,
    /// Most MiB of uncompressed bytes to read; they are held in memory twice.
    #[arg(long, default_value_t = 1_024, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    mib: u64,
    /// Number of rounds.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

impl FileArgs {
    fn read(&self, registries: &Registries) -> Result<Recording, Failure> {
        let feed = self.feed.as_deref().map(|name| feed_named(name, registries)).transpose()?;
        let known = registries.feeds().to_vec();
        let wanted = Wanted { path: self.file.clone(), feed, known, date: self.date, most: self.mib << 20 };
        let recording = Recording::read(&wanted)?;
        if !recording.is_whole() {
            console::say(format!(
                "measuring the first {} MiB of {}; --mib sets the amount",
                self.mib,
                self.file.display()
            ));
        }
        Ok(recording)
    }

    fn progress(&self, recording: &Recording, what: &str, of_a_round: u64) -> Progress {
        let (file, bytes) = (recording.path().display(), grouped(recording.bytes()));
        let text = format!("{what}: {} rounds over {file}, {} ({bytes} bytes)", self.rounds, recording.feed().name);
        Progress::new(&text, u64::from(self.rounds) * of_a_round)
    }
}

impl From<RecordingError> for Failure {
    fn from(error: RecordingError) -> Failure {
        Failure::failed(error)
    }
}

impl From<StageError> for Failure {
    fn from(error: StageError) -> Failure {
        Failure::failed(error)
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Failure {
        match error {
            PipelineError::Run(error) => error.into(),
            other => Failure::failed(other),
        }
    }
}

/// The data in a result.
#[derive(Serialize)]
struct On {
    file: String,
    feed: &'static str,
    bytes: u64,
    whole: bool,
    rounds: u32,
}

impl On {
    fn of(recording: &Recording, rounds: u32) -> On {
        let name = recording.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (feed, bytes, whole) = (recording.feed().name, recording.bytes(), recording.is_whole());
        On { file: name, feed, bytes, whole, rounds }
    }
}

/// Options of `bench decode`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate bench decode 01302020.NASDAQ_ITCH50.gz --mib 512\n  \
    tidegate synth --out day.itch --messages 5000000 && tidegate bench decode day.itch --json")]
pub(crate) struct DecodeArgs {
    #[command(flatten)]
    file: FileArgs,
    /// Measure a decoder that needs only these symbols too, comma-separated.
    #[arg(long, value_delimiter = ',')]
    symbols: Vec<String>,
}

#[derive(Serialize)]
struct DecodeResult {
    #[serde(flatten)]
    setting: Setting,
    #[serde(flatten)]
    on: On,
    #[serde(flatten)]
    cost: MessageCost,
    mb_per_s: f64,
    /// With only some symbols; null if none are named.
    of_symbols: Option<MessageCost>,
}

fn costs(name: &str, c: &MessageCost) -> Vec<String> {
    let cost = spread(c.ns_per_message, c.ns_per_message_low, c.ns_per_message_high);
    vec![name.to_owned(), grouped(c.messages), grouped(c.inputs), cost, format!("{:.1}", c.least_ns_per_message)]
}

const COSTS: [&str; 5] = ["", "messages", "inputs", "ns/message", "least"];

pub(super) fn decode(args: &DecodeArgs, registries: &Registries) -> Result<Exit, Failure> {
    let setting = Setting::begin("decode");
    let recording = args.file.read(registries)?;
    let symbols: Symbols = args.symbols.iter().cloned().collect();
    let selection = (!symbols.is_empty()).then_some(Selection { symbols: Some(symbols), shard: None });
    let progress = args.file.progress(&recording, "decode", 1 + selection.iter().len() as u64);
    let measured = stages::decoding(&recording, selection.as_slice(), args.file.rounds as usize, || progress.step())?;
    drop(progress);
    let (cost, of_symbols) = (measured[0], measured.get(1).copied());
    let some = of_symbols.iter().map(|cost| costs(&format!("{} symbols", args.symbols.len()), cost));
    let table = table(&COSTS, &std::iter::once(costs("decode", &cost)).chain(some).collect::<Vec<_>>());
    let seconds = cost.ns_per_message * cost.messages as f64 / 1e9;
    let mb_per_s = (recording.bytes() as f64 / 1e6 / seconds).round();
    let on = On::of(&recording, args.file.rounds);
    let result = DecodeResult { setting: setting.end(), on, cost, mb_per_s, of_symbols };
    print(args.file.json, &result, &result.setting, &table)
}

/// Options of `bench book`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate bench book 01302020.NASDAQ_ITCH50.gz --symbol AAPL,MSFT\n  \
    tidegate bench book day.itch --set book.max_orders=4000000 --json")]
pub(crate) struct BookArgs {
    #[command(flatten)]
    file: FileArgs,
    /// Symbols whose best prices are printed; the busiest if left out.
    #[arg(long, value_delimiter = ',')]
    symbol: Vec<String>,
    /// Set any parameter of the book: book.name=value.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Serialize)]
struct BookResult {
    #[serde(flatten)]
    setting: Setting,
    #[serde(flatten)]
    on: On,
    #[serde(flatten)]
    book: BookCost,
}

pub(super) fn book(args: &BookArgs, registries: &Registries) -> Result<Exit, Failure> {
    let mut settings = Settings::default();
    set_all(&mut settings, args.set.iter().cloned())?;
    let setting = Setting::begin("book");
    let recording = args.file.read(registries)?;
    let progress = args.file.progress(&recording, "decode and book", 2);
    let rounds = args.file.rounds as usize;
    let book = stages::book(&recording, &settings.stages["book"], &args.symbol, rounds, || progress.step())?;
    drop(progress);
    if let Some(unknown) = args.symbol.iter().find(|s| !book.bbo.iter().any(|b| b.symbol == **s)) {
        return Err(Failure::usage(format!("--symbol {unknown}: the file has no such symbol")));
    }
    let text = book_table(&book);
    let on = On::of(&recording, args.file.rounds);
    let result = BookResult { setting: setting.end(), on, book };
    print(args.file.json, &result, &result.setting, &text)
}

fn book_table(book: &BookCost) -> String {
    let mut text = table(&COSTS, &[costs("decode and book", &book.cost)]);
    let s = &book.single;
    text += &format!("decoding alone {:.1} ns/message\n\n", book.decode_ns_per_message);
    let times = [s.p50_ns, s.p90_ns, s.p99_ns, s.p999_ns, s.p9999_ns, s.max_ns].map(grouped);
    let row = std::iter::once("one input, ns".to_owned()).chain(times).collect();
    text += &table(&["", "p50", "p90", "p99", "p99.9", "p99.99", "max"], &[row]);
    text += &format!("of that, two clock readings: {:.1} ns\n\n", s.clock_ns);
    let side = |px: &Option<String>, qty| px.as_ref().map_or("-".to_owned(), |px| format!("{px} x {qty}"));
    let row = |b: &Bbo| vec![b.symbol.clone(), side(&b.bid_px, b.bid_qty), side(&b.ask_px, b.ask_qty)];
    text += &table(&["at the end", "bid", "ask"], &book.bbo.iter().map(row).collect::<Vec<_>>());
    let (orders, levels) = (grouped(book.live_orders as u64), grouped(book.live_levels as u64));
    text + &format!("{orders} orders at {levels} prices, state {}\n\n", &book.state_hash[..32])
}

/// Options of `bench pipeline`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate bench pipeline 01302020.NASDAQ_ITCH50.gz --mib 512\n  \
    tidegate bench pipeline day.itch --set pipeline.stages=book,bars,cvd,imbalance,vpin --json")]
pub(crate) struct PipelineBenchArgs {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

#[derive(Serialize)]
struct PipelineResult {
    #[serde(flatten)]
    setting: Setting,
    #[serde(flatten)]
    on: On,
    stages: Vec<String>,
    events: u64,
    events_per_s: f64,
    ns_per_event: f64,
    ns_per_event_low: f64,
    ns_per_event_high: f64,
    allocations: Option<u64>,
    outcome_hash: String,
    pipelines: Vec<PipelineCost>,
}

/// The requested pipeline; by default the fused one and, if there is a core for each group, the split one.
fn variants(args: &PipelineArgs) -> Result<Vec<Variant>, Failure> {
    let asked = args.apply(Settings::default())?;
    let stages = asked.pipeline.get(keys::STAGES).len();
    let preset = asked.pipeline.get(keys::PRESET);
    let named = |preset: &str, groups: usize| {
        let mut settings = asked.clone();
        let cores = own_cores(groups).iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let pinned = (asked.pipeline.get(keys::CORES).is_empty() && !cores.is_empty())
            .then(|| format!("pipeline.cores={cores}"));
        set_all(&mut settings, [format!("pipeline.preset={preset}")].into_iter().chain(pinned))?;
        Ok::<_, Failure>(Variant { name: preset.to_owned(), settings })
    };
    let mut variants = vec![named("fused", 1)?];
    if preset == Preset::Cuts {
        variants.push(Variant { name: "cuts".to_owned(), settings: asked });
    } else if (2..=ring::thread::cores().len()).contains(&stages) || preset == Preset::Split {
        variants.push(named("split", stages)?);
    }
    Ok(variants)
}

pub(super) fn pipeline(args: &PipelineBenchArgs, registries: &Registries) -> Result<Exit, Failure> {
    let variants = variants(&args.pipeline)?;
    let setting = Setting::begin("pipeline");
    let recording = args.file.read(registries)?;
    let progress = args.file.progress(&recording, "pipeline", variants.len() as u64);
    let pipelines = pipeline::measure(&recording, &variants, args.file.rounds as usize, || progress.step())?;
    drop(progress);
    let row = |l: &PipelineCost| {
        vec![
            l.name.clone(),
            grouped(l.events_per_s as u64),
            spread(l.ns_per_event, l.ns_per_event_low, l.ns_per_event_high),
            format!("{:.1}", l.least_ns_per_event),
            ratio(l.ratio, l.ratio_low, l.ratio_high),
            known(l.allocations),
        ]
    };
    let heading = ["pipeline", "events/s", "ns/event", "least", "ratio", "allocs"];
    let mut text = format!("{} events\n", grouped(pipelines[0].events));
    text += &table(&heading, &pipelines.iter().map(row).collect::<Vec<_>>());
    for pipeline in &pipelines {
        text += &format!("{}: {}\n", pipeline.name, pipeline.groups.join(" | "));
    }
    text += "allocs: allocations of all threads after the last input that names an instrument\n\n";
    let first = pipelines[0].clone();
    let result = PipelineResult {
        setting: setting.end(),
        on: On::of(&recording, args.file.rounds),
        stages: variants[0].settings.pipeline.get(keys::STAGES).to_vec(),
        events: first.events,
        events_per_s: first.events_per_s,
        ns_per_event: first.ns_per_event,
        ns_per_event_low: first.ns_per_event_low,
        ns_per_event_high: first.ns_per_event_high,
        allocations: first.allocations,
        outcome_hash: first.outcome_hash,
        pipelines,
    };
    print(args.file.json, &result, &result.setting, &text)
}

//! `tidegate discover`: learns from recorded days what a configuration should say, and writes it as a file to include.

use super::console;
use super::exit::{Exit, Failure};
use super::numbers::{UNKNOWN, grouped};
use super::pipeline::PipelineArgs;
use super::replay::{Inputs, add_inputs};
use super::screen::{INDENT, wrapped};
use super::table::{Align, Cell, Tone, column, table};
use super::target::{NewFile, may_write};
use super::watch::Watch;
use crate::config::{Draft, Settings};
use crate::discover::{About, Kept, LearnSink, Learned, OneSymbol, Rules, STAGES, learn, toml};
use crate::recovery::Notices;
use crate::registries::Registries;
use crate::report::Report;
use crate::run::{Options, Preflight, execute};
use chrono::NaiveDate;
use clap::Args;
use feeds::reader::date;
use flow::{Interval, Symbols, Value};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Options of `discover`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tidegate discover --input week/*_1min.csv --out learned.toml\n  \
    tidegate discover --input day.itch --symbols AAPL,MSFT    prints the file\n\n\
    A configuration takes what was learned by its first line:\n  \
    include = [\"learned.toml\"]")]
pub(crate) struct DiscoverArgs {
    /// Files, each one input (those of lean or csv are one together, and with --feed those of lobster); - is standard input.
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    input: Vec<PathBuf>,
    /// File to write; if left out, it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Overwrite the file if it exists.
    #[arg(long)]
    force: bool,
    /// Only these symbols; if left out, all that the input has.
    #[arg(long, value_delimiter = ',', value_name = "SYMBOLS")]
    symbols: Vec<String>,
    /// Feed of the inputs; recognised by the first bytes if left out.
    #[arg(long)]
    feed: Option<String>,
    /// Trading date in the exchange's time zone, YYYY-MM-DD, for feeds whose times count from midnight.
    #[arg(long, value_parser = date::parse)]
    date: Option<NaiveDate>,
    /// Length of the bars that it learns from.
    #[arg(long, default_value = "1m", value_name = "LENGTH")]
    interval: String,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

pub(crate) fn run(args: &DiscoverArgs, registries: &Registries) -> Result<Exit, Failure> {
    args.out.as_ref().map_or(Ok(()), |out| may_write(out, args.force))?;
    let interval =
        args.interval.parse::<Interval>().map_err(|e| Failure::usage(format!("--interval {}: {e}", args.interval)))?;
    let watch = Watch::start(None, true)?;
    let settings = settings(args, registries, &watch.control().stop)?;
    let kept: Kept = Arc::new(OnceLock::new());
    let options = Options {
        sinks: vec![Box::new(LearnSink::new(interval.seconds(), Arc::clone(&kept)))],
        control: watch.control().clone(),
        notices: Notices(console::say),
        ..Options::default()
    };
    let (report, error) = execute(&settings, options)?;
    watch.end();
    if let Some(error) = error {
        return Err(error.into());
    }
    // The sink, which shared it, has gone with the run.
    let gathered = Arc::into_inner(kept).and_then(OnceLock::into_inner).filter(|_| !report.stopped);
    let gathered = gathered.ok_or_else(|| Failure::failed("stopped: nothing is learned from a part of the input"))?;
    let warnings = report.inputs.iter().flat_map(|input| &input.warnings);
    warnings.for_each(|warning| console::say(format!("warning: {warning}")));
    let began = Instant::now();
    let rules = Rules { interval, bars: regime_bars(&settings) };
    let learned = learn(&gathered, rules);
    let took = began.elapsed();
    is_something(args, &learned, &report)?;
    let inputs = args.input.iter().map(|path| path.display().to_string()).collect();
    let text = toml(&learned, &About { inputs, version: env!("CARGO_PKG_VERSION") }, rules);
    write(args, &text)?;
    console::show(summary(&learned, &report, took));
    Ok(Exit::Done)
}

/// The settings of the run: what makes bars, and what the command line says of that.
fn settings(args: &DiscoverArgs, registries: &Registries, stop: &AtomicBool) -> Result<Settings, Failure> {
    if let Some(folder) = args.input.iter().find(|path| path.is_dir()) {
        return Err(Failure::usage(format!("{} is a folder; name the files in it", folder.display())));
    }
    let mut draft = Draft::from(Settings::of(registries.clone()));
    draft.set("discover", &format!("pipeline.stages={STAGES}"));
    draft.set("--interval", &format!("bars.intervals={}", args.interval));
    let mut draft = args.pipeline.applied(draft);
    let inputs = Inputs { files: &args.input, feed: args.feed.as_deref(), date: args.date };
    add_inputs(inputs, &mut draft.settings, stop)?;
    if !args.symbols.is_empty() {
        draft.settings.watch_only(&args.symbols.iter().cloned().collect::<Symbols>());
    }
    Ok(Preflight::of_draft(draft)?.0)
}

/// Returns of a value of realised volatility, as the measure that will compare it has them.
fn regime_bars(settings: &Settings) -> usize {
    match settings.stages["regime"].value("bars") {
        Some(Value::Int(bars)) => *bars as usize,
        _ => 0,
    }
}

/// Refuses what would be a file without a number, and two instruments of one name.
fn is_something(args: &DiscoverArgs, learned: &Learned, report: &Report) -> Result<(), Failure> {
    let names: BTreeSet<&str> = learned.symbols.iter().map(|one| one.symbol.as_str()).collect();
    let missing: Vec<_> = args.symbols.iter().filter(|symbol| !report.listed.contains(symbol)).cloned().collect();
    if !missing.is_empty() {
        return Err(Failure::usage(format!("--symbols {}: the input has no such symbol", missing.join(","))));
    }
    if names.is_empty() {
        let what = "the input has no bar of it and no trade that makes one";
        return Err(Failure::usage(format!(
            "--interval {}: {what}; give another length, or other files",
            args.interval
        )));
    }
    let twice = learned.symbols.windows(2).find(|two| two[0].symbol == two[1].symbol);
    if let Some([one, _]) = twice {
        let what = "is listed by several venues, and a configuration has one value for a symbol";
        return Err(Failure::usage(format!("{} {what}; give the input of one venue, or other --symbols", one.symbol)));
    }
    let knows = |one: &OneSymbol| one.bucket.is_ok() || one.limits.is_ok() || one.look_back.is_ok();
    if learned.symbols.iter().any(knows) {
        return Ok(());
    }
    let one = &learned.symbols[0];
    let why = [one.bucket.as_ref().err(), one.limits.as_ref().err(), one.look_back.as_ref().err()];
    let why = why.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("; ");
    Err(Failure::usage(format!("too little to learn from: {}: {why}. Give more days, or shorter bars", one.symbol)))
}

/// Writes the file, which appears under its name when it is whole, or prints it.
fn write(args: &DiscoverArgs, text: &str) -> Result<(), Failure> {
    let Some(out) = &args.out else {
        let printed = std::io::stdout().write_all(text.as_bytes());
        return printed.map_err(|e| Failure::failed(format!("standard output: {e}")));
    };
    let failed = |e: std::io::Error| {
        Failure::failed(format!("{}: {e}; choose another folder or free some space", out.display()))
    };
    let mut file = NewFile::beside(out).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.publish(args.force).map_err(failed)?;
    console::say(format!("{}: write include = [\"{}\"] above a configuration's sections", out.display(), name(out)));
    Ok(())
}

fn name(out: &Path) -> String {
    out.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn summary(learned: &Learned, report: &Report, took: Duration) -> String {
    /// How many symbols a screen has room for.
    const SHOWN: usize = 14;
    let columns = [
        column("symbol", Align::Left),
        column("bars", Align::Right),
        column("days", Align::Right).spare(),
        column("bucket", Align::Right),
        column("low", Align::Point),
        column("high", Align::Point),
        column("look-back", Align::Right),
    ];
    let row = |one: &OneSymbol| {
        let known = |text: Option<String>| Cell::from(text.unwrap_or_else(|| UNKNOWN.to_owned()));
        let limits = one.limits.as_ref().ok();
        let raised = one.bucket.as_ref().is_ok_and(|bucket| bucket.qty > bucket.of_day);
        let bucket = one.bucket.as_ref().map_or_else(|_| UNKNOWN.to_owned(), |bucket| grouped(bucket.qty));
        vec![
            one.symbol.clone().into(),
            grouped(one.bars as u64).into(),
            one.dates.len().to_string().into(),
            Cell::new(bucket, if raised { Tone::Notice } else { Tone::Plain }),
            known(limits.map(|limits| format!("{:.6}", limits.low))),
            known(limits.map(|limits| format!("{:.6}", limits.high))),
            known(one.look_back.as_ref().ok().and_then(|found| Some(found.lags.last()?.0.to_string()))),
        ]
    };
    let rows: Vec<_> = learned.symbols.iter().take(SHOWN).map(row).collect();
    let mut text = table(&columns, &rows);
    let more = learned.symbols.len().saturating_sub(SHOWN);
    if more > 0 {
        text += &format!("and {more} more\n");
    }
    for one in &learned.symbols {
        let raised = one.bucket.as_ref().ok().filter(|bucket| bucket.qty > bucket.of_day);
        if let (Some(bucket), Some(median)) = (raised, raised.and_then(|bucket| bucket.median)) {
            let (of_day, qty) = (grouped(bucket.of_day), grouped(bucket.qty));
            let what = format!("the median trade is {}, so the bucket is {qty} and not {of_day}", grouped(median));
            text += &format!("{}\n", wrapped(&format!("warning   {}: {what}", one.symbol), INDENT));
        }
    }
    let (symbols, pairs) = (learned.symbols.len(), learned.correlations.pairs.len());
    let took = took.as_secs_f64() * 1e3;
    text + &wrapped(
        &format!(
            "learned   {symbols} symbols and {pairs} correlations in {took:.1} ms, behind {:.1} ms of reading",
            report.seconds * 1e3
        ),
        INDENT,
    )
}

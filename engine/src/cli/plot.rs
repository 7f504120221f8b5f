//! `tidegate plot`: the day of one instrument as a page.

use super::console;
use super::exit::{Exit, Failure};
use super::numbers::grouped;
use super::pipeline::PipelineArgs;
use super::replay::{Inputs, add_inputs, draft_of};
use super::target::{NewFile, may_write};
use super::watch::Watch;
use crate::config::{Draft, Settings, nearest};
use crate::plan::checked;
use crate::plot::{Day, DaySink, Imbalance, Kept, STAGES, first};
use crate::recovery::Notices;
use crate::registries::Registries;
use crate::report::Report;
use crate::run::{Options, Preflight, execute};
use chrono::NaiveDate;
use clap::Args;
use feeds::reader::date;
use flow::{Interval, Value};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

/// Options of `plot`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tidegate plot day.itch --symbol AAPL --out day.html\n  \
    tidegate plot 20131007_trade.zip 20131008_trade.zip --out spy.html    two days\n  \
    tidegate plot run1 --symbol AAPL --out day.html --interval 5m        a journal\n\n\
    day.html#10:30 opens at the footprint of that time, day.html#10:30-11:30 with\n\
    what lies between.")]
pub(crate) struct PlotArgs {
    /// Files, each one input (those of lean or csv are one together, and with --feed those of lobster), or the folder of a journal; - is standard input.
    #[arg(required = true)]
    input: Vec<PathBuf>,
    /// The symbol; may be left out where the input has only one.
    #[arg(long)]
    symbol: Option<String>,
    /// Page to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Overwrite the page if it exists.
    #[arg(long)]
    force: bool,
    /// Feed of the inputs; recognised by the first bytes if left out.
    #[arg(long)]
    feed: Option<String>,
    /// Trading date in the exchange's time zone, YYYY-MM-DD, for feeds whose times count from midnight.
    #[arg(long, value_parser = date::parse)]
    date: Option<NaiveDate>,
    /// Length of the bars, and of what is measured by bars.
    #[arg(long, default_value = "1m", value_name = "LENGTH")]
    interval: String,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

pub(crate) fn run(args: &PlotArgs, registries: &Registries) -> Result<Exit, Failure> {
    may_write(&args.out, args.force)?;
    let interval =
        args.interval.parse::<Interval>().map_err(|e| Failure::usage(format!("--interval {}: {e}", args.interval)))?;
    let watch = Watch::start(None, true)?;
    let recorded = recorded(args)?;
    let settings = settings(args, recorded, registries, &watch.control().stop)?;
    let kept = Kept::default();
    let sink = DaySink::new(args.symbol.clone(), interval.seconds(), Arc::clone(&kept));
    let options = Options {
        sinks: vec![Box::new(sink)],
        recorded: recorded.map(Path::to_owned),
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
    let day = match Arc::into_inner(kept).and_then(OnceLock::into_inner) {
        Some(Err(refusal)) => return Err(Failure::usage(refusal)),
        Some(Ok(day)) if !report.stopped => day,
        _ => return Err(Failure::failed(format!("stopped: {} is not written", args.out.display()))),
    };
    let warnings = report.inputs.iter().flat_map(|input| &input.warnings);
    warnings.for_each(|warning| console::say(format!("warning: {warning}")));
    write(args, &page(&day, args, &settings, &report)?)
}

/// The settings of the run: the stages that a page shows, the inputs, the symbol, and what the command line says of all that.
fn settings(
    args: &PlotArgs,
    recorded: Option<&Path>,
    registries: &Registries,
    stop: &AtomicBool,
) -> Result<Settings, Failure> {
    let fresh = || Ok(Draft::from(Settings::of(registries.clone())));
    let mut draft = recorded.map_or_else(fresh, |dir| draft_of(dir, registries))?;
    draft.set("plot", &format!("pipeline.stages={}", STAGES.join(",")));
    draft.set("--interval", &format!("bars.intervals={}", args.interval));
    let by_bars = stages::entries()
        .filter(|entry| STAGES.contains(&entry.name()) && entry.params().iter().any(|param| param.name == "interval"));
    by_bars.for_each(|entry| draft.set("--interval", &format!("{}.interval={}", entry.name(), args.interval)));
    let mut draft = args.pipeline.applied(draft);
    if recorded.is_some() {
        return Ok(checked(draft)?);
    }
    let inputs = Inputs { files: &args.input, feed: args.feed.as_deref(), date: args.date };
    add_inputs(inputs, &mut draft.settings, stop)?;
    if let Some(symbol) = &args.symbol {
        draft.settings.watch_only(&[symbol.clone()].into());
    }
    Ok(Preflight::of_draft(draft)?.0)
}

/// The journal whose inputs are run again, if the input is one.
fn recorded(args: &PlotArgs) -> Result<Option<&Path>, Failure> {
    let folder = args.input.iter().find(|path| path.is_dir());
    match folder {
        Some(folder) if args.input.len() > 1 || args.feed.is_some() || args.date.is_some() => {
            let what = "the folder of a journal is an input by itself, without other files, --feed and --date";
            Err(Failure::usage(format!("{}: {what}", folder.display())))
        }
        folder => Ok(folder.map(PathBuf::as_path)),
    }
}

/// The page of a day, if there is anything on it.
fn page(day: &Day, args: &PlotArgs, settings: &Settings, report: &Report) -> Result<String, Failure> {
    let Some(listed) = &day.listed else {
        return Err(unknown(args.symbol.as_deref(), report));
    };
    if !day.has_bars() {
        let what = format!("the input has no bar of {}: nothing of it traded", listed.symbol);
        return Err(Failure::usage(format!("{what}; name another symbol, or give another day")));
    }
    let of_footprint = |name: &str| settings.stages["footprint"].value(name);
    let number = |name: &str| match of_footprint(name) {
        Some(Value::Float(number)) => *number,
        Some(Value::Int(number)) => *number as f64,
        _ => 0.0,
    };
    let imbalance = Imbalance { ratio: number("ratio"), least_part: number("least_part") };
    Ok(day.page(imbalance, number("row_ticks").max(1.0) as u64))
}

/// The input does not have the symbol, or has none at all.
fn unknown(symbol: Option<&str>, report: &Report) -> Failure {
    let known: Vec<String> = report.listed.iter().chain(&report.unwatched).cloned().collect();
    let Some(symbol) = symbol.filter(|_| !known.is_empty()) else {
        return Failure::usage("the input lists no instrument; is it the right file?");
    };
    let meant = nearest(symbol, known.iter().map(String::as_str));
    let meant = meant.map_or_else(String::new, |name| format!("; did you mean {name}"));
    Failure::usage(format!("--symbol {symbol}: the input has no such symbol{meant}; it has {}", first(&known)))
}

/// Writes the page: it appears under its name when it is whole.
fn write(args: &PlotArgs, page: &str) -> Result<Exit, Failure> {
    let failed = |e: std::io::Error| {
        Failure::failed(format!("{}: {e}; choose another folder or free some space", args.out.display()))
    };
    let mut file = NewFile::beside(&args.out).map_err(failed)?;
    file.write_all(page.as_bytes()).map_err(failed)?;
    let bytes = file.publish(args.force).map_err(failed)?;
    console::say(format!("{}: {} bytes; open it in a browser", args.out.display(), grouped(bytes)));
    Ok(Exit::Done)
}

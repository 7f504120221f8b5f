//! `tidegate bench tick-to-order`.

use super::load::{self, LoadArgs};
use super::output::{headed, print, stalled, table, times};
use crate::bench::open_loop::{Burst, TickToOrder, hgrm, measure, page, settings};
use crate::bench::own_cores;
use crate::cli::console;
use crate::cli::exit::{Exit, Failure};
use crate::cli::numbers::grouped;
use crate::cli::pipeline::{PipelineArgs, set_all};
use crate::cli::target::{create, may_write};
use crate::cli::watch::Watch;
use crate::config::keys::{self, Preset};
use clap::Args;
use serde::Serialize;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Options of `bench tick-to-order`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate bench tick-to-order\n  \
    tidegate bench tick-to-order --rate 2M --seconds 10 --burst 10x,200ms --burst 5x,1s@6s --out report\n  \
    tidegate bench tick-to-order --sweep --cut orders --json\n\
    The strategy `random` sends orders often enough to keep the path warm; one in 10,000 messages is measured too.")]
pub(crate) struct TickArgs {
    #[command(flatten)]
    load: LoadArgs,
    /// Burst at a multiple of the rate: 10x,1s or 5x,20ms@3s; repeatable.
    #[arg(long)]
    burst: Vec<Burst>,
    /// Raise the rate step by step until the pipeline is saturated.
    #[arg(long)]
    sweep: bool,
    /// Cut the pipeline before these stages; `tail` is a valid name too.
    #[arg(long, value_name = "STAGES")]
    cut: Option<String>,
    /// Keep a journal of the measured run in this new folder: every order is then stored before it leaves.
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Folder for tick-to-order.hgrm, .html and .json.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite these files if they exist.
    #[arg(long)]
    force: bool,
    /// Print one JSON object instead of the tables.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

#[derive(Serialize)]
struct TickResult<'a> {
    #[serde(flatten)]
    result: &'a TickToOrder,
    files: Vec<String>,
}

pub(super) fn run(args: &TickArgs) -> Result<Exit, Failure> {
    let mut settings = settings();
    let cut = args.cut.iter().flat_map(|cuts| ["pipeline.preset=cuts".to_owned(), format!("pipeline.cuts={cuts}")]);
    set_all(&mut settings, cut)?;
    let mut settings = args.pipeline.apply(settings)?;
    if settings.pipeline.get(keys::CORES).is_empty() && settings.pipeline.get(keys::PRESET) == Preset::Fused {
        set_all(&mut settings, own_cores(1).iter().map(|core| format!("pipeline.cores={core}")))?;
    }
    settings.journal_dir.clone_from(&args.journal);
    let load = args.load.load(args.burst.clone());
    let count = load::count(&load, args.sweep)?;
    if let Some(out) = &args.out {
        fs::create_dir_all(out).map_err(|e| unwritten(out, &e))?;
        FILES.iter().try_for_each(|kind| may_write(&named(out, kind), args.force))?;
    }
    let watch = Watch::start(Some(count), true)?;
    let mut day = load::day(&load, count)?;
    let mut progress = |next: &str| console::say(format!("measuring {next}"));
    let result = measure(&load, &mut day, &settings, args.sweep, &watch.control().stop, &mut progress)?;
    let files = args.out.as_deref().map_or(Ok(Vec::new()), |out| written(out, args.force, &result))?;
    let text = shown(&result, &files);
    print(args.json, &TickResult { result: &result, files }, &result.setting, &text)
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("{}: {error}; choose another folder with --out", path.display()))
}

/// The files that are written, by their ending.
const FILES: [&str; 3] = ["hgrm", "html", "json"];

fn named(out: &Path, kind: &str) -> PathBuf {
    out.join(format!("tick-to-order.{kind}"))
}

/// Writes the files into the folder and returns their paths.
fn written(out: &Path, force: bool, result: &TickToOrder) -> Result<Vec<String>, Failure> {
    let json = serde_json::to_string_pretty(result).expect("a result is plain values");
    let texts = [hgrm(&result.distributions.all), page(result), json + "\n"];
    let write = |(kind, text): (&str, String)| {
        let path = named(out, kind);
        create(&path, force).and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| unwritten(&path, &e))?;
        Ok(path.display().to_string())
    };
    FILES.into_iter().zip(texts).map(write).collect()
}

fn shown(r: &TickToOrder, files: &[String]) -> String {
    let mut text = format!(
        "{} messages at {} messages/s, {} taken/s; an order every {:.0} messages, {} refused\npipeline {}\n\n",
        grouped(r.messages),
        grouped(r.rate as u64),
        grouped(r.achieved_per_s as u64),
        r.messages_per_order,
        grouped(r.refused),
        r.groups.join(" | ")
    );
    let apart = if r.bursts.is_empty() { "" } else { " outside bursts" };
    let mut rows = vec![times(format!("tick to order{apart}"), &r.tick_to_order.times)];
    rows.extend(r.wait.iter().map(|p| times("  intended to taken".to_owned(), p)));
    rows.extend(r.work.iter().map(|p| times("  taken to bytes".to_owned(), p)));
    rows.extend(r.market.iter().map(|p| times("    taken to book or trade".to_owned(), p)));
    rows.extend(r.decision.iter().map(|p| times("    from there to bytes".to_owned(), p)));
    text += &table(&headed("ns"), &rows);
    if let Some(rare) = &r.rare {
        let every = format!("\nan order every {} messages\n", grouped(rare.messages_per_order as u64));
        let mut rows = vec![times("tick to order".to_owned(), &rare.tick_to_order.times)];
        rows.extend(rare.market.iter().map(|p| times("    taken to book or trade".to_owned(), p)));
        rows.extend(rare.decision.iter().map(|p| times("    from there to bytes".to_owned(), p)));
        text += &every;
        text += &table(&headed("ns"), &rows);
    }
    let stages: Vec<_> = r.stages.iter().map(|s| times(s.name.clone(), &s.times)).collect();
    text += "\n";
    text += &table(&headed("stages, ns"), &stages);
    text += &format!("each includes a clock reading: {:.1} ns\n\n", r.clock_ns);
    for burst in &r.bursts {
        let verdict = if burst.kept_up { "kept up" } else { "fell behind" };
        text += &format!(
            "burst {}x at {} s for {} s: {verdict}, at most {} messages behind, drained after {} ms\n",
            burst.factor,
            burst.start_s,
            burst.seconds,
            grouped(burst.max_behind),
            burst.drain_ms
        );
    }
    if !r.bursts.is_empty() {
        let name = |b: &crate::bench::open_loop::BurstResult| format!("burst {}x at {} s", b.factor, b.start_s);
        let rows: Vec<_> = r.bursts.iter().map(|b| times(name(b), &b.times)).collect();
        text += &table(&headed("ns"), &rows);
        text += "\n";
    }
    if !r.sweep.is_empty() {
        text += &sweep(r);
    }
    text += &stalled(&r.stalls);
    files.iter().for_each(|file| text += &format!("wrote {file}\n"));
    text
}

fn sweep(r: &TickToOrder) -> String {
    let row = |s: &crate::bench::open_loop::Step| {
        let state = if s.saturated { "saturated" } else { "" };
        let behind = grouped(s.max_behind);
        let rates = [s.offered_per_s, s.achieved_per_s].map(|r| grouped(r as u64));
        let times = [s.times.p50_ns, s.times.p99_ns, s.times.max_ns].map(grouped);
        let mut row: Vec<String> = rates.into_iter().chain(times).collect();
        row.extend([behind, state.to_owned()]);
        row
    };
    let rows: Vec<_> = r.sweep.iter().map(row).collect();
    table(&["offered/s", "achieved/s", "p50 ns", "p99 ns", "max ns", "behind", ""], &rows) + "\n"
}

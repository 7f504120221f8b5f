//! `tidegate demo`: runs the synthetic exchange through the whole pipeline.

use super::console;
use super::exit::{Exit, Failure};
use super::pipeline::{PipelineArgs, set_all};
use super::present::{self, Shown};
use super::rows::RowArgs;
use super::watch::Watch;
use crate::config::Settings;
use crate::registries::Registries;
use crate::run::{Options, execute};
use clap::Args;

/// Stages of the demo: from market data to orders.
const WHOLE_PIPELINE: [&str; 9] = ["book", "bars", "cvd", "imbalance", "vpin", "momentum", "orders", "risk", "router"];

/// Options of `demo`.
#[derive(Args)]
#[command(after_help = "Example: tidegate demo --events 5000000 --seed 7 --preset split --json")]
pub(crate) struct DemoArgs {
    /// Seed of the synthetic exchange: the same seed gives the same outcomes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Messages that the synthetic exchange sends.
    #[arg(long, default_value_t = 2_000_000)]
    events: u64,
    /// Symbols that the synthetic exchange lists.
    #[arg(long, default_value_t = 200)]
    symbols: u64,
    /// Kinds to print as rows, comma-separated; `tidegate schema` lists them.
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    emit: Vec<String>,
    /// Stop after this many rows.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    shown: Shown,
}

pub(crate) fn run(args: &DemoArgs, registries: &Registries) -> Result<Exit, Failure> {
    let mut settings = Settings::of(registries.clone());
    let own = [
        format!("synthetic.seed={}", args.seed),
        format!("synthetic.messages={}", args.events),
        format!("synthetic.symbols={}", args.symbols),
        format!("pipeline.stages={}", WHOLE_PIPELINE.join(",")),
        "pipeline.time_orders=true".to_owned(),
        // A synthetic day is short, so its buckets are small.
        "vpin.bucket_qty=1000".to_owned(),
    ];
    set_all(&mut settings, own.into_iter())?;
    let mut settings = args.pipeline.apply(settings)?;
    let feed = registries.feed("synthetic").expect("the synthetic exchange is registered");
    let params = settings.feeds[feed.name].clone();
    settings.add_input(feed, Vec::new(), None, params);
    settings.given_by("--events", "input");
    let watch = Watch::start(Some(args.events), !args.shown.json && args.emit.is_empty())?;
    let rows = RowArgs::of(&args.emit, args.limit).rows()?;
    let printing = rows.is_some();
    let options = Options { rows, control: watch.control().clone(), ..Options::default() };
    let (report, error) = execute(&settings, options)?;
    watch.end();
    present::report(&report, &args.shown, printing)?;
    if !args.shown.json && !printing {
        console::say("more      --details: load and latency; --emit fill,bar: rows (`tidegate schema`)");
    }
    error.map_or(Ok(Exit::Done), |e| Err(e.into()))
}

//! `tidegate bench ask`.

use super::output::{Progress, print, table};
use crate::bench::Setting;
use crate::bench::ask::{Answers, AskError, Asked, ask};
use crate::cli::exit::{Exit, Failure};
use crate::cli::numbers::grouped;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Options of `bench ask`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate bench ask run1\n  tidegate bench ask big --times 1000 --json > ask.json")]
pub(crate) struct AskArgs {
    /// Folder of the journal.
    journal: PathBuf,
    /// Questions of each sort, each a process of its own.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    times: u64,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct AskResult {
    #[serde(flatten)]
    setting: Setting,
    journal: String,
    #[serde(flatten)]
    asked: Asked,
    commands: Vec<Answers>,
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Failure {
        Failure::failed(error)
    }
}

pub(super) fn run(args: &AskArgs) -> Result<Exit, Failure> {
    let setting = Setting::begin("ask");
    let program = std::env::current_exe().map_err(|e| Failure::failed(format!("this program is not found: {e}")))?;
    let asked = Asked::of(&args.journal)?;
    let sorts = [("at", asked.instants(args.times)), ("why", asked.orders(args.times))];
    let steps = sorts.iter().map(|(_, questions)| questions.len() as u64).sum();
    let progress = Progress::new(&format!("ask: {} questions, each a process of its own", grouped(steps)), steps);
    let mut commands = Vec::new();
    for (name, questions) in &sorts {
        commands.extend(ask(&program, (name, &args.journal), questions, || progress.step())?);
    }
    drop(progress);
    let ms = |ns: u64| format!("{:.1}", ns as f64 / 1e6);
    let row = |Answers { name, answer: of, process }: &Answers| {
        let times = [of.p50_ns, of.p90_ns, of.p99_ns, of.max_ns, process.p50_ns, process.p99_ns].map(ms);
        [(*name).to_owned(), grouped(of.samples)].into_iter().chain(times).collect()
    };
    let heading = ["ms", "asked", "p50", "p90", "p99", "max", "process p50", "p99"];
    let table = table(&heading, &commands.iter().map(row).collect::<Vec<_>>());
    let [inputs, outcomes, orders, snapshots] =
        [asked.inputs, asked.outcomes, asked.orders, asked.snapshots].map(grouped);
    let mb = grouped(asked.bytes / 1_000_000);
    let of = format!("journal: {inputs} inputs, {outcomes} outcomes, {orders} orders, {snapshots} snapshots, {mb} MB");
    let journal = args.journal.display().to_string();
    let result = AskResult { setting: setting.end(), journal, asked, commands };
    print(args.json, &result, &result.setting, &format!("{table}{of}"))
}

//! `tidegate bench compare`.

use super::output::table;
use crate::bench::compare::{Change, Comparison, ResultError, ResultFile, Verdict, compare};
use crate::cli::exit::{Exit, Failure, output};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// Options of `bench compare`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tidegate bench hop --json > before.json\n  tidegate bench hop --json > after.json\n  \
    tidegate bench compare before.json after.json --check\n\
    A figure has changed if the intervals of the two results do not overlap. Results of the programs in benches/ are read too."
)]
pub(crate) struct CompareArgs {
    /// Result before the change.
    before: PathBuf,
    /// Result after the change.
    after: PathBuf,
    /// Exit with code 3 if a figure is worse beyond noise.
    #[arg(long)]
    check: bool,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

impl From<ResultError> for Failure {
    fn from(error: ResultError) -> Failure {
        match error {
            ResultError::Different { .. } => Failure::usage(error),
            other => Failure::failed(other),
        }
    }
}

pub(super) fn run(args: &CompareArgs) -> Result<Exit, Failure> {
    let (before, after) = (ResultFile::read(&args.before)?, ResultFile::read(&args.after)?);
    let compared = compare(&before, &after)?;
    let text = if args.json {
        serde_json::to_string(&compared).expect("a comparison is plain values")
    } else {
        shown(&compared, &before, &after)
    };
    let worse = compared.changes.iter().any(|c| c.verdict == Verdict::Worse);
    let end = if args.check && worse { Exit::Check } else { Exit::Done };
    output(writeln!(std::io::stdout(), "{}", text.trim_end()), end)
}

fn shown(compared: &Comparison, before: &ResultFile, after: &ResultFile) -> String {
    let mut text = if compared.same_host {
        format!("{} on {}; ", compared.bench, before.host())
    } else {
        let hosts = format!("before: {}\nafter:  {}", before.host(), after.host());
        format!("{}\n{hosts}\ndifferent hosts, so only ratios are compared; ", compared.bench)
    };
    text += &format!("{} % and {} % of CPU time stolen\n\n", before.steal_percent, after.steal_percent);
    let word = |verdict| match verdict {
        Verdict::Better => "BETTER",
        Verdict::Worse => "WORSE",
        Verdict::Same => "within noise",
        Verdict::NotJudged => "no interval",
    };
    let row = |c: &Change| {
        let b_to_a = c.b_to_a.map_or("-".to_owned(), |r| format!("{r:.3}"));
        vec![
            format!("{} {}", c.row, c.key).trim().to_owned(),
            c.a.to_string(),
            c.b.to_string(),
            b_to_a,
            word(c.verdict).to_owned(),
        ]
    };
    let rows: Vec<_> = compared.changes.iter().map(row).collect();
    text += &table(&["figure", "before", "after", "after/before", ""], &rows);
    compared.missing.iter().for_each(|missing| text += &format!("{missing}\n"));
    let changed = |verdict| compared.changes.iter().filter(|c| c.verdict == verdict).count();
    let (better, worse) = (changed(Verdict::Better), changed(Verdict::Worse));
    text + &format!("\n{better} better, {worse} worse beyond noise, {} within it\n", changed(Verdict::Same))
}

//! `tidegate snapshot`: writes the state of a run, for a faster restart.

use super::console;
use super::exit::{Exit, Failure, output};
use super::watch::Watch;
use crate::recovery::{Notices, snapshot, snapshots};
use crate::registries::Registries;
use clap::Args;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Options of `snapshot`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tidegate snapshot --journal run1                    for a faster restart\n  \
    tidegate snapshot --journal run1 --every 100000     for a faster `tidegate at`")]
pub(crate) struct SnapshotArgs {
    /// Folder of the journal; its run may be running or ended.
    #[arg(long, value_name = "DIR")]
    journal: PathBuf,
    /// Write one after every so many inputs too, where there is none yet; of all journals of the run.
    #[arg(long, value_name = "INPUTS", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    /// Print one JSON object to standard output for each that is written: `{"file", "seq"}`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &SnapshotArgs, registries: &Registries) -> Result<Exit, Failure> {
    let watch = Watch::start(None, !args.json)?;
    if let Some(every) = args.every {
        let mut ended = Ok(Exit::Done);
        let told = |file: PathBuf, seq| ended = say(args, &file, seq);
        snapshots(&args.journal, every, registries, watch.control(), Notices(console::say), told)?;
        return ended;
    }
    let (file, seq) = snapshot(&args.journal, registries, watch.control(), Notices(console::say))?;
    say(args, &file, seq)
}

fn say(args: &SnapshotArgs, file: &Path, seq: u64) -> Result<Exit, Failure> {
    if args.json {
        return output(writeln!(std::io::stdout(), "{}", serde_json::json!({ "file": file, "seq": seq })), Exit::Done);
    }
    console::say(format!("{}: the state after input {seq}; `tidegate run` resumes from it", file.display()));
    Ok(Exit::Done)
}

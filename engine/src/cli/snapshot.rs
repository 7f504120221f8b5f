//! `tidegate snapshot`: writes the state of a run, for a faster restart.

use super::console;
use super::exit::{Exit, Failure, output};
use super::watch::Watch;
use crate::recovery::{Notices, snapshot};
use crate::registries::Registries;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

/// Options of `snapshot`.
#[derive(Args)]
#[command(after_help = "Example: tidegate snapshot --journal run1")]
pub(crate) struct SnapshotArgs {
    /// Folder of the journal; its run may be running or ended.
    #[arg(long, value_name = "DIR")]
    journal: PathBuf,
    /// Print one JSON object to standard output: `{"file", "seq"}`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &SnapshotArgs, registries: &Registries) -> Result<Exit, Failure> {
    let watch = Watch::start(None, !args.json)?;
    let (file, seq) = snapshot(&args.journal, registries, watch.control(), Notices(console::say))?;
    if args.json {
        return output(writeln!(std::io::stdout(), "{}", serde_json::json!({ "file": file, "seq": seq })), Exit::Done);
    }
    console::say(format!("{}: the state after input {seq}; `tidegate run` resumes from it", file.display()));
    Ok(Exit::Done)
}

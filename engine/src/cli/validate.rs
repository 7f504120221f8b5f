//! `tidegate validate`: checks a configuration and lists every fault.

use super::exit::{Exit, Failure, output};
use super::meters;
use crate::config::{Draft, Faults};
use crate::plan::{Plan, checked};
use clap::Args;
use flow::Kinds;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Options of `validate`.
#[derive(Args)]
#[command(after_help = "Example: tidegate validate desk.toml")]
pub(crate) struct ValidateArgs {
    /// Configuration file.
    config: PathBuf,
    /// Print one JSON object to standard output: {"faults": [{"file", "line", "column", "key", "found", "valid"}]}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ValidateArgs) -> Result<Exit, Failure> {
    let (text, exit) = match (plan(&args.config), args.json) {
        (Ok(plan), json) => {
            let groups: Vec<_> = plan.groups.iter().map(ToString::to_string).collect();
            let text = match json {
                true => serde_json::json!({ "faults": [], "groups": groups }).to_string(),
                false => format!("{} is valid\n{}", args.config.display(), meters::groups(&groups).trim_end()),
            };
            (text, Exit::Done)
        }
        (Err(Faults(faults)), true) => (serde_json::json!({ "faults": faults }).to_string(), Exit::Usage),
        (Err(faults), false) => return Err(faults.into()),
    };
    output(writeln!(std::io::stdout(), "{text}"), exit)
}

/// The plan of a configuration, or all its faults: in the text, in the plan, and input files that do not exist.
fn plan(config: &Path) -> Result<Plan, Faults> {
    let mut draft = Draft::load(config);
    draft.check_files();
    let settings = checked(draft)?;
    Plan::build(&settings, settings.space(1), Kinds::NONE)
}

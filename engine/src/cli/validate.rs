//! `tidegate validate`: checks a configuration and lists every fault.

use super::exit::{Exit, Failure, output};
use super::meters;
use super::screen::{INDENT, wrapped};
use crate::config::{Draft, Faults};
use crate::registries::Registries;
use crate::run::Preflight;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

/// Options of `validate`.
#[derive(Args)]
#[command(after_help = "Example: tidegate validate desk.toml")]
pub(crate) struct ValidateArgs {
    /// Configuration file.
    config: PathBuf,
    /// Print one JSON object to standard output: {"faults": [{"file", "line", "column", "key", "found", "valid"}]}; without faults also the groups, warnings and the memory of
    /// a run.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ValidateArgs, registries: &Registries) -> Result<Exit, Failure> {
    let (text, exit) = match (Preflight::of_draft(Draft::load(&args.config, registries)), args.json) {
        (Ok((_, found)), json) => {
            let groups: Vec<_> = found.plan.groups.iter().map(ToString::to_string).collect();
            let (need, warnings) = (found.need, found.plan.warnings());
            let text = match json {
                true => {
                    let memory = serde_json::json!({ "bytes": need.total(), "of": need });
                    serde_json::json!({ "faults": [], "warnings": warnings, "groups": groups, "memory": memory })
                        .to_string()
                }
                false => {
                    let mut text = format!("{} is valid\n{}", args.config.display(), meters::groups(&groups));
                    text += &wrapped(&format!("memory    a run needs {need}"), INDENT);
                    warnings.iter().for_each(|w| text += &format!("\n{}", wrapped(&format!("warning   {w}"), INDENT)));
                    text
                }
            };
            (text, Exit::Done)
        }
        (Err(Faults(faults)), true) => (serde_json::json!({ "faults": faults }).to_string(), Exit::Usage),
        (Err(faults), false) => return Err(faults.into()),
    };
    output(writeln!(std::io::stdout(), "{text}"), exit)
}

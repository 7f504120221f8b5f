//! `tidegate validate`.

use super::exit::{Exit, Failure};
use crate::config::Settings;
use crate::plan::Plan;
use clap::Args;
use flow::Kinds;
use std::path::PathBuf;

/// Options of `validate`.
#[derive(Args)]
#[command(after_help = "Example: tidegate validate desk.toml")]
pub(crate) struct ValidateArgs {
    /// Configuration.
    config: PathBuf,
    /// One JSON object on standard output: `{"faults": [{"file", "key", "found", "valid"}]}`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ValidateArgs) -> Result<Exit, Failure> {
    let checked = Settings::load(&args.config).and_then(|settings| {
        let plan = Plan::build(&settings, settings.space(1), Kinds::NONE)?;
        let missing = settings.inputs.iter().flat_map(|i| &i.files).filter(|f| !f.exists());
        let faults: Vec<_> = missing
            .map(|f| {
                crate::config::Fault::new(
                    &args.config,
                    "input.files",
                    &format!("{} does not exist", f.display()),
                    "valid: paths of files, relative to the configuration",
                )
            })
            .collect();
        if faults.is_empty() { Ok(plan) } else { Err(crate::config::Faults(faults)) }
    });
    match checked {
        Ok(plan) if args.json => {
            let groups: Vec<_> = plan.groups.iter().map(|g| &g.name).collect();
            println!("{}", serde_json::json!({ "faults": [], "groups": groups }));
            Ok(Exit::Done)
        }
        Ok(plan) => {
            let groups: Vec<_> = plan.groups.iter().map(|g| g.name.as_str()).collect();
            println!("{} is valid: {}", args.config.display(), groups.join(" | "));
            Ok(Exit::Done)
        }
        Err(faults) if args.json => {
            let list: Vec<_> = faults
                .0
                .iter()
                .map(|f| serde_json::json!({ "file": f.file, "key": f.key, "found": f.found, "valid": f.valid }))
                .collect();
            println!("{}", serde_json::json!({ "faults": list }));
            Ok(Exit::Usage)
        }
        Err(faults) => Err(faults.into()),
    }
}

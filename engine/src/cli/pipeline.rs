//! How the pipeline is cut and what is set: the options that `demo`, `replay`, `run` and the benchmarks share.

use super::exit::Failure;
use crate::config::{Draft, Faults, Settings};
use crate::plan::checked;
use clap::Args;

/// Options of every command that runs a pipeline.
#[derive(Args)]
#[command(next_help_heading = "Pipeline")]
pub(crate) struct PipelineArgs {
    /// Where the pipeline is cut: fused (one core) or split (a core per stage).
    #[arg(long)]
    preset: Option<String>,
    /// Ring of the cuts: phase or disruptor.
    #[arg(long)]
    ring: Option<String>,
    /// Any parameter: section.name=value.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl PipelineArgs {
    /// Sets what was given; `--set` has the last word. The draft's faults, and the plan's where it has some, come at once.
    pub(crate) fn apply(&self, draft: impl Into<Draft>) -> Result<Settings, Failure> {
        let mut draft = draft.into();
        self.preset.iter().for_each(|p| draft.set("--preset", &format!("pipeline.preset={p}")));
        self.ring.iter().for_each(|r| draft.set("--ring", &format!("pipeline.ring={r}")));
        self.set.iter().for_each(|assignment| draft.set("--set", assignment));
        Ok(checked(draft)?)
    }
}

/// Sets parameters from `section.name=value` texts; all that cannot be set are named at once.
pub(crate) fn set_all(settings: &mut Settings, assignments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let faults: Vec<_> = assignments.filter_map(|a| settings.set(&a).err()).collect();
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults).into()) }
}

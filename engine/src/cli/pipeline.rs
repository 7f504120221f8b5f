//! The options that every command with a pipeline shares: how the pipeline is cut, and any parameter.

use super::exit::Failure;
use crate::config::{Draft, Faults, Settings};
use crate::plan::checked;
use clap::Args;

/// Options of every command that runs a pipeline.
#[derive(Args, Clone)]
#[command(next_help_heading = "Pipeline")]
pub(crate) struct PipelineArgs {
    /// How the pipeline is cut: fused (one core) or split (one core per stage).
    #[arg(long)]
    preset: Option<String>,
    /// Type of the rings between cores: phase or disruptor.
    #[arg(long)]
    ring: Option<String>,
    /// Set any parameter: section.name=value.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl PipelineArgs {
    /// Applies the options; `--set` overrides the others. Faults of the draft and of the plan are returned together.
    pub(crate) fn apply(&self, draft: impl Into<Draft>) -> Result<Settings, Failure> {
        Ok(checked(self.applied(draft.into()))?)
    }

    /// Applies the options to a draft; its faults stay in it.
    pub(crate) fn applied(&self, mut draft: Draft) -> Draft {
        self.preset.iter().for_each(|p| draft.set("--preset", &format!("pipeline.preset={p}")));
        self.ring.iter().for_each(|r| draft.set("--ring", &format!("pipeline.ring={r}")));
        self.set.iter().for_each(|assignment| draft.set("--set", assignment));
        draft
    }
}

/// Sets parameters from `section.name=value` texts; all faults are returned together.
pub(crate) fn set_all(settings: &mut Settings, assignments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let faults: Vec<_> = assignments.filter_map(|a| settings.set(&a).err()).collect();
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults).into()) }
}

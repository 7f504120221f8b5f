//! How the pipeline is cut and what is set: the options that `demo` and `replay` share.

use super::exit::Failure;
use crate::config::{Faults, Settings};
use clap::Args;

/// Options of every command that runs a pipeline.
#[derive(Args)]
pub(crate) struct PipelineArgs {
    /// Where the pipeline is cut: fused (one core) or split (a core per stage).
    #[arg(long)]
    preset: Option<String>,
    /// Ring of the cuts: pipeline or disruptor.
    #[arg(long)]
    ring: Option<String>,
    /// Any parameter: section.name=value.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl PipelineArgs {
    /// Sets what was given; `--set` has the last word.
    pub(crate) fn apply(&self, settings: &mut Settings) -> Result<(), Failure> {
        let preset = self.preset.iter().map(|p| format!("pipeline.preset={p}"));
        let ring = self.ring.iter().map(|r| format!("pipeline.ring={r}"));
        set_all(settings, preset.chain(ring).chain(self.set.iter().cloned()))
    }
}

/// Sets parameters from `section.name=value` texts; all that cannot be set are named at once.
pub(crate) fn set_all(settings: &mut Settings, assignments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let faults: Vec<_> = assignments.filter_map(|a| settings.set(&a).err()).collect();
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults).into()) }
}

//! The engine: from a configuration to a running pipeline.
//!
//! ```text
//! config ─► plan ─► run: ingress ─► group ─► (ring ─► group)* ─► tail ─► journal, rows, summary
//! ```
//!
//! [`config`] reads settings and reports every fault at once; [`plan`] proves that the pipeline can run and computes what
//! each cut forwards; [`assembly`] puts it together; [`ingress`] numbers and times the inputs;
//! [`pipeline`](mod@pipeline) passes events through the stages of a group; [`mod@drive`] gives each group its thread;
//! [`recovery`] resumes a run from its journal. The stages know nothing of this.
//! [`mod@bench`] measures it, for `tidegate bench` and the benches.

#![deny(unsafe_code)]

pub mod ahead;
pub mod assembly;
pub mod bench;
mod build_id;
pub mod cli;
pub mod commands;
pub mod config;
pub mod control;
pub mod deliberate;
pub mod diff;
mod discover;
pub mod drive;
pub mod gateway;
pub mod ingress;
pub mod instant;
pub mod last_values;
pub mod metrics;
#[allow(unsafe_code)]
pub mod os;
pub mod pipeline;
pub mod plan;
mod plot;
pub mod provenance;
pub mod recovery;
pub mod registries;
pub mod report;
pub mod rows;
pub mod run;

pub use build_id::build_id;
pub use commands::{command, main};
pub use registries::Registries;

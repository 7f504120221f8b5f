//! The engine: from a configuration to a running pipeline.
//!
//! ```text
//! config ─► plan ─► run: ingress ─► group ─► (ring ─► group)* ─► tail ─► journal, rows, summary
//! ```
//!
//! [`config`] reads settings and names every fault at once; [`plan`] proves that the pipeline can run and says what each
//! cut forwards; [`ingress`] numbers and times what sources bring; [`pipeline`](mod@pipeline) passes events through the stages
//! of a group; [`run`] gives each group its thread and waits for the end. The stages themselves know nothing of this.
//! [`measure`] is what `tidegate bench` and the benches measure with.

#![deny(unsafe_code)]

pub mod assembly;
pub mod bench;
mod build_id;
pub mod cli;
pub mod commands;
pub mod config;
pub mod control;
pub mod deliberate;
pub mod drive;
pub mod gateway;
pub mod ingress;
#[allow(unsafe_code)]
pub mod os;
pub mod pipeline;
pub mod plan;
pub mod recovery;
pub mod report;
pub mod rows;
pub mod run;

pub use build_id::build_id;

//! Where events leave the process: the journal, venue adapters, and their registries.
//!
//! The [`journal`] takes events at the tail of the pipeline. Anything slow or fallible reads it from behind, as a [`tailer`] in
//! a process of its own, and never runs on the pipeline itself. Each sink is one file or folder here and one entry in
//! [`SINKS`]; each venue is one entry in [`GATEWAYS`].

#![deny(unsafe_code)]

#[cfg(any(feature = "parquet", feature = "questdb"))]
mod dead_letter;
pub mod journal;
#[cfg(feature = "parquet")]
pub mod parquet;
#[cfg(feature = "questdb")]
pub mod questdb;
mod registry;
pub mod tables;
pub mod tailer;
pub mod threading;
pub mod wire;

pub use registry::{GATEWAYS, GatewayEntry, SINKS, SinkEntry, SinkPlace};
pub use threading::{GatewayIdle, Threading};

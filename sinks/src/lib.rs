//! Where events leave the process: the journal, venue adapters, and their registries.
//!
//! A sink takes events at the tail of the pipeline. Anything slow or fallible reads the [`journal`] from behind and
//! never runs on the pipeline itself. Each sink is one file or folder here and one entry in [`SINKS`]; each venue is
//! one entry in [`GATEWAYS`].

#![deny(unsafe_code)]

pub mod journal;
mod registry;
mod secret;
pub mod wire;

pub use registry::{GATEWAYS, GatewayEntry, SINKS, SinkEntry};
pub use secret::{Secret, SecretError};

//! What goes out: the journal, adapters of venues, and their registries.
//!
//! A sink takes events at the end of the pipeline. Whatever is slow or can die stands behind the [`journal`], reading along,
//! and never on the pipeline. Each sink is one file or folder here and one entry in [`SINKS`], each venue one in [`GATEWAYS`].

pub mod journal;
mod registry;
pub mod wire;

pub use registry::{GATEWAYS, GatewayEntry, SINKS, SinkEntry};

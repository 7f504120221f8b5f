//! What goes out: the journal and the registry of sinks.
//!
//! A sink takes events at the end of the line. Whatever is slow or can die stands behind the [`journal`], reading along,
//! and never on the line. Each sink is one file or folder here and one line in [`SINKS`].

pub mod journal;
mod registry;

pub use registry::{SINKS, SinkLine};

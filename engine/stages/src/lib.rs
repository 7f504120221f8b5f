//! The pure logic of the line: books, bars, measures of flow, and what will stand after them.
//!
//! Each stage is a folder and one line in [`STAGES`]. Nothing here reads a clock, starts a thread, does IO or depends on
//! the order of a hash map; the folder's own `clippy.toml` forbids the means.

#![forbid(unsafe_code)]

pub mod bars;
pub mod book;
mod executions;
pub mod orders;
mod registry;
pub mod risk;
mod rounding;
pub mod router;
pub mod signals;
pub mod toxicity;
pub mod venue;

pub use registry::{Build, STAGES, Space, StageLine};

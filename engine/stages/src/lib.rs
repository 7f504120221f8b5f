//! The pure logic of the pipeline: books, bars, measures of flow, and what will stand after them.
//!
//! Each stage is a folder and one pipeline in [`STAGES`]. Nothing here reads a clock, starts a thread, does IO or depends on
//! the order of a hash map; the folder's own `clippy.toml` forbids the means.

#![forbid(unsafe_code)]

pub mod bars;
pub mod book;
pub mod exchange_sim;
mod executions;
pub mod measures;
pub mod orders;
mod registry;
pub mod risk;
mod rounding;
pub mod router;
pub mod strategies;

pub use registry::{Build, STAGES, Space, StageEntry};

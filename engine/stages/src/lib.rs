//! The pure logic of the pipeline: books, bars, measures, strategies, orders, risk, routing, and the simulated venue.
//!
//! Each stage is one folder and one entry in [`STAGES`]. Nothing here reads a clock, starts a thread, does I/O or depends
//! on the order of a hash map; the crate's own `clippy.toml` forbids the means.

#![forbid(unsafe_code)]

pub mod bars;
pub mod book;
mod by_key;
pub mod exchange_sim;
mod gaps;
mod hash_index;
mod instance;
mod instances;
mod keyed;
mod lookahead;
pub mod measures;
pub mod orders;
mod pool;
pub mod portfolio;
pub mod pulse;
mod recent;
mod registry;
mod rehearsal;
pub mod risk;
pub mod router;
mod space;
pub mod strategies;
mod told_hours;
mod uncut;

pub use instance::Instance;
pub use instances::{Instanced, Instances, NoNumber};
pub use registry::{Build, STAGES, StageEntry};
pub use rehearsal::{Rehearsal, SmallStage};
pub use space::Space;
pub use uncut::{Part, Running, entries, uncut};

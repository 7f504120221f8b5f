//! A pipeline before its threads begin: head, plan, tail, and the way to a venue and back.
//!
//! A run, the replay of a journal and a snapshot are the same pipeline with another head and other sinks. It is put together
//! here and nowhere else: first the [`Blueprint`], which proves the plan, then the [`Assembly`], which only has to be run.
//! Bound: nothing is allocated here but what the plan asks for.

mod blueprint;
mod error;
mod recorded_latency;
mod venues;

pub use blueprint::{Assembly, Blueprint};
pub use error::AssemblyError;
pub use venues::Venues;

//! Puts a pipeline together before its threads start: head, plan, tail, and the path to a venue and back.
//!
//! A run, a journal replay and a snapshot are the same pipeline with different heads and sinks. All are assembled here: the
//! [`Blueprint`] proves the plan, and the [`Assembly`] is ready to run. Bound: allocates only what the plan requires.

mod blueprint;
mod error;
mod need;
mod proof;
mod venues;

pub use blueprint::{Assembly, Blueprint};
pub use error::AssemblyError;
pub use need::{Need, NotEnough};
pub use proof::Proof;
pub use venues::Venues;

//! From settings to a plan: which stages, where the cuts are, and what each cut must forward.
//!
//! The plan is proved before anything runs: every stage's bound fits [`flow::Out::CAP`], a tick's slice holds at least one
//! instrument, the rings hold what one input may cause. All faults come at once. What a cut forwards follows from what
//! the stages after it and the tail read, so a kind that nobody reads costs nothing. The plan knows no thread: the pipeline
//! is built from it, and not the other way round.

mod build;
mod check;
mod cuts;
mod graph;
mod outcomes;
mod parts;
mod proof;
mod wiring;

pub use build::Plan;
pub use check::checked;
pub use graph::{Graph, Input, Node, Output, Venue};
pub use parts::{GroupPlan, Planned, RETURNS, TAIL, TickPlan};
pub use wiring::{Carries, End, Link, Wiring};

//! From settings to a plan: which stages run, where the cuts are, and what each cut forwards.
//!
//! The plan is proved before anything runs: every stage's fan-out fits [`flow::Out::CAP`], a tick's slice holds at least
//! one instrument, the rings hold what one input may cause. All faults are reported at once. A cut forwards what the stages
//! after it and the tail read, so a kind without a reader costs nothing. The plan contains no threads: the pipeline is
//! built from the plan, not the other way round.

mod build;
mod check;
mod cuts;
mod gateways;
mod graph;
mod observers;
mod outcomes;
mod parts;
mod proof;
mod unmet;
mod wiring;

pub use build::Plan;
pub use check::checked;
pub use graph::{Graph, Input, Node, Output, Venue};
pub use parts::{GroupPlan, Planned, RETURNS, Rehearsed, TAIL, TickPlan};
pub use wiring::{Carries, End, Link, Wiring};

//! The parts of a plan.

use flow::{Calendars, Interval, Kind, Kinds, Stage};
use stages::Rehearsal;
use std::fmt;
use std::ops::Range;

/// Kinds that the tail sends back to the head.
pub const RETURNS: Kinds = Kinds::of(&[Kind::Route, Kind::Refused]);

/// The name of the end of the pipeline in `cuts`.
pub const TAIL: &str = "tail";

/// A stage and its position in the pipeline.
pub struct Planned {
    /// Name of its registry entry; for a family of measures the names of the enabled ones, joined by `+`.
    pub name: String,
    /// Fixed position, a part of the ids of its events.
    pub position: u8,
    /// Kinds that a later stage or the tail reads.
    pub wanted: Kinds,
    /// The stage.
    pub stage: Box<dyn Stage>,
}

/// What a group rehearses.
pub struct Rehearsed {
    /// What is taken through the small stages.
    pub what: Rehearsal,
    /// The small stages.
    pub stages: Vec<Planned>,
}

/// A group: consecutive stages on one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPlan {
    /// Its name, which is also its thread's: `core0`, `core1`, … in pipeline order.
    pub name: String,
    /// Names of what it runs: its stages, with `ingress` first in the first group and `tail` last in the last group.
    pub members: Vec<String>,
    /// Its stages, as indices into the plan's; may be empty for the first and the last group.
    pub stages: Range<usize>,
    /// Kinds that it forwards to the next group, or to the tail.
    pub forwards: Kinds,
    /// Core that its thread is pinned to, if any.
    pub core: Option<usize>,
}

impl GroupPlan {
    /// The most stages of a group, which keeps the readers of a kind in a 64-bit mask, with one bit for the exit.
    pub const MAX_STAGES: usize = 62;
}

impl fmt::Display for GroupPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.members.join("+"))
    }
}

/// Parameters of the tick source.
#[derive(Clone, Debug)]
pub struct TickPlan {
    /// Intervals whose boundaries are ticked, each with the number of listed instruments that one tick of it may address.
    pub intervals: Vec<(Interval, usize)>,
    /// Seconds between heartbeats under wall time; 0 = none.
    pub heartbeat_s: u64,
    /// The calendars, with the exceptions of the configuration.
    pub calendars: Calendars,
}

//! What a plan consists of.

use flow::{Interval, Kind, Kinds, Stage};
use std::fmt;
use std::ops::Range;

/// What comes back from the tail to the head.
pub const RETURNS: Kinds = Kinds::of(&[Kind::Route, Kind::Refused]);

/// The name under which `cuts` addresses the end of the pipeline.
pub const TAIL: &str = "tail";

/// A stage with its place in the uncut pipeline.
pub struct Planned {
    /// Name of its registry entry; of a family of measures the names of those that run, joined by `+`.
    pub name: String,
    /// Fixed position in the ids of its events.
    pub position: u8,
    /// What somebody after it reads.
    pub wanted: Kinds,
    /// The stage.
    pub stage: Box<dyn Stage>,
}

/// A group: consecutive stages on one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPlan {
    /// Its name, which is that of its thread: `core0` and so on, in the order of the pipeline.
    pub name: String,
    /// What it runs: its stages, with `ingress` before the first and `tail` after the last.
    pub members: Vec<String>,
    /// Its stages, as indices into the pipeline; may be empty for the first and the last group.
    pub stages: Range<usize>,
    /// What it hands to the next group, or to the tail.
    pub forwards: Kinds,
    /// Core that its thread is pinned to.
    pub core: Option<usize>,
}

impl GroupPlan {
    /// The most stages: a group keeps its readers of a kind in a word, a bit each, with one for the exit.
    pub const MAX_STAGES: usize = 62;
}

impl fmt::Display for GroupPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.members.join("+"))
    }
}

/// What the tick source must know.
#[derive(Clone, Debug, Default)]
pub struct TickPlan {
    /// Intervals whose boundaries are ticked.
    pub intervals: Vec<Interval>,
    /// Listed instruments that one tick may address.
    pub slice: usize,
}

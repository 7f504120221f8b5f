//! What a plan consists of.

use crate::config::keys::ClockKind;
use flow::{Interval, Kind, Kinds, Stage};
use ring::Idle;
use sinks::GatewayEntry;
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

/// A venue outside the process.
#[derive(Clone, Copy, Debug)]
pub struct GatewayPlan {
    /// Its registry entry.
    pub entry: &'static GatewayEntry,
    /// Slots of the ring of routes: it cannot fill.
    pub ring: usize,
}

/// A pipeline that can run.
pub struct Plan {
    /// The stages in order.
    pub stages: Vec<Planned>,
    /// The groups in order, at least one.
    pub groups: Vec<GroupPlan>,
    /// Ticks.
    pub ticks: TickPlan,
    /// What the outcome log and hash hold.
    pub outcomes: Kinds,
    /// Ring of every cut.
    pub ring: ring::Kind,
    /// Its size.
    pub ring_capacity: usize,
    /// Whether orders leave the pipeline: then they come back to the head.
    pub trades: bool,
    /// Where orders go, if not to the simulated venue.
    pub gateway: Option<GatewayPlan>,
    /// Whether orders are timed from the input that caused them.
    pub time_orders: bool,
    /// The most returns that wait for their time at once.
    pub max_returns: usize,
    /// Most events of a turn.
    pub batch: usize,
    /// What an idle group does.
    pub idle: Idle,
    /// Whose time is now.
    pub clock: ClockKind,
    /// Latency is measured on one input in so many; 0 = never.
    pub sample_every: u64,
    /// Whether groups account for their time.
    pub meters: bool,
}

//! The status of a running engine, read over the control socket.
//!
//! Everything comes from atomics that the pipeline's threads publish ([`crate::pipeline::Meters`]), so no thread of the
//! pipeline ever waits for a reader, however often the status is read.

use crate::drive::Control;
use crate::pipeline::{GroupLoad, RingLoad};
use crate::report::{Percentiles, latencies};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// The action that requests the status. It is not a command, and no input results from it.
pub(super) const ACTION: &str = "status";

/// The status of a running engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Number of the last input admitted.
    pub admitted: u64,
    /// Number of the last input that the pipeline has finished.
    pub finished: u64,
    /// The groups, each with its stages.
    pub groups: Vec<String>,
    /// Busy, idle and stalled time of each group so far; empty if `pipeline.meters` is off.
    pub load: Vec<GroupLoad>,
    /// Occupancy of each ring, now and at most.
    pub rings: Vec<RingLoad>,
    /// Latency by stage; `group NAME` is an event's whole pass through a group.
    pub latency: BTreeMap<String, Percentiles>,
}

impl Status {
    /// The status of the run under `control`.
    pub fn of(control: &Control) -> Status {
        // The watermark first: then `admitted` is never below `finished`.
        let finished = control.watermark.load(Ordering::Acquire);
        let (load, rings) = (control.meters.groups(), control.meters.rings());
        let admitted = control.admitted.load(Ordering::Relaxed).max(finished);
        Status { admitted, finished, groups: control.meters.about(), load, rings, latency: latencies(&control.meters) }
    }
}

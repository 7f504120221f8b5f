//! How a running engine is, asked for over the control socket.
//!
//! Everything is read from atomics that the pipeline's threads publish ([`crate::pipeline::Meters`]): whoever asks, and however
//! often, no thread of the pipeline waits for it.

use crate::drive::Control;
use crate::pipeline::{GroupLoad, RingLoad};
use crate::report::{Percentiles, latencies};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// The action that asks for it: it is no command and enters nowhere.
pub(super) const ACTION: &str = "status";

/// How a running engine is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The last input that has entered.
    pub admitted: u64,
    /// The last input that the pipeline has finished.
    pub finished: u64,
    /// The groups, each with its stages.
    pub groups: Vec<String>,
    /// Where the time of every group went so far; empty where `pipeline.meters` is off.
    pub load: Vec<GroupLoad>,
    /// How full every ring is and was.
    pub rings: Vec<RingLoad>,
    /// By stage; `group NAME` is the whole pass of an event through a group.
    pub latency: BTreeMap<String, Percentiles>,
}

impl Status {
    /// The status of the run under `control`.
    pub fn of(control: &Control) -> Status {
        // The word first: what has entered is never less than what is finished.
        let finished = control.watermark.load(Ordering::Acquire);
        let (load, rings) = (control.meters.groups(), control.meters.rings());
        let admitted = control.admitted.load(Ordering::Relaxed).max(finished);
        Status { admitted, finished, groups: control.meters.about(), load, rings, latency: latencies(&control.meters) }
    }
}

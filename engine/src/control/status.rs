//! The status of a running engine, read over the control socket.
//!
//! Load and latency come from atomics that the pipeline's threads publish ([`crate::pipeline::Meters`]), and so does the
//! session with a venue. Where trading stands is asked ([`crate::pipeline::Inquiry`]). No thread of the pipeline ever waits for
//! a reader, however often the status is read.

use super::trading::TradingStatus;
use crate::drive::Control;
use crate::gateway::{KillSwitch, SessionState, VenueStatus};
use crate::ingress::wall_now;
use crate::pipeline::{GroupLoad, RingLoad};
use crate::report::{Percentiles, latencies};
use serde::{Deserialize, Serialize};
use sinks::journal::DiskState;
use stages::Instances;
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
    /// Where trading stands; absent until the pipeline has answered once.
    pub trading: Option<TradingStatus>,
    /// The sessions with venues outside the process.
    pub venues: Vec<VenueReport>,
    /// The groups, each with its stages.
    pub groups: Vec<String>,
    /// Busy, idle and stalled time of each group so far; empty if `pipeline.meters` is off.
    pub load: Vec<GroupLoad>,
    /// Occupancy of each ring, now and at most.
    pub rings: Vec<RingLoad>,
    /// Latency by stage; `group NAME` is an event's whole pass through a group.
    pub latency: BTreeMap<String, Percentiles>,
    /// The journal's disk; absent until the journal is open for writing.
    pub disk: Option<DiskState>,
}

/// The session with a venue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenueReport {
    /// Its name.
    pub venue: String,
    /// How it stands: `open`, `lost` …
    pub session: String,
    /// Whether no new order leaves, whatever the pipeline approves: a halt or a cancel-all is in force there and not stored
    /// yet, or the run ends and cancels.
    pub closed: bool,
    /// For how long.
    pub for_ms: Option<u64>,
    /// How often it was lost, or could not be opened.
    pub lost: u64,
    /// How often it came back.
    pub back: u64,
    /// Time since the venue was last heard.
    pub heard_ms: Option<u64>,
    /// Orders that may be open there.
    pub open_orders: u64,
    /// Routes without an answer.
    pub unanswered: u64,
    /// Routes that were without an answer for too long.
    pub late: u64,
    /// What was reconciled, if the venue numbers nothing.
    pub reconciled: Option<ReconciledReport>,
}

/// What a session found when it opened at a venue that numbers nothing, and how it stands now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconciledReport {
    /// Orders that the venue was asked for.
    pub asked: u64,
    /// Answers that were missing and were made.
    pub made: u64,
    /// Executions of our orders that came.
    pub came: u64,
    /// Executions and orders that came since the start and that nobody here sent.
    pub unsolicited: u64,
    /// Orders of which the venue now says more than it tells: their instruments are blocked there.
    pub unexplained: u64,
    /// Orders of which it now cannot say anything: likewise.
    pub unknown: u64,
}

impl ReconciledReport {
    fn of(venue: &VenueStatus) -> Option<ReconciledReport> {
        let found = venue.found()?;
        Some(ReconciledReport {
            asked: found.asked.into(),
            made: found.made.into(),
            came: found.came.into(),
            unsolicited: venue.unsolicited(),
            unexplained: venue.unexplained(),
            unknown: venue.unknown(),
        })
    }
}

impl VenueReport {
    fn of(venue: &VenueStatus, switch: &KillSwitch) -> Option<VenueReport> {
        let now = wall_now().0;
        let since = |at: u64| (at > 0).then(|| now.saturating_sub(at) / 1_000_000);
        let session = venue.session();
        (session != SessionState::None).then(|| VenueReport {
            venue: venue.venue().to_owned(),
            session: session.name().to_owned(),
            closed: switch.is_closed(),
            for_ms: since(venue.since()),
            lost: venue.lost(),
            back: venue.back(),
            heard_ms: since(venue.heard()),
            open_orders: venue.open_orders(),
            unanswered: venue.unanswered(),
            late: venue.late(),
            reconciled: ReconciledReport::of(venue),
        })
    }
}

impl Status {
    /// The status of the run under `control`, whose instances have these names.
    pub fn of(control: &Control, names: &Instances) -> Status {
        // The watermark first: then `admitted` is never below `finished`.
        let finished = control.watermark.load(Ordering::Acquire);
        let (load, rings) = (control.meters.groups(), control.meters.rings());
        let admitted = control.admitted.load(Ordering::Relaxed).max(finished);
        let (groups, latency) = (control.meters.about(), latencies(&control.meters));
        let trading = control.inquiry.answer().map(|(age, answer)| TradingStatus::of(&answer, age, names));
        let venues = control.venues.iter().filter_map(|venue| VenueReport::of(venue, &control.kill_switch)).collect();
        let disk = control.disk.get().map(|disk| disk.state());
        Status { admitted, finished, trading, venues, groups, load, rings, latency, disk }
    }
}

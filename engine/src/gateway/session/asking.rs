//! What a session at a venue that numbers nothing keeps: whom it asks for, and what it has found.
//!
//! Bound: a few words per order that may be open, what comes while a session opens, and [`TOLD`] names of executions.

use super::schedule::Schedule;
use crate::gateway::last_names::LastNames;
use flow::records::Reconciled;
use flow::{OrderId, VenueReply};
use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

/// Names of executions that are remembered, whatever became of their orders.
const TOLD: usize = 16_384;

/// What is kept; see the module.
#[derive(Default)]
pub(super) struct Asking {
    /// When each order is asked for next.
    pub(super) schedule: Schedule,
    /// No question before this time.
    pub(super) not_before: Option<Instant>,
    /// The orders to be asked for before the session is open.
    pub(super) opening: BTreeSet<OrderId>,
    /// What came meanwhile: it enters once it is known which routes the venue has.
    pub(super) held: VecDeque<VenueReply>,
    /// The orders that are over, according to that.
    pub(super) ends: BTreeSet<OrderId>,
    /// Cancels without an answer for too long, by the ids of their routes.
    pub(super) late_cancels: BTreeSet<u64>,
    /// Executions by order and match.
    pub(super) told: LastNames<(u64, u64), TOLD>,
    /// The last execution, if it was left out because it was told before: its cost is too.
    pub(super) left_out: Option<(u64, u64)>,
    /// What was found since the session opened.
    pub(super) found: Reconciled,
}

impl Asking {
    /// A session opens, in which these orders are asked for first.
    pub(super) fn begin(&mut self, orders: BTreeSet<OrderId>, now: Instant) {
        self.schedule.clear();
        orders.iter().for_each(|order| self.schedule.set(*order, now));
        self.opening = orders;
        self.held.clear();
        self.ends.clear();
        self.late_cancels.clear();
        (self.not_before, self.left_out, self.found) = (None, None, Reconciled::default());
    }

    /// The session is not one of such a venue.
    pub(super) fn end(&mut self) {
        self.schedule.clear();
        self.opening.clear();
        self.held.clear();
        self.ends.clear();
    }
}

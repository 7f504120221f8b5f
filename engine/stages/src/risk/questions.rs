//! What the gate answers to whoever asks why a request passed.
//!
//! Bound: one pass over the checks and the levels of the order.

use super::checks::all_found;
use super::explain::Checked;
use super::stage::RiskStage;
use flow::records::{ReplaceRequest, Request};
use flow::{Event, Kind};

impl RiskStage {
    /// What every check finds of a request, in their order and each as if the others had passed; nothing of another event. A
    /// leg of a group is judged alone.
    pub fn checked(&self, event: &Event) -> Vec<Checked> {
        let proposal = match event.kind {
            Kind::Request => self.gate.propose(event.record::<Request>(), event.instrument, event.side(), event.ts),
            Kind::ReplaceRequest => self.gate.propose_replace(event.record::<ReplaceRequest>(), event),
            _ => return Vec::new(),
        };
        all_found(&self.gate, &proposal, &self.limits)
    }
}

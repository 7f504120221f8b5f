//! Puts the two logs and their helpers together, of a new journal or of one that goes on.
//!
//! The writers get the segments that they begin with, and there are as many ahead as there always are; only then do the
//! threads start. Bound: three segments of each log.

use super::error::JournalError;
use super::format::LogKind;
use super::helper::Helper;
use super::keeper::Keeper;
use super::memory::AHEAD;
use super::segment::Segment;
use super::supplier::{Supplier, Supply};
use super::writer::{InputLog, OutcomeLog};
use std::sync::Arc;

/// A journal whose threads have not started yet.
pub(super) struct Start {
    pub(super) keeper: Keeper,
    supplier: Supplier,
    active: [Arc<Segment>; 2],
}

impl Start {
    /// Prepares the segments. `next` numbers the first that does not exist yet; the last one in the keeper's hands is the
    /// active one if it has room.
    pub(super) fn new(mut keeper: Keeper, next: [u64; 2]) -> Result<Start, JournalError> {
        let open = [0, 1].map(|n| keeper.logs[n].active());
        let supplies = [0, 1].map(|n| Supply::new(Arc::clone(&keeper.logs[n].handover), next[n], open[n].clone()));
        let kit = &keeper.kit;
        let mut supplier = Supplier::new(kit.memory.folder.clone(), kit.info.clone(), Arc::clone(&kit.gate), supplies);
        let mut active = Vec::new();
        for (log, open) in LogKind::BOTH.into_iter().zip(open) {
            supplier.provide(log)?;
            let handover = &keeper.logs[log as usize].handover;
            active.push(open.or_else(|| handover.take()).unwrap_or_else(|| panic!("{AHEAD} segments were prepared")));
            supplier.provide(log)?;
        }
        let active: [Arc<Segment>; 2] = active.try_into().expect("there are two logs");
        keeper.make_copies([0, 1].map(|n| active[n].number))?;
        Ok(Start { keeper, supplier, active })
    }

    /// Says through which seq the outcomes are complete.
    pub(super) fn set_completed(&self, seq: u64) {
        self.active[LogKind::Outcomes as usize].set_completed(seq);
    }

    /// Starts the threads.
    pub(super) fn go(self) -> Result<(InputLog, OutcomeLog), JournalError> {
        let handovers = [0, 1].map(|n| Arc::clone(&self.keeper.logs[n].handover));
        let helper = Helper::spawn(self.keeper, self.supplier)?;
        let ([inputs, outcomes], [input_handover, outcome_handover]) = (self.active, handovers);
        let inputs = InputLog::new(inputs, input_handover, Arc::clone(&helper));
        Ok((inputs, OutcomeLog::new(outcomes, outcome_handover, helper)))
    }
}

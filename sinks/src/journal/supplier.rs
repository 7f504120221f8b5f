//! The supplier: a thread that keeps segments ready in memory ahead of the writers, and never touches the disk.
//!
//! Every [`TICK`] it looks whether a segment was taken and prepares another, of one that was given back if there is one,
//! unless as many as may be behind are there. It tells the head by the [`Gate`] when the outcome log has none ahead, wakes
//! the helper when one is full, and notes for whoever watches how far the disk is behind. Where little is written it looks
//! every [`QUIET_TICK`]; a writer that finds no room wakes it.
//!
//! Bound: of each log as many segments as may be behind. Worst case: segments so small that they fill up within a tick; then
//! the inputs wait for it. Or others fill the memory: then outcomes are left out, and inputs are rejected once the last
//! segment that they have is full.

use super::error::JournalError;
use super::format::LogKind;
use super::gate::Gate;
use super::handover::{Handover, NoRoom};
use super::manifest::JournalInfo;
use super::segment::{self, PAGE_RECORDS, Segment};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Pause between two looks at the writers.
const TICK: Duration = Duration::from_millis(1);
/// The same after fewer records than this since the last look: less than a page, of the many that are ready.
const QUIET_TICK: Duration = Duration::from_millis(20);
const QUIET_RECORDS: u64 = PAGE_RECORDS;
/// How often the pages ahead of the writers are faulted in again, since the system may have taken them; and where little is
/// written.
const REARM: Duration = Duration::from_millis(10);
const QUIET_REARM: Duration = Duration::from_millis(100);
/// Records ahead of a writer whose pages are kept present.
const REARM_RECORDS: u64 = 32 * PAGE_RECORDS;
/// Pause after a failed allocation of memory.
const MEMORY_RETRY: Duration = Duration::from_millis(50);

/// The supplier's state.
#[derive(Debug)]
pub(super) struct Supplier {
    memory: PathBuf,
    info: JournalInfo,
    gate: Arc<Gate>,
    logs: [Supply; 2],
    retry_at: Instant,
}

/// Its state of one log.
#[derive(Debug)]
pub(super) struct Supply {
    handover: Arc<Handover>,
    next_number: u64,
    /// The segments that are not full yet, the active one first.
    given: VecDeque<Arc<Segment>>,
}

impl Supply {
    /// Continues with segment `next_number`; `active` is the one that the writer has.
    pub(super) fn new(handover: Arc<Handover>, next_number: u64, active: Option<Arc<Segment>>) -> Supply {
        Supply { handover, next_number, given: active.into_iter().collect() }
    }

    /// Number of full segments in memory.
    fn behind(&self) -> u64 {
        self.handover.in_memory().saturating_sub(self.given.len() as u64)
    }

    /// Whether the writer has nothing to write to.
    fn is_dry(&self) -> bool {
        self.given.is_empty()
    }

    fn forget_full(&mut self) {
        let written = self.handover.written();
        while self.given.front().is_some_and(|s| s.used(written) == s.capacity) {
            self.given.pop_front();
        }
    }
}

impl Supplier {
    pub(super) fn new(memory: PathBuf, info: JournalInfo, gate: Arc<Gate>, logs: [Supply; 2]) -> Supplier {
        Supplier { memory, info, gate, logs, retry_at: Instant::now() }
    }

    /// The thread's main loop, until both logs have ended. `helper` is woken when a segment is full.
    pub(super) fn run(mut self, helper: &Thread) {
        let (mut rearmed, mut full) = (None::<Instant>, 0);
        let (mut written, mut is_quiet) = (0, false);
        while !self.logs.iter().all(|l| l.handover.is_closed()) {
            self.turn();
            let after = if is_quiet { QUIET_REARM } else { REARM };
            if rearmed.is_none_or(|at| at.elapsed() >= after) {
                self.logs.iter().for_each(rearm);
                rearmed = Some(Instant::now());
            }
            let seen = self.logs.iter().map(|l| l.next_number - l.given.len() as u64).sum();
            if std::mem::replace(&mut full, seen) != seen {
                helper.unpark();
            }
            let reached = self.logs.iter().map(|l| l.handover.written()).sum();
            is_quiet = u64::saturating_sub(reached, std::mem::replace(&mut written, reached)) < QUIET_RECORDS;
            thread::park_timeout(if is_quiet { QUIET_TICK } else { TICK });
        }
    }

    /// Provides the segments that are missing, and says how things stand.
    fn turn(&mut self) {
        self.logs.iter_mut().for_each(Supply::forget_full);
        if Instant::now() >= self.retry_at {
            for log in LogKind::BOTH {
                if let Err(error) = self.provide(log) {
                    self.logs[log as usize].handover.set_room(NoRoom::Memory, Some(&error.fact()));
                    self.retry_at = Instant::now() + MEMORY_RETRY;
                }
            }
        }
        let [inputs, outcomes] = &self.logs;
        // Outcomes for which there is no room are left out: the inputs need not wait for them.
        let may_drop = outcomes.handover.is_full();
        self.gate.set_may_drop_outcomes(may_drop);
        let dry = inputs.is_dry();
        let waiting = !inputs.handover.is_closed() && (dry || (outcomes.handover.is_bare() && !may_drop));
        let short = &if dry { inputs } else { outcomes }.handover;
        let no_room = waiting && short.lacks_room(NoRoom::Memory);
        let no_room = no_room.then(|| format!("{}; free space there", short.problem()));
        self.gate.note(inputs.behind().max(outcomes.behind()), waiting, no_room);
    }

    /// Prepares the segments of a log that are missing ahead of its writer.
    pub(super) fn provide(&mut self, log: LogKind) -> Result<(), JournalError> {
        let most = self.gate.limit();
        let Supply { handover, next_number, given } = &mut self.logs[log as usize];
        while !handover.is_stocked()
            && !handover.is_closed()
            && !handover.lacks_room(NoRoom::Disk)
            && handover.in_memory() < most
        {
            let first_record = (*next_number - 1) * self.info.segment_records + 1;
            let renew = |spare| segment::renew(spare, &self.memory, &self.info, *next_number, first_record);
            let segment = match handover.take_spare().and_then(renew) {
                Some(segment) => segment,
                None => segment::make(&self.memory, &self.info, log, *next_number, first_record)?,
            };
            let segment = Arc::new(segment);
            *next_number += 1;
            handover.put(&segment);
            given.push_back(segment);
        }
        handover.set_room(NoRoom::Memory, None);
        Ok(())
    }
}

/// Keeps the pages ahead of the writer present.
fn rearm(supply: &Supply) {
    let written = supply.handover.written();
    for segment in supply.given.iter().take(2) {
        let used = segment.used(written);
        segment.populate(used..(used + REARM_RECORDS).min(segment.capacity));
    }
}

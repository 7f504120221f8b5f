//! Whether inputs may enter, and how far the disk is behind: one counter for the head, a few numbers for whoever watches.
//!
//! The head looks at the counter before each input. It counts the segments that the outcome log has ahead, so it is above 0
//! unless there is none, or the journal failed; the end of the input log's own segment is the head's own business. So the
//! inputs stop while there is still room for the outcomes of those that entered, and an outcome need not be left out.
//!
//! Bound: one load and one comparison an input. Worst case: inputs already under way cause more outcomes than a segment
//! holds; then outcomes are left out, as when the disk is full.

use super::memory::Memory;
use crossbeam_utils::CachePadded;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Added while outcomes may be left out because there is no room for them: the inputs need not wait for them.
const MAY_DROP: i64 = 1 << 40;
/// Added when the disk failed or a helper has ended: nothing written can be made durable.
const FAILED: i64 = -(1 << 60);

/// The state that the head, the helpers and watchers share.
#[derive(Debug)]
pub(super) struct Gate {
    ahead: CachePadded<AtomicI64>,
    problem: Mutex<String>,
    /// Segments that may be behind, and that are, of the log that is further behind.
    limit: u64,
    behind: AtomicU64,
    start: Instant,
    /// Milliseconds from the start until the inputs began to wait; 0 = they do not.
    waiting_from: AtomicU64,
    /// How often they waited.
    waits: AtomicU64,
    /// What they wait for, if it is not the disk.
    no_room: Mutex<Option<String>>,
    /// What is to be said at the start.
    warning: Option<String>,
    /// The folder of the active segments.
    memory: PathBuf,
    /// The last input before the journal.
    after: AtomicU64,
    /// The supplier is running.
    supplied: AtomicBool,
}

impl Gate {
    /// Of a journal with its active segments in `memory`, of which `limit` of each log may be behind.
    pub(super) fn new(limit: u64, memory: &Memory) -> Gate {
        Gate {
            ahead: CachePadded::new(AtomicI64::new(0)),
            problem: Mutex::default(),
            limit,
            behind: AtomicU64::new(0),
            start: Instant::now(),
            waiting_from: AtomicU64::new(0),
            waits: AtomicU64::new(0),
            no_room: Mutex::default(),
            warning: memory.warning.clone(),
            memory: memory.folder.clone(),
            after: AtomicU64::new(0),
            supplied: AtomicBool::new(false),
        }
    }

    /// Says after which input the journal begins.
    pub(super) fn set_after(&self, seq: u64) {
        self.after.store(seq, Ordering::Release);
    }

    /// The last input before the journal; 0 if there is none, or if the journal has not begun.
    pub(super) fn after(&self) -> u64 {
        self.after.load(Ordering::Acquire)
    }

    /// The folder of the active segments.
    pub(super) fn memory(&self) -> &Path {
        &self.memory
    }

    /// Says that the supplier has begun, or has ended.
    pub(super) fn set_supplied(&self, supplied: bool) {
        self.supplied.store(supplied, Ordering::Release);
    }

    /// Whether the supplier is running.
    pub(super) fn is_supplied(&self) -> bool {
        self.supplied.load(Ordering::Acquire)
    }

    /// Whether inputs may enter.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.ahead.load(Ordering::Acquire) > 0
    }

    /// The outcome log has a segment more ahead.
    pub(super) fn give(&self) {
        self.ahead.fetch_add(1, Ordering::AcqRel);
    }

    /// The outcome log has a segment less ahead.
    pub(super) fn take(&self) {
        self.ahead.fetch_sub(1, Ordering::AcqRel);
    }

    /// Says whether outcomes may be left out without the inputs waiting for them; called by one thread only.
    pub(super) fn set_may_drop_outcomes(&self, may: bool) {
        let ahead = self.ahead.load(Ordering::Acquire);
        let might = ahead > MAY_DROP / 2 || (FAILED + MAY_DROP / 2..0).contains(&ahead);
        match (might, may) {
            (false, true) => self.ahead.fetch_add(MAY_DROP, Ordering::AcqRel),
            (true, false) => self.ahead.fetch_sub(MAY_DROP, Ordering::AcqRel),
            _ => ahead,
        };
    }

    /// Shuts it for good.
    pub(super) fn fail(&self, problem: &str) {
        let mut words = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if words.is_empty() {
            problem.clone_into(&mut words);
            self.ahead.fetch_add(FAILED, Ordering::AcqRel);
        }
    }

    /// Why it is shut for good.
    pub(super) fn failure(&self) -> Option<String> {
        let failed = self.ahead.load(Ordering::Acquire) < FAILED / 2;
        failed.then(|| self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Segments that may be behind.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Notes how far the disk is behind, whether inputs wait, and what there is no room for if they wait for that.
    pub(super) fn note(&self, behind: u64, waiting: bool, no_room: Option<String>) {
        *self.no_room.lock().unwrap_or_else(PoisonError::into_inner) = no_room;
        self.behind.store(behind, Ordering::Relaxed);
        if waiting != (self.waiting_from.load(Ordering::Relaxed) > 0) {
            let now = self.start.elapsed().as_millis().max(1) as u64;
            self.waits.fetch_add(u64::from(waiting), Ordering::Relaxed);
            self.waiting_from.store(if waiting { now } else { 0 }, Ordering::Release);
        }
    }
}

/// How the journal's disk is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskState {
    /// Full segments in memory that are not on the disk yet, of the log that is further behind.
    pub behind: u64,
    /// How many there may be.
    pub limit: u64,
    /// For how many milliseconds the inputs have been waiting for the disk or for memory; absent if they are not.
    pub waiting_ms: Option<u64>,
    /// How often they have begun to wait.
    pub waits: u64,
    /// What there is no room for in memory, if they wait for that; in words.
    pub no_room: Option<String>,
}

/// Watches the disk of the journal that a run is writing: the roll of a journal changes it.
#[derive(Clone, Debug, Default)]
pub struct CurrentDisk(Arc<Mutex<Option<DiskWatch>>>);

impl CurrentDisk {
    /// The watch; `None` until a journal is open for writing.
    pub fn get(&self) -> Option<DiskWatch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A journal is open for writing.
    pub fn set(&self, disk: DiskWatch) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(disk);
    }
}

/// Watches the disk of a journal, from any thread; it never waits.
#[derive(Clone, Debug)]
pub struct DiskWatch {
    pub(super) gate: Arc<Gate>,
}

impl DiskWatch {
    /// How the disk is doing.
    pub fn state(&self) -> DiskState {
        let gate = &self.gate;
        let from = gate.waiting_from.load(Ordering::Acquire);
        let waiting_ms = (from > 0).then(|| (gate.start.elapsed().as_millis() as u64).saturating_sub(from));
        let [behind, waits] = [&gate.behind, &gate.waits].map(|number| number.load(Ordering::Relaxed));
        let no_room = gate.no_room.lock().unwrap_or_else(PoisonError::into_inner).clone();
        DiskState { behind, limit: gate.limit, waiting_ms, waits, no_room }
    }

    /// The folder of the newest records, in memory.
    pub fn memory(&self) -> &Path {
        &self.gate.memory
    }

    /// The warning for the start of the run: that the active segments do not lie in shared memory, and why.
    pub fn warning(&self) -> Option<&str> {
        self.gate.warning.as_deref()
    }
}

//! The two log ends that the pipeline writes to.
//!
//! An append is nine stores to resident memory: no system call, lock, allocation or page fault. When a segment is full,
//! the writer takes the next one from the helper's queue. If that one is not ready yet, the writer waits and counts a
//! stall. If there will be none, an input is rejected (the run halts), and an outcome is left out (it can be derived
//! again) and the gap is recorded.
//!
//! Worst case: segments so small that they fill up faster than the helper allocates the next; then every roll-over
//! stalls.

use super::error::{JournalError, LogFull};
use super::handover::{Handover, Supply};
use super::helper::Helper;
use super::manifest::{Closed, JournalInfo};
use super::segment::Segment;
use flow::{Event, Kinds, Sink, SinkError};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Spins before a waiting writer yields its core to the helper.
const SPINS: u32 = 64;

/// The state common to both logs.
#[derive(Debug)]
struct Writer {
    segment: Option<Arc<Segment>>,
    /// The next free record of the segment, and the segment's capacity; both 0 without a segment.
    at: usize,
    capacity: usize,
    /// Number of the last record written.
    written: u64,
    handover: Arc<Handover>,
    helper: Arc<Helper>,
}

impl Writer {
    fn new(segment: Arc<Segment>, written: u64, handover: Arc<Handover>, helper: Arc<Helper>) -> Writer {
        let at = (written + 1 - segment.first_record) as usize;
        let capacity = segment.capacity as usize;
        Writer { segment: Some(segment), at, capacity, written, handover, helper }
    }

    /// Stores into the current segment, which must have room.
    #[inline]
    fn store(&mut self, event: &Event) {
        let segment = self.segment.as_ref().expect("there is room only in a segment");
        segment.store(self.at, event);
        self.at += 1;
        self.written += 1;
        self.handover.set_written(self.written);
    }

    /// Takes the next segment, and waits while one is being prepared. Releases the old segment once there is a new one,
    /// or once there will be none.
    #[cold]
    fn roll(&mut self) -> Result<(), Supply> {
        for turn in 0u32.. {
            if self.install() {
                return Ok(());
            }
            let supply = self.handover.supply();
            // Between the two checks above, the helper may have queued a segment and then found the disk full.
            if supply != Supply::Available && !self.install() {
                (self.segment, self.at, self.capacity) = (None, 0, 0);
                return Err(supply);
            }
            if supply != Supply::Available {
                return Ok(());
            }
            if turn == 0 {
                self.handover.stalls.fetch_add(1, Ordering::Relaxed);
                self.helper.wake();
            }
            if turn < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        unreachable!("the loop ends when a segment comes or none will")
    }

    /// Installs the next segment if one is ready.
    fn install(&mut self) -> bool {
        let Some(next) = self.handover.ready.pop() else { return false };
        assert!(next.first_record == self.written + 1, "segments are handed over in order");
        if let Some(old) = &self.segment {
            next.set_completed(old.completed());
        }
        (self.at, self.capacity) = (0, next.capacity as usize);
        self.segment = Some(next);
        true
    }

    fn stalls(&self) -> u64 {
        self.handover.stalls.load(Ordering::Relaxed)
    }

    /// Releases the segment and tells the helper that the log has ended.
    fn close(&mut self) {
        self.segment = None;
        self.handover.closed.store(true, Ordering::SeqCst);
        self.helper.log_ended();
    }
}

/// The input log. Whoever numbers the inputs appends here before anything else sees them.
///
/// Dropping it (or [`InputLog::close`]) ends the log; once both logs have ended, the helper seals the rest.
#[derive(Debug)]
pub struct InputLog {
    writer: Writer,
}

impl InputLog {
    pub(super) fn new(segment: Arc<Segment>, written: u64, handover: Arc<Handover>, helper: Arc<Helper>) -> InputLog {
        InputLog { writer: Writer::new(segment, written, handover, helper) }
    }

    /// Stores an input. When this returns, the input survives the death of the process.
    ///
    /// # Errors
    /// When there is no space for it or the disk failed: the input is not stored, and the run must halt before it acts
    /// on it. A later call succeeds once there is space again.
    #[inline]
    pub fn append(&mut self, event: &Event) -> Result<(), LogFull> {
        debug_assert!(event.id.0 != 0 && event.id.0 & flow::EventId::RING_BIT == 0, "an id of 0 means not written");
        if self.writer.handover.supply() == Supply::Failed {
            return Err(self.refusal(Supply::Failed));
        }
        if self.writer.at == self.writer.capacity {
            self.writer.roll().map_err(|supply| self.refusal(supply))?;
        }
        self.writer.store(event);
        Ok(())
    }

    #[cold]
    fn refusal(&self, supply: Supply) -> LogFull {
        let next = match supply {
            Supply::Failed => "check the disk (dmesg), then resume the journal",
            _ => "free space, then resume the journal",
        };
        LogFull { record: self.writer.written + 1, what: self.writer.handover.problem(), next }
    }

    /// Notes that all sources came to their true end: what closes the journal says so.
    pub fn end(&self) {
        self.writer.handover.ended.store(true, Ordering::SeqCst);
    }

    /// Number of records in the log.
    pub fn records(&self) -> u64 {
        self.writer.written
    }

    /// How often an append waited for the next segment.
    pub fn stalls(&self) -> u64 {
        self.writer.stalls()
    }

    /// The journal's identity and settings.
    pub fn info(&self) -> &JournalInfo {
        self.writer.helper.info()
    }

    /// Ends the log. If the outcome log has already ended, waits until everything is sealed.
    ///
    /// # Errors
    /// When the helper could not seal or sync the rest.
    pub fn close(self) -> Result<Option<Closed>, JournalError> {
        let helper = Arc::clone(&self.writer.helper);
        drop(self);
        helper.outcome()
    }
}

impl Drop for InputLog {
    fn drop(&mut self) {
        self.writer.close();
    }
}

/// The outcome log, a sink at the tail of the pipeline.
///
/// It never fails, and it waits only for the next segment when one is full.
#[derive(Debug)]
pub struct OutcomeLog {
    writer: Writer,
    kinds: Kinds,
    completed: u64,
    /// Events are left out until a segment is ready at a boundary between seqs.
    losing: bool,
    lost: u64,
}

impl OutcomeLog {
    pub(super) fn new(
        segment: Arc<Segment>,
        written: u64,
        completed: u64,
        handover: Arc<Handover>,
        helper: Arc<Helper>,
    ) -> OutcomeLog {
        let kinds = helper.info().outcome_kinds;
        let writer = Writer::new(segment, written, handover, helper);
        OutcomeLog { writer, kinds, completed, losing: false, lost: 0 }
    }

    #[cold]
    fn roll_or_lose(&mut self, event: &Event) -> bool {
        self.losing = self.losing || self.writer.roll().is_err();
        if self.losing {
            self.writer.handover.record_lost(event.id.seq());
            self.lost += 1;
        }
        self.losing
    }

    #[cold]
    fn end_loss(&mut self) {
        if self.writer.install() {
            self.losing = false;
        }
    }

    /// Number of records in the log, including dropped segments.
    pub fn records(&self) -> u64 {
        self.writer.written
    }

    /// Number of events left out for lack of space.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// How often an append waited for the next segment.
    pub fn stalls(&self) -> u64 {
        self.writer.stalls()
    }

    /// The journal's identity and settings.
    pub fn info(&self) -> &JournalInfo {
        self.writer.helper.info()
    }

    /// Ends the log. If the input log has already ended, waits until everything is sealed.
    ///
    /// # Errors
    /// When the helper could not seal or sync the rest.
    pub fn close(self) -> Result<Option<Closed>, JournalError> {
        let helper = Arc::clone(&self.writer.helper);
        drop(self);
        helper.outcome()
    }
}

impl Sink for OutcomeLog {
    fn kinds(&self) -> Kinds {
        self.kinds
    }

    #[inline]
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        debug_assert!(event.id.0 != 0 && event.id.0 & flow::EventId::RING_BIT == 0, "an id of 0 means not written");
        let room = self.writer.at < self.writer.capacity;
        if self.kinds.has(event.kind) && (room || !self.roll_or_lose(event)) {
            self.writer.store(event);
        }
        Ok(())
    }

    #[inline]
    fn finished(&mut self, seq: u64) -> Result<(), SinkError> {
        self.completed = seq;
        if self.losing {
            self.end_loss();
        }
        if let Some(segment) = &self.writer.segment {
            segment.set_completed(seq);
        }
        Ok(())
    }
}

impl Drop for OutcomeLog {
    fn drop(&mut self) {
        self.writer.close();
    }
}

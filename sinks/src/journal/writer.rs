//! The two log ends that the pipeline writes to.
//!
//! An append is nine stores to memory that is there: no system call, lock, allocation or page fault, and it never waits.
//! When a segment is full, the writer takes the next one from the supplier's queue. If none is ready, an input has to wait
//! ([`InputLog::ready`] says so, and the head takes none meanwhile), and an outcome is left out (it can be derived again)
//! and the gap is recorded. If there will be none, since the disk is full or failed, an input is rejected and the run halts.
//!
//! Worst case: segments so small that they fill up faster than the supplier prepares the next; then inputs wait at each.

use super::begin::Begin;
use super::error::{JournalError, LogFull};
use super::gaps::Lost;
use super::gate::{DiskWatch, Gate};
use super::handover::{Handover, NoRoom};
use super::helper::{Helper, PATIENCE};
use super::manifest::{Closed, JournalInfo};
use super::segment::Segment;
use flow::{Event, Kinds, Sink, SinkError};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// The state common to both logs.
#[derive(Debug)]
struct Writer {
    segment: Arc<Segment>,
    /// The next free record of the segment, and the segment's capacity.
    at: usize,
    capacity: usize,
    /// Number of the last record written.
    written: u64,
    handover: Arc<Handover>,
    gate: Arc<Gate>,
    helper: Arc<Helper>,
}

impl Writer {
    fn new(segment: Arc<Segment>, handover: Arc<Handover>, helper: Arc<Helper>) -> Writer {
        let written = handover.written();
        let at = (written + 1 - segment.first_record) as usize;
        let capacity = segment.capacity as usize;
        let gate = Arc::clone(&handover.gate);
        Writer { segment, at, capacity, written, handover, gate, helper }
    }

    #[inline]
    fn has_room(&self) -> bool {
        self.at < self.capacity
    }

    /// Stores into the current segment, which must have room.
    #[inline]
    fn store(&mut self, event: &Event) {
        self.segment.store(self.at, event);
        self.at += 1;
        self.written += 1;
        self.handover.set_written(self.written);
    }

    /// Takes the next segment if one is ready; it must not lie where the disk has no room for it.
    fn next(&self) -> Option<Arc<Segment>> {
        let handover = &self.handover;
        if handover.lacks_room(NoRoom::Disk) && self.segment.number >= handover.covered() {
            return None;
        }
        handover.take()
    }

    /// Continues in the next segment.
    fn install(&mut self, next: Arc<Segment>) {
        assert!(next.first_record == self.written + 1, "segments are handed over in order");
        next.set_completed(self.segment.completed());
        (self.at, self.capacity) = (0, next.capacity as usize);
        std::mem::replace(&mut self.segment, next).release();
    }

    /// Leaves the segment and tells the helpers that the log has ended.
    fn close(&mut self) {
        self.segment.release();
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
    /// The supplier was woken for the segment that is missing.
    asked: bool,
}

impl InputLog {
    pub(super) fn new(segment: Arc<Segment>, handover: Arc<Handover>, helper: Arc<Helper>) -> InputLog {
        InputLog { writer: Writer::new(segment, handover, helper), asked: false }
    }

    /// Whether the next input may enter: there is room for it, and for its outcomes. `false` while the disk is as far behind
    /// as it may be, and for a moment when a segment is full before the next one is ready.
    ///
    /// # Errors
    /// When there is no space for another input or the disk failed: the run must halt. A later call succeeds once there is
    /// space again.
    #[inline]
    pub fn ready(&mut self) -> Result<bool, LogFull> {
        if self.writer.gate.is_open() && self.writer.has_room() { Ok(true) } else { self.find_room() }
    }

    #[cold]
    fn find_room(&mut self) -> Result<bool, LogFull> {
        if let Some(what) = self.writer.gate.failure() {
            return Err(self.refusal(what, "check the disk (dmesg), then start the run again: it goes on there"));
        }
        if !self.writer.has_room()
            && let Some(next) = self.writer.next()
        {
            self.writer.install(next);
        }
        if self.writer.gate.is_open() && self.writer.has_room() {
            self.asked = false;
            return Ok(true);
        }
        let handover = &self.writer.handover;
        if !self.writer.has_room() && handover.is_full() {
            let what = handover.problem();
            return Err(self.refusal(what, "free space, then start the run again: it goes on there"));
        }
        if !std::mem::replace(&mut self.asked, true) {
            handover.stalls.fetch_add(1, Ordering::Relaxed);
            self.writer.helper.wake();
        }
        Ok(false)
    }

    /// Stores an input. When this returns, the input survives the death of the process. It never waits: ask
    /// [`InputLog::ready`] first.
    ///
    /// # Errors
    /// When there is no room for it: the input is not stored, and nothing may act on it.
    #[inline]
    pub fn append(&mut self, event: &Event) -> Result<(), LogFull> {
        debug_assert!(event.id.0 != 0 && event.id.0 & flow::EventId::RING_BIT == 0, "an id of 0 means not written");
        if !self.writer.has_room() && !self.find_room()? {
            return Err(self.refusal("the disk is behind".to_owned(), "wait until it has caught up"));
        }
        self.writer.store(event);
        Ok(())
    }

    #[cold]
    fn refusal(&self, what: String, next: &'static str) -> LogFull {
        LogFull { record: self.writer.written + 1, what, next }
    }

    /// Begins a journal that was prepared to follow another. When this returns, it is the journal that goes on, and outlives
    /// the process; the disk has what it begins with soon after.
    ///
    /// # Errors
    /// When there is no room in memory.
    pub fn begin(&mut self, begin: &Begin, state: &[u8]) -> Result<(), JournalError> {
        let gate = &self.writer.gate;
        begin.write(gate.memory(), state)?;
        gate.set_after(begin.after);
        Ok(())
    }

    /// Notes that all sources came to their true end: what closes the journal says so.
    pub fn end(&self) {
        self.writer.handover.ended.store(true, Ordering::SeqCst);
    }

    /// Number of records in the log.
    pub fn records(&self) -> u64 {
        self.writer.written
    }

    /// How often an input had to wait for the next segment.
    pub fn stalls(&self) -> u64 {
        self.writer.handover.stalls.load(Ordering::Relaxed)
    }

    /// The journal's identity and settings.
    pub fn info(&self) -> &JournalInfo {
        self.writer.helper.info()
    }

    /// Watches the journal's disk.
    pub fn disk(&self) -> DiskWatch {
        DiskWatch { gate: Arc::clone(&self.writer.gate) }
    }

    /// Ends the log. If the outcome log has already ended, waits until everything is sealed.
    ///
    /// # Errors
    /// When the helper could not seal or sync the rest, or the disk does not answer.
    pub fn close(self) -> Result<Option<Closed>, JournalError> {
        self.close_within(PATIENCE)
    }

    /// Like [`InputLog::close`], but gives up a disk that has not answered for as long as this.
    ///
    /// # Errors
    /// As [`InputLog::close`].
    pub fn close_within(self, patience: Duration) -> Result<Option<Closed>, JournalError> {
        let helper = Arc::clone(&self.writer.helper);
        helper.set_patience(patience);
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
/// It never fails and never waits.
#[derive(Debug)]
pub struct OutcomeLog {
    writer: Writer,
    kinds: Kinds,
    /// Events are left out until a segment is ready at a boundary between seqs.
    losing: Option<Lost>,
    lost: u64,
}

impl OutcomeLog {
    pub(super) fn new(segment: Arc<Segment>, handover: Arc<Handover>, helper: Arc<Helper>) -> OutcomeLog {
        let kinds = helper.info().outcome_kinds;
        OutcomeLog { writer: Writer::new(segment, handover, helper), kinds, losing: None, lost: 0 }
    }

    /// Continues in the next segment, or leaves the event out; returns whether it is left out.
    #[cold]
    fn roll_or_lose(&mut self, event: &Event) -> bool {
        let (seq, after_record) = (event.id.seq(), self.writer.written);
        if self.losing.is_none_or(|lost| lost.through_seq < seq) && self.go_on() {
            return false;
        }
        let lost = self.losing.get_or_insert(Lost { from_seq: seq, through_seq: seq, events: 0, after_record });
        (lost.through_seq, lost.events) = (seq, lost.events + 1);
        self.lost += 1;
        true
    }

    /// Continues in the next segment, if one is ready; it says what was left out before it.
    #[cold]
    fn go_on(&mut self) -> bool {
        let Some(next) = self.writer.next() else { return false };
        self.losing.take().iter().for_each(|lost| next.set_lost(lost));
        self.writer.install(next);
        true
    }

    /// Number of records in the log, including dropped segments.
    pub fn records(&self) -> u64 {
        self.writer.written
    }

    /// Number of events left out for lack of space.
    pub fn lost(&self) -> u64 {
        self.lost
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
        if self.kinds.has(event.kind) && (self.writer.has_room() || !self.roll_or_lose(event)) {
            self.writer.store(event);
        }
        Ok(())
    }

    #[inline]
    fn finished(&mut self, seq: u64) -> Result<(), SinkError> {
        if self.losing.is_none() || self.go_on() {
            self.writer.segment.set_completed(seq);
        }
        Ok(())
    }
}

impl Drop for OutcomeLog {
    fn drop(&mut self) {
        *self.writer.handover.lost_last.lock().unwrap_or_else(PoisonError::into_inner) = self.losing.take();
        self.writer.close();
    }
}

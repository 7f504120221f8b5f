//! The two ends that the pipeline writes to.
//!
//! An append is nine stores to memory that is present: no system call, no lock, no allocation, no page fault. When a
//! segment is full the writer takes the next one from the helper's queue. Where that one is not ready yet the writer
//! waits and counts a stall; where there will be none, an input is refused (the run halts) and an outcome is left out
//! (it can be re-derived) and the gap is marked.
//!
//! Worst case: a segment smaller than what is written while the helper allocates one; then every roll stalls.

use super::error::{JournalError, LogFull};
use super::handover::{Handover, Supply};
use super::helper::Helper;
use super::manifest::{Closed, JournalInfo};
use super::segment::Segment;
use flow::{Event, Kinds, Sink, SinkError};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Spins before a waiting writer gives its core to the helper.
const SPINS: u32 = 64;

/// The state that both logs share.
#[derive(Debug)]
struct Writer {
    segment: Option<Arc<Segment>>,
    /// Next free record of the segment, and their number; both 0 without a segment.
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

    /// Stores into the current segment, which has room.
    #[inline]
    fn store(&mut self, event: &Event) {
        let segment = self.segment.as_ref().expect("there is room only in a segment");
        segment.store(self.at, event);
        self.at += 1;
        self.written += 1;
        self.handover.set_written(self.written);
    }

    /// Takes the next segment, waiting while it is on its way. The old one is let go when the new one is there, or when
    /// there will be none.
    #[cold]
    fn roll(&mut self) -> Result<(), Supply> {
        for turn in 0u32.. {
            if self.install() {
                return Ok(());
            }
            let supply = self.handover.supply();
            // Between the two looks above the helper may have put a segment in and then found the disk full.
            if supply != Supply::Coming && !self.install() {
                (self.segment, self.at, self.capacity) = (None, 0, 0);
                return Err(supply);
            }
            if supply != Supply::Coming {
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

    /// Installs the next segment if it is there.
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

    /// Lets the segment go and tells the helper that nothing more comes.
    fn close(&mut self) {
        self.segment = None;
        self.handover.closed.store(true, Ordering::SeqCst);
        self.helper.leave();
    }
}

/// The log of inputs. Whoever numbers the inputs appends here before anything else sees them.
///
/// Dropping it (or [`InputLog::close`]) ends the log; when both logs are ended the helper seals what is left.
#[derive(Debug)]
pub struct InputLog {
    writer: Writer,
}

impl InputLog {
    pub(super) fn new(segment: Arc<Segment>, written: u64, handover: Arc<Handover>, helper: Arc<Helper>) -> InputLog {
        InputLog { writer: Writer::new(segment, written, handover, helper) }
    }

    /// Stores an input. After the return it survives the death of the process.
    ///
    /// # Errors
    /// When there is no room for it, or the disk failed: the input is not stored and the run must halt before it acts on
    /// it. A later call succeeds when there is room again.
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
            _ => "make room, then resume the journal",
        };
        LogFull { record: self.writer.written + 1, what: self.writer.handover.trouble(), next }
    }

    /// Records in the log.
    pub fn records(&self) -> u64 {
        self.writer.written
    }

    /// How often an append waited for the next segment.
    pub fn stalls(&self) -> u64 {
        self.writer.stalls()
    }

    /// What the journal says of itself.
    pub fn info(&self) -> &JournalInfo {
        self.writer.helper.info()
    }

    /// Ends the log. When the outcome log is ended already this waits until everything is sealed.
    ///
    /// # Errors
    /// When the helper could not seal or sync what was left.
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

/// The log of outcomes: the sink at the tail of the pipeline.
///
/// It never fails and, except for a stall at the end of a segment, never waits.
#[derive(Debug)]
pub struct OutcomeLog {
    writer: Writer,
    kinds: Kinds,
    completed: u64,
    /// Events are being left out until the next boundary between seqs at which a segment is there.
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
            self.writer.handover.note_lost(event.id.seq());
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

    /// Records in the log, those of dropped segments included.
    pub fn records(&self) -> u64 {
        self.writer.written
    }

    /// Events that were left out for want of room.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// How often an append waited for the next segment.
    pub fn stalls(&self) -> u64 {
        self.writer.stalls()
    }

    /// What the journal says of itself.
    pub fn info(&self) -> &JournalInfo {
        self.writer.helper.info()
    }

    /// Ends the log. When the input log is ended already this waits until everything is sealed.
    ///
    /// # Errors
    /// When the helper could not seal or sync what was left.
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

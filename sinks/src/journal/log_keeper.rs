//! The helper's work on one log: copying to the disk and sealing behind the writer.
//!
//! A segment goes through these steps, in order, each for as much of it as is written: records to the disk, durable; sealed,
//! durable; the header's words. Once it is full, sealed and left by the writer, its memory is given back, to be used again for the next one. A kill between any
//! two steps repeats the step. Bound: a block of 4,096 records is loaded at a time. Worst case: a disk that does not answer:
//! the segments wait in memory, as many as may be behind.

use super::copy::Copy;
use super::disk::{Disk, DiskOp};
use super::format::{BLOCK_RECORDS, LogKind};
use super::gaps::Lost;
use super::gate::Gate;
use super::handover::Handover;
use super::private::remove_if_there;
use super::segment::{Segment, paths};
use flow::Event;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// A segment that is being written or is prepared for it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) segment: Arc<Segment>,
    /// `None` until the disk has room for it.
    pub(super) copy: Option<Copy>,
    /// Whether outcomes that were left out before it were found.
    pub(super) noted: bool,
}

/// A full and sealed segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) number: u64,
    pub(super) last_record: u64,
    pub(super) last_seq: u64,
    pub(super) chain: [u8; 32],
}

/// What a step of the helper needs besides the log.
pub(super) struct Step<'a> {
    pub(super) disk: &'a Disk,
    /// Folder of the active segments.
    pub(super) memory: &'a Path,
    pub(super) journal_id: u64,
    /// Seals what is written, and not only complete blocks.
    pub(super) all: bool,
    pub(super) records: &'a mut Vec<Event>,
}

/// The helper's state of one log.
#[derive(Debug)]
pub(super) struct LogKeeper {
    pub(super) log: LogKind,
    pub(super) handover: Arc<Handover>,
    pub(super) live: VecDeque<Live>,
    pub(super) kept: VecDeque<Kept>,
    /// Chain and seq at the end of the sealed part.
    pub(super) chain: [u8; 32],
    pub(super) last_seq: u64,
    /// Through which seq the outcomes in the records that are copied now are complete.
    pub(super) completed: u64,
    /// Outcomes that were left out, and are not recorded yet.
    pub(super) lost: Vec<Lost>,
    /// Since when something that is on the disk is not sealed.
    unsealed_since: Option<Instant>,
}

/// How long a record waits for its block to be full. Then it is sealed in a short one, so that only the last seconds of a
/// killed run are not sealed, however slow it was.
const MOST_UNSEALED: Duration = Duration::from_secs(1);

impl LogKeeper {
    pub(super) fn new(log: LogKind, gate: Arc<Gate>, chain: [u8; 32]) -> LogKeeper {
        let (live, kept, handover) = (VecDeque::new(), VecDeque::new(), Arc::new(Handover::new(log, gate)));
        LogKeeper {
            log,
            handover,
            live,
            kept,
            chain,
            last_seq: 0,
            completed: 0,
            lost: Vec::new(),
            unsealed_since: None,
        }
    }

    /// The last segment, if it has room.
    pub(super) fn active(&self) -> Option<Arc<Segment>> {
        let last = self.live.back().filter(|l| l.used(self.handover.written()) < l.segment.capacity)?;
        Some(Arc::clone(&last.segment))
    }

    /// Takes over the segments that were prepared since the last call.
    pub(super) fn take_in(&mut self) {
        while let Some(segment) = self.handover.coming.pop() {
            self.live.push_back(Live { segment, copy: None, noted: false });
        }
    }

    /// Whether a segment is full that was not before the last copy.
    pub(super) fn has_full(&self) -> bool {
        let written = self.handover.written();
        self.live.iter().any(|l| {
            let fills = l.used(written) == l.segment.capacity;
            fills && l.copy.as_ref().is_some_and(|copy| copy.synced < l.segment.capacity)
        })
    }

    /// Reads how far the log is complete, then what was left out up to there, then how much is written: the first is never
    /// ahead of the others.
    pub(super) fn look(&mut self) -> u64 {
        let words = self.live.iter().map(|l| l.segment.completed()).max().unwrap_or(0);
        self.completed = self.completed.max(words);
        for live in self.live.iter_mut().filter(|l| !l.noted) {
            // The writer says it before it stores anything there, and it may never store anything there.
            let lost = live.segment.lost();
            live.noted = lost.is_some();
            self.lost.extend(lost);
        }
        self.lost.extend(self.handover.lost_last.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.handover.written()
    }

    /// Copies the first `written` records of the log and seals their complete blocks; seals everything if `all`.
    pub(super) fn copy_and_seal(&mut self, written: u64, step: &mut Step<'_>) -> io::Result<()> {
        // A segment is retired before the next one is sealed, so its header never lags behind its successors.
        while let Some(used) = self.live.front().map(|l| l.used(written)) {
            let Live { segment, copy: Some(copy), .. } = &mut self.live[0] else { break };
            copy.write(step.disk, segment, used, step.records)?;
            self.seal_front(written, step)?;
            if !self.retire_front(step)? {
                break;
            }
        }
        Ok(())
    }

    fn seal_front(&mut self, written: u64, step: &mut Step<'_>) -> io::Result<()> {
        let Live { segment, copy: Some(copy), .. } = &mut self.live[0] else { return Ok(()) };
        let before = copy.seal.sealed;
        let full = copy.synced == segment.capacity;
        let overdue = self.unsealed_since.is_some_and(|since| since.elapsed() >= MOST_UNSEALED);
        loop {
            let left = copy.synced - copy.seal.sealed;
            let short = left < BLOCK_RECORDS as u64 && !full && !step.all;
            if left == 0 || (short && !(overdue && copy.seal.has_room(segment.capacity, left))) {
                break;
            }
            if !copy.seal.has_begun() {
                copy.seal.begin(segment, step.journal_id, self.chain);
            }
            let first = copy.seal.sealed;
            let count = left.min(BLOCK_RECORDS as u64);
            segment.read(first, count, step.records);
            let last_seq = step.records.last().map_or(self.last_seq, |e| e.id.seq());
            let behind = segment.first_record + first + count <= written;
            let through = if behind { self.completed.min(last_seq.saturating_sub(1)) } else { self.completed };
            self.chain = copy.seal.block(segment, step.records, through);
            self.last_seq = last_seq;
        }
        match copy.synced > copy.seal.sealed {
            true if copy.seal.sealed > before => self.unsealed_since = Some(Instant::now()),
            true => self.unsealed_since = self.unsealed_since.or_else(|| Some(Instant::now())),
            false => self.unsealed_since = None,
        }
        if copy.seal.is_pending() {
            step.disk.run(DiskOp::Write, || copy.seal.write())?;
            step.disk.run(DiskOp::Sync, || copy.seal.sync())?;
            if copy.seal.sealed < segment.capacity {
                segment.set_sealed(copy.seal.sealed);
            }
        }
        copy.write_header(step.disk, segment.header_page(self.completed))
    }

    /// Retires the front segment if it is full, sealed and left by the writer; returns whether it did.
    fn retire_front(&mut self, step: &Step<'_>) -> io::Result<bool> {
        let Live { segment, copy: Some(copy), .. } = &mut self.live[0] else { return Ok(false) };
        if copy.seal.sealed < segment.capacity || !segment.is_released() {
            return Ok(false);
        }
        copy.write_header(step.disk, segment.last_header_page())?;
        copy.trim(step.disk, segment.capacity)?;
        let last_record = segment.first_record + segment.capacity - 1;
        // Its own: where a journal goes on, later records may be known that are not sealed yet.
        let last_seq = segment.load(segment.capacity as usize - 1).id.seq();
        self.kept.push_back(Kept { number: segment.number, last_record, last_seq, chain: self.chain });
        let Live { segment, .. } = self.live.pop_front().expect("it was looked at");
        // Somebody else may have cleared the memory: then there is nothing to give back.
        if self.handover.has_spare_room() && segment.give_back(step.memory).is_ok() {
            self.handover.keep_spare(segment);
        } else {
            remove_if_there(&paths(step.memory, self.log, segment.number).0)?;
        }
        self.handover.add_retired();
        Ok(true)
    }
}

impl Live {
    /// Records of this segment when the log has `written` records.
    pub(super) fn used(&self, written: u64) -> u64 {
        self.segment.used(written)
    }
}

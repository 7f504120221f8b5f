//! The helper thread: allocates segments ahead of the writers, syncs and seals behind them.
//!
//! Every [`TICK`] it checks whether a segment was taken and prepares another; every `sync_ms` it syncs what was written
//! and seals its complete blocks. It syncs only whole writeback units (the kernel's folios, which it caches and writes
//! back as a whole), because the next write to a page under writeback must fault it in again. What has already waited
//! for one interval is synced all the same, and made writable again at once.
//!
//! Bound: a record is durable two sync intervals after it was written, if the disk keeps up. Worst case: it does not;
//! then the writers run out of segments and stall. A log so slow that it fills less than a unit per interval can take
//! one page fault per interval, between the sync of its page and the moment when the page is writable again.

use super::error::JournalError;
use super::format::{BLOCK_RECORDS, HEADER_SLOTS, LogKind};
use super::gaps::{Dropped, GapFile, Lost};
use super::handover::{Handover, Supply};
use super::manifest::{Closed, JournalInfo, LogEnd, sync_folder};
use super::seal::SealWriter;
use super::segment::{self, PAGE_RECORDS, Segment, WRITEBACK_RECORDS};
use super::spec::Upkeep;
use flow::Event;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// Pause between two checks on the writers.
const TICK: Duration = Duration::from_millis(1);
/// How often the pages ahead of the writers are faulted in again, since the system may have written them back.
const REARM: Duration = Duration::from_millis(10);
/// Records ahead of a writer whose pages are kept writable.
const REARM_RECORDS: u64 = 32 * PAGE_RECORDS;
/// Pause after a failed allocation.
const RETRY: Duration = Duration::from_millis(50);

/// A segment that is being written or is prepared for it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) segment: Arc<Segment>,
    pub(super) seal: SealWriter,
    /// Number of records on disk.
    pub(super) synced: u64,
}

/// A full and sealed segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) number: u64,
    pub(super) last_record: u64,
    pub(super) last_seq: u64,
    pub(super) chain: [u8; 32],
}

/// The helper's state of one log.
#[derive(Debug)]
pub(super) struct LogKeeper {
    pub(super) log: LogKind,
    pub(super) handover: Arc<Handover>,
    pub(super) live: VecDeque<Live>,
    pub(super) kept: VecDeque<Kept>,
    pub(super) next_number: u64,
    /// Chain and seq at the end of the sealed part.
    pub(super) chain: [u8; 32],
    pub(super) last_seq: u64,
    pub(super) completed: u64,
    seen: u64,
    synced_state: (u64, u64),
}

/// The helper thread's state.
#[derive(Debug)]
pub(super) struct Keeper {
    dir: PathBuf,
    info: JournalInfo,
    upkeep: Upkeep,
    logs: [LogKeeper; 2],
    gaps: GapFile,
    /// Held while the journal is being written.
    _lock: File,
    retry_at: Instant,
    records: Vec<Event>,
}

impl LogKeeper {
    pub(super) fn new(log: LogKind, chain: [u8; 32], written: u64) -> LogKeeper {
        LogKeeper {
            log,
            handover: Arc::new(Handover::new(written)),
            live: VecDeque::new(),
            kept: VecDeque::new(),
            next_number: 1,
            chain,
            last_seq: 0,
            completed: 0,
            seen: 0,
            synced_state: (0, 0),
        }
    }

    fn is_closed(&self) -> bool {
        self.handover.closed.load(Ordering::SeqCst)
    }

    /// Reads completed-through before written, so that the first never exceeds the second.
    fn look(&mut self) -> u64 {
        let words = self.live.iter().map(|l| l.segment.completed()).max().unwrap_or(0);
        self.completed = self.completed.max(words);
        self.handover.written()
    }

    /// Syncs what was written and seals its complete blocks; seals everything if `closing`.
    fn sync_and_seal(&mut self, journal_id: u64, closing: bool, records: &mut Vec<Event>) -> io::Result<()> {
        let written = self.look();
        self.sync(written, closing)?;
        // A segment is retired before the next one is sealed, so its header never lags behind its successors.
        while !self.live.is_empty() {
            self.seal_front(journal_id, written, closing, records)?;
            if !self.retire_front()? {
                break;
            }
        }
        Ok(())
    }

    fn sync(&mut self, written: u64, closing: bool) -> io::Result<()> {
        let seen = std::mem::replace(&mut self.seen, written);
        let state = (written, self.completed);
        for live in &mut self.live {
            let used = live.used(written);
            let units = whole_units(used);
            let before = live.used(seen);
            let lingers = before > units || before == used;
            let whole = used == live.segment.capacity || lingers || closing;
            let target = if whole { used } else { units };
            if target > live.synced {
                live.segment.sync(live.synced..target)?;
                live.synced = target;
            }
            if used == live.segment.capacity {
                continue;
            }
            if (lingers || closing) && used > 0 && state != self.synced_state {
                live.rearm(used);
                live.segment.sync_header()?;
                live.rearm(used);
                self.synced_state = state;
            }
            break;
        }
        Ok(())
    }

    fn seal_front(&mut self, journal_id: u64, written: u64, closing: bool, records: &mut Vec<Event>) -> io::Result<()> {
        let live = &mut self.live[0];
        let before = live.seal.sealed;
        let full = live.synced == live.segment.capacity;
        loop {
            let left = live.synced - live.seal.sealed;
            if left == 0 || (left < BLOCK_RECORDS as u64 && !full && !closing) {
                break;
            }
            if !live.seal.has_begun() {
                live.seal.begin(&live.segment, journal_id, self.chain)?;
            }
            let first = live.seal.sealed as usize;
            let count = left.min(BLOCK_RECORDS as u64) as usize;
            records.clear();
            records.extend((first..first + count).map(|index| live.segment.load(index)));
            self.last_seq = records.last().map_or(self.last_seq, |e| e.id.seq());
            let behind = live.segment.first_record + (first + count) as u64 <= written;
            let through = if behind { self.completed.min(self.last_seq.saturating_sub(1)) } else { self.completed };
            self.chain = live.seal.block(&live.segment, records, through)?;
        }
        if live.seal.sealed > before {
            live.seal.sync()?;
            if live.seal.sealed < live.segment.capacity {
                live.segment.set_sealed(live.seal.sealed);
            }
        }
        Ok(())
    }

    /// Retires the front segment if it is full, sealed and released by the writer; returns whether it did.
    fn retire_front(&mut self) -> io::Result<bool> {
        let Live { segment, seal, .. } = &self.live[0];
        if seal.sealed < segment.capacity || Arc::strong_count(segment) > 1 {
            return Ok(false);
        }
        segment.set_completed(0);
        segment.set_sealed(segment.capacity);
        segment.sync_header()?;
        seal.trim()?;
        let last_record = segment.first_record + segment.capacity - 1;
        self.kept.push_back(Kept { number: segment.number, last_record, last_seq: self.last_seq, chain: self.chain });
        self.live.pop_front();
        Ok(true)
    }

    /// Keeps the pages ahead of the writer writable.
    fn rearm(&self) {
        let written = self.handover.written();
        let ahead = self.live.iter().filter(|l| l.used(written) < l.segment.capacity);
        for live in ahead.take(2) {
            live.rearm(live.used(written));
        }
    }
}

/// How many of a segment's first `used` records fill whole writeback units.
fn whole_units(used: u64) -> u64 {
    let slots = HEADER_SLOTS as u64 + used;
    (slots - slots % WRITEBACK_RECORDS).saturating_sub(HEADER_SLOTS as u64)
}

impl Live {
    /// Records of this segment when the log has `written` records.
    fn used(&self, written: u64) -> u64 {
        (written + 1).saturating_sub(self.segment.first_record).min(self.segment.capacity)
    }

    /// Faults the header's page and the pages from record `used` on in as writable.
    fn rearm(&self, used: u64) {
        self.segment.populate(used..(used + REARM_RECORDS).min(self.segment.capacity));
    }
}

impl Keeper {
    pub(super) fn new(
        dir: &Path,
        info: JournalInfo,
        upkeep: Upkeep,
        logs: [LogKeeper; 2],
        gaps: GapFile,
        lock: File,
    ) -> Keeper {
        let records = Vec::with_capacity(BLOCK_RECORDS);
        Keeper { dir: dir.to_owned(), info, upkeep, logs, gaps, _lock: lock, retry_at: Instant::now(), records }
    }

    pub(super) fn info(&self) -> &JournalInfo {
        &self.info
    }

    pub(super) fn handover(&self, log: LogKind) -> Arc<Handover> {
        Arc::clone(&self.logs[log as usize].handover)
    }

    pub(super) fn log(&self, log: LogKind) -> &LogKeeper {
        &self.logs[log as usize]
    }

    /// The thread's main loop, until both logs have ended.
    pub(super) fn run(mut self) -> Result<Closed, JournalError> {
        let interval = Duration::from_millis(self.upkeep.sync_ms);
        let (mut sync_at, mut rearm_at) = (Instant::now() + interval, Instant::now());
        let mut failure = None;
        loop {
            let closing = self.logs.iter().all(LogKeeper::is_closed);
            let now = Instant::now();
            if !closing && failure.is_none() && now >= self.retry_at {
                self.provide();
            }
            if now >= rearm_at {
                self.logs.iter().for_each(LogKeeper::rearm);
                rearm_at = now + REARM;
            }
            let result = self.mark_lost();
            let result =
                if now >= sync_at && !closing { result.and_then(|()| self.sync_and_seal(false)) } else { result };
            if now >= sync_at {
                sync_at = Instant::now() + interval;
            }
            if let Err(error) = result {
                self.fail(&error);
                failure.get_or_insert(error);
            }
            if closing {
                return match failure {
                    None => self.finish(),
                    Some(error) => Err(error),
                };
            }
            thread::park_timeout(TICK);
        }
    }

    fn fail(&self, error: &JournalError) {
        for log in &self.logs {
            log.handover.set_supply(Supply::Failed, &error.to_string());
        }
    }

    /// Prepares the segments that are missing ahead of the writers.
    fn provide(&mut self) {
        for log in LogKind::BOTH {
            let handover = self.handover(log);
            while !handover.ready.is_full() && !handover.closed.load(Ordering::SeqCst) {
                match self.prepare(log) {
                    Ok(segment) => {
                        handover.ready.push(segment).expect("only this thread fills the queue");
                        handover.set_supply(Supply::Available, "");
                    }
                    Err(error) => {
                        handover.set_supply(Supply::Full, &error.to_string());
                        self.retry_at = Instant::now() + RETRY;
                        break;
                    }
                }
            }
        }
    }

    /// Prepares the next segment of a log, dropping old outcomes if their space is needed.
    pub(super) fn prepare(&mut self, log: LogKind) -> Result<Arc<Segment>, JournalError> {
        self.give_way(segment::footprint(self.info.segment_records))?;
        let (number, written) = (self.log(log).next_number, self.info.segment_records);
        let first_record = (number - 1) * written + 1;
        let (segment, seal) = loop {
            match segment::prepare(&self.dir, &self.info, log, number, first_record) {
                Err(JournalError::NoSpace { .. }) if self.drop_oldest()? => {}
                other => break other?,
            }
        };
        let segment = Arc::new(segment);
        let keeper = &mut self.logs[log as usize];
        keeper.next_number += 1;
        keeper.live.push_back(Live { segment: Arc::clone(&segment), seal: SealWriter::new(seal), synced: 0 });
        Ok(segment)
    }

    /// Drops old outcomes until `needed` more bytes fit below the high-water mark, or nothing sealed is left to drop.
    fn give_way(&mut self, needed: u64) -> Result<(), JournalError> {
        let mark = self.upkeep.high_water_bytes;
        while mark > 0 && self.bytes() + needed > mark && self.drop_oldest()? {}
        Ok(())
    }

    /// Total size of all segments and sidecars in bytes.
    fn bytes(&self) -> u64 {
        let segments: usize = self.logs.iter().map(|l| l.live.len() + l.kept.len()).sum();
        segments as u64 * segment::footprint(self.info.segment_records)
    }

    /// Drops the oldest sealed outcome segment, after recording the gap; `false` if there is none.
    fn drop_oldest(&mut self) -> Result<bool, JournalError> {
        let Some(oldest) = self.logs[LogKind::Outcomes as usize].kept.pop_front() else { return Ok(false) };
        self.gaps.gaps.dropped = Dropped {
            through_segment: oldest.number,
            through_record: oldest.last_record,
            through_seq: oldest.last_seq,
            chain: oldest.chain,
        };
        self.gaps.write().map_err(|e| JournalError::io(&self.dir, "recording the gap of dropped outcomes", e))?;
        let (path, seal) = segment::paths(&self.dir, LogKind::Outcomes, oldest.number);
        for path in [seal, path] {
            fs::remove_file(&path).map_err(|e| JournalError::io(&path, "dropping an old segment", e))?;
        }
        Ok(true)
    }

    /// Records the outcomes that the writer left out.
    fn mark_lost(&mut self) -> Result<(), JournalError> {
        let handover = self.handover(LogKind::Outcomes);
        let Some((from, through_seq, events)) = handover.take_lost() else { return Ok(()) };
        // Outcomes are left out only between segments.
        let after_record = handover.written() / self.info.segment_records * self.info.segment_records;
        let from_seq = if from == 0 { through_seq } else { from };
        self.gaps.gaps.add_lost(Lost { from_seq, through_seq, events, after_record });
        self.gaps.write().map_err(|e| JournalError::io(&self.dir, "recording the gap of lost outcomes", e))
    }

    pub(super) fn sync_and_seal(&mut self, closing: bool) -> Result<(), JournalError> {
        for log in &mut self.logs {
            let kept = log.kept.len();
            log.sync_and_seal(self.info.journal_id, closing, &mut self.records)
                .map_err(|e| JournalError::io(&log.log.folder(&self.dir), "syncing and sealing", e))?;
            if log.kept.len() > kept {
                self.retry_at = Instant::now();
            }
        }
        Ok(())
    }

    /// Both writers have ended: seals the rest, releases unused space, records the ends.
    fn finish(mut self) -> Result<Closed, JournalError> {
        self.mark_lost()?;
        let mut unused = Vec::new();
        for log in &mut self.logs {
            while let Some(segment) = log.handover.ready.pop() {
                unused.push(segment.paths(&self.dir));
                log.live.pop_back();
            }
        }
        self.sync_and_seal(true)?;
        // A writer that outran the sealing left more than the high-water mark allows: only sealed segments can be
        // dropped.
        self.give_way(0)?;
        // From the last one down: a kill in between must not leave a later segment after a missing one.
        for path in unused.iter().rev().flat_map(|(records, seal)| [records, seal]) {
            fs::remove_file(path).map_err(|e| JournalError::io(path, "removing an unused segment", e))?;
        }
        for log in &mut self.logs {
            trim(&self.dir, log)?;
        }
        let end = |log: &LogKeeper| LogEnd {
            records: log.handover.written(),
            last_seq: log.last_seq,
            chain: super::format::hex(&log.chain),
        };
        let [inputs, outcomes] = &self.logs;
        let closed = Closed { completed_through: outcomes.completed, inputs: end(inputs), outcomes: end(outcomes) };
        closed.write(&self.dir)?;
        Ok(closed)
    }
}

/// Truncates the last segment of a log to what was written.
fn trim(dir: &Path, log: &mut LogKeeper) -> Result<(), JournalError> {
    while let Some(live) = log.live.pop_front() {
        let used = live.used(log.handover.written());
        let (path, _) = live.segment.paths(dir);
        let seal = live.seal;
        // Unmaps first: no access may meet a file shorter than its mapping.
        assert!(Arc::into_inner(live.segment).is_some(), "the writer has let its segment go");
        let trimmed = OpenOptions::new().write(true).open(&path).and_then(|file| {
            file.set_len(super::format::record_offset(used))?;
            file.sync_all()?;
            seal.trim()
        });
        trimmed.map_err(|e| JournalError::io(&path, "trimming", e))?;
    }
    sync_folder(&log.log.folder(dir)).map_err(|e| JournalError::io(dir, "syncing", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_intact_once_the_writer_has_left_it() {
        let first = WRITEBACK_RECORDS - HEADER_SLOTS as u64;
        for (used, whole) in [(0, 0), (first - 1, 0), (first, first), (first + WRITEBACK_RECORDS - 1, first)] {
            assert_eq!(whole_units(used), whole, "{used}");
        }
        assert_eq!(whole_units(first + 3 * WRITEBACK_RECORDS), first + 3 * WRITEBACK_RECORDS);
    }
}

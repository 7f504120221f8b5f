//! The helper thread: allocates segments ahead of the writers, syncs and seals behind them.
//!
//! Every [`TICK`] it checks whether a segment was taken and prepares another; every `sync_ms` it syncs what was written
//! and seals its complete blocks ([`LogKeeper`]).
//!
//! Bound: a record is durable two sync intervals after it was written, if the disk keeps up. Worst case: it does not;
//! then the writers run out of segments and stall.

use super::error::JournalError;
use super::format::{BLOCK_RECORDS, LogKind};
use super::gaps::{Dropped, GapFile, Lost};
use super::handover::{Handover, Supply};
use super::log_keeper::{Live, LogKeeper};
use super::manifest::{Closed, JournalInfo, LogEnd, sync_folder};
use super::seal::SealWriter;
use super::segment::{self, Segment};
use super::spec::Upkeep;
use flow::Event;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// Pause between two checks on the writers.
const TICK: Duration = Duration::from_millis(1);
/// How often the pages ahead of the writers are faulted in again, since the system may have written them back.
const REARM: Duration = Duration::from_millis(10);
/// Pause after a failed allocation.
const RETRY: Duration = Duration::from_millis(50);

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
        let ended = inputs.handover.ended.load(Ordering::SeqCst);
        let closed =
            Closed { ended, completed_through: outcomes.completed, inputs: end(inputs), outcomes: end(outcomes) };
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

//! The helper: the one thread that touches the disk. It copies, syncs and seals behind the writers.
//!
//! Every `sync_ms`, and whenever a segment is full, it copies what was written to the disk, waits until it is durable and
//! seals the complete blocks ([`LogKeeper`]). The outcomes' end is read before the inputs', and the inputs are copied first,
//! so no outcome is on the disk whose input is not.
//!
//! Bound: a record is durable two sync intervals after it was written, if the disk keeps up. Worst case: it does not; then
//! the segments wait in memory, and the [supplier](super::supplier) says so.

use super::begin::Begin;
use super::copy::{Copy, footprint};
use super::disk::{Disk, DiskOp};
use super::error::JournalError;
use super::format::{BLOCK_RECORDS, LogKind, hex};
use super::gaps::{Dropped, GapFile};
use super::gate::Gate;
use super::handover::NoRoom;
use super::log_keeper::{Live, LogKeeper, Step};
use super::manifest::{Closed, JournalInfo, LogEnd};
use super::memory::Memory;
use super::private::{remove_if_there, sync_folder};
use super::segment::paths;
use super::spec::Upkeep;
use flow::Event;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// Pause between two looks at whether the logs have ended.
const TICK: Duration = Duration::from_millis(10);
/// Pause after a failed allocation on the disk.
const DISK_RETRY: Duration = Duration::from_millis(50);

/// What a keeper keeps.
#[derive(Debug)]
pub(super) struct Kit {
    pub(super) dir: PathBuf,
    pub(super) info: JournalInfo,
    pub(super) upkeep: Upkeep,
    pub(super) memory: Memory,
    pub(super) disk: Disk,
    pub(super) gate: Arc<Gate>,
    pub(super) gaps: GapFile,
    /// Held while the journal is being written.
    pub(super) _lock: File,
}

/// The helper thread's state.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) kit: Kit,
    pub(super) logs: [LogKeeper; 2],
    retry_at: Instant,
    /// The gaps are not on the disk as they are here.
    gaps_due: bool,
    /// The disk has what the journal begins with, if it follows another.
    begun: bool,
    records: Vec<Event>,
}

impl Keeper {
    pub(super) fn new(kit: Kit, logs: [LogKeeper; 2]) -> Keeper {
        let records = Vec::with_capacity(BLOCK_RECORDS);
        Keeper { kit, logs, retry_at: Instant::now(), gaps_due: false, begun: false, records }
    }

    /// The thread's main loop, until both logs have ended.
    pub(super) fn run(mut self) -> Result<Closed, JournalError> {
        let interval = Duration::from_millis(self.kit.upkeep.sync_ms);
        let mut sync_at = Instant::now() + interval;
        let mut failure = None;
        loop {
            let closing = self.logs.iter().all(|l| l.handover.is_closed());
            match failure {
                None if closing => return self.finish(),
                Some(error) if closing => return Err(error),
                None => self.cover(),
                Some(_) => {}
            }
            let due = Instant::now() >= sync_at || self.logs.iter().any(LogKeeper::has_full);
            if failure.is_none() && due {
                failure = self.copy_and_seal(false).inspect_err(|e| self.kit.gate.fail(&e.to_string())).err();
                sync_at = Instant::now() + interval;
            }
            thread::park_timeout(TICK.min(interval));
        }
    }

    /// Makes the files of the segments that have none yet, in order; says where there is no room.
    fn cover(&mut self) {
        for log in LogKind::BOTH {
            self.logs[log as usize].take_in();
            while Instant::now() >= self.retry_at
                && let Some(at) = self.logs[log as usize].live.iter().position(|l| l.copy.is_none())
            {
                let made = self.make_copy(log, at);
                let handover = &self.logs[log as usize].handover;
                handover.set_room(NoRoom::Disk, made.as_ref().err().map(JournalError::fact).as_deref());
                if made.is_err() {
                    self.retry_at = Instant::now() + DISK_RETRY;
                }
            }
        }
    }

    /// Makes the files of the segment at `at`, dropping old outcomes if their space is needed.
    fn make_copy(&mut self, log: LogKind, at: usize) -> Result<(), JournalError> {
        self.give_way(footprint(self.kit.info.segment_records))?;
        let number = self.logs[log as usize].live[at].segment.number;
        let copy = loop {
            match Copy::make(&self.kit.disk, &self.kit.dir, &self.kit.info, log, number) {
                Err(JournalError::NoSpace { .. }) if self.drop_oldest()? => {}
                other => break other?,
            }
        };
        let keeper = &mut self.logs[log as usize];
        keeper.live[at].copy = Some(copy);
        keeper.handover.set_covered(number);
        Ok(())
    }

    /// Before the thread starts: makes the files of the segments up to these numbers.
    pub(super) fn make_copies(&mut self, through: [u64; 2]) -> Result<(), JournalError> {
        for (log, through) in LogKind::BOTH.into_iter().zip(through) {
            self.logs[log as usize].take_in();
            let bare = |l: &Live| l.copy.is_none() && l.segment.number <= through;
            while let Some(at) = self.logs[log as usize].live.iter().position(bare) {
                self.make_copy(log, at)?;
            }
        }
        Ok(())
    }

    /// Drops old outcomes until `needed` more bytes fit below the high-water mark, or nothing sealed is left to drop.
    fn give_way(&mut self, needed: u64) -> Result<(), JournalError> {
        let mark = self.kit.upkeep.high_water_bytes;
        while mark > 0 && self.bytes() + needed > mark && self.drop_oldest()? {}
        Ok(())
    }

    /// Total size of all segments and sidecars in bytes.
    fn bytes(&self) -> u64 {
        let copies = |l: &LogKeeper| l.live.iter().filter(|l| l.copy.is_some()).count();
        let segments: usize = self.logs.iter().map(|l| copies(l) + l.kept.len()).sum();
        segments as u64 * footprint(self.kit.info.segment_records)
    }

    /// Drops the oldest sealed outcome segment, after recording the gap; `false` if there is none.
    fn drop_oldest(&mut self) -> Result<bool, JournalError> {
        let Some(oldest) = self.logs[LogKind::Outcomes as usize].kept.front().copied() else { return Ok(false) };
        self.kit.gaps.gaps.dropped = Dropped {
            through_segment: oldest.number,
            through_record: oldest.last_record,
            through_seq: oldest.last_seq,
            chain: oldest.chain,
        };
        self.write_gaps()?;
        let (path, seal) = paths(&self.kit.dir, LogKind::Outcomes, oldest.number);
        for path in [seal, path] {
            let removed = self.kit.disk.run(DiskOp::Trim, || remove_if_there(&path));
            removed.map_err(|e| JournalError::io(&path, "dropping an old segment", e))?;
        }
        self.logs[LogKind::Outcomes as usize].kept.pop_front();
        Ok(true)
    }

    fn write_gaps(&mut self) -> Result<(), JournalError> {
        let Kit { dir, disk, gaps, .. } = &mut self.kit;
        let written = disk.run(DiskOp::Write, || gaps.write());
        self.gaps_due &= written.is_err();
        written.map_err(|e| JournalError::io(dir, "recording a gap of the outcomes", e))
    }

    /// Records the outcomes that the writer left out.
    fn note_lost(&mut self) -> Result<(), JournalError> {
        for lost in self.logs[LogKind::Outcomes as usize].lost.drain(..) {
            self.kit.gaps.gaps.add_lost(lost);
            self.gaps_due = true;
        }
        if self.gaps_due { self.write_gaps() } else { Ok(()) }
    }

    /// Copies and seals what was written, `all` of it or the complete blocks. A disk without room for it is tried again.
    pub(super) fn copy_and_seal(&mut self, all: bool) -> Result<(), JournalError> {
        self.copy_begin()?;
        let written = {
            let [inputs, outcomes] = &mut self.logs;
            let outcomes = outcomes.look();
            [inputs.look(), outcomes]
        };
        for log in LogKind::BOTH {
            let copied = self.copy_log(log, written[log as usize], all);
            let LogKeeper { handover, live, .. } = &self.logs[log as usize];
            match copied {
                Err(error) if error.is_full() && !all => {
                    handover.set_room(NoRoom::Disk, Some(&error.fact()));
                    // The outcomes must not get ahead of their inputs.
                    return Ok(());
                }
                other => other?,
            }
            // Where files are missing, making them shows whether there is room.
            if live.iter().all(|l| l.copy.is_some()) {
                handover.set_room(NoRoom::Disk, None);
            }
        }
        Ok(())
    }

    /// Copies what the journal begins with, once it has begun: before any of its inputs.
    fn copy_begin(&mut self) -> Result<(), JournalError> {
        let Kit { dir, memory, disk, gate, .. } = &self.kit;
        if !self.begun && gate.after() > 0 {
            let copied = disk.run(DiskOp::Write, || Begin::copy(dir, memory));
            copied.map_err(|e| JournalError::io(dir, "writing what the journal begins with", e))?;
            self.begun = true;
        }
        Ok(())
    }

    fn copy_log(&mut self, log: LogKind, written: u64, all: bool) -> Result<(), JournalError> {
        if log == LogKind::Outcomes {
            self.note_lost()?;
        }
        let Kit { dir, info, memory, disk, .. } = &self.kit;
        let keeper = &mut self.logs[log as usize];
        let kept = keeper.kept.len();
        let mut step =
            Step { disk, memory: &memory.folder, journal_id: info.journal_id, all, records: &mut self.records };
        let copied = keeper.copy_and_seal(written, &mut step);
        copied.map_err(|e| JournalError::io(&log.folder(dir), "copying, syncing and sealing", e))?;
        if keeper.kept.len() > kept {
            self.retry_at = Instant::now();
        }
        Ok(())
    }

    /// Both writers have ended: seals the rest, releases unused space and the memory, records the ends.
    fn finish(&mut self) -> Result<Closed, JournalError> {
        while self.kit.gate.is_supplied() {
            thread::sleep(Duration::from_millis(1));
        }
        if let Some(failure) = self.kit.gate.failure() {
            return Err(JournalError::Helper(failure));
        }
        let mut unused = Vec::new();
        for log in &mut self.logs {
            log.take_in();
            // From the last one down: a kill in between must not leave a later segment after a missing one.
            while log.handover.take().is_some() {
                let Live { segment, copy, .. } = log.live.pop_back().expect("a segment that is ready was taken over");
                unused.extend(copy.map(|_| paths(&self.kit.dir, log.log, segment.number)));
            }
        }
        for log in LogKind::BOTH {
            while let Some(at) = self.logs[log as usize].live.iter().position(|l| l.copy.is_none()) {
                self.make_copy(log, at)?;
            }
        }
        self.copy_and_seal(true)?;
        // A writer that outran the sealing left more than the high-water mark allows: only sealed segments can be
        // dropped.
        self.give_way(0)?;
        for path in unused.iter().flat_map(|(records, seal)| [records, seal]) {
            let removed = self.kit.disk.run(DiskOp::Trim, || remove_if_there(path));
            removed.map_err(|e| JournalError::io(path, "removing an unused segment", e))?;
        }
        for log in &mut self.logs {
            trim(&self.kit.dir, &self.kit.disk, log)
                .map_err(|e| JournalError::io(&log.log.folder(&self.kit.dir), "trimming", e))?;
        }
        self.kit.memory.end(&self.kit.dir)?;
        let after = self.kit.gate.after();
        let end = |log: &LogKeeper| LogEnd {
            records: log.handover.written(),
            last_seq: log.last_seq.max(after),
            chain: hex(&log.chain),
        };
        let [inputs, outcomes] = &self.logs;
        let ended = inputs.handover.ended.load(Ordering::SeqCst);
        let completed_through = outcomes.completed.max(after);
        let closed = Closed { ended, completed_through, inputs: end(inputs), outcomes: end(outcomes) };
        closed.write(&self.kit.dir)?;
        Ok(closed)
    }
}

/// Truncates the last segment of a log to what was written.
fn trim(dir: &Path, disk: &Disk, log: &mut LogKeeper) -> io::Result<()> {
    let written = log.handover.written();
    for live in &mut log.live {
        let used = live.used(written);
        if let Some(copy) = &mut live.copy {
            copy.trim(disk, used)?;
        }
    }
    disk.run(DiskOp::Sync, || sync_folder(&log.log.folder(dir)))
}

//! Goes on writing a journal that was closed, or whose writer died: first it is examined, then it is accepted.
//!
//! [`Journal::examine`] takes the folder's lock and reads. It is the same judgement as that of `verify`: everything that is
//! sealed is checked against its CRCs, the chain, the headers and `closed.toml`, and what is a fault there is a refusal here.
//! Only what a crash leaves is none: data after the end that was never synced, a gap record written by half.
//! [`Examined::accept`] writes first: whoever calls it has replayed the record and found that it is what its inputs cause.
//! It finds the end of each log (the first id of 0), clears what lies after it, and only then seals what was not sealed. A
//! journal that is refused, or whose replay is stopped, is left as it was, to the byte.
//!
//! Bound: what [`super::sealed`] and [`super::verify_segments`] hold. Worst case: the journal is read once, as fast as its
//! disk gives it.

use super::copy::Copy;
use super::create::Journal;
use super::disk::Disk;
use super::error::{Fault, JournalError};
use super::files::{SegmentFile, segment_numbers};
use super::findings::{LogFindings, Open};
use super::format::{BLOCK_RECORDS, CLOSED, LogKind};
use super::gaps::GapFile;
use super::gate::Gate;
use super::keeper::{Keeper, Kit};
use super::log_keeper::{Live, LogKeeper};
use super::manifest::{Closed, JournalInfo, read_manifest};
use super::memory::{Memory, bytes_needed, set_aside};
use super::private::{remove_if_there, remove_text};
use super::segment::{self, Segment};
use super::spec::Upkeep;
use super::start::Start;
use super::verify::{Pass, go_through};
use super::writer::{InputLog, OutcomeLog};
use bytemuck::Zeroable;
use flow::Event;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A journal that was examined, and that nobody else can write meanwhile.
#[derive(Debug)]
pub struct Examined {
    dir: PathBuf,
    info: JournalInfo,
    closed: Option<Closed>,
    gaps: GapFile,
    logs: [LogFindings; 2],
    lock: File,
}

/// What nothing proves: the records that were not sealed when the writer died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// Inputs after the last sealed one.
    pub inputs: u64,
    /// Outcomes after the last sealed one.
    pub outcomes: u64,
    /// Time from the last sealed record to the last one, by the clock of the run, in nanoseconds.
    pub ns: u64,
}

/// A resumed journal.
#[derive(Debug)]
pub struct Resumed {
    /// The input log, at its end.
    pub inputs: InputLog,
    /// The outcome log, at its end.
    pub outcomes: OutcomeLog,
    /// Slots after the end of the logs that were not zero and have been cleared.
    pub emptied: u64,
}

impl Journal {
    /// Examines the journal in `dir` in order to go on writing it, and changes nothing. `stop` ends it early.
    ///
    /// # Errors
    /// When there is none, another process is writing it, it is damaged, or it was stopped.
    pub fn examine(dir: &Path, stop: &AtomicBool) -> Result<Examined, JournalError> {
        let (mut info, _) = read_manifest(dir)?;
        let lock = Journal::lock(dir)?;
        info.find_memory(dir)?;
        let closed = Closed::read(dir)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let pass = Pass { logs: &LogKind::BOTH, limit: 1, lenient: true, threads, stop };
        let (verified, logs) = go_through(dir, &pass)?;
        if let Some(fault) = verified.faults.into_iter().next() {
            return Err(JournalError::Damaged { dir: dir.to_owned(), fault: Box::new(fault) });
        }
        let gaps = GapFile::open(dir, info.journal_id)
            .map_err(|e| JournalError::io(&dir.join("outcomes/gaps"), "reading", e))?;
        Ok(Examined { dir: dir.to_owned(), info, closed, gaps, logs, lock })
    }
}

impl Examined {
    /// The journal's identity and settings.
    pub fn info(&self) -> &JournalInfo {
        &self.info
    }

    /// Where the logs end, if the journal was closed in order.
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// Seq of the last input; 0 without one.
    pub fn last_input_seq(&self) -> u64 {
        self.findings(LogKind::Inputs).last_seq
    }

    /// All inputs up to this seq are finished, and their outcomes are in the log. Some outcomes of unfinished inputs may
    /// follow.
    pub fn completed_through(&self) -> u64 {
        let noted = self.closed.as_ref().map_or(0, |c| c.completed_through);
        self.findings(LogKind::Outcomes).completed.max(noted).max(self.info.after())
    }

    /// Outcome records in the log, including dropped ones.
    pub fn outcome_records(&self) -> u64 {
        self.findings(LogKind::Outcomes).written
    }

    /// What has to be taken on trust.
    pub fn trusted(&self) -> Trusted {
        let [inputs, outcomes] = LogKind::BOTH.map(|log| self.findings(log));
        let unsealed = |log: &LogFindings| log.written - log.sealed.0.min(log.written);
        let time = |log: &LogFindings| if unsealed(log) > 0 { log.last_ns.saturating_sub(log.sealed.1) } else { 0 };
        let ns = [inputs, outcomes].into_iter().filter(|log| log.sealed.0 > 0).map(time).max().unwrap_or(0);
        Trusted { inputs: unsealed(inputs), outcomes: unsealed(outcomes), ns }
    }

    fn findings(&self, log: LogKind) -> &LogFindings {
        &self.logs[log as usize]
    }

    /// Why the newest records, which lay in memory, are not in the logs; in words. `None` if nothing is missing.
    pub fn lost_memory(&self) -> Option<&str> {
        self.info.lost_memory.as_deref()
    }

    /// Opens the journal for writing: the first bytes that change.
    ///
    /// # Errors
    /// When a file cannot be written, or there is no space for the next segments.
    pub fn accept(self, upkeep: Upkeep) -> Result<Resumed, JournalError> {
        self.accept_on(upkeep, Disk::default())
    }

    /// Like [`Examined::accept`], on this disk.
    ///
    /// # Errors
    /// As [`Examined::accept`].
    pub fn accept_on(self, upkeep: Upkeep, disk: Disk) -> Result<Resumed, JournalError> {
        let completed = self.completed_through();
        let Examined { dir, info, mut gaps, logs, lock, .. } = self;
        // First of all: from here on the journal is open, and what follows is what a crash may leave of an open one.
        remove_text(&dir, CLOSED)?;
        gaps.mend().map_err(|e| JournalError::io(&dir.join("outcomes/gaps"), "mending", e))?;
        let (memory, is_new) = match info.memory.clone() {
            Some(folder) => (Memory::adopt(&dir, folder)?, false),
            None => {
                set_aside(&dir)?;
                let needed = bytes_needed(info.segment_records, upkeep.behind);
                (Memory::make(&dir, info.journal_id, &upkeep.memory, needed)?, true)
            }
        };
        let gate = Arc::new(Gate::new(upkeep.behind, &memory));
        gate.set_after(info.after());
        let mut emptied = logs.iter().map(|log| log.spoiled).sum();
        let next = [0, 1].map(|n| logs[n].next_number);
        let mut keepers = Vec::new();
        for (log, findings) in LogKind::BOTH.into_iter().zip(logs) {
            let passed = if log == LogKind::Outcomes { gaps.gaps.dropped.through_segment } else { 0 };
            let from = Reopening { disk: &disk, dir: &dir, info: &info, memory: &memory.folder, log, gaps: &gaps };
            from.clear_away(passed, &findings)?;
            keepers.push(from.keeper(findings, &gate, &mut emptied)?);
        }
        let mut keepers: [LogKeeper; 2] = keepers.try_into().expect("there are two logs");
        keepers[LogKind::Outcomes as usize].completed = completed;
        let kit = Kit { dir, info, upkeep, memory, disk, gate, gaps, _lock: lock };
        let mut keeper = Keeper::new(kit, keepers);
        // What an earlier run left behind goes to the disk first: there may be as much of it as memory may hold.
        keeper.make_copies([u64::MAX; 2])?;
        keeper.copy_and_seal(true)?;
        let start = Start::new(keeper, next)?;
        start.set_completed(completed);
        if is_new {
            start.keeper.kit.memory.note(&start.keeper.kit.dir)?;
        }
        let (inputs, outcomes) = start.go()?;
        Ok(Resumed { inputs, outcomes, emptied })
    }
}

/// What a log is opened for writing with.
struct Reopening<'a> {
    disk: &'a Disk,
    dir: &'a Path,
    info: &'a JournalInfo,
    /// Folder of the active segments.
    memory: &'a Path,
    log: LogKind,
    gaps: &'a GapFile,
}

impl Reopening<'_> {
    /// Removes the segments up to `passed`, which were dropped, and those after the end; from memory those too that are
    /// finished on the disk.
    fn clear_away(&self, passed: u64, findings: &LogFindings) -> Result<(), JournalError> {
        let listed = segment_numbers(self.dir, self.info, self.log)?;
        // From the last one down: a kill in between must not leave a later segment after a missing one.
        let dropped = listed.into_iter().filter(|number| *number <= passed);
        for number in findings.spare.iter().rev().copied().chain(dropped) {
            let (path, seal) = segment::paths(self.dir, self.log, number);
            [path, seal, self.in_memory(number)].iter().try_for_each(|path| remove(path))?;
        }
        findings.kept.iter().try_for_each(|kept| remove(&self.in_memory(kept.number)))
    }

    /// The keeper of the log that goes on where `findings` says.
    fn keeper(&self, findings: LogFindings, gate: &Arc<Gate>, emptied: &mut u64) -> Result<LogKeeper, JournalError> {
        let mut keeper = LogKeeper::new(self.log, Arc::clone(gate), findings.chain);
        (keeper.last_seq, keeper.kept) = (findings.last_seq, findings.kept);
        keeper.completed = findings.completed;
        keeper.handover.set_written(findings.written);
        keeper.handover.set_covered(findings.next_number.saturating_sub(1));
        for open in findings.open {
            keeper.live.push_back(self.live(&open, emptied)?);
            keeper.handover.add_prepared();
        }
        Ok(keeper)
    }

    /// Opens a segment for writing, with nothing after its records and no torn block in its sidecar.
    fn live(&self, open: &Open, emptied: &mut u64) -> Result<Live, JournalError> {
        let Reopening { disk, dir, info, memory, log, gaps } = self;
        let capacity = info.segment_records;
        let (number, first_record) = (open.number, open.first_record);
        let segment = if self.in_memory(number).exists() {
            segment::reopen(memory, info, *log, number, first_record)?
        } else {
            self.loaded(open)?
        };
        for index in open.used..capacity {
            if segment.load(index as usize) != Event::zeroed() {
                segment.clear(index as usize);
                *emptied += 1;
            }
        }
        if open.seal.records < capacity {
            // The process may have stopped between sealing a block and recording it; a full segment is recorded when it
            // is retired.
            segment.set_sealed(open.seal.records);
        }
        if open.used == capacity {
            segment.release();
        }
        let there = segment::paths(dir, *log, number).0.exists();
        let copy = there.then(|| Copy::reopen(disk, dir, info, *log, number, open.used, &open.seal)).transpose()?;
        let noted = gaps.gaps.lost.iter().any(|lost| lost.after_record == first_record - 1);
        Ok(Live { segment: Arc::new(segment), copy, noted })
    }

    /// A segment in memory with the records that the disk has of it.
    fn loaded(&self, open: &Open) -> Result<Segment, JournalError> {
        let segment = segment::make(self.memory, self.info, self.log, open.number, open.first_record)?;
        let file = SegmentFile::open_copy(self.dir, self.info, self.log, open.number)?;
        let file = file.ok_or_else(|| self.vanished(open.number))?;
        let mut buffer = vec![Event::zeroed(); BLOCK_RECORDS];
        let mut at = 0;
        // What lies after the end is looked at too, in order to say how much of it there was.
        loop {
            let read = file.read(at, &mut buffer)? as u64;
            (at..).zip(&buffer[..read as usize]).for_each(|(index, event)| segment.store(index as usize, event));
            at += read;
            if read == 0 {
                return Ok(segment);
            }
        }
    }

    fn in_memory(&self, number: u64) -> PathBuf {
        segment::paths(self.memory, self.log, number).0
    }

    fn vanished(&self, number: u64) -> JournalError {
        JournalError::Damaged { dir: self.dir.to_owned(), fault: Box::new(Fault::missing(self.log, number)) }
    }
}

fn remove(path: &Path) -> Result<(), JournalError> {
    remove_if_there(path).map_err(|e| JournalError::io(path, "removing", e))
}

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

use super::create::{Journal, lock};
use super::error::JournalError;
use super::format::{CLOSED, LogKind};
use super::gaps::GapFile;
use super::helper::Helper;
use super::keeper::Keeper;
use super::log_keeper::{Live, LogKeeper};
use super::manifest::{Closed, JournalInfo, read_manifest, sync_folder};
use super::seal::SealWriter;
use super::segment::{self, Segment};
use super::spec::Upkeep;
use super::standing::{Open, Standing};
use super::verify::{Pass, go_through};
use super::writer::{InputLog, OutcomeLog};
use bytemuck::Zeroable;
use flow::Event;
use std::fs::{self, File};
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
    logs: [Standing; 2],
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
        let (info, _) = read_manifest(dir)?;
        let lock = lock(dir)?;
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
        self.standing(LogKind::Inputs).last_seq
    }

    /// All inputs up to this seq are finished, and their outcomes are in the log. Some outcomes of unfinished inputs may
    /// follow.
    pub fn completed_through(&self) -> u64 {
        let noted = self.closed.as_ref().map_or(0, |c| c.completed_through);
        self.standing(LogKind::Outcomes).completed.max(noted)
    }

    /// Outcome records in the log, including dropped ones.
    pub fn outcome_records(&self) -> u64 {
        self.standing(LogKind::Outcomes).written
    }

    /// What has to be taken on trust.
    pub fn trusted(&self) -> Trusted {
        let [inputs, outcomes] = LogKind::BOTH.map(|log| self.standing(log));
        let unsealed = |log: &Standing| log.written - log.sealed.0.min(log.written);
        let time = |log: &Standing| if unsealed(log) > 0 { log.last_ns.saturating_sub(log.sealed.1) } else { 0 };
        let ns = [inputs, outcomes].into_iter().filter(|log| log.sealed.0 > 0).map(time).max().unwrap_or(0);
        Trusted { inputs: unsealed(inputs), outcomes: unsealed(outcomes), ns }
    }

    fn standing(&self, log: LogKind) -> &Standing {
        &self.logs[log as usize]
    }

    /// Opens the journal for writing: the first bytes that change.
    ///
    /// # Errors
    /// When a file cannot be written, or the disk has no space for the next segments.
    pub fn accept(self, upkeep: Upkeep) -> Result<Resumed, JournalError> {
        let completed = self.completed_through();
        let Examined { dir, info, mut gaps, logs, lock, .. } = self;
        // First of all: from here on the journal is open, and what follows is what a crash may leave of an open one.
        remove_closed(&dir)?;
        gaps.mend().map_err(|e| JournalError::io(&dir.join("outcomes/gaps"), "mending", e))?;
        let mut emptied = logs.iter().map(|log| log.spoiled).sum();
        let (mut keepers, mut active) = (Vec::new(), Vec::new());
        for (log, standing) in LogKind::BOTH.into_iter().zip(logs) {
            let passed = if log == LogKind::Outcomes { gaps.gaps.dropped.through_segment } else { 0 };
            clear_away(&dir, log, passed, &standing)?;
            let (keeper, last) = keeper_of(&dir, &info, log, standing, &mut emptied)?;
            keepers.push(keeper);
            active.push(last);
        }
        let [inputs, mut outcomes]: [LogKeeper; 2] = keepers.try_into().expect("there are two logs");
        outcomes.completed = completed;
        let mut keeper = Keeper::new(&dir, info, upkeep, [inputs, outcomes], gaps, lock);
        keeper.sync_and_seal(true)?;
        let [input_segment, outcome_segment]: [Option<Arc<Segment>>; 2] =
            active.try_into().expect("there are two logs");
        let input_segment = input_segment.map_or_else(|| keeper.prepare(LogKind::Inputs), Ok)?;
        let outcome_segment = outcome_segment.map_or_else(|| keeper.prepare(LogKind::Outcomes), Ok)?;
        outcome_segment.set_completed(completed);
        let [input_handover, outcome_handover] = LogKind::BOTH.map(|log| keeper.handover(log));
        let (input_records, outcome_records) = (input_handover.written(), outcome_handover.written());
        let helper = Helper::spawn(&dir, keeper)?;
        let inputs = InputLog::new(input_segment, input_records, input_handover, Arc::clone(&helper));
        let outcomes = OutcomeLog::new(outcome_segment, outcome_records, completed, outcome_handover, helper);
        Ok(Resumed { inputs, outcomes, emptied })
    }
}

/// Removes `closed.toml`: from here on the journal is open.
fn remove_closed(dir: &Path) -> Result<(), JournalError> {
    let path = dir.join(CLOSED);
    let removed = match fs::remove_file(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.and_then(|()| sync_folder(dir)),
    };
    removed.map_err(|e| JournalError::io(&path, "removing", e))
}

/// Removes the segments up to `passed`, which were dropped, and those after the end.
fn clear_away(dir: &Path, log: LogKind, passed: u64, standing: &Standing) -> Result<(), JournalError> {
    let listed = super::files::segment_numbers(dir, log)?;
    // From the last one down: a kill in between must not leave a later segment after a missing one.
    let dropped = listed.into_iter().filter(|number| *number <= passed);
    standing.spare.iter().rev().copied().chain(dropped).try_for_each(|number| remove(dir, log, number))
}

/// The keeper of a log that goes on where `standing` says, and the segment that the writer continues with, if one has room.
fn keeper_of(
    dir: &Path,
    info: &JournalInfo,
    log: LogKind,
    standing: Standing,
    emptied: &mut u64,
) -> Result<(LogKeeper, Option<Arc<Segment>>), JournalError> {
    let mut keeper = LogKeeper::new(log, standing.chain, standing.written);
    (keeper.last_seq, keeper.kept) = (standing.last_seq, standing.kept);
    (keeper.next_number, keeper.completed) = (standing.next_number, standing.completed);
    let mut active = None;
    for open in standing.open {
        let live = reopened(dir, info, log, &open, emptied)?;
        active = (open.used < info.segment_records).then(|| Arc::clone(&live.segment));
        keeper.live.push_back(live);
    }
    Ok((keeper, active))
}

/// Opens a segment for writing, with nothing after its records and no torn block in its sidecar.
fn reopened(
    dir: &Path,
    info: &JournalInfo,
    log: LogKind,
    open: &Open,
    emptied: &mut u64,
) -> Result<Live, JournalError> {
    let capacity = info.segment_records;
    let (segment, seal_file) = segment::reopen(dir, info, log, open.number, open.first_record)?;
    for index in open.used..capacity {
        if segment.load(index as usize) != Event::zeroed() {
            segment.clear(index as usize);
            *emptied += 1;
        }
    }
    if open.noted < open.seal.records && open.seal.records < capacity {
        // The process stopped between sealing a block and recording it; a full segment is recorded when it is released.
        segment.set_sealed(open.seal.records);
    }
    let seal = SealWriter::resume(seal_file, &open.seal);
    let seal = seal.map_err(|e| JournalError::io(&segment.paths(dir).1, "truncating a torn block", e))?;
    Ok(Live { segment: Arc::new(segment), seal, synced: 0 })
}

fn remove(dir: &Path, log: LogKind, number: u64) -> Result<(), JournalError> {
    let (path, seal) = segment::paths(dir, log, number);
    fs::remove_file(&path).map_err(|e| JournalError::io(&path, "removing", e))?;
    match fs::remove_file(&seal) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(JournalError::io(&seal, "removing", e)),
        _ => Ok(()),
    }
}

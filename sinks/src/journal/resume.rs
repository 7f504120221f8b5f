//! Resumes a journal that was closed, or whose writer died.
//!
//! Sealed records are never touched. In each log this finds the end (the first id of 0), clears what lies after it (a
//! half-written record; after a power failure perhaps more, none of which was ever synced), seals what is not sealed
//! yet, and positions the writer at the end.

use super::create::{Journal, lock};
use super::error::{Damage, Fault, JournalError};
use super::files::{SegmentFile, segment_numbers, sidecar};
use super::format::{CLOSED, LogKind, chain_start};
use super::gaps::{Dropped, GapFile};
use super::helper::Helper;
use super::keeper::Keeper;
use super::log_keeper::{Kept, Live, LogKeeper};
use super::manifest::{Closed, JournalInfo, read_manifest, sync_folder};
use super::reader::missing;
use super::seal::{SealWriter, Sidecar, Stopped};
use super::segment::{self, Segment};
use super::spec::Upkeep;
use super::writer::{InputLog, OutcomeLog};
use bytemuck::Zeroable;
use flow::Event;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A resumed journal.
#[derive(Debug)]
pub struct Resumed {
    /// The input log, at its end.
    pub inputs: InputLog,
    /// The outcome log, at its end.
    pub outcomes: OutcomeLog,
    /// Seq of the last input; 0 without one.
    pub last_input_seq: u64,
    /// All inputs up to this seq are finished, and their outcomes are in the log. Some outcomes of unfinished inputs
    /// may follow.
    pub completed_through: u64,
    /// Outcome records in the log, including dropped ones.
    pub outcome_records: u64,
    /// Slots after the end of the logs that were not zero and have been cleared.
    pub emptied: u64,
}

/// A recovered log.
struct RecoveredLog {
    keeper: LogKeeper,
    /// The segment that the writer continues with, if it has room.
    active: Option<Arc<Segment>>,
    emptied: u64,
}

impl Journal {
    /// Resumes the journal in `dir`.
    ///
    /// # Errors
    /// When there is none, another process is writing it, it is damaged, or the disk has no space for the next
    /// segments.
    pub fn resume(dir: &Path, upkeep: Upkeep) -> Result<Resumed, JournalError> {
        let (info, manifest) = read_manifest(dir)?;
        let lock = lock(dir)?;
        let closed = Closed::read(dir)?;
        let gaps = GapFile::open(dir, info.journal_id)
            .map_err(|e| JournalError::io(&dir.join("outcomes/gaps"), "reading", e))?;
        let none = Dropped { chain: chain_start(&manifest, LogKind::Inputs), ..Dropped::zeroed() };
        let inputs = recover_log(dir, &info, LogKind::Inputs, none, closed.as_ref())?;
        let dropped = match gaps.gaps.dropped {
            dropped if dropped.through_segment > 0 => dropped,
            _ => Dropped { chain: chain_start(&manifest, LogKind::Outcomes), ..Dropped::zeroed() },
        };
        let mut outcomes = recover_log(dir, &info, LogKind::Outcomes, dropped, closed.as_ref())?;
        let noted = closed.map_or(0, |c| c.completed_through);
        outcomes.keeper.completed = outcomes.keeper.completed.max(noted);
        let emptied = inputs.emptied + outcomes.emptied;
        let logs = [inputs.keeper, outcomes.keeper];
        let mut keeper = Keeper::new(dir, info, upkeep, logs, gaps, lock);
        keeper.sync_and_seal(true)?;
        remove_closed(dir)?;
        let input_segment = inputs.active.map_or_else(|| keeper.prepare(LogKind::Inputs), Ok)?;
        let outcome_segment = outcomes.active.map_or_else(|| keeper.prepare(LogKind::Outcomes), Ok)?;
        let completed_through = keeper.log(LogKind::Outcomes).completed;
        outcome_segment.set_completed(completed_through);
        let last_input_seq = keeper.log(LogKind::Inputs).last_seq;
        let [input_handover, outcome_handover] = LogKind::BOTH.map(|log| keeper.handover(log));
        let (input_records, outcome_records) = (input_handover.written(), outcome_handover.written());
        let helper = Helper::spawn(dir, keeper)?;
        let inputs = InputLog::new(input_segment, input_records, input_handover, Arc::clone(&helper));
        let outcomes = OutcomeLog::new(outcome_segment, outcome_records, completed_through, outcome_handover, helper);
        Ok(Resumed { inputs, outcomes, last_input_seq, completed_through, outcome_records, emptied })
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

fn recover_log(
    dir: &Path,
    info: &JournalInfo,
    log: LogKind,
    dropped: Dropped,
    closed: Option<&Closed>,
) -> Result<RecoveredLog, JournalError> {
    let damaged = |fault| JournalError::Damaged { dir: dir.to_owned(), fault: Box::new(fault) };
    let damaged_box = |fault| JournalError::Damaged { dir: dir.to_owned(), fault };
    let numbers = segment_numbers(dir, log)?;
    for number in numbers.iter().filter(|n| **n <= dropped.through_segment) {
        remove(dir, log, *number)?;
    }
    let mut keeper = LogKeeper::new(log, dropped.chain, 0);
    keeper.last_seq = dropped.through_seq;
    let mut found = RecoveredLog { keeper, active: None, emptied: 0 };
    let (mut written, mut ended) = (dropped.through_record, false);
    let mut expected = dropped.through_segment + 1;
    let mut spare = Vec::new();
    for number in numbers.into_iter().filter(|n| *n > dropped.through_segment) {
        if number != expected {
            return Err(damaged(missing(log, expected)));
        }
        expected += 1;
        let file = SegmentFile::open(dir, info, log, number)?.ok_or_else(|| damaged(missing(log, number)))?;
        let (page, wrong) = file.header()?;
        let seal = sidecar(dir, info, log, number)?.unwrap_or_else(|| Sidecar::parse(&[], log, 0, 0));
        if let Some(wrong) = wrong {
            return Err(damaged(file.fault(None, None, Damage::Header(wrong))));
        }
        check_seal(&file, &seal, &found.keeper, ended).map_err(damaged_box)?;
        if ended {
            found.emptied += u64::from(file.first_not_zero(0)?.is_some());
            spare.push(number);
            continue;
        }
        let used = seal.records + count_written(&file, seal.records, info.segment_records)?;
        written = file.first_record() - 1 + used;
        found.keeper.completed = found.keeper.completed.max(page.completed()).max(seal.through());
        found.keeper.next_number = number + 1;
        found.take(dir, info, &file, seal, used, page.sealed())?;
        ended = used < info.segment_records;
    }
    if let Some(end) = closed.map(|c| c.end(log)).filter(|end| end.records != written) {
        let what = Damage::Closed {
            what: "the number of records",
            found: written.to_string(),
            expected: end.records.to_string(),
        };
        let file = log.segment_name(expected - 1);
        return Err(damaged(Fault { log: Some(log), file, offset: None, record: None, seq: None, what }));
    }
    // From the last one down: a kill in between must not leave a later segment after a missing one.
    spare.into_iter().rev().try_for_each(|number| remove(dir, log, number))?;
    found.keeper.next_number = found.keeper.next_number.max(dropped.through_segment + 1);
    found.keeper.handover.set_written(written);
    Ok(found)
}

impl RecoveredLog {
    /// Adds a segment with `used` records, as kept or as live.
    fn take(
        &mut self,
        dir: &Path,
        info: &JournalInfo,
        file: &SegmentFile,
        seal: Sidecar,
        used: u64,
        noted: u64,
    ) -> Result<(), JournalError> {
        let keeper = &mut self.keeper;
        let (log, number, capacity) = (keeper.log, keeper.next_number - 1, info.segment_records);
        if let Some(last) = used.checked_sub(1) {
            keeper.last_seq = file.record(last)?.id.seq();
        }
        if seal.header.is_some() {
            keeper.chain = seal.chain;
        }
        if seal.records == capacity && noted == capacity {
            let last_record = file.first_record() + capacity - 1;
            keeper.kept.push_back(Kept { number, last_record, last_seq: keeper.last_seq, chain: seal.chain });
            return Ok(());
        }
        let (segment, seal_file) = segment::reopen(dir, info, log, number, file.first_record())?;
        for index in used..capacity {
            if segment.load(index as usize) != Event::zeroed() {
                segment.clear(index as usize);
                self.emptied += 1;
            }
        }
        if noted < seal.records && seal.records < capacity {
            // The process stopped between sealing a block and recording it; a full segment is recorded when it is
            // released.
            segment.set_sealed(seal.records);
        }
        let writer = SealWriter::resume(seal_file, &seal);
        let writer = writer.map_err(|e| JournalError::io(&segment.paths(dir).1, "truncating a torn block", e))?;
        let segment = Arc::new(segment);
        keeper.live.push_back(Live { segment: Arc::clone(&segment), seal: writer, synced: 0 });
        self.active = (used < capacity).then_some(segment);
        Ok(())
    }
}

/// Number of records written from `from` on.
fn count_written(file: &SegmentFile, from: u64, capacity: u64) -> Result<u64, JournalError> {
    let mut buffer = vec![Event::zeroed(); 1024];
    let mut index = from;
    while index < capacity {
        let read = file.read(index, &mut buffer)?;
        let written = buffer[..read].iter().take_while(|e| e.id.0 != 0).count();
        index += written as u64;
        if written < buffer.len() {
            break;
        }
    }
    Ok(index - from)
}

fn check_seal(file: &SegmentFile, seal: &Sidecar, before: &LogKeeper, ended: bool) -> Result<(), Box<Fault>> {
    let unsealed_before = before.live.iter().any(|l| l.seal.sealed < l.segment.capacity);
    let what = match (seal.stopped, seal.header) {
        (Some((_, Stopped::Damaged(what))), _) => Damage::Block(what),
        (_, Some(header)) if header.start != before.chain || unsealed_before => Damage::ChainStart,
        (_, Some(_)) if ended => Damage::Sidecar("is sealed, but the segment before it is not full"),
        _ => return Ok(()),
    };
    Err(Box::new(file.fault(None, None, what)))
}

fn remove(dir: &Path, log: LogKind, number: u64) -> Result<(), JournalError> {
    let (path, seal) = segment::paths(dir, log, number);
    fs::remove_file(&path).map_err(|e| JournalError::io(&path, "removing", e))?;
    match fs::remove_file(&seal) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(JournalError::io(&seal, "removing", e)),
        _ => Ok(()),
    }
}

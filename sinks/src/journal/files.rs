//! A journal's files as a reader sees them: plain reads, no mapping.
//!
//! A read is not atomic: during a store it may return the first half of a record from before and the second half from
//! after the store. So ids are read first, and records with an id are read again: the second read begins after the id
//! was seen, and the writer stores the id last. A segment in memory loses its name before its memory is used for another
//! one: what was read is its own if it still has the name afterwards, and else it is read on the disk.

use super::error::{Damage, Fault, JournalError};
use super::format::{
    BLOCK_RECORDS, COMPLETED_SLOT, HEADER_BYTES, LOST_SLOT, LogKind, SEALED_SLOT, SegmentHeader, listed, record_offset,
};
use super::gaps::{self, Gaps, Lost};
use super::manifest::JournalInfo;
use super::mapping::SLOT_BYTES;
use super::seal::Sidecar;
use super::segment::{header, paths};
use bytemuck::Zeroable;
use flow::Event;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{Ordering, fence};

/// A segment file, open for reading.
#[derive(Debug)]
pub(super) struct SegmentFile {
    file: File,
    path: PathBuf,
    /// Of a file in memory: what tells whether it still bears its name, and where the disk has the segment once it does not.
    memory: Option<InMemory>,
    log: LogKind,
    number: u64,
    capacity: u64,
    expected: SegmentHeader,
}

/// What a reader must know of a segment in memory.
#[derive(Debug)]
struct InMemory {
    inode: u64,
    /// Where the disk has it.
    copy: PathBuf,
    /// Its file on the disk, from when the memory was given back; `None` if there is none either.
    moved: OnceLock<Option<File>>,
}

/// The header's page.
pub(super) struct HeaderPage {
    bytes: Box<[u8]>,
    /// First seq, last seq and number of the outcomes left out before the first record; in memory only.
    lost: [u64; 3],
}

impl HeaderPage {
    /// The completed-through watermark.
    pub(super) fn completed(&self) -> u64 {
        self.word(COMPLETED_SLOT)
    }

    /// How many records the helper has recorded as sealed.
    pub(super) fn sealed(&self) -> u64 {
        self.word(SEALED_SLOT)
    }

    fn word(&self, slot: usize) -> u64 {
        bytemuck::pod_read_unaligned(&self.bytes[slot * SLOT_BYTES..][..8])
    }

    /// The outcomes left out before the record with this number.
    fn lost(&self, first_record: u64) -> Option<Lost> {
        let [from_seq, through_seq, events] = self.lost;
        (events > 0).then_some(Lost { from_seq, through_seq, events, after_record: first_record - 1 })
    }

    /// Whether the line of left-out outcomes can be one: no seal includes it. It is whole once a record is stored.
    pub(super) fn is_lost_possible(&self) -> bool {
        let [from_seq, through_seq, events] = self.lost;
        self.lost == [0; 3] || (events > 0 && (1..=through_seq).contains(&from_seq))
    }

    /// Offset of the first non-zero byte where no field is defined.
    pub(super) fn stray(&self) -> Option<usize> {
        let words = [COMPLETED_SLOT * SLOT_BYTES, SEALED_SLOT * SLOT_BYTES];
        let defined = |at: usize| at < size_of::<SegmentHeader>() || words.iter().any(|w| (*w..*w + 8).contains(&at));
        (0..self.bytes.len()).find(|at| self.bytes[*at] != 0 && !defined(*at))
    }
}

impl SegmentFile {
    /// Opens a segment; `None` if there is no such file.
    pub(super) fn open(
        dir: &Path,
        info: &JournalInfo,
        log: LogKind,
        number: u64,
    ) -> Result<Option<SegmentFile>, JournalError> {
        let capacity = info.segment_records;
        let expected = header(info, log, number, (number - 1) * capacity + 1);
        // In memory first: there it is whole, and once it is gone from there it is whole on the disk.
        let (copy, _) = paths(dir, log, number);
        let path = info.memory.as_ref().map(|memory| paths(memory, log, number).0);
        if let Some(path) = path
            && let Some(file) = open_if_there(&path)?
        {
            let inode = file.metadata().map_err(|e| JournalError::io(&path, "reading", e))?.ino();
            let memory = Some(InMemory { inode, copy, moved: OnceLock::new() });
            return Ok(Some(SegmentFile { file, path, memory, log, number, capacity, expected }));
        }
        let file = open_if_there(&copy)?;
        Ok(file.map(|file| SegmentFile { file, path: copy, memory: None, log, number, capacity, expected }))
    }

    /// Opens what the disk has of a segment, whatever lies in memory; `None` if there is nothing.
    pub(super) fn open_copy(
        dir: &Path,
        info: &JournalInfo,
        log: LogKind,
        number: u64,
    ) -> Result<Option<SegmentFile>, JournalError> {
        SegmentFile::open(dir, &JournalInfo { memory: None, ..info.clone() }, log, number)
    }

    /// Whether it lies in memory.
    pub(super) fn is_in_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// Whether it lay in memory and was given back: what follows is to be read in another file.
    pub(super) fn is_given_back(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| !self.is_in_place(memory))
    }

    /// Whether it still has its name in memory.
    fn is_in_place(&self, memory: &InMemory) -> bool {
        memory.moved.get().is_none() && fs::metadata(&self.path).is_ok_and(|found| found.ino() == memory.inode)
    }

    /// Its file, relative to the journal's folder unless it lies in memory.
    pub(super) fn name(&self) -> String {
        if self.is_in_memory() { self.path.display().to_string() } else { self.log.segment_name(self.number) }
    }

    pub(super) fn error(&self, source: io::Error) -> JournalError {
        JournalError::io(&self.path, "reading", source)
    }

    /// Its number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Number of the first record.
    pub(super) fn first_record(&self) -> u64 {
        self.expected.first_record
    }

    /// Length of the file in bytes.
    pub(super) fn length(&self) -> Result<u64, JournalError> {
        self.file.metadata().map(|m| m.len()).map_err(|e| self.error(e))
    }

    /// The header's page, and what is wrong with its fixed part.
    pub(super) fn header(&self) -> Result<(HeaderPage, Option<&'static str>), JournalError> {
        let mut page = vec![0; HEADER_BYTES];
        let read = self.read_bytes(&mut page, 0)?;
        let found: SegmentHeader = bytemuck::pod_read_unaligned(&page[..size_of::<SegmentHeader>()]);
        let wrong = match () {
            () if read < HEADER_BYTES => Some("it is truncated"),
            () if !found.is_intact() => Some("it does not match its CRC"),
            () if found != self.expected => Some("it belongs to another segment, journal or build"),
            () if self.log == LogKind::Inputs
                && [COMPLETED_SLOT, LOST_SLOT].iter().any(|s| page[s * SLOT_BYTES..][..24] != [0; 24]) =>
            {
                Some("it tells what only outcomes have")
            }
            () => None,
        };
        let mut lost = [0; 3];
        if self.is_in_memory() && read == HEADER_BYTES {
            let words = &mut page[LOST_SLOT * SLOT_BYTES..][..24];
            lost = bytemuck::pod_read_unaligned(words);
            words.fill(0);
        }
        Ok((HeaderPage { bytes: page.into_boxed_slice(), lost }, wrong))
    }

    /// The completed-through watermark alone; 0 if the file does not have it.
    pub(super) fn completed(&self) -> Result<u64, JournalError> {
        let mut word = [0; 8];
        let read = self.read_bytes(&mut word, (COMPLETED_SLOT * SLOT_BYTES) as u64)?;
        // Nothing that the watermark covers is looked at before it.
        fence(Ordering::Acquire);
        Ok(if read == word.len() { u64::from_le_bytes(word) } else { 0 })
    }

    /// A fault of this file.
    pub(super) fn fault(&self, index: Option<u64>, seq: Option<u64>, what: Damage) -> Fault {
        Fault {
            log: Some(self.log),
            file: self.name(),
            offset: index.map(record_offset),
            record: index.map(|i| self.first_record() + i),
            seq,
            what,
        }
    }

    /// Reads records from `index` on, written or not; returns how many the file has.
    pub(super) fn read(&self, index: u64, to: &mut [Event]) -> Result<usize, JournalError> {
        let room = (self.capacity.saturating_sub(index)).min(to.len() as u64) as usize;
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut to[..room]);
        Ok(self.read_bytes(bytes, record_offset(index))? / SLOT_BYTES)
    }

    /// Reads the written records from `index` on: those before the first id of 0, each complete. Returns `Err` with the
    /// index of a written record after that one, which is impossible in an intact log.
    pub(super) fn read_written(&self, index: u64, to: &mut [Event]) -> Result<Result<usize, u64>, JournalError> {
        let mut behind = None;
        loop {
            let read = self.read(index, to)?;
            let written = to[..read].iter().take_while(|e| e.id.0 != 0).count();
            let stray = to[..read].iter().skip(written).position(|e| e.id.0 != 0).map(|n| (written, written + n));
            // On the first sight of a stray record, the one before it may just have been stored; on the second with the
            // same end, it was not.
            match stray {
                Some((_, at)) if stray == behind => return Ok(Err(index + at as u64)),
                Some(_) => behind = stray,
                None if written == 0 => return Ok(Ok(0)),
                None => {
                    fence(Ordering::Acquire);
                    self.read(index, &mut to[..written])?;
                    return Ok(Ok(written));
                }
            }
        }
    }

    /// The record at `index`; its id is 0 if it is not written or not in the file.
    pub(super) fn record(&self, index: u64) -> Result<Event, JournalError> {
        let mut one = [Event::zeroed()];
        self.read(index, &mut one)?;
        Ok(one[0])
    }

    /// Index of the first written record for which `before` does not hold.
    pub(super) fn partition(&self, before: impl Fn(&Event) -> bool) -> Result<u64, JournalError> {
        let (mut low, mut high) = (0, self.capacity);
        while low < high {
            let middle = low + (high - low) / 2;
            let event = self.record(middle)?;
            if event.id.0 != 0 && before(&event) { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// Index of the first record from `from` on that is not all zeros.
    pub(super) fn first_not_zero(&self, from: u64) -> Result<Option<u64>, JournalError> {
        let mut buffer = vec![Event::zeroed(); BLOCK_RECORDS];
        let mut index = from;
        loop {
            let read = self.read(index, &mut buffer)?;
            if let Some(n) = buffer[..read].iter().position(|e| *e != Event::zeroed()) {
                return Ok(Some(index + n as u64));
            }
            index += read as u64;
            if read == 0 {
                return Ok(None);
            }
        }
    }

    fn read_bytes(&self, to: &mut [u8], offset: u64) -> Result<usize, JournalError> {
        let read = |file: &File, to: &mut [u8]| read_whole(file, to, offset).map_err(|e| self.error(e));
        let Some(memory) = &self.memory else { return read(&self.file, to) };
        if memory.moved.get().is_none() {
            let there = read(&self.file, to)?;
            if self.is_in_place(memory) {
                return Ok(there);
            }
            let copy = open_if_there(&memory.copy)?;
            memory.moved.get_or_init(|| copy);
        }
        memory.moved.get().and_then(Option::as_ref).map_or(Ok(0), |copy| read(copy, to))
    }
}

/// Opens a file for reading; `None` if there is none.
fn open_if_there(path: &Path) -> Result<Option<File>, JournalError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(JournalError::io(path, "opening", e)),
    }
}

/// Reads from `offset` on until `to` is full or the file ends; returns how many bytes there were.
fn read_whole(file: &File, mut to: &mut [u8], mut offset: u64) -> io::Result<usize> {
    let wanted = to.len();
    while !to.is_empty() {
        match file.read_at(to, offset) {
            Ok(0) => break,
            Ok(n) => {
                to = &mut to[n..];
                offset += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(wanted - to.len())
}

/// The numbers of a log's segments, ascending: those in the journal and those in memory.
pub(super) fn segment_numbers(dir: &Path, info: &JournalInfo, log: LogKind) -> Result<Vec<u64>, JournalError> {
    let mut numbers = Vec::new();
    // Memory first: a segment that leaves it meanwhile is on the disk.
    if let Some(memory) = &info.memory {
        numbers.extend(listed(&log.folder(memory)).unwrap_or_default());
    }
    let folder = log.folder(dir);
    numbers.extend(listed(&folder).map_err(|e| JournalError::io(&folder, "reading", e))?);
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// The gaps of the outcome log, with those that are noted only in memory so far; and whether one of the two copies of the
/// file is damaged.
pub(super) fn all_gaps(dir: &Path, info: &JournalInfo) -> io::Result<(Gaps, bool)> {
    let (mut gaps, damaged) = gaps::read(dir, info.journal_id)?;
    let Some(memory) = &info.memory else { return Ok((gaps, damaged)) };
    for number in listed(&LogKind::Outcomes.folder(memory)).unwrap_or_default() {
        let segment = SegmentFile::open(dir, info, LogKind::Outcomes, number).ok().flatten();
        let lost = segment.and_then(|s| s.header().ok()?.0.lost(s.first_record()));
        if let Some(lost) = lost.filter(|new| gaps.lost.iter().all(|l| l.after_record < new.after_record)) {
            gaps.add_lost(lost);
        }
    }
    Ok((gaps, damaged))
}

/// The sidecar of a segment; `None` if there is no such file.
pub(super) fn sidecar(
    dir: &Path,
    info: &JournalInfo,
    log: LogKind,
    number: u64,
) -> Result<Option<Sidecar>, JournalError> {
    let (_, path) = paths(dir, log, number);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(Sidecar::parse(&bytes, log, info.journal_id, number))),
        // A segment in memory has none before it has a copy on the disk.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let bare = info.memory.as_ref().is_some_and(|memory| paths(memory, log, number).0.exists());
            let bare = bare && !paths(dir, log, number).0.exists();
            Ok(bare.then(|| Sidecar::parse(&[], log, info.journal_id, number)))
        }
        Err(e) => Err(JournalError::io(&path, "reading", e)),
    }
}

/// Seq of the last record of a log; without one that of the last input before the journal.
pub(super) fn last_seq(dir: &Path, info: &JournalInfo, log: LogKind) -> Result<u64, JournalError> {
    for number in segment_numbers(dir, info, log)?.into_iter().rev() {
        let Some(file) = SegmentFile::open(dir, info, log, number)? else { continue };
        if let Some(last) = file.partition(|_| true)?.checked_sub(1) {
            return file.record(last).map(|e| e.id.seq());
        }
    }
    Ok(info.after())
}

/// Number of records that were ever written to a log.
pub(super) fn records(dir: &Path, info: &JournalInfo, log: LogKind) -> Result<u64, JournalError> {
    for number in segment_numbers(dir, info, log)?.into_iter().rev() {
        let Some(file) = SegmentFile::open(dir, info, log, number)? else { continue };
        let written = file.partition(|_| true)?;
        if written > 0 {
            return Ok(file.first_record() - 1 + written);
        }
    }
    Ok(0)
}

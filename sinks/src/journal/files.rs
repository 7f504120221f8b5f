//! A journal's files as a reader sees them: plain reads, no mapping.
//!
//! A read is not atomic: during a store it may return the first half of a record from before and the second half from
//! after the store. So ids are read first, and records with an id are read again: the second read begins after the id
//! was seen, and the writer stores the id last.

use super::error::{Damage, Fault, JournalError};
use super::format::{BLOCK_RECORDS, COMPLETED_SLOT, HEADER_BYTES, LogKind, SEALED_SLOT, SegmentHeader, record_offset};
use super::manifest::JournalInfo;
use super::mapping::SLOT_BYTES;
use super::seal::Sidecar;
use super::segment::{header, paths};
use bytemuck::Zeroable;
use flow::Event;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{Ordering, fence};

/// A segment file, open for reading.
#[derive(Debug)]
pub(super) struct SegmentFile {
    file: File,
    path: PathBuf,
    log: LogKind,
    number: u64,
    capacity: u64,
    expected: SegmentHeader,
}

/// The header's page.
pub(super) struct HeaderPage(pub(super) Box<[u8]>);

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
        bytemuck::pod_read_unaligned(&self.0[slot * SLOT_BYTES..][..8])
    }

    /// Offset of the first non-zero byte where no field is defined.
    pub(super) fn stray(&self) -> Option<usize> {
        let words = [COMPLETED_SLOT * SLOT_BYTES, SEALED_SLOT * SLOT_BYTES];
        let defined = |at: usize| at < size_of::<SegmentHeader>() || words.iter().any(|w| (*w..*w + 8).contains(&at));
        (0..self.0.len()).find(|at| self.0[*at] != 0 && !defined(*at))
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
        let (path, _) = paths(dir, log, number);
        let capacity = info.segment_records;
        let expected = header(info, log, number, (number - 1) * capacity + 1);
        match File::open(&path) {
            Ok(file) => Ok(Some(SegmentFile { file, path, log, number, capacity, expected })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(JournalError::io(&path, "opening", e)),
        }
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
            () => None,
        };
        Ok((HeaderPage(page.into_boxed_slice()), wrong))
    }

    /// A fault of this file.
    pub(super) fn fault(&self, index: Option<u64>, seq: Option<u64>, what: Damage) -> Fault {
        Fault {
            log: Some(self.log),
            file: self.log.segment_name(self.number),
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

    fn read_bytes(&self, mut to: &mut [u8], mut offset: u64) -> Result<usize, JournalError> {
        let wanted = to.len();
        while !to.is_empty() {
            match self.file.read_at(to, offset) {
                Ok(0) => break,
                Ok(n) => {
                    to = &mut to[n..];
                    offset += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.error(e)),
            }
        }
        Ok(wanted - to.len())
    }
}

/// The numbers of a log's segment files, ascending.
pub(super) fn segment_numbers(dir: &Path, log: LogKind) -> Result<Vec<u64>, JournalError> {
    let folder = log.folder(dir);
    let entries = fs::read_dir(&folder).map_err(|e| JournalError::io(&folder, "reading", e))?;
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(|e| JournalError::io(&folder, "reading", e))?.file_name();
        let number: Option<u64> = name.to_str().and_then(|n| n.strip_suffix(".seg")).and_then(|n| n.parse().ok());
        numbers.extend(number.filter(|n| *n > 0));
    }
    numbers.sort_unstable();
    Ok(numbers)
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
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(JournalError::io(&path, "reading", e)),
    }
}

/// Seq of the last record of a log; 0 without one.
pub(super) fn last_seq(dir: &Path, info: &JournalInfo, log: LogKind) -> Result<u64, JournalError> {
    for number in segment_numbers(dir, log)?.into_iter().rev() {
        let Some(file) = SegmentFile::open(dir, info, log, number)? else { continue };
        if let Some(last) = file.partition(|_| true)?.checked_sub(1) {
            return file.record(last).map(|e| e.id.seq());
        }
    }
    Ok(0)
}

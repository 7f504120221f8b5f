//! One segment file: creation, header words, records.
//!
//! A segment is complete before the writer sees it: allocated (so a full disk is an error here and not a bus error on
//! the pipeline), its header on disk, its pages in memory. A record is eight words; the id word is stored last, with
//! Release, and 0 means "not written".

use super::error::JournalError;
use super::format::{
    COMPLETED_SLOT, HEADER_BYTES, HEADER_SLOTS, LogKind, SEALED_SLOT, SegmentHeader, seal_bytes, segment_bytes,
};
use super::manifest::{JournalInfo, sync_folder};
use super::mapping::{Mapping, PAGE_BYTES, SLOT_BYTES};
use bytemuck::Zeroable;
use flow::Event;
use rustix::fs::{FallocateFlags, fallocate, fstatvfs};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// A mapped segment, shared by the writer and the helper thread.
#[derive(Debug)]
pub(super) struct Segment {
    mapping: Mapping,
    pub(super) log: LogKind,
    pub(super) number: u64,
    /// Number of its first record.
    pub(super) first_record: u64,
    /// Capacity in records.
    pub(super) capacity: u64,
}

impl Segment {
    /// Stores the record at `index`, the id word last.
    #[inline]
    pub(super) fn store(&self, index: usize, event: &Event) {
        let words: &[u64; 8] = bytemuck::cast_ref(event);
        let slot = &self.mapping.slots()[HEADER_SLOTS + index];
        for (to, word) in slot.iter().zip(words).skip(1) {
            to.store(*word, Ordering::Relaxed);
        }
        slot[0].store(words[0], Ordering::Release);
    }

    /// The current content of the record at `index`; an id of 0 means it is not written.
    pub(super) fn load(&self, index: usize) -> Event {
        let slot = &self.mapping.slots()[HEADER_SLOTS + index];
        let mut words = [slot[0].load(Ordering::Acquire), 0, 0, 0, 0, 0, 0, 0];
        for (word, from) in words.iter_mut().zip(slot).skip(1) {
            *word = from.load(Ordering::Relaxed);
        }
        bytemuck::cast(words)
    }

    /// Clears the record at `index`.
    pub(super) fn clear(&self, index: usize) {
        self.store(index, &Event::zeroed());
    }

    /// The completed-through watermark.
    #[inline]
    pub(super) fn completed(&self) -> u64 {
        self.mapping.slots()[COMPLETED_SLOT][0].load(Ordering::Acquire)
    }

    /// Sets the completed-through watermark.
    #[inline]
    pub(super) fn set_completed(&self, seq: u64) {
        self.mapping.slots()[COMPLETED_SLOT][0].store(seq, Ordering::Release);
    }

    /// Records in the header how many records are sealed.
    pub(super) fn set_sealed(&self, records: u64) {
        self.mapping.slots()[SEALED_SLOT][0].store(records, Ordering::Release);
    }

    /// Faults the header's page and the pages of these records in as writable.
    pub(super) fn populate(&self, records: Range<u64>) {
        self.mapping.populate(0..HEADER_SLOTS);
        self.mapping.populate(HEADER_SLOTS + records.start as usize..HEADER_SLOTS + records.end as usize);
    }

    /// Syncs the pages of these records. The writer has passed them, except for the page of the last one.
    pub(super) fn sync(&self, records: Range<u64>) -> io::Result<()> {
        let slots = HEADER_SLOTS + records.start as usize..HEADER_SLOTS + records.end as usize;
        self.mapping.release(slots.clone());
        self.mapping.sync(slots)
    }

    /// Syncs the header's page.
    pub(super) fn sync_header(&self) -> io::Result<()> {
        self.mapping.sync(0..HEADER_SLOTS)
    }

    /// The paths of its files.
    pub(super) fn paths(&self, dir: &Path) -> (PathBuf, PathBuf) {
        paths(dir, self.log, self.number)
    }
}

/// Records per page.
pub(super) const PAGE_RECORDS: u64 = (PAGE_BYTES / SLOT_BYTES) as u64;

/// Records per writeback unit of 16 pages, which a file system may write back together; folios were 16 KiB where this was
/// measured.
pub(super) const WRITEBACK_RECORDS: u64 = 16 * PAGE_RECORDS;

/// The files of a segment: records and sidecar.
pub(super) fn paths(dir: &Path, log: LogKind, number: u64) -> (PathBuf, PathBuf) {
    (dir.join(log.segment_name(number)), dir.join(log.seal_name(number)))
}

/// Bytes that a segment and its sidecar occupy.
pub(super) const fn footprint(capacity: u64) -> u64 {
    segment_bytes(capacity) + seal_bytes(capacity)
}

/// Creates a segment and its empty sidecar, allocated, durable and in memory.
pub(super) fn prepare(
    dir: &Path,
    info: &JournalInfo,
    log: LogKind,
    number: u64,
    first_record: u64,
) -> Result<(Segment, File), JournalError> {
    let (path, seal_path) = paths(dir, log, number);
    let made = allocate_files(dir, info, log, number, first_record);
    match made {
        Ok((file, seal)) => {
            let slots = HEADER_SLOTS + info.segment_records as usize;
            let mapping = Mapping::new(&file, slots).map_err(|e| JournalError::io(&path, "mapping", e))?;
            let capacity = info.segment_records;
            let segment = Segment { mapping, log, number, first_record, capacity };
            segment.populate(0..capacity);
            Ok((segment, seal))
        }
        Err(error) => {
            // The remains are useless; if they cannot be removed, the next attempt reports it.
            let _ = fs::remove_file(draft(&path));
            let _ = fs::remove_file(&seal_path);
            Err(space_error(dir, &path, footprint(info.segment_records), error))
        }
    }
}

/// A segment's name until it is complete: a segment under its final name has its header and its sidecar.
fn draft(path: &Path) -> PathBuf {
    path.with_extension("draft")
}

fn allocate_files(
    dir: &Path,
    info: &JournalInfo,
    log: LogKind,
    number: u64,
    first_record: u64,
) -> io::Result<(File, File)> {
    let (path, seal_path) = paths(dir, log, number);
    let create = |path: &Path| OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    assert!(!path.exists(), "a segment is never made anew: {}", path.display());
    let seal = create(&seal_path)?;
    allocate(&seal, seal_bytes(info.segment_records), FallocateFlags::KEEP_SIZE)?;
    seal.sync_all()?;
    let file = create(&draft(&path))?;
    allocate(&file, segment_bytes(info.segment_records), FallocateFlags::empty())?;
    file.write_all_at(bytemuck::bytes_of(&header(info, log, number, first_record)), 0)?;
    file.sync_all()?;
    fs::rename(draft(&path), &path)?;
    sync_folder(&log.folder(dir))?;
    Ok((file, seal))
}

/// The header that a segment must have.
pub(super) fn header(info: &JournalInfo, log: LogKind, number: u64, first_record: u64) -> SegmentHeader {
    let mut build_id = [0; 64];
    let length = info.build_id.len().min(build_id.len());
    build_id[..length].copy_from_slice(&info.build_id.as_bytes()[..length]);
    let kinds = match log {
        LogKind::Inputs => flow::Kinds::ALL,
        LogKind::Outcomes => info.outcome_kinds,
    };
    SegmentHeader {
        log: log.code(),
        journal_id: info.journal_id,
        number,
        first_record,
        capacity: info.segment_records,
        kinds: kinds.words(),
        build_id,
        manifest_hash: info.manifest_hash,
        ..SegmentHeader::zeroed()
    }
    .finish()
}

/// Opens an existing segment to continue writing or sealing it: at full length, in memory.
pub(super) fn reopen(
    dir: &Path,
    info: &JournalInfo,
    log: LogKind,
    number: u64,
    first_record: u64,
) -> Result<(Segment, File), JournalError> {
    let (path, seal_path) = paths(dir, log, number);
    let capacity = info.segment_records;
    let open = |path: &Path| OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let opened = open(&path).and_then(|file| {
        allocate(&file, segment_bytes(capacity), FallocateFlags::empty())?;
        let seal = open(&seal_path)?;
        allocate(&seal, seal_bytes(capacity), FallocateFlags::KEEP_SIZE)?;
        Ok((file, seal))
    });
    let (file, seal) = opened.map_err(|e| space_error(dir, &path, footprint(capacity), e))?;
    let slots = HEADER_SLOTS + capacity as usize;
    let mapping = Mapping::new(&file, slots).map_err(|e| JournalError::io(&path, "mapping", e))?;
    let segment = Segment { mapping, log, number, first_record, capacity };
    segment.populate(0..capacity);
    Ok((segment, seal))
}

/// Allocates disk blocks, by writing zeros if the file system offers no other way.
pub(super) fn allocate(file: &File, bytes: u64, flags: FallocateFlags) -> io::Result<()> {
    match fallocate(file, flags, 0, bytes) {
        Ok(()) => Ok(()),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) if flags.is_empty() => {
            let zeros = [0; HEADER_BYTES];
            let mut at = file.metadata()?.len();
            while at < bytes {
                let n = (bytes - at).min(zeros.len() as u64) as usize;
                file.write_all_at(&zeros[..n], at)?;
                at += n as u64;
            }
            Ok(())
        }
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Free bytes on the disk of `dir`; 0 if unknown.
pub(super) fn free_bytes(dir: &Path) -> u64 {
    let stat = File::open(dir).and_then(|d| Ok(fstatvfs(&d)?));
    stat.map(|s| s.f_bavail * s.f_frsize).unwrap_or(0)
}

fn space_error(dir: &Path, path: &Path, needed: u64, error: io::Error) -> JournalError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            JournalError::NoSpace { path: path.to_owned(), needed, free: free_bytes(dir) }
        }
        _ => JournalError::io(path, "allocating", error),
    }
}

//! A segment on the disk: the copy of one in memory, and the sidecar with its seals.
//!
//! The helper writes the records behind the writer, waits until they are durable, seals them, and then writes the header's
//! words. A copy has its full length from the start, so a full disk shows before there is anything to store. Bound: one
//! buffer of a block. Worst case: a disk that does not answer; then only the helper waits.

use super::disk::{Disk, DiskOp};
use super::error::JournalError;
use super::format::{BLOCK_RECORDS, LogKind, record_offset, seal_bytes, segment_bytes};
use super::manifest::JournalInfo;
use super::private::{open_file, remove_if_there, sync_folder};
use super::seal::{SealWriter, Sidecar};
use super::segment::{Segment, allocate, draft, header, paths, space_error};
use flow::Event;
use rustix::fs::FallocateFlags;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The files of a segment on the disk.
#[derive(Debug)]
pub(super) struct Copy {
    file: File,
    pub(super) seal: SealWriter,
    /// Number of records on the disk.
    pub(super) synced: u64,
    /// The header's page as it was last written.
    page: Vec<u8>,
    /// Something was written since the last sync.
    unsynced: bool,
}

/// Bytes that a segment and its sidecar occupy.
pub(super) const fn footprint(capacity: u64) -> u64 {
    segment_bytes(capacity) + seal_bytes(capacity)
}

impl Copy {
    /// Makes the files of a segment, empty, allocated and durable.
    pub(super) fn make(
        disk: &Disk,
        dir: &Path,
        info: &JournalInfo,
        log: LogKind,
        number: u64,
    ) -> Result<Copy, JournalError> {
        let (path, seal_path) = paths(dir, log, number);
        assert!(!path.exists(), "a segment is never made anew: {}", path.display());
        let made = disk.run(DiskOp::Allocate, || {
            let seal = open_file(&seal_path)?;
            seal.set_len(0)?;
            allocate(&seal, seal_bytes(info.segment_records), FallocateFlags::KEEP_SIZE)?;
            let file = open_file(&draft(&path))?;
            file.set_len(0)?;
            allocate(&file, segment_bytes(info.segment_records), FallocateFlags::empty())?;
            let first_record = (number - 1) * info.segment_records + 1;
            file.write_all_at(bytemuck::bytes_of(&header(info, log, number, first_record)), 0)?;
            file.sync_all()?;
            fs::rename(draft(&path), &path)?;
            Ok(Copy { file, seal: SealWriter::new(seal), synced: 0, page: Vec::new(), unsynced: false })
        });
        let made = made.and_then(|made| disk.run(DiskOp::Sync, || sync_folder(&log.folder(dir))).map(|()| made));
        made.map_err(|error| {
            // The remains are useless; if they cannot be removed, the next attempt reports it. A segment without a sidecar
            // would be damage, so the sidecar goes last.
            for remains in [&draft(&path), &path, &seal_path] {
                if remove_if_there(remains).is_err() {
                    break;
                }
            }
            space_error(dir, &path, footprint(info.segment_records), error)
        })
    }

    /// Opens the files of a segment that another process left, to go on with them: at full length, and zero behind the log's
    /// end, which is record `used` of the segment. All its records are written again. The file is never shorter in between:
    /// a kill there would leave a segment that is cut off, which only a closed one may be.
    pub(super) fn reopen(
        disk: &Disk,
        dir: &Path,
        info: &JournalInfo,
        log: LogKind,
        number: u64,
        used: u64,
        sealed: &Sidecar,
    ) -> Result<Copy, JournalError> {
        let (path, seal_path) = paths(dir, log, number);
        let capacity = info.segment_records;
        let opened = disk.run(DiskOp::Allocate, || {
            let (file, seal) = (open_file(&path)?, open_file(&seal_path)?);
            allocate(&file, segment_bytes(capacity), FallocateFlags::empty())?;
            allocate(&seal, seal_bytes(capacity), FallocateFlags::KEEP_SIZE)?;
            Ok((file, seal))
        });
        let opened = opened.and_then(|(file, seal)| {
            disk.run(DiskOp::Write, || clear_from(&file, record_offset(used)))?;
            let seal = disk.run(DiskOp::Trim, || SealWriter::resume(seal, sealed))?;
            Ok(Copy { file, seal, synced: 0, page: Vec::new(), unsynced: true })
        });
        opened.map_err(|e| space_error(dir, &path, footprint(capacity), e))
    }

    /// Writes the records of `segment` up to number `used` that are not on the disk yet, and waits until they are durable.
    pub(super) fn write(
        &mut self,
        disk: &Disk,
        segment: &Segment,
        used: u64,
        records: &mut Vec<Event>,
    ) -> io::Result<()> {
        let mut at = self.synced;
        while at < used {
            let count = (used - at).min(BLOCK_RECORDS as u64);
            segment.read(at, count, records);
            disk.run(DiskOp::Write, || self.file.write_all_at(bytemuck::cast_slice(records), record_offset(at)))?;
            at += count;
            self.unsynced = true;
        }
        self.sync(disk)?;
        self.synced = used;
        Ok(())
    }

    /// Writes the header's page if it changed; the next sync makes it durable.
    pub(super) fn write_header(&mut self, disk: &Disk, page: Vec<u8>) -> io::Result<()> {
        if page != self.page {
            disk.run(DiskOp::Write, || self.file.write_all_at(&page, 0))?;
            (self.page, self.unsynced) = (page, true);
        }
        Ok(())
    }

    /// Waits until what was written is durable.
    pub(super) fn sync(&mut self, disk: &Disk) -> io::Result<()> {
        if self.unsynced {
            // If it fails, the header's page may be lost, and is written again.
            let page = std::mem::take(&mut self.page);
            disk.run(DiskOp::Sync, || self.file.sync_data())?;
            (self.page, self.unsynced) = (page, false);
        }
        Ok(())
    }

    /// Truncates both files to what is in them.
    pub(super) fn trim(&mut self, disk: &Disk, used: u64) -> io::Result<()> {
        disk.run(DiskOp::Trim, || {
            self.file.set_len(record_offset(used))?;
            self.file.sync_all()?;
            self.seal.trim()
        })
    }
}

/// Zeros a file from a byte on. It is read first, since it nearly always is zero there.
fn clear_from(file: &File, mut at: u64) -> io::Result<()> {
    let (mut bytes, zeros) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let read = file.read_at(&mut bytes, at)?;
        if read == 0 {
            return Ok(());
        }
        if bytes[..read] != zeros[..read] {
            file.write_all_at(&zeros[..read], at)?;
        }
        at += read as u64;
    }
}

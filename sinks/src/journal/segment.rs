//! One segment in memory: creation, header words, records.
//!
//! A segment is complete before the writer sees it: allocated (so full memory is an error here and not a bus error on the
//! pipeline), with its header, its pages present. A record is eight words; the id word is stored last, with Release, and 0
//! means "not written". The header has four words that change: how far the outcomes are complete, how much is sealed, and,
//! in memory only, which outcomes were left out before the first record. What is on the disk of it is a [copy](super::copy).
//! A segment that is whole there gives its memory to the next one: pages that are present cost a fraction of new ones.

use super::error::{JournalError, is_full};
use super::format::{
    COMPLETED_SLOT, DRAFT, HEADER_BYTES, HEADER_SLOTS, LOST_SLOT, LogKind, SEALED_SLOT, SegmentHeader, segment_bytes,
};
use super::gaps::Lost;
use super::manifest::JournalInfo;
use super::mapping::{Mapping, PAGE_BYTES, SLOT_BYTES};
use super::private::{free_bytes, open_file};
use bytemuck::Zeroable;
use flow::Event;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    released: AtomicBool,
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

    /// Records of this segment when the log has `written` records.
    pub(super) fn used(&self, written: u64) -> u64 {
        (written + 1).saturating_sub(self.first_record).min(self.capacity)
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

    /// The outcomes that were left out before the first record.
    pub(super) fn lost(&self) -> Option<Lost> {
        let [from_seq, through_seq, events, ..] = &self.mapping.slots()[LOST_SLOT];
        let events = events.load(Ordering::Acquire);
        (events > 0).then(|| Lost {
            from_seq: from_seq.load(Ordering::Relaxed),
            through_seq: through_seq.load(Ordering::Relaxed),
            events,
            after_record: self.first_record - 1,
        })
    }

    /// Says which outcomes were left out before the first record, before one is stored.
    pub(super) fn set_lost(&self, lost: &Lost) {
        let [from_seq, through_seq, events, ..] = &self.mapping.slots()[LOST_SLOT];
        from_seq.store(lost.from_seq, Ordering::Relaxed);
        through_seq.store(lost.through_seq, Ordering::Relaxed);
        events.store(lost.events, Ordering::Release);
    }

    /// Reads the records from index `from` on into `to`: as many as it has room for, all written.
    pub(super) fn read(&self, from: u64, count: u64, to: &mut Vec<Event>) {
        to.clear();
        to.extend((from..from + count).map(|index| self.load(index as usize)));
    }

    /// The header's page as it belongs on the disk, which may say no more than that the outcomes are complete through
    /// `completed`: the writer may have gone on, and the disk has not.
    pub(super) fn header_page(&self, completed: u64) -> Vec<u8> {
        let slots = &self.mapping.slots()[..HEADER_SLOTS];
        let words = slots.iter().flatten().map(|word| word.load(Ordering::Acquire));
        let mut page: Vec<u64> = words.collect();
        page[LOST_SLOT * 8..LOST_SLOT * 8 + 8].fill(0);
        page[COMPLETED_SLOT * 8] = page[COMPLETED_SLOT * 8].min(completed);
        bytemuck::cast_slice(&page).to_vec()
    }

    /// The header's page on the disk once the segment is full, sealed and left by the writer. In memory the words stay as they
    /// are: only the disk may say that the segment is finished there.
    pub(super) fn last_header_page(&self) -> Vec<u8> {
        let mut page = self.header_page(0);
        page[SEALED_SLOT * SLOT_BYTES..][..8].copy_from_slice(&self.capacity.to_le_bytes());
        page
    }

    /// Faults the header's page and the pages of these records in as writable.
    pub(super) fn populate(&self, records: Range<u64>) {
        self.mapping.populate(0..HEADER_SLOTS);
        self.mapping.populate(HEADER_SLOTS + records.start as usize..HEADER_SLOTS + records.end as usize);
    }

    /// The writer has left it, and stores nothing more to it.
    pub(super) fn release(&self) {
        self.released.store(true, Ordering::Release);
    }

    /// Whether the writer has left it.
    pub(super) fn is_released(&self) -> bool {
        self.released.load(Ordering::Acquire)
    }
}

/// Records per page.
pub(super) const PAGE_RECORDS: u64 = (PAGE_BYTES / SLOT_BYTES) as u64;

/// The files of a segment: records and sidecar.
pub(super) fn paths(dir: &Path, log: LogKind, number: u64) -> (PathBuf, PathBuf) {
    (dir.join(log.segment_name(number)), dir.join(log.seal_name(number)))
}

/// Makes a segment in the folder of the active ones, allocated and present.
pub(super) fn make(
    memory: &Path,
    info: &JournalInfo,
    log: LogKind,
    number: u64,
    first_record: u64,
) -> Result<Segment, JournalError> {
    let (path, _) = paths(memory, log, number);
    let draft = draft(&path);
    let bytes = segment_bytes(info.segment_records);
    let made = open_file(&draft).and_then(|file| {
        allocate(&file, bytes, FallocateFlags::empty())?;
        let mapping = Mapping::new(&file, HEADER_SLOTS + info.segment_records as usize)?;
        name(&file, &draft, &path, &header(info, log, number, first_record))?;
        Ok(mapping)
    });
    match made {
        Ok(mapping) => Ok(Segment::new(mapping, info, log, number, first_record)),
        Err(error) => {
            // The remains are useless; if they cannot be removed, the next attempt reports it.
            let _ = fs::remove_file(&draft);
            Err(space_error(memory, &path, bytes, error))
        }
    }
}

/// Makes a segment of one that was given back. `None` if its writer has only just left it, or its file is gone: then its
/// memory is freed.
pub(super) fn renew(
    spare: Arc<Segment>,
    memory: &Path,
    info: &JournalInfo,
    number: u64,
    first_record: u64,
) -> Option<Segment> {
    let log = spare.log;
    let [(old, _), (path, _)] = [spare.number, number].map(|number| paths(memory, log, number));
    let draft = draft(&old);
    let renewed = Arc::into_inner(spare).and_then(|Segment { mapping, .. }| {
        let file = OpenOptions::new().write(true).open(&draft).ok()?;
        mapping.clear();
        name(&file, &draft, &path, &header(info, log, number, first_record)).ok()?;
        Some(Segment::new(mapping, info, log, number, first_record))
    });
    if renewed.is_none() {
        // If it cannot be removed, it goes with the folder.
        let _ = fs::remove_file(&draft);
    }
    renewed
}

/// Writes the header of a draft and gives it its name.
fn name(file: &File, draft: &Path, path: &Path, header: &SegmentHeader) -> io::Result<()> {
    file.write_all_at(bytemuck::bytes_of(header), 0)?;
    fs::rename(draft, path)
}

impl Segment {
    /// Makes a draft of it again, whose memory [`renew`] uses. From here on a reader finds the segment on the disk.
    pub(super) fn give_back(&self, memory: &Path) -> io::Result<()> {
        let (path, _) = paths(memory, self.log, self.number);
        fs::rename(&path, draft(&path))
    }

    fn new(mapping: Mapping, info: &JournalInfo, log: LogKind, number: u64, first_record: u64) -> Segment {
        let capacity = info.segment_records;
        let segment = Segment { mapping, log, number, first_record, capacity, released: AtomicBool::new(false) };
        segment.populate(0..capacity);
        segment
    }
}

/// A segment's name until it is complete: one under its final name has its length and its header.
pub(super) fn draft(path: &Path) -> PathBuf {
    path.with_extension(DRAFT)
}

/// The header that a segment must have.
pub(super) fn header(info: &JournalInfo, log: LogKind, number: u64, first_record: u64) -> SegmentHeader {
    let mut build_id = [0; 64];
    let length = info.build_id.len().min(build_id.len());
    build_id[..length].copy_from_slice(&info.build_id.as_bytes()[..length]);
    let kinds = match log {
        // As it has always been written: every number but that of the watermark.
        LogKind::Inputs => flow::Kinds::ALL.or(flow::Kinds::INSIDE),
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

/// Opens a segment that another process left in memory, to go on with it.
pub(super) fn reopen(
    memory: &Path,
    info: &JournalInfo,
    log: LogKind,
    number: u64,
    first_record: u64,
) -> Result<Segment, JournalError> {
    let (path, _) = paths(memory, log, number);
    let opened = OpenOptions::new().read(true).write(true).open(&path);
    let mapped = opened.and_then(|file| Mapping::new(&file, HEADER_SLOTS + info.segment_records as usize));
    let mapping = mapped.map_err(|e| JournalError::io(&path, "mapping", e))?;
    Ok(Segment::new(mapping, info, log, number, first_record))
}

/// Allocates blocks, by writing zeros if the file system offers no other way.
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

/// The error of an allocation of `needed` bytes.
pub(super) fn space_error(dir: &Path, path: &Path, needed: u64, error: io::Error) -> JournalError {
    match is_full(&error) {
        true => JournalError::NoSpace { path: path.to_owned(), needed, free: free_bytes(dir), why: error.to_string() },
        false => JournalError::io(path, "allocating", error),
    }
}

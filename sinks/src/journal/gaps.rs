//! The gaps of the outcome log: what it dropped, and what it never stored.
//!
//! Outcomes can be derived from the inputs, so they yield when the disk is full: the oldest segments are dropped, and
//! in the worst case events are left out. Both are recorded here durably, before the fact where possible. The file has
//! its full size from the start and is updated in place, so it can be written on a full disk: two copies, each with a
//! generation and a CRC, written alternately, so that one is always intact.
//!
//! Bound: [`MAX_GAPS`] gaps; a further one widens the last.

use super::format::{GAPS, LogKind};
use bytemuck::{Pod, Zeroable};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

const COPY_BYTES: usize = 2048;
const MAGIC: [u8; 8] = *b"TGJGAPS\n";
const MAX_GAPS: usize = 40;

/// The part dropped from the beginning of the outcome log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Dropped {
    /// Segments up to this number are dropped; 0 = none.
    pub through_segment: u64,
    /// Records up to this number are dropped.
    pub through_record: u64,
    /// Seq of the last dropped record.
    pub through_seq: u64,
    /// The hash chain after it.
    pub chain: [u8; 32],
}

/// Outcomes never stored for lack of space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Lost {
    /// Seq of the first missing event.
    pub from_seq: u64,
    /// Seq of the last missing event.
    pub through_seq: u64,
    /// Number of missing events.
    pub events: u64,
    /// Number of the last record before the gap.
    pub after_record: u64,
}

/// Everything missing from the outcome log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gaps {
    /// The part dropped from the beginning.
    pub dropped: Dropped,
    /// The gaps of events never stored, in order.
    pub lost: Vec<Lost>,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct CopyHeader {
    magic: [u8; 8],
    journal_id: u64,
    generation: u64,
    dropped: Dropped,
    count: u64,
}

/// The gap file, open for writing.
#[derive(Debug)]
pub(super) struct GapFile {
    file: File,
    journal_id: u64,
    generation: u64,
    /// One of the two copies is not intact.
    damaged: bool,
    pub(super) gaps: Gaps,
}

impl Gaps {
    fn none() -> Gaps {
        Gaps { dropped: Dropped::zeroed(), lost: Vec::new() }
    }

    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.dropped.through_segment == 0 && self.lost.is_empty()
    }

    /// Adds missing events; extends the last gap if no record was stored since.
    pub(super) fn add_lost(&mut self, lost: Lost) {
        let full = self.lost.len() == MAX_GAPS;
        match self.lost.last_mut() {
            Some(last) if last.after_record == lost.after_record || full => {
                last.through_seq = last.through_seq.max(lost.through_seq);
                last.events += lost.events;
            }
            _ => self.lost.push(lost),
        }
    }
}

impl GapFile {
    /// Creates the file, without gaps.
    pub(super) fn create(dir: &Path, journal_id: u64) -> io::Result<GapFile> {
        let path = LogKind::Outcomes.folder(dir).join(GAPS);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all_at(&[0; 2 * COPY_BYTES], 0)?;
        let mut made = GapFile { file, journal_id, generation: 0, damaged: false, gaps: Gaps::none() };
        made.write()?;
        made.write()?;
        Ok(made)
    }

    /// Opens the file for appending, and changes nothing in it.
    pub(super) fn open(dir: &Path, journal_id: u64) -> io::Result<GapFile> {
        let path = LogKind::Outcomes.folder(dir).join(GAPS);
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let (generation, gaps, damaged) = read_copies(&file, journal_id)?;
        Ok(GapFile { file, journal_id, generation, damaged, gaps })
    }

    /// Writes a copy again that a crash left unwritten or half written.
    pub(super) fn mend(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.damaged) {
            return Ok(());
        }
        // The next generation goes where the newest intact copy is not.
        self.file.set_len(2 * COPY_BYTES as u64)?;
        self.write()
    }

    /// Writes `gaps` durably. A write that fails is repeated in the same place: the other copy stays intact.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let generation = self.generation + 1;
        let header = CopyHeader {
            magic: MAGIC,
            journal_id: self.journal_id,
            generation,
            dropped: self.gaps.dropped,
            count: self.gaps.lost.len() as u64,
        };
        let mut bytes = [0; COPY_BYTES];
        let head = size_of::<CopyHeader>();
        let lost: &[u8] = bytemuck::cast_slice(&self.gaps.lost);
        bytes[..head].copy_from_slice(bytemuck::bytes_of(&header));
        bytes[head..head + lost.len()].copy_from_slice(lost);
        let crc = crc32c::crc32c(&bytes[..COPY_BYTES - 4]);
        bytes[COPY_BYTES - 4..].copy_from_slice(&crc.to_le_bytes());
        self.file.write_all_at(&bytes, generation % 2 * COPY_BYTES as u64)?;
        self.file.sync_data()?;
        self.generation = generation;
        Ok(())
    }
}

/// Reads the gaps of a journal, and whether one of the two copies is damaged.
pub(super) fn read(dir: &Path, journal_id: u64) -> io::Result<(Gaps, bool)> {
    let file = File::open(LogKind::Outcomes.folder(dir).join(GAPS))?;
    read_copies(&file, journal_id).map(|(_, gaps, damaged)| (gaps, damaged))
}

fn read_copies(file: &File, journal_id: u64) -> io::Result<(u64, Gaps, bool)> {
    let mut bytes = [0; 2 * COPY_BYTES];
    file.read_exact_at(&mut bytes, 0)?;
    let copies = [parse(&bytes[..COPY_BYTES], journal_id), parse(&bytes[COPY_BYTES..], journal_id)];
    let damaged = copies.iter().any(Option::is_none) || file.metadata()?.len() != bytes.len() as u64;
    let newest = copies.into_iter().flatten().max_by_key(|(generation, _)| *generation);
    let (generation, gaps) =
        newest.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "both copies of the gaps are damaged"))?;
    Ok((generation, gaps, damaged))
}

fn parse(copy: &[u8], journal_id: u64) -> Option<(u64, Gaps)> {
    let (body, crc) = copy.split_at(COPY_BYTES - 4);
    let header: CopyHeader = bytemuck::pod_read_unaligned(&body[..size_of::<CopyHeader>()]);
    let count = header.count as usize;
    let right = crc == crc32c::crc32c(body).to_le_bytes() && header.magic == MAGIC && header.journal_id == journal_id;
    if !right || count > MAX_GAPS {
        return None;
    }
    let lost = &body[size_of::<CopyHeader>()..][..count * size_of::<Lost>()];
    let lost = lost.chunks_exact(size_of::<Lost>()).map(bytemuck::pod_read_unaligned).collect();
    Some((header.generation, Gaps { dropped: header.dropped, lost }))
}

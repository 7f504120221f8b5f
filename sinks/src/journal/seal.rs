//! The sidecar of a segment: its seals.
//!
//! A sidecar is a header and one entry per block: at most 4,096 records, the CRC32C of each, and the hash chain after
//! them. A block's entry is appended once its records are on disk, so everything a sidecar seals was durable first. The
//! chain continues from segment to segment; a sidecar's header holds its value before the segment.
//!
//! Bound: the blocks of one turn of the helper wait in memory until they are durable, 4 bytes a record. Worst case: those of
//! a whole segment.

use super::format::{BLOCK_RECORDS, BlockHeader, LogKind, SealHeader, chain_on, seal_bytes};
use super::segment::{Segment, allocate};
use bytemuck::Zeroable;
use flow::Event;
use rustix::fs::FallocateFlags;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes by which a sidecar grows when short blocks need more than was allocated at first.
const MORE: u64 = 1 << 16;

/// Appends blocks to a sidecar.
#[derive(Debug)]
pub(super) struct SealWriter {
    file: File,
    /// Where the next block goes.
    at: u64,
    /// The bytes before it that are not durable yet. A sync that fails may have dropped them, so they are written again.
    pending: Vec<u8>,
    chain: [u8; 32],
    /// Number of sealed records.
    pub(super) sealed: u64,
    /// Bytes that are allocated, if more than at first.
    room: u64,
}

impl SealWriter {
    /// A sidecar without blocks.
    pub(super) fn new(file: File) -> SealWriter {
        SealWriter { file, at: 0, pending: Vec::new(), chain: [0; 32], sealed: 0, room: 0 }
    }

    /// Continues after the intact blocks of `so_far` and truncates the rest.
    pub(super) fn resume(file: File, so_far: &Sidecar) -> io::Result<SealWriter> {
        file.set_len(so_far.end)?;
        let (at, chain, sealed) = (so_far.end, so_far.chain, so_far.records);
        Ok(SealWriter { file, at, pending: Vec::new(), chain, sealed, room: 0 })
    }

    /// Begins the sidecar of `segment` with its header; `start` is the chain before it.
    pub(super) fn begin(&mut self, segment: &Segment, journal_id: u64, start: [u8; 32]) {
        let header = SealHeader {
            log: segment.log.code(),
            journal_id,
            number: segment.number,
            first_record: segment.first_record,
            capacity: segment.capacity,
            start,
            ..SealHeader::zeroed()
        }
        .finish();
        self.append(bytemuck::bytes_of(&header));
        self.chain = start;
    }

    fn append(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.at += bytes.len() as u64;
    }

    /// Whether the sidecar has its header.
    pub(super) fn has_begun(&self) -> bool {
        self.at > 0
    }

    /// Seals `records`, the next ones of `segment`, which must be synced. They complete the outcomes of inputs up to
    /// `through`. Returns the chain after them.
    pub(super) fn block(&mut self, segment: &Segment, records: &[Event], through: u64) -> [u8; 32] {
        let count = records.len();
        assert!(self.has_begun() && count > 0 && count <= BLOCK_RECORDS, "a block has 1 to {BLOCK_RECORDS} records");
        let crcs: Vec<u32> = records.iter().map(|e| crc32c::crc32c(bytemuck::bytes_of(e))).collect();
        let chain = chain_on(&self.chain, records);
        let header = BlockHeader {
            count: count as u32,
            first_record: segment.first_record + self.sealed,
            through,
            chain,
            ..BlockHeader::zeroed()
        }
        .finish(&crcs);
        self.append(bytemuck::bytes_of(&header));
        self.append(bytemuck::cast_slice(&crcs));
        self.sealed += count as u64;
        self.chain = chain;
        chain
    }

    /// Whether the disk has room for a short block of `count` records and, after it, for all that a segment of `capacity`
    /// records still needs: what is sealed early must not take the room of what is sealed later.
    pub(super) fn has_room(&mut self, capacity: u64, count: u64) -> bool {
        let rest = capacity - self.sealed - count;
        let blocks = 1 + rest.div_ceil(BLOCK_RECORDS as u64);
        let begun = self.at.max(size_of::<SealHeader>() as u64);
        let needed = begun + blocks * size_of::<BlockHeader>() as u64 + (count + rest) * 4;
        if needed > self.room.max(seal_bytes(capacity)) {
            let more = needed + MORE;
            if allocate(&self.file, more, FallocateFlags::KEEP_SIZE).is_err() {
                return false;
            }
            self.room = more;
        }
        true
    }

    /// Whether a block is not durable yet.
    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes the blocks that are not durable yet.
    pub(super) fn write(&self) -> io::Result<()> {
        self.file.write_all_at(&self.pending, self.at - self.pending.len() as u64)
    }

    /// Makes what was written durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.pending.clear();
        Ok(())
    }

    /// Releases allocated space that was not used.
    pub(super) fn trim(&self) -> io::Result<()> {
        self.file.set_len(self.at)?;
        self.file.sync_all()
    }
}

/// One block of a sidecar.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) header: BlockHeader,
    /// CRC32C of each record.
    pub(super) crcs: Vec<u32>,
}

impl Block {
    /// Whether these are its records, by their CRCs.
    pub(super) fn has(&self, records: &[Event]) -> bool {
        let agree = |(event, crc): (&Event, &u32)| crc32c::crc32c(bytemuck::bytes_of(event)) == *crc;
        records.len() == self.crcs.len() && records.iter().zip(&self.crcs).all(agree)
    }

    /// Whether the chain `before` it goes on over these records to where it says.
    pub(super) fn continues(&self, before: &[u8; 32], records: &[Event]) -> bool {
        chain_on(before, records) == self.header.chain
    }
}

/// A parsed sidecar.
#[derive(Clone, Debug)]
pub(super) struct Sidecar {
    /// `None` if nothing is sealed yet.
    pub(super) header: Option<SealHeader>,
    pub(super) blocks: Vec<Block>,
    /// Offset after the last intact block.
    pub(super) end: u64,
    /// Number of records in the blocks.
    pub(super) records: u64,
    /// The chain after the last block.
    pub(super) chain: [u8; 32],
    /// Why and at which offset parsing stopped; `None` at the end of the file.
    pub(super) stopped: Option<(u64, Stopped)>,
}

/// Why the parsing of a sidecar stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The rest is shorter than a block, or zeros: an append cut off by a crash.
    Torn,
    /// The bytes are not what was written.
    Damaged(&'static str),
}

impl Sidecar {
    /// Parses all blocks that are intact and consecutive.
    pub(super) fn parse(bytes: &[u8], log: LogKind, journal_id: u64, number: u64) -> Sidecar {
        let none = Sidecar { header: None, blocks: Vec::new(), end: 0, records: 0, chain: [0; 32], stopped: None };
        if bytes.is_empty() {
            return none;
        }
        let size = size_of::<SealHeader>();
        if bytes.len() < size || bytes.iter().all(|b| *b == 0) {
            return Sidecar { stopped: Some((0, Stopped::Torn)), ..none };
        }
        let header: SealHeader = bytemuck::pod_read_unaligned(&bytes[..size]);
        if !header.is_intact() {
            return Sidecar { stopped: Some((0, Stopped::Damaged("its header does not match its CRC"))), ..none };
        }
        if (header.log, header.journal_id, header.number) != (log.code(), journal_id, number) {
            return Sidecar { stopped: Some((0, Stopped::Damaged("it belongs to another segment"))), ..none };
        }
        let mut sidecar = Sidecar { header: Some(header), chain: header.start, end: size as u64, ..none };
        while let Some(rest) = bytes.get(sidecar.end as usize..).filter(|r| !r.is_empty()) {
            match block_of(rest, &sidecar) {
                Ok(block) => sidecar.push(block),
                Err(why) => {
                    sidecar.stopped = Some((sidecar.end, why));
                    break;
                }
            }
        }
        sidecar
    }

    fn push(&mut self, block: Block) {
        self.end += (size_of::<BlockHeader>() + block.crcs.len() * 4) as u64;
        self.records += block.crcs.len() as u64;
        self.chain = block.header.chain;
        self.blocks.push(block);
    }

    /// The completed-through watermark of the last block; 0 without one.
    pub(super) fn through(&self) -> u64 {
        self.blocks.last().map_or(0, |b| b.header.through)
    }
}

fn block_of(rest: &[u8], before: &Sidecar) -> Result<Block, Stopped> {
    let size = size_of::<BlockHeader>();
    if rest.iter().all(|b| *b == 0) {
        return Err(Stopped::Torn);
    }
    let header: BlockHeader = bytemuck::pod_read_unaligned(rest.get(..size).ok_or(Stopped::Torn)?);
    if !header.has_head() {
        return Err(Stopped::Damaged("its header does not match its CRC"));
    }
    let count = header.count as usize;
    if count == 0 || count > BLOCK_RECORDS {
        return Err(Stopped::Damaged("its count of records is impossible"));
    }
    let crc_bytes = rest.get(size..size + count * 4).ok_or(Stopped::Torn)?;
    let crcs: Vec<u32> = crc_bytes.chunks_exact(4).map(bytemuck::pod_read_unaligned).collect();
    if !header.is_intact(&crcs) {
        return Err(Stopped::Damaged("it does not match its own CRC"));
    }
    let first = before.header.map_or(0, |h| h.first_record) + before.records;
    if header.first_record != first {
        return Err(Stopped::Damaged("it is not the next block: one was removed, repeated or replaced"));
    }
    Ok(Block { header, crcs })
}

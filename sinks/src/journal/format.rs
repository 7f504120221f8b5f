//! The bytes of a journal's files; `docs/journal.md` of this folder describes the same in prose.
//!
//! All integers are little-endian. Every structure is `Pod`, and its size and offsets are asserted here, so the format
//! cannot change by accident.

use super::mapping::SLOT_BYTES;
use bytemuck::{Pod, Zeroable};
use flow::Event;
use std::path::{Path, PathBuf};

/// Version of everything in this file.
pub(super) const VERSION: u32 = 4;
/// Bytes before the first record of a segment.
pub(super) const HEADER_BYTES: usize = 4096;
/// Slots before the first record of a segment.
pub(super) const HEADER_SLOTS: usize = HEADER_BYTES / SLOT_BYTES;
/// Header slot whose first word is the seq through which the outcomes are complete.
pub(super) const COMPLETED_SLOT: usize = 4;
/// Header slot whose first word is the number of sealed records.
pub(super) const SEALED_SLOT: usize = 5;
/// Header slot whose first words name the outcomes left out before the first record: first seq, last seq, number. In memory
/// only; on the disk they stand in the gap file.
pub(super) const LOST_SLOT: usize = 6;
/// The most records in one sealed block.
pub(super) const BLOCK_RECORDS: usize = 4096;

/// The file that starts a journal.
pub(super) const MANIFEST: &str = "journal.toml";
/// The file that ends a journal closed in order.
pub(super) const CLOSED: &str = "closed.toml";
/// The file, in the outcomes folder, that lists what was dropped or lost.
pub(super) const GAPS: &str = "gaps";

const SEGMENT_MAGIC: [u8; 8] = *b"TGJSEG\r\n";
const SEAL_MAGIC: [u8; 8] = *b"TGJSEAL\n";
const BLOCK_MAGIC: u32 = u32::from_le_bytes(*b"BLCK");

/// One of the two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// The inputs, in ingress order.
    Inputs,
    /// The outcomes of the inputs.
    Outcomes,
}

impl LogKind {
    /// Both, inputs first.
    pub const BOTH: [LogKind; 2] = [LogKind::Inputs, LogKind::Outcomes];

    /// Name of the log and of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            LogKind::Inputs => "inputs",
            LogKind::Outcomes => "outcomes",
        }
    }

    pub(super) const fn code(self) -> u32 {
        match self {
            LogKind::Inputs => 1,
            LogKind::Outcomes => 2,
        }
    }

    /// The log's folder in the journal `dir`.
    pub(super) fn folder(self, dir: &Path) -> PathBuf {
        dir.join(self.name())
    }

    /// The file of a segment, relative to the journal's folder.
    pub(super) fn segment_name(self, number: u64) -> String {
        format!("{}/{number:08}.seg", self.name())
    }

    /// The sidecar of a segment, relative to the journal's folder.
    pub(super) fn seal_name(self, number: u64) -> String {
        format!("{}/{number:08}.seal", self.name())
    }
}

impl std::fmt::Display for LogKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The fixed part of a segment's header: its first 256 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct SegmentHeader {
    pub(super) magic: [u8; 8],
    pub(super) version: u32,
    pub(super) log: u32,
    pub(super) journal_id: u64,
    pub(super) number: u64,
    /// Number of the first record, from 1.
    pub(super) first_record: u64,
    /// Capacity in records.
    pub(super) capacity: u64,
    /// Kinds that the log accepts.
    pub(super) kinds: [u64; 4],
    /// The first bytes of the build id, padded with NUL.
    pub(super) build_id: [u8; 64],
    /// BLAKE3 of the text of `journal.toml`.
    pub(super) manifest_hash: [u8; 32],
    pub(super) reserved: [u8; 76],
    pub(super) crc: u32,
}

/// The first 128 bytes of a sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct SealHeader {
    pub(super) magic: [u8; 8],
    pub(super) version: u32,
    pub(super) log: u32,
    pub(super) journal_id: u64,
    pub(super) number: u64,
    pub(super) first_record: u64,
    pub(super) capacity: u64,
    /// The chain before this segment's first block.
    pub(super) start: [u8; 32],
    pub(super) reserved: [u8; 44],
    pub(super) crc: u32,
}

/// The header of a sealed block; the CRCs of its records follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct BlockHeader {
    pub(super) magic: u32,
    /// Records in the block; as many CRCs follow.
    pub(super) count: u32,
    /// Number of the first record of the block.
    pub(super) first_record: u64,
    /// Outcomes only: the completed-through watermark when the block was sealed.
    pub(super) through: u64,
    /// The chain after the block: BLAKE3 of the chain before it and the block's records.
    pub(super) chain: [u8; 32],
    /// CRC32C of the preceding 56 bytes: a header that is whole before a block that is cut short.
    pub(super) head_crc: u32,
    /// CRC32C of the preceding 60 bytes and the following CRCs.
    pub(super) crc: u32,
}

const _: () = {
    assert!(size_of::<SegmentHeader>() == 256 && std::mem::offset_of!(SegmentHeader, crc) == 252);
    assert!(size_of::<SealHeader>() == 128 && std::mem::offset_of!(SealHeader, crc) == 124);
    assert!(size_of::<BlockHeader>() == 64 && std::mem::offset_of!(BlockHeader, crc) == 60);
    assert!(size_of::<SegmentHeader>() <= COMPLETED_SLOT * SLOT_BYTES && size_of::<Event>() == SLOT_BYTES);
};

impl SegmentHeader {
    /// Fills in magic, version and CRC.
    pub(super) fn finish(mut self) -> SegmentHeader {
        (self.magic, self.version) = (SEGMENT_MAGIC, VERSION);
        self.crc = crc32c::crc32c(&bytemuck::bytes_of(&self)[..252]);
        self
    }

    /// Whether magic, version and CRC are correct.
    pub(super) fn is_intact(&self) -> bool {
        self.magic == SEGMENT_MAGIC
            && self.version == VERSION
            && self.crc == crc32c::crc32c(&bytemuck::bytes_of(self)[..252])
    }
}

impl SealHeader {
    /// Fills in magic, version and CRC.
    pub(super) fn finish(mut self) -> SealHeader {
        (self.magic, self.version) = (SEAL_MAGIC, VERSION);
        self.crc = crc32c::crc32c(&bytemuck::bytes_of(&self)[..124]);
        self
    }

    /// Whether magic, version and CRC are correct.
    pub(super) fn is_intact(&self) -> bool {
        self.magic == SEAL_MAGIC
            && self.version == VERSION
            && self.crc == crc32c::crc32c(&bytemuck::bytes_of(self)[..124])
    }
}

impl BlockHeader {
    /// Fills in magic and CRC over the header and `crcs`.
    pub(super) fn finish(mut self, crcs: &[u32]) -> BlockHeader {
        self.magic = BLOCK_MAGIC;
        self.head_crc = self.crc_of_head();
        self.crc = self.crc_with(crcs);
        self
    }

    /// Whether the header alone is correct.
    pub(super) fn has_head(&self) -> bool {
        self.magic == BLOCK_MAGIC && self.head_crc == self.crc_of_head()
    }

    fn crc_of_head(&self) -> u32 {
        crc32c::crc32c(&bytemuck::bytes_of(self)[..56])
    }

    /// Whether magic and CRC are correct.
    pub(super) fn is_intact(&self, crcs: &[u32]) -> bool {
        self.magic == BLOCK_MAGIC && self.crc == self.crc_with(crcs)
    }

    fn crc_with(&self, crcs: &[u32]) -> u32 {
        let head = crc32c::crc32c(&bytemuck::bytes_of(self)[..60]);
        crc32c::crc32c_append(head, bytemuck::cast_slice(crcs))
    }
}

/// The numbers of the segment files in a folder, in no order.
pub(super) fn listed(folder: &Path) -> std::io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number: Option<u64> = name.to_str().and_then(|n| n.strip_suffix(".seg")).and_then(|n| n.parse().ok());
        numbers.extend(number.filter(|n| *n > 0));
    }
    Ok(numbers)
}

/// The extension of a segment that is not complete.
pub(super) const DRAFT: &str = "draft";

/// Size of a segment's file in bytes.
pub(super) const fn segment_bytes(capacity: u64) -> u64 {
    HEADER_BYTES as u64 + capacity * SLOT_BYTES as u64
}

/// Bytes allocated for a segment's sidecar: its blocks, and spare room for blocks cut short by stops.
pub(super) const fn seal_bytes(capacity: u64) -> u64 {
    let blocks = capacity / BLOCK_RECORDS as u64 + 16;
    size_of::<SealHeader>() as u64 + blocks * size_of::<BlockHeader>() as u64 + capacity * 4
}

/// Offset of the record at `index` in the segment's file.
pub(super) const fn record_offset(index: u64) -> u64 {
    HEADER_BYTES as u64 + index * SLOT_BYTES as u64
}

/// The chain after a block of `records`.
pub(super) fn chain_on(chain: &[u8; 32], records: &[Event]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(chain);
    hasher.update(bytemuck::cast_slice(records));
    *hasher.finalize().as_bytes()
}

/// The start of a log's chain: it commits to the manifest's text and the log's name.
pub(super) fn chain_start(manifest: &str, log: LogKind) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(log.name().as_bytes());
    hasher.update(manifest.as_bytes());
    *hasher.finalize().as_bytes()
}

/// The id of a journal as text.
pub(super) fn id_text(id: u64) -> String {
    format!("{id:016x}")
}

/// A hash in hexadecimal.
pub(super) fn hex(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

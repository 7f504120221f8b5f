//! The header of a zstd frame (RFC 8878, 3.1.1.1): what must be known before its blocks are read, and the
//! faults of a frame that are the same whatever decompresses it.

use super::fault::ReadFault;
use std::io;

/// What begins a frame.
pub(super) enum Begun {
    /// Its content follows.
    Content,
    /// So many bytes are to be skipped.
    Skipped(u32),
}

/// What the header of a frame says.
pub(super) struct FrameHeader {
    /// Bytes of the content that a decompressor must keep.
    pub(super) window: u64,
    /// Whether four bytes of a checksum follow the last block.
    pub(super) has_checksum: bool,
}

impl FrameHeader {
    /// How long a header is that begins with a magic number and this descriptor.
    pub(super) fn len(descriptor: u8) -> usize {
        let window = if is_single(descriptor) { 0 } else { 1 };
        5 + window + dictionary(descriptor) + content_size(descriptor)
    }

    /// Reads a header; `None` if there are not all of its bytes.
    pub(super) fn of(bytes: &[u8]) -> Option<FrameHeader> {
        let descriptor = *bytes.get(4)?;
        let bytes = bytes.get(5..FrameHeader::len(descriptor))?;
        let window = if is_single(descriptor) {
            let size = &bytes[dictionary(descriptor)..];
            let content = size.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            content + if size.len() == 2 { 256 } else { 0 }
        } else {
            let base = 1u64 << (10 + (bytes[0] >> 3));
            base + base / 8 * u64::from(bytes[0] & 7)
        };
        Some(FrameHeader { window, has_checksum: descriptor >> 2 & 1 == 1 })
    }
}

/// Whether the content lies in one segment, which is the window then.
fn is_single(descriptor: u8) -> bool {
    descriptor >> 5 & 1 == 1
}

/// Bytes of the dictionary's number.
fn dictionary(descriptor: u8) -> usize {
    [0, 1, 2, 4][usize::from(descriptor & 3)]
}

/// Bytes of the content's size.
fn content_size(descriptor: u8) -> usize {
    [usize::from(is_single(descriptor)), 2, 4, 8][usize::from(descriptor >> 6)]
}

/// The fault of a frame that asks for more than is read here.
pub(super) fn too_wide(asked: u64, most: u64) -> ReadFault {
    let (asked, most) = (asked >> 20, most >> 20);
    let what = format!("it needs a window of {asked} MiB, and {most} MiB is the most that is read here");
    ReadFault::new(what, "unpack it and give the plain file")
}

/// The fault of a frame whose content does not have its checksum.
pub(super) fn wrong_checksum() -> io::Error {
    io::Error::other("the checksum of its content does not match")
}

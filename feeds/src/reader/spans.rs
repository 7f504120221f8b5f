//! Where a compressed file can be cut without decompressing it.
//!
//! The headers of a zstd frame and of its blocks give their sizes, and so does a member of BGZF, the gzip of block-wise tools,
//! in its extra field. A member of another gzip says nothing of its size, so such a file is one span. Successive parts are put
//! together until a span has as many bytes as are wanted at least. What cannot be told or is no case for a helper belongs to
//! the last span, which reaches to the end of the file: a part above [`MOST`] bytes, a window above [`WINDOW`], padding, other
//! bytes, damage. A cut is a guess: whoever reads a span stops only where a part ends there, so a wrong size in a header
//! changes nothing of what is read.
//!
//! Bound: one buffer; a span is found within the least and [`MOST`] bytes, of which the headers alone are read. Worst case: tiny
//! parts, all of whose bytes pass through the buffer.

use super::compression::Compression;
use super::frame_header::FrameHeader;
use super::parts::{Span, is_gzip, is_zstd};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Compressed bytes of one part, at most: a file of one frame is not walked through before its first byte is used.
const MOST: u64 = 16 << 20;
/// The window of a frame, at most.
pub(super) const WINDOW: u64 = 8 << 20;
/// Bytes looked at at once.
const LOOK: usize = 4096;
/// The header of a member of BGZF as its tools write it.
const HEADER: usize = 18;

/// How the parts of a format are told.
#[derive(Clone, Copy)]
struct Format {
    /// Where the part at an offset ends, as its headers say.
    part_end: fn(&mut Look, u64) -> Option<u64>,
    /// Whether these are the first bytes of a part.
    starts: fn(&[u8]) -> bool,
}

/// The spans of a file, in order.
pub(super) struct Spans {
    look: Look,
    format: Format,
    least: u64,
    next: Option<u64>,
}

impl Spans {
    /// Those of a file whose parts can be told, of `least` bytes at least; `None` where the format has none.
    pub(super) fn of(file: File, compression: Compression, least: u64) -> Option<Spans> {
        let format = match compression {
            Compression::Zstd => Format { part_end: frame_end, starts: is_zstd },
            Compression::Gzip => Format { part_end: member_end, starts: is_gzip },
            Compression::Plain | Compression::Zip => return None,
        };
        Some(Spans { look: Look::new(file), format, least, next: Some(0) })
    }

    /// There are no more.
    pub(super) fn end(&mut self) {
        self.next = None;
    }

    /// Where the part at `at` ends, if it is whole and another one follows it.
    fn cut(&mut self, at: u64) -> Option<u64> {
        let Format { part_end, starts } = self.format;
        let end = part_end(&mut self.look, at).filter(|end| end - at <= MOST)?;
        self.look.bytes::<4>(end).filter(|first| starts(first)).map(|_| end)
    }
}

impl Iterator for Spans {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let from = self.next.take()?;
        let mut at = from;
        while let Some(end) = self.cut(at) {
            if end - from >= self.least {
                self.next = Some(end);
                break;
            }
            at = end;
        }
        Some(Span { from, stop: self.next })
    }
}

/// Reads a file here and there.
struct Look {
    file: File,
    bytes: Box<[u8; LOOK]>,
    from: u64,
    len: usize,
}

impl Look {
    fn new(file: File) -> Look {
        Look { file, bytes: Box::new([0; LOOK]), from: 0, len: 0 }
    }

    /// `n` bytes at `at`; `None` if the file has not so many, or cannot be read: who reads the span will say why.
    fn slice(&mut self, at: u64, n: usize) -> Option<&[u8]> {
        let start =
            |look: &Look| usize::try_from(at.checked_sub(look.from)?).ok().filter(|start| start + n <= look.len);
        if start(self).is_none() {
            (self.from, self.len) = (at, 0);
            while self.len < n {
                match self.file.read_at(&mut self.bytes[self.len..], at + self.len as u64) {
                    Ok(0) => return None,
                    Ok(n) => self.len += n,
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => return None,
                }
            }
        }
        start(self).map(|start| &self.bytes[start..start + n])
    }

    fn bytes<const N: usize>(&mut self, at: u64) -> Option<[u8; N]> {
        self.slice(at, N)?.first_chunk().copied()
    }
}

/// The end of the frame at `at`.
fn frame_end(look: &mut Look, at: u64) -> Option<u64> {
    let [m0, _, _, _, length @ ..] = look.bytes::<8>(at)?;
    if m0 & 0xf0 == 0x50 {
        return at.checked_add(8 + u64::from(u32::from_le_bytes(length)));
    }
    let [descriptor] = look.bytes::<1>(at + 4)?;
    let len = FrameHeader::len(descriptor);
    let header = FrameHeader::of(look.slice(at, len)?)?;
    let mut block = at + len as u64;
    while header.window <= WINDOW && block - at <= MOST {
        let [b0, b1, b2] = look.bytes::<3>(block)?;
        let bits = u64::from(u32::from_le_bytes([b0, b1, b2, 0]));
        let content = match bits >> 1 & 3 {
            0 | 2 => bits >> 3,
            1 => 1,
            _ => return None,
        };
        block += 3 + content;
        if bits & 1 == 1 {
            return Some(block + if header.has_checksum { 4 } else { 0 });
        }
    }
    None
}

/// The end of the member of BGZF at `at`: an extra field of six bytes, `BC`, its length of 2, and the size less one.
fn member_end(look: &mut Look, at: u64) -> Option<u64> {
    match look.bytes::<HEADER>(at)? {
        [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, 6, 0, b'B', b'C', 2, 0, low, high] if flags & 4 == 4 => {
            Some(at + u64::from(u16::from_le_bytes([low, high])) + 1)
        }
        _ => None,
    }
}

//! A compressed file is made of parts: the members of a gzip file (RFC 1952), the frames of a zstd file.
//!
//! Each part is whole in itself. Zero bytes behind one are padding, as on a tape, and are passed over. Other bytes that do not
//! start another part are an error, but only after everything before them was read. The same holds for a part that is cut
//! short: what it held so far is read first. A reader of parts may be told to stop at the beginning of one of them, where another
//! reader goes on; if it does not come by there, it reads to the end of the file. Bound: the decompressor's window, at most
//! 128 MiB for zstd and 32 KiB for gzip.

use super::fault::ReadFault;
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The first bytes of a gzip member.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// The first bytes of a zstd frame.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Whether these are the first bytes of a zstd frame, one that is to be skipped included.
pub(super) fn is_zstd(first: &[u8]) -> bool {
    let skipped = |first: &[u8]| matches!(first, [0x50..=0x5f, rest @ ..] if agree(rest, &[0x2a, 0x4d, 0x18]));
    agree(first, ZSTD) || skipped(first)
}

/// Whether these are the first bytes of a gzip member.
pub(super) fn is_gzip(first: &[u8]) -> bool {
    agree(first, GZIP)
}

/// Whether `first` and `magic` are equal as far as both go.
fn agree(first: &[u8], magic: &[u8]) -> bool {
    first.iter().zip(magic).all(|(a, b)| a == b)
}

/// Successive parts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Offset of its first byte.
    pub(super) from: u64,
    /// Offset of the next span; `None` if it reaches to the end of the file.
    pub(super) stop: Option<u64>,
}

/// Compressed bytes, and where a reader of parts leaves what follows to another one.
pub(super) struct PartSource<R> {
    inner: R,
    /// Bytes of the file before the next one.
    at: u64,
    stop: Option<u64>,
    stopped: Arc<AtomicBool>,
}

impl<R: BufRead> PartSource<R> {
    /// The bytes from the start of `span` on. Reading stops where a part ends with it, and then says so in `stopped`.
    pub(super) fn new(inner: R, span: Span, stopped: Arc<AtomicBool>) -> PartSource<R> {
        PartSource { inner, at: span.from, stop: span.stop, stopped }
    }

    /// Moves past the padding behind a whole part; whether another one follows for this reader.
    pub(super) fn another(&mut self, format: &str, starts: fn(&[u8]) -> bool) -> io::Result<bool> {
        if self.stop == Some(self.at) {
            self.stopped.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        another(self, format, starts)
    }
}

impl<R: Read> Read for PartSource<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(to)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl<R: BufRead> BufRead for PartSource<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.at += n as u64;
        self.inner.consume(n);
    }
}

fn another(source: &mut impl BufRead, format: &str, starts: fn(&[u8]) -> bool) -> io::Result<bool> {
    loop {
        let bytes = source.fill_buf()?;
        let padding = bytes.iter().take_while(|b| **b == 0).count();
        match &bytes[padding..] {
            _ if bytes.is_empty() => return Ok(false),
            [] => source.consume(padding),
            rest if starts(rest) => {
                source.consume(padding);
                return Ok(true);
            }
            _ => {
                let what = format!("bytes follow a whole {format} stream and do not start another one");
                return Err(ReadFault::new(
                    what,
                    "all earlier records were used; what follows is no part of the data: cut it off",
                )
                .into());
            }
        }
    }
}

/// All members of a gzip file in sequence.
pub(super) struct GzipMembers<R> {
    member: Option<GzDecoder<PartSource<R>>>,
}

impl<R: BufRead> GzipMembers<R> {
    pub(super) fn new(source: PartSource<R>) -> GzipMembers<R> {
        GzipMembers { member: Some(GzDecoder::new(source)) }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(to)? {
                0 if !to.is_empty() => {
                    let follows = member.get_mut().another("gzip", is_gzip)?;
                    self.member = self.member.take().filter(|_| follows).map(|m| GzDecoder::new(m.into_inner()));
                }
                n => return Ok(n),
            }
        }
        Ok(0)
    }
}

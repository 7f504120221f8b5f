//! The frames of a zstd file (RFC 8878).
//!
//! Skippable frames are skipped. A frame that is cut short or damaged gives all that its whole blocks hold, and only then its
//! error. What decompresses a frame is chosen when the program is built: Rust, or the C library with the feature `zstd-c`, which
//! is several times as fast. Bound: the window that a frame asks for, at most 128 MiB, and a block of 128 KiB.

use super::fault::ReadFault;
use super::frame_header::Begun;
use super::parts::{PartSource, is_zstd};
#[cfg(feature = "zstd-c")]
use super::zstd_c::Frame;
#[cfg(not(feature = "zstd-c"))]
use super::zstd_rust::Frame;
use std::io::{self, BufRead, Read};

/// How the metadata of a DBZ file begins, which stands in a frame that zstd skips.
const DBZ: &[u8] = b"DBZ";

/// All frames of a zstd file in sequence.
pub(super) struct ZstdFrames<R> {
    source: PartSource<R>,
    frame: Box<Frame>,
    inside: bool,
    whole: u64,
}

impl<R: BufRead> ZstdFrames<R> {
    pub(super) fn new(source: PartSource<R>) -> ZstdFrames<R> {
        ZstdFrames { source, frame: Box::new(Frame::new()), inside: false, whole: 0 }
    }

    /// Skips a frame's content, unless it is the metadata of a file that is not meant to be skipped.
    fn skip(&mut self, length: u64) -> io::Result<()> {
        let mut start = Vec::new();
        (&mut self.source).take(length.min(DBZ.len() as u64)).read_to_end(&mut start)?;
        if start == DBZ {
            let next = "convert it with Databento's tool: dbn OLD.dbz -o NEW.dbn.zst";
            return Err(ReadFault::new("it is a DBZ file, Databento's format before DBN", next).into());
        }
        let left = length - start.len() as u64;
        let skipped = io::copy(&mut (&mut self.source).take(left), &mut io::sink())?;
        if skipped < left { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Starts the next frame; false at the end of the file.
    fn next_frame(&mut self) -> io::Result<bool> {
        while self.whole == 0 || self.source.another("zstd", is_zstd)? {
            match self.frame.begin(&mut self.source)? {
                Begun::Content => return Ok(true),
                Begun::Skipped(length) => {
                    self.skip(length.into())?;
                    self.whole += 1;
                }
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while !to.is_empty() {
            if !self.inside {
                self.inside = self.next_frame()?;
                if !self.inside {
                    return Ok(0);
                }
            }
            match self.frame.read(&mut self.source, to)? {
                0 => (self.inside, self.whole) = (false, self.whole + 1),
                n => return Ok(n),
            }
        }
        Ok(0)
    }
}

//! The frames of a zstd file (RFC 8878), decompressed in Rust.
//!
//! Skippable frames are skipped. A frame that is cut short or damaged gives all that its whole blocks hold, and only then its
//! error. Bound: the window that a frame asks for, at most 128 MiB, and a block of 128 KiB.

use super::fault::ReadFault;
use super::parts::{PartSource, is_zstd};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::error::Error;
use std::io::{self, BufRead, Read};

/// How the metadata of a DBZ file begins, which stands in a frame that zstd skips.
const DBZ: &[u8] = b"DBZ";
/// A block of zstd that is the last of its frame and empty, and four bytes in the place of a checksum.
const NO_MORE: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// All frames of a zstd file in sequence; skippable frames are skipped.
pub(super) struct ZstdFrames<R> {
    source: PartSource<R>,
    frame: Box<FrameDecoder>,
    inside: bool,
    whole: u64,
    broken: Option<ReadFault>,
}

impl<R: BufRead> ZstdFrames<R> {
    pub(super) fn new(source: PartSource<R>) -> ZstdFrames<R> {
        ZstdFrames { source, frame: Box::new(FrameDecoder::new()), inside: false, whole: 0, broken: None }
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
            match self.frame.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    self.skip(length.into())?;
                    self.whole += 1;
                }
                Err(FrameDecoderError::WindowSizeTooBig { requested, max }) => {
                    let (asked, most) = (requested >> 20, max >> 20);
                    let what =
                        format!("it needs a window of {asked} MiB, and {most} MiB is the most that is read here");
                    return Err(ReadFault::new(what, "unpack it and give the plain file").into());
                }
                Err(e) => return Err(cause(e).into()),
            }
        }
        Ok(false)
    }

    /// Decodes until some bytes can be taken, or the frame is finished. A frame that breaks off ends where it does, so that
    /// what the window holds back can be taken too.
    fn decode(&mut self) {
        while self.frame.can_collect() == 0 && !self.frame.is_finished() {
            let one = || BlockDecodingStrategy::UptoBlocks(1);
            if let Err(e) = self.frame.decode_blocks(&mut self.source, one()) {
                self.broken = Some(cause(e));
                // The bytes are those of a valid block.
                let _ = self.frame.decode_blocks(&NO_MORE[..], one());
                return;
            }
        }
    }

    fn finish_frame(&mut self) -> io::Result<()> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone().into());
        }
        (self.inside, self.whole) = (false, self.whole + 1);
        match self.frame.get_checksum_from_data() {
            Some(stored) if Some(stored) != self.frame.get_calculated_checksum() => {
                Err(io::Error::other("the checksum of its content does not match"))
            }
            _ => Ok(()),
        }
    }
}

/// What stopped the decoder: an error of the source if there is one.
fn cause(error: FrameDecoderError) -> ReadFault {
    let mut at: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(e) = at {
        if let Some(io) = e.downcast_ref::<io::Error>() {
            return ReadFault::of(io);
        }
        at = e.source();
    }
    ReadFault::of(&io::Error::other(error))
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.inside {
                self.inside = self.next_frame()?;
                if !self.inside {
                    return Ok(0);
                }
            }
            if self.broken.is_none() {
                self.decode();
            }
            match self.frame.read(to)? {
                0 if to.is_empty() => return Ok(0),
                0 => self.finish_frame()?,
                n => return Ok(n),
            }
        }
    }
}

//! A zstd frame decompressed in Rust.
//!
//! Bound: the window that the frame asks for, at most 128 MiB, and a block of 128 KiB.

use super::fault::ReadFault;
use super::frame_header::{Begun, too_wide, wrong_checksum};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::error::Error;
use std::io::{self, Read};

/// A block of zstd that is the last of its frame and empty, and four bytes in the place of a checksum.
const NO_MORE: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// The frame that is read.
pub(super) struct Frame {
    decoder: FrameDecoder,
    broken: Option<ReadFault>,
}

impl Frame {
    pub(super) fn new() -> Frame {
        Frame { decoder: FrameDecoder::new(), broken: None }
    }

    /// Reads the beginning of a frame.
    ///
    /// # Errors
    /// When it cannot be read, or is none that is read here.
    pub(super) fn begin(&mut self, source: &mut impl Read) -> io::Result<Begun> {
        match self.decoder.reset(source) {
            Ok(()) => Ok(Begun::Content),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                Ok(Begun::Skipped(length))
            }
            Err(FrameDecoderError::WindowSizeTooBig { requested, max }) => Err(too_wide(requested, max).into()),
            Err(e) => Err(cause(e).into()),
        }
    }

    /// Reads content; 0 at the end of the frame.
    ///
    /// # Errors
    /// When it cannot be read on, behind all that its whole blocks hold.
    pub(super) fn read(&mut self, source: &mut impl Read, to: &mut [u8]) -> io::Result<usize> {
        if self.broken.is_none() {
            self.decode(source);
        }
        match self.decoder.read(to)? {
            0 => self.finish().map(|()| 0),
            n => Ok(n),
        }
    }

    /// Decodes until some bytes can be taken, or the frame is finished. A frame that breaks off ends where it does, so that
    /// what the window holds back can be taken too.
    fn decode(&mut self, source: &mut impl Read) {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let one = || BlockDecodingStrategy::UptoBlocks(1);
            if let Err(e) = self.decoder.decode_blocks(&mut *source, one()) {
                self.broken = Some(cause(e));
                // The bytes are those of a valid block.
                let _ = self.decoder.decode_blocks(&NO_MORE[..], one());
                return;
            }
        }
    }

    fn finish(&self) -> io::Result<()> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone().into());
        }
        match self.decoder.get_checksum_from_data() {
            Some(stored) if Some(stored) != self.decoder.get_calculated_checksum() => Err(wrong_checksum()),
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

//! A zstd frame decompressed by the C library.
//!
//! It is given one block at a time, and the next one when all content of the last was taken: what a call has written is lost when
//! it fails, so no whole block is. Bound: the window that the frame asks for, at most 128 MiB, and a block of 128 KiB.

use super::fault::ReadFault;
use super::frame_header::{Begun, FrameHeader, too_wide, wrong_checksum};
use std::io::{self, BufRead};
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode::ZSTD_error_checksum_wrong;
use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective, SafeResult, get_error_name};

/// The longest header of a frame.
const HEADER: usize = 18;
/// The widest window, as of the decompressor in Rust.
const WIDEST: u64 = 128 << 20;

/// The frame that is read.
pub(super) struct Frame {
    decoder: DCtx<'static>,
    /// How many bytes the decoder takes next, at most a block; 0 at the end of the frame.
    wanted: usize,
    /// Whether it may hold content that did not fit.
    holds: bool,
}

impl Frame {
    pub(super) fn new() -> Frame {
        Frame { decoder: DCtx::create(), wanted: 0, holds: false }
    }

    /// Reads the beginning of a frame.
    ///
    /// # Errors
    /// When it cannot be read, or is none that is read here.
    pub(super) fn begin(&mut self, source: &mut impl BufRead) -> io::Result<Begun> {
        let mut first = [0; HEADER];
        source.read_exact(&mut first[..5])?;
        if first[0] & 0xf0 == 0x50 {
            source.read_exact(&mut first[5..8])?;
            let length = first[4..8].try_into().expect("four bytes");
            return Ok(Begun::Skipped(u32::from_le_bytes(length)));
        }
        let len = FrameHeader::len(first[4]);
        let header = &mut first[..len];
        source.read_exact(&mut header[5..])?;
        if let Some(FrameHeader { window, .. }) = FrameHeader::of(header).filter(|header| header.window > WIDEST) {
            return Err(too_wide(window, WIDEST).into());
        }
        checked(self.decoder.reset(ResetDirective::SessionOnly))?;
        let mut output = OutBuffer::around(&mut [0; 0][..]);
        self.wanted = checked(self.decoder.decompress_stream(&mut output, &mut InBuffer::around(header)))?;
        Ok(Begun::Content)
    }

    /// Reads content; 0 at the end of the frame.
    ///
    /// # Errors
    /// When it cannot be read on, behind all that its whole blocks hold.
    pub(super) fn read(&mut self, source: &mut impl BufRead, to: &mut [u8]) -> io::Result<usize> {
        while self.wanted > 0 {
            let bytes = if self.holds { &[] } else { source.fill_buf()? };
            let has_ended = bytes.is_empty() && !self.holds;
            let mut input = InBuffer::around(&bytes[..bytes.len().min(self.wanted)]);
            let mut output = OutBuffer::around(&mut *to);
            self.wanted = checked(self.decoder.decompress_stream(&mut output, &mut input))?;
            let (taken, written) = (input.pos(), output.pos());
            source.consume(taken);
            self.holds = written == to.len();
            if written > 0 {
                return Ok(written);
            }
            if has_ended && self.wanted > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

fn checked(result: SafeResult) -> io::Result<usize> {
    // The library returns the codes of its errors as negative numbers.
    result.map_err(|code| match code.wrapping_neg() == ZSTD_error_checksum_wrong as usize {
        true => wrong_checksum(),
        false => ReadFault::of(&io::Error::other(get_error_name(code))).into(),
    })
}

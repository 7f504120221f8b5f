//! A compressed file is made of parts: the members of a gzip file (RFC 1952), the frames of a zstd file.
//!
//! Each part is whole in itself. Zero bytes behind one are padding, as on a tape, and are passed over. Other bytes that do not
//! start another part are an error, but only after everything before them was read. The same holds for a part that is cut
//! short: what it held so far is read first. Bound: the decompressor's window, at most 100 MiB for zstd and 32 KiB for gzip.

use super::fault::ReadFault;
use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::error::Error;
use std::io::{self, BufRead, Read};

/// The first bytes of a gzip member.
pub(super) const GZIP: &[u8] = &[0x1f, 0x8b];
/// The first bytes of a zstd frame.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// How the metadata of a DBZ file begins, which stands in a frame that zstd skips.
const DBZ: &[u8] = b"DBZ";
/// A block of zstd that is the last of its frame and empty, and four bytes in the place of a checksum.
const NO_MORE: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Whether these are the first bytes of a zstd frame, one that is to be skipped included.
pub(super) fn is_zstd(first: &[u8]) -> bool {
    let skipped = |first: &[u8]| matches!(first, [0x50..=0x5f, rest @ ..] if agree(rest, &[0x2a, 0x4d, 0x18]));
    agree(first, ZSTD) || skipped(first)
}

/// Whether `first` and `magic` are equal as far as both go.
fn agree(first: &[u8], magic: &[u8]) -> bool {
    first.iter().zip(magic).all(|(a, b)| a == b)
}

/// Moves past the padding behind a whole part; whether another one follows.
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
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> GzipMembers<R> {
    pub(super) fn new(source: R) -> GzipMembers<R> {
        GzipMembers { member: Some(GzDecoder::new(source)) }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(to)? {
                0 if !to.is_empty() => {
                    let follows = another(member.get_mut(), "gzip", |first| agree(first, GZIP))?;
                    self.member = self.member.take().filter(|_| follows).map(|m| GzDecoder::new(m.into_inner()));
                }
                n => return Ok(n),
            }
        }
        Ok(0)
    }
}

/// All frames of a zstd file in sequence; skippable frames are skipped.
pub(super) struct ZstdFrames<R> {
    source: R,
    frame: Box<FrameDecoder>,
    inside: bool,
    whole: u64,
    broken: Option<ReadFault>,
}

impl<R: BufRead> ZstdFrames<R> {
    pub(super) fn new(source: R) -> ZstdFrames<R> {
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
        while self.whole == 0 || another(&mut self.source, "zstd", is_zstd)? {
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

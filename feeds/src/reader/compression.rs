//! Compressed files as plain streams: gzip, zstd and zip, recognised by their first bytes.
//!
//! Every stream verifies what its format allows (checksums, sizes). An error names the file, the format and the byte of
//! the *compressed* file near which it occurred. Bound: the decompressor's window, at most 100 MiB for zstd and 32 KiB
//! for the others.

use crate::feed::OpenError;
use flate2::Crc;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Plain,
    Gzip,
    Zstd,
    Zip,
}

impl Compression {
    /// How many bytes [`Compression::of`] reads.
    pub(super) const MAGIC: usize = 4;

    pub(super) fn of(first: &[u8]) -> Compression {
        match first {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Compression::Zip,
            _ => Compression::Plain,
        }
    }
}

const FILE_BUFFER: usize = 64 << 10;

/// A file, or a range of it, that counts the bytes read, for error messages.
struct Counted {
    file: io::Take<File>,
    at: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.at.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Adds the file and the position to every error.
struct Located<R> {
    inner: R,
    what: String,
    at: Arc<AtomicU64>,
}

impl<R: Read> Read for Located<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|e| match e.kind() {
            io::ErrorKind::Interrupted => e,
            kind => {
                let at = self.at.load(Ordering::Relaxed);
                let why =
                    if kind == io::ErrorKind::UnexpectedEof { "unexpected end of file".into() } else { e.to_string() };
                io::Error::new(kind, format!("{}: read failed at or before byte {at} of the file: {why}", self.what))
            }
        })
    }
}

/// The uncompressed bytes of a file that is not a zip.
pub(super) fn decompress(file: File, name: &str, compression: Compression) -> Box<dyn Read + Send> {
    let at = Arc::new(AtomicU64::new(0));
    let counted = BufReader::with_capacity(FILE_BUFFER, Counted { file: file.take(u64::MAX), at: at.clone() });
    let with_position = |what: &str, inner: Box<dyn Read + Send>| Located { inner, what: format!("{what} {name}"), at };
    match compression {
        Compression::Gzip => Box::new(with_position("gzip file", Box::new(MultiGzDecoder::new(counted)))),
        Compression::Zstd => Box::new(with_position("zstd file", Box::new(ZstdFrames::new(counted)))),
        Compression::Plain | Compression::Zip => Box::new(with_position("file", Box::new(counted))),
    }
}

/// All frames of a zstd file in sequence; skippable frames are skipped.
struct ZstdFrames<R> {
    source: R,
    frame: Box<FrameDecoder>,
    inside: bool,
}

impl<R: BufRead> ZstdFrames<R> {
    fn new(source: R) -> ZstdFrames<R> {
        ZstdFrames { source, frame: Box::new(FrameDecoder::new()), inside: false }
    }

    /// Starts the next frame; false at the end of the file.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.frame.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let skipped = io::copy(&mut (&mut self.source).take(length.into()), &mut io::sink())?;
                    if skipped < u64::from(length) {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(FrameDecoderError::WindowSizeTooBig { requested, max }) => {
                    let (asked, most) = (requested >> 20, max >> 20);
                    let why = format!("it needs a window of {asked} MiB, and {most} MiB is the most that is read here");
                    return Err(io::Error::new(io::ErrorKind::Unsupported, why));
                }
                Err(e) => return Err(io::Error::other(e)),
            }
        }
        Ok(false)
    }

    fn finish_frame(&mut self) -> io::Result<()> {
        self.inside = false;
        match self.frame.get_checksum_from_data() {
            Some(stored) if Some(stored) != self.frame.get_calculated_checksum() => {
                Err(io::Error::other("the checksum of its content does not match"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.inside {
                self.inside = self.next_frame()?;
                if !self.inside {
                    return Ok(0);
                }
            }
            while self.frame.can_collect() == 0 && !self.frame.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.frame.decode_blocks(&mut self.source, one).map_err(io::Error::other)?;
            }
            match self.frame.read(buffer)? {
                0 if buffer.is_empty() => return Ok(0),
                0 => self.finish_frame()?,
                n => return Ok(n),
            }
        }
    }
}

/// A zip member: where its bytes are, and the size and checksum they must have.
struct Member {
    name: String,
    start: u64,
    packed: u64,
    size: u64,
    crc: u32,
    deflated: bool,
}

/// A member's name and its uncompressed bytes.
pub(super) type NamedBytes = (String, Box<dyn Read + Send>);

/// The members of a zip in order. Each has a file handle of its own, so that they can be read in parallel, and is opened when
/// it is asked for.
pub(super) fn members(path: &Path) -> Result<impl Iterator<Item = Result<NamedBytes, OpenError>> + use<>, OpenError> {
    let path = path.to_owned();
    let fault = |path: &Path, why: &dyn std::fmt::Display| OpenError {
        what: format!("zip file {} cannot be read: {why}", path.display()),
        next: "get it again, or unpack it and give the files".to_owned(),
    };
    let list = list(&path).map_err(|e| fault(&path, &e))?;
    if list.is_empty() {
        return Err(fault(&path, &"it contains no files"));
    }
    Ok(list.into_iter().map(move |member| open_member(&path, member).map_err(|e| fault(&path, &e))))
}

fn list(path: &Path) -> Result<Vec<Member>, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let file = BufReader::new(File::open(path).map_err(|e| text(&e))?);
    let mut archive = zip::ZipArchive::new(file).map_err(|e| text(&e))?;
    let mut list = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index_raw(i).map_err(|e| text(&e))?;
        if !entry.is_file() {
            continue;
        }
        let name = entry.name().map_err(|e| text(&e))?.into_owned();
        let deflated = match entry.compression() {
            zip::CompressionMethod::STORE => false,
            zip::CompressionMethod::DEFLATE => true,
            other => {
                return Err(format!(
                    "{name} is compressed with {other}; only deflate and no compression are supported"
                ));
            }
        };
        if entry.encrypted() {
            return Err(format!("{name} is encrypted"));
        }
        let start = entry.data_start().ok_or_else(|| format!("{name} has no content"))?;
        let (packed, size, crc) = (entry.compressed_size(), entry.size(), entry.crc32());
        list.push(Member { name, start, packed, size, crc, deflated });
    }
    Ok(list)
}

fn open_member(path: &Path, member: Member) -> io::Result<NamedBytes> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(member.start))?;
    let at = Arc::new(AtomicU64::new(member.start));
    let counted = Counted { file: file.take(member.packed), at: at.clone() };
    let counted = BufReader::with_capacity(FILE_BUFFER, counted);
    let plain: Box<dyn Read + Send> =
        if member.deflated { Box::new(DeflateDecoder::new(counted)) } else { Box::new(counted) };
    let inner = Checked { inner: plain, crc: Crc::new(), left: member.size, want: member.crc };
    let what = format!("{} in zip file {}", member.name, path.display());
    Ok((member.name, Box::new(Located { inner, what, at })))
}

/// Verifies the size and checksum of a member against the zip's directory.
struct Checked<R> {
    inner: R,
    crc: Crc,
    left: u64,
    want: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.crc.update(&buffer[..n]);
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or_else(|| io::Error::other("it is longer than the zip's directory says"))?;
        match n {
            0 if !buffer.is_empty() && self.left > 0 => Err(io::ErrorKind::UnexpectedEof.into()),
            0 if !buffer.is_empty() && self.crc.sum() != self.want => {
                Err(io::Error::other("the checksum of its content does not match"))
            }
            _ => Ok(n),
        }
    }
}

//! Compressed files as plain streams: gzip, zstd and zip, recognised by their first bytes.
//!
//! Every stream verifies what its format allows (checksums, sizes). An error names the file, the format and the byte of
//! the *compressed* file near which it occurred. Bound: as in `parts`, and 32 KiB for a zip's member.

use super::fault::ReadFault;
use super::later::Bytes;
use super::parts::{GzipMembers, PartSource, Span, is_gzip, is_zstd};
use super::zstd_frames::ZstdFrames;
use crate::feed::OpenError;
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
            [_, _, ..] if is_gzip(first) => Compression::Gzip,
            [_, _, _, _, ..] if is_zstd(first) => Compression::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Compression::Zip,
            _ => Compression::Plain,
        }
    }
}

const FILE_BUFFER: usize = 64 << 10;

/// Counts the bytes read, for error messages.
struct Counted<R> {
    inner: R,
    at: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
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
            _ => {
                let (at, ReadFault { what, next }) = (self.at.load(Ordering::Relaxed), ReadFault::of(&e));
                ReadFault::new(format!("{}: {what}, at or before byte {at} of the file", self.what), next).into()
            }
        })
    }
}

/// The uncompressed bytes of a stream that is not a zip.
pub(super) fn decompress(raw: impl Read + Send + 'static, name: &str, compression: Compression) -> Bytes {
    decompress_span(raw, name, compression, Span { from: 0, stop: None }, Arc::default())
}

/// The uncompressed bytes of a part of a stream; `raw` begins with it. Where it ends before the stream does, `stopped` says so.
pub(super) fn decompress_span(
    raw: impl Read + Send + 'static,
    name: &str,
    compression: Compression,
    span: Span,
    stopped: Arc<AtomicBool>,
) -> Bytes {
    let at = Arc::new(AtomicU64::new(span.from));
    let counted = BufReader::with_capacity(FILE_BUFFER, Counted { inner: raw, at: at.clone() });
    let parts = |counted| PartSource::new(counted, span, stopped);
    let with_position = |what: &str, inner: Bytes| Located { inner, what: format!("{what} {name}"), at };
    match compression {
        Compression::Gzip => Box::new(with_position("gzip file", Box::new(GzipMembers::new(parts(counted))))),
        Compression::Zstd => Box::new(with_position("zstd file", Box::new(ZstdFrames::new(parts(counted))))),
        Compression::Plain | Compression::Zip => Box::new(with_position("file", Box::new(counted))),
    }
}

/// A zip member: where its bytes are, and the size and checksum they must have.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) name: String,
    start: u64,
    packed: u64,
    size: u64,
    crc: u32,
    deflated: bool,
}

/// The members of a zip, in order.
pub(super) fn members(path: &Path) -> Result<Vec<Member>, OpenError> {
    let fault = |what: String, next: &str| {
        Err(OpenError { what: format!("zip file {} cannot be read: {what}", path.display()), next: next.to_owned() })
    };
    match list(path) {
        Ok(list) if list.is_empty() => fault("it contains no files".to_owned(), "give a zip with the files in it"),
        Ok(list) => Ok(list),
        Err(found) => {
            let next = found.at_start();
            fault(found.what, next)
        }
    }
}

fn list(path: &Path) -> Result<Vec<Member>, ReadFault> {
    let io = |e: io::Error| ReadFault::of(&e);
    let zip = |e: zip::result::ZipError| match e {
        zip::result::ZipError::Io(e) => ReadFault::of(&e),
        e => ReadFault::new(e.to_string(), "its directory is not whole: get all of it"),
    };
    let unpack = |what: String| ReadFault::new(what, "unpack it and give the files");
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(path).map_err(io)?)).map_err(zip)?;
    let mut list = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index_raw(i).map_err(zip)?;
        if !entry.is_file() {
            continue;
        }
        let name = entry.name().map_err(zip)?.into_owned();
        let deflated = match entry.compression() {
            zip::CompressionMethod::STORE => false,
            zip::CompressionMethod::DEFLATE => true,
            other => {
                let what = format!("{name} is compressed with {other}; only deflate and no compression are supported");
                return Err(unpack(what));
            }
        };
        if entry.encrypted() {
            return Err(unpack(format!("{name} is encrypted")));
        }
        let start = entry.data_start().ok_or_else(|| unpack(format!("{name} has no content")))?;
        let (packed, size, crc) = (entry.compressed_size(), entry.size(), entry.crc32());
        list.push(Member { name, start, packed, size, crc, deflated });
    }
    Ok(list)
}

impl Member {
    /// Its uncompressed bytes, over a file handle of its own, so that members can be read in parallel.
    pub(super) fn open(&self, path: &Path) -> io::Result<Bytes> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.start))?;
        let at = Arc::new(AtomicU64::new(self.start));
        let counted = Counted { inner: file.take(self.packed), at: at.clone() };
        let counted = BufReader::with_capacity(FILE_BUFFER, counted);
        let plain: Bytes = if self.deflated { Box::new(DeflateDecoder::new(counted)) } else { Box::new(counted) };
        let inner = Checked { inner: plain, crc: Crc::new(), left: self.size, want: self.crc };
        let what = format!("{} in zip file {}", self.name, path.display());
        Ok(Box::new(Located { inner, what, at }))
    }
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

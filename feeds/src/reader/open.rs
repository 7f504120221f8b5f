//! From a path to streams of uncompressed bytes.
//!
//! Opening reads the head of every stream ([`Stream::head`]) so that a feed can recognise it. A file that is
//! unreadable, empty or damaged at the start fails here, with advice for the user. Bound: [`HEAD`] bytes per stream.

use super::compression::{self, Compression, NamedBytes};
use crate::feed::OpenError;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// How many bytes of a stream a feed sees before opening it.
const HEAD: usize = 4096;

/// The uncompressed bytes of a file or of a zip member.
pub struct Stream {
    /// Name of the file, without its folder, or of the member.
    pub name: String,
    /// Whether it is a member of a zip.
    pub member: bool,
    /// The first bytes; `read` yields them again.
    pub head: Vec<u8>,
    /// The whole stream.
    pub read: Box<dyn Read + Send>,
}

impl Stream {
    /// Reads the head of `read`.
    ///
    /// # Errors
    /// When reading fails.
    pub fn new(name: impl Into<String>, mut read: Box<dyn Read + Send>) -> io::Result<Stream> {
        let mut head = Vec::new();
        (&mut read).take(HEAD as u64).read_to_end(&mut head)?;
        let read = Box::new(io::Cursor::new(head.clone()).chain(read));
        Ok(Stream { name: name.into(), member: false, head, read })
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("name", &self.name).field("head", &self.head.len()).finish_non_exhaustive()
    }
}

fn fault(what: String, next: &str) -> OpenError {
    OpenError { what, next: next.to_owned() }
}

fn access_fault(path: &Path, e: &io::Error) -> OpenError {
    let shown = path.display();
    match e.kind() {
        io::ErrorKind::NotFound => fault(format!("{shown} does not exist"), "check the path"),
        io::ErrorKind::PermissionDenied => {
            fault(format!("permission to read {shown} was denied"), "change its permissions, or run as another user")
        }
        _ => fault(format!("{shown} cannot be opened: {e}"), "check the path and the disk"),
    }
}

/// The streams of a file, in order: the file itself, or each member of a zip. Each is opened when it is asked for, and closed
/// when it is dropped, so a zip may have more members than a process may have open files.
pub struct Streams(Box<dyn Iterator<Item = Result<Stream, OpenError>>>);

impl Iterator for Streams {
    type Item = Result<Stream, OpenError>;

    fn next(&mut self) -> Option<Result<Stream, OpenError>> {
        self.0.next()
    }
}

/// Opens a file as one stream, or as one per member if it is a zip. Gzip, zstd and zip are recognised by their first
/// bytes, whatever the file's name.
///
/// # Errors
/// When the file cannot be opened, is a folder, is empty, or its compression is damaged at the start.
pub fn open_streams(path: &Path) -> Result<Streams, OpenError> {
    let shown = path.display();
    let meta = fs::metadata(path).map_err(|e| access_fault(path, &e))?;
    if meta.is_dir() {
        return Err(fault(format!("{shown} is a folder"), "give a file"));
    }
    let mut file = File::open(path).map_err(|e| access_fault(path, &e))?;
    let mut magic = Vec::new();
    (&mut file).take(Compression::MAGIC as u64).read_to_end(&mut magic).map_err(|e| access_fault(path, &e))?;
    if magic.is_empty() {
        return Err(fault(format!("{shown} is empty"), "give a file with data in it"));
    }
    match Compression::of(&magic) {
        Compression::Zip => {
            let member = |(name, read): NamedBytes| {
                let stream = Stream::new(name, read).map_err(|e| unreadable(&e))?;
                Ok(Stream { member: true, ..stream })
            };
            Ok(Streams(Box::new(compression::members(path)?.map(move |opened| member(opened?)))))
        }
        compression => {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let file = File::open(path).map_err(|e| access_fault(path, &e))?;
            let read = compression::decompress(file, &shown.to_string(), compression);
            let stream = Stream::new(name, read).map_err(|e| unreadable(&e))?;
            if stream.head.is_empty() {
                return Err(fault(format!("{shown} is empty after decompression"), "give a file with data in it"));
            }
            Ok(Streams(Box::new(std::iter::once(Ok(stream)))))
        }
    }
}

/// What to do about a stream that cannot be read from its start.
fn unreadable(e: &io::Error) -> OpenError {
    let next = match e.kind() {
        io::ErrorKind::Unsupported => "unpack it and give the plain file",
        _ => "get the file again: it is damaged or truncated",
    };
    fault(e.to_string(), next)
}

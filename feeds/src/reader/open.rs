//! From a path to streams of uncompressed bytes.
//!
//! Opening looks at the head of every stream ([`Stream::head`]) so that a feed can recognise it, and closes it again; the
//! thread that reads it opens it anew. A file that is unreadable or empty, or whose first bytes cannot be unpacked, fails
//! here, with advice for the user. A pipe is not looked at, because it gives its bytes once. Bound: [`HEAD`] bytes per stream.

use super::ahead;
use super::compression::{self, Compression, Member};
use super::fault::ReadFault;
use super::later::{Bytes, Later};
use super::pipe;
use crate::feed::OpenError;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// How many bytes of a stream a feed sees before opening it.
pub(crate) const HEAD: usize = 4096;

/// The uncompressed bytes of a file, of a zip member or of a pipe.
pub struct Stream {
    /// Name of the file, without its folder, or of the member.
    pub name: String,
    /// Whether it is a member of a zip.
    pub is_member: bool,
    /// Whether it is a pipe, at whose bytes nobody has looked.
    pub is_pipe: bool,
    /// The first bytes; `read` yields them again. None of a pipe.
    pub head: Vec<u8>,
    /// The whole stream.
    pub read: Box<dyn Read + Send>,
}

impl Stream {
    /// A stream that `open` opens to read it; `head` is opened to look at its first bytes.
    fn new(
        name: String,
        mut head: Bytes,
        open: impl FnOnce() -> io::Result<Bytes> + Send + 'static,
    ) -> io::Result<Stream> {
        let head = pipe::head_of(&mut head, HEAD, |_| false)?;
        Ok(Stream { name, is_member: false, is_pipe: false, head, read: Box::new(Later::new(open)) })
    }

    fn of_pipe(path: &Path) -> Stream {
        let owned = path.to_owned();
        let read = Box::new(Later::new(move || pipe::open(&owned)));
        Stream { name: name_of(path), is_member: false, is_pipe: true, head: Vec::new(), read }
    }

    /// Whether `ours` accepts its first bytes. A pipe's are looked at when it is read.
    pub fn may_be(&self, ours: impl Fn(&[u8]) -> bool) -> bool {
        self.is_pipe || ours(&self.head)
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("name", &self.name).field("head", &self.head.len()).finish_non_exhaustive()
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
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

/// The streams of a file, in order: the file itself, or each member of a zip.
pub struct Streams(Box<dyn Iterator<Item = Result<Stream, OpenError>>>);

impl Iterator for Streams {
    type Item = Result<Stream, OpenError>;

    fn next(&mut self) -> Option<Result<Stream, OpenError>> {
        self.0.next()
    }
}

/// Opens a file as one stream, or as one per member if it is a zip. Gzip, zstd and zip are recognised by their first
/// bytes, whatever the file's name. The path `-` is standard input.
///
/// # Errors
/// When the file cannot be opened, is a folder, is empty, or its first bytes cannot be unpacked.
pub fn open_streams(path: &Path) -> Result<Streams, OpenError> {
    if pipe::is_terminal(path) {
        return Err(fault("standard input is a terminal".to_owned(), "pipe the data into it, or give a file"));
    }
    if pipe::is_pipe(path) {
        return Ok(one(Stream::of_pipe(path)));
    }
    let shown = path.display().to_string();
    match compression_of(path)? {
        Compression::Zip => {
            let path = path.to_owned();
            let members = compression::members(&path)?.into_iter();
            Ok(Streams(Box::new(members.map(move |member| stream_of(&path, member)))))
        }
        compression => {
            let (owned, name) = (path.to_owned(), shown.clone());
            let head = File::open(path).map(|file| compression::decompress(file, &name, compression));
            let open = move || ahead::open(&owned, &name, compression);
            let stream = head.and_then(|head| Stream::new(name_of(path), head, open)).map_err(|e| unreadable(&e))?;
            if stream.head.is_empty() {
                return Err(fault(format!("{shown} is empty after decompression"), "give a file with data in it"));
            }
            Ok(one(stream))
        }
    }
}

/// The first uncompressed bytes of each stream of a file, until there are `enough`; those of a pipe are not lost.
pub(crate) fn heads(
    path: &Path,
    enough: impl Fn(&[u8]) -> bool,
) -> Result<impl Iterator<Item = Result<Vec<u8>, OpenError>>, OpenError> {
    let path = path.to_owned();
    Ok(open_streams(&path)?.map(move |stream| {
        let stream = stream?;
        if stream.is_pipe { pipe::look(&path, HEAD, &enough).map_err(|e| unreadable(&e)) } else { Ok(stream.head) }
    }))
}

/// Bytes of memory that reading the file takes at most, besides those of every stream.
pub(crate) fn memory(path: &Path) -> u64 {
    let file = |path| Some((File::open(path).ok()?, compression_of(path).ok()?));
    let file = Some(path).filter(|path| !pipe::is_pipe(path)).and_then(file);
    file.map_or(0, |(file, compression)| ahead::memory(file, compression))
}

fn one(stream: Stream) -> Streams {
    Streams(Box::new(std::iter::once(Ok(stream))))
}

fn stream_of(path: &Path, member: Member) -> Result<Stream, OpenError> {
    let (owned, name) = (path.to_owned(), member.name.clone());
    let stream = member.open(path).and_then(|head| Stream::new(name, head, move || member.open(&owned)));
    let stream = stream.map_err(|e| unreadable(&e))?;
    Ok(Stream { is_member: true, ..stream })
}

fn compression_of(path: &Path) -> Result<Compression, OpenError> {
    let shown = path.display();
    let meta = fs::metadata(path).map_err(|e| access_fault(path, &e))?;
    if meta.is_dir() {
        return Err(fault(format!("{shown} is a folder"), "give a file"));
    }
    let mut file = File::open(path).map_err(|e| access_fault(path, &e))?;
    let magic = pipe::head_of(&mut file, Compression::MAGIC, |_| false).map_err(|e| access_fault(path, &e))?;
    if magic.is_empty() {
        return Err(fault(format!("{shown} is empty"), "give a file with data in it"));
    }
    Ok(Compression::of(&magic))
}

/// What to do about a stream that cannot be read from its start.
fn unreadable(e: &io::Error) -> OpenError {
    let found = ReadFault::of(e);
    let next = found.at_start();
    fault(found.what, next)
}

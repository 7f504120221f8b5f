//! From a path to streams of uncompressed bytes.
//!
//! Opening reads the head of every stream ([`Stream::head`]) so that a feed can recognise it. A file that is
//! unreadable, empty or damaged at the start fails here, with advice for the user. Bound: [`HEAD`] bytes per stream.

use super::compression::{self, Compression};
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

/// Opens a file as one stream, or as one per member if it is a zip. Gzip, zstd and zip are recognised by their first
/// bytes, whatever the file's name.
///
/// # Errors
/// When the file cannot be opened, is a folder, is empty, or its compression is damaged at the start.
pub fn open_streams(path: &Path) -> Result<Vec<Stream>, OpenError> {
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
    let unreadable = |e: io::Error| fault(e.to_string(), "get the file again: it is damaged or truncated");
    let streams = match Compression::of(&magic) {
        Compression::Zip => compression::members(path)?
            .into_iter()
            .map(|(name, read)| {
                let stream = Stream::new(name, read).map_err(unreadable)?;
                Ok(Stream { member: true, ..stream })
            })
            .collect::<Result<Vec<_>, _>>()?,
        compression => {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let file = File::open(path).map_err(|e| access_fault(path, &e))?;
            let read = compression::decompress(file, &shown.to_string(), compression);
            vec![Stream::new(name, read).map_err(unreadable)?]
        }
    };
    if streams.iter().all(|s| s.head.is_empty()) {
        return Err(fault(format!("{shown} is empty after decompression"), "give a file with data in it"));
    }
    Ok(streams)
}

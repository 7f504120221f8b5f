//! From a path to streams of uncompressed bytes.
//!
//! Opening reads the head of every stream, so a feed can look at it ([`Stream::head`]) and a file that cannot be read,
//! is empty or damaged at its start fails here, with what the user can do. Bound: [`HEAD`] bytes a stream.

use super::packing::{self, Packing};
use crate::feed::OpenError;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// How many bytes of a stream a feed sees before it is opened.
const HEAD: usize = 4096;

/// The uncompressed bytes of a file, or of a member of a zip.
pub struct Stream {
    /// The file's name without its folder, or the member's.
    pub name: String,
    /// Whether it is a member of a zip.
    pub member: bool,
    /// The first bytes; `read` gives them again.
    pub head: Vec<u8>,
    /// All bytes.
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
            fault(format!("{shown} may not be read by this user"), "change its permissions, or the user")
        }
        _ => fault(format!("{shown} cannot be opened: {e}"), "check the path and the disk"),
    }
}

/// Opens a file: one stream, or one for each member if it is a zip. Gzip, zstd and zip are recognised by their first
/// bytes, whatever the file is called.
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
    (&mut file).take(Packing::MAGIC as u64).read_to_end(&mut magic).map_err(|e| access_fault(path, &e))?;
    if magic.is_empty() {
        return Err(fault(format!("{shown} is empty"), "give a file with data in it"));
    }
    let unreadable = |e: io::Error| fault(e.to_string(), "get the file again: it is damaged or was cut short");
    let streams = match Packing::of(&magic) {
        Packing::Zip => packing::members(path)?
            .into_iter()
            .map(|(name, read)| {
                let stream = Stream::new(name, read).map_err(unreadable)?;
                Ok(Stream { member: true, ..stream })
            })
            .collect::<Result<Vec<_>, _>>()?,
        packing => {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let file = File::open(path).map_err(|e| access_fault(path, &e))?;
            let read = packing::unpack(file, &shown.to_string(), packing);
            vec![Stream::new(name, read).map_err(unreadable)?]
        }
    };
    if streams.iter().all(|s| s.head.is_empty()) {
        return Err(fault(format!("{shown} has nothing in it when unpacked"), "give a file with data in it"));
    }
    Ok(streams)
}

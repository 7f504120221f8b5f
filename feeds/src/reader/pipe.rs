//! Pipes: named ones, those of a shell's `<(…)`, and standard input, whose path is `-`.
//!
//! A pipe gives its bytes once. So nobody looks at one before it is read, and the thread that reads it opens it: a pipe
//! without a writer holds up neither a look at the configuration nor a stop. Where a command must know the feed first,
//! [`look`] leaves what it opened, with the first bytes, for whoever reads the pipe. Bound: one open stream per pipe that was
//! looked at and is not read yet.

use super::compression::{self, Compression};
use super::fault::ReadFault;
use super::later::Bytes;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Cursor, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The path of standard input.
const STDIN: &str = "-";

/// Pipes that were looked at.
static LOOKED_AT: Mutex<BTreeMap<PathBuf, Bytes>> = Mutex::new(BTreeMap::new());

/// Whether the bytes of `path` come once and in order.
pub(crate) fn is_pipe(path: &Path) -> bool {
    path == Path::new(STDIN) || fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir())
}

/// Whether `path` is standard input, and somebody would have to type the data.
pub(super) fn is_terminal(path: &Path) -> bool {
    path == Path::new(STDIN) && io::stdin().is_terminal()
}

/// The name of a pipe in messages.
pub(super) fn shown(path: &Path) -> String {
    if path == Path::new(STDIN) { "standard input".to_owned() } else { path.display().to_string() }
}

/// The uncompressed bytes of a pipe. Waits for its writer.
pub(super) fn open(path: &Path) -> io::Result<Bytes> {
    // The lock is free again before anybody waits: the writer of this pipe may come after that of another one.
    let looked_at = LOOKED_AT.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    looked_at.map_or_else(|| fresh(path), Ok)
}

/// The first uncompressed bytes of a pipe, until there are `enough` or `most`. Waits for its writer; what was read is not lost.
pub(super) fn look(path: &Path, most: usize, enough: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
    let mut bytes = open(path)?;
    let head = head_of(&mut bytes, most, enough);
    let again: Bytes = match &head {
        Ok(head) => Box::new(Cursor::new(head.clone()).chain(bytes)),
        Err(_) => bytes,
    };
    LOOKED_AT.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), again);
    head
}

/// Reads until there are `enough` bytes, or `most`, or no more. An error counts only before the first byte: a reader meets
/// it again.
pub(crate) fn head_of(from: &mut impl Read, most: usize, enough: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
    let (mut head, mut len) = (vec![0; most], 0);
    while len < most && !enough(&head[..len]) {
        match from.read(&mut head[len..]) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if len == 0 => return Err(e),
            Err(_) => break,
        }
    }
    head.truncate(len);
    Ok(head)
}

fn fresh(path: &Path) -> io::Result<Bytes> {
    let shown = shown(path);
    let failed =
        |e: io::Error| ReadFault::new(format!("{shown} cannot be opened: {e}"), "check the path and its writer");
    let mut raw: Bytes = match path == Path::new(STDIN) {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path).map_err(failed)?),
    };
    let magic = head_of(&mut raw, Compression::MAGIC, |_| false).map_err(failed)?;
    let compression = Compression::of(&magic);
    if compression == Compression::Zip {
        let next = "give the file by its path, or unpack it into the pipe: unzip -p";
        return Err(
            ReadFault::new(format!("{shown} is a zip, which is read from its end, and a pipe has none"), next).into()
        );
    }
    Ok(compression::decompress(Cursor::new(magic).chain(raw), &shown, compression))
}

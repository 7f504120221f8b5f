//! The files that a command writes: one that exists is never overwritten unasked.
//!
//! Devices and pipes (`/dev/null`) are written to as they are. Bound: one look at the path and one `open`.

use super::exit::Failure;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Refuses a regular file that exists, unless `force`d. A command that works for long asks before it begins.
pub(crate) fn may_write(path: &Path, force: bool) -> Result<(), Failure> {
    match path.metadata() {
        Ok(there) if there.is_file() && !force => {
            let what = format!("{} exists; --force overwrites it, or name another file", path.display());
            Err(Failure::usage(what))
        }
        _ => Ok(()),
    }
}

/// Opens the file to write. One that appeared since [`may_write`] is not overwritten either.
pub(crate) fn create(path: &Path, force: bool) -> io::Result<File> {
    let is_device = path.metadata().is_ok_and(|there| !there.is_file());
    let is_new = !force && !is_device;
    OpenOptions::new().write(true).create_new(is_new).create(!is_new).truncate(!is_new).open(path)
}

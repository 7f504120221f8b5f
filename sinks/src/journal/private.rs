//! Files and folders for their owner alone, whatever the umask; texts that are there as a whole or not at all.

use super::error::JournalError;
use rustix::fs::fstatvfs;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes a folder.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)
}

/// Opens a file for reading and writing; makes it if it does not exist.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Writes a text so that it is there as a whole or not at all.
pub(crate) fn write_whole(dir: &Path, name: &str, text: &str) -> Result<(), JournalError> {
    write_draft(dir, name, text)?;
    publish(dir, name)
}

/// Writes the draft of a text.
pub(super) fn write_draft(dir: &Path, name: &str, text: &str) -> Result<(), JournalError> {
    let draft = dir.join(format!("{name}.draft"));
    let written = open_file(&draft).and_then(|mut file| {
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|e| JournalError::io(&draft, "writing", e))
}

/// Gives a draft its name.
pub(super) fn publish(dir: &Path, name: &str) -> Result<(), JournalError> {
    let path = dir.join(name);
    let renamed = fs::rename(dir.join(format!("{name}.draft")), &path).and_then(|()| sync_folder(dir));
    renamed.map_err(|e| JournalError::io(&path, "writing", e))
}

/// Removes a text, if it is there, and makes that durable.
pub(super) fn remove_text(dir: &Path, name: &str) -> Result<(), JournalError> {
    let path = dir.join(name);
    let removed = remove_if_there(&path).and_then(|()| sync_folder(dir));
    removed.map_err(|e| JournalError::io(&path, "removing", e))
}

/// Removes a file, if it is there.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    unless_missing(fs::remove_file(path))
}

/// Removes a folder and all that is in it, if it is there; and again, if another thread puts something there meanwhile, as a
/// note of a halt.
pub(super) fn remove_folder_if_there(folder: &Path) -> io::Result<()> {
    loop {
        match unless_missing(fs::remove_dir_all(folder)) {
            Err(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            removed => return removed,
        }
    }
}

fn unless_missing(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
}

/// Makes a folder's entries durable.
pub(crate) fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Free bytes on the disk of `dir`; 0 if unknown.
pub(super) fn free_bytes(dir: &Path) -> u64 {
    let stat = File::open(dir).and_then(|d| Ok(fstatvfs(&d)?));
    stat.map(|s| s.f_bavail * s.f_frsize).unwrap_or(0)
}

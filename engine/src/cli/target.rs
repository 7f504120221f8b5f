//! The files that a command writes: one that exists is never overwritten unasked.
//!
//! Devices and pipes (`/dev/null`) are written to as they are. Bound: one look at the path and one `open`.

use super::exit::Failure;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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

/// A file that appears under its name when it is whole; until then it has another one, beside it.
pub(crate) struct NewFile {
    file: File,
    /// Its name so far; empty once it has its own.
    beside: PathBuf,
    path: PathBuf,
}

impl NewFile {
    /// Begins a file that will be called `path`.
    pub(crate) fn beside(path: &Path) -> io::Result<NewFile> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy().into_owned();
        let beside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
        Ok(NewFile { file, beside, path: path.to_owned() })
    }

    /// Brings it to the disk and gives it its name; returns how many bytes it has. One that exists is replaced only if `force`d.
    pub(crate) fn publish(mut self, force: bool) -> io::Result<u64> {
        self.file.sync_all()?;
        let len = self.file.metadata()?.len();
        if force {
            fs::rename(&self.beside, &self.path)?;
        } else {
            rename_new(&self.beside, &self.path)?;
        }
        self.beside = PathBuf::new();
        let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(len)
    }
}

/// Renames a file unless the new name is taken.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // The file system does not know how.
        Err(Errno::INVAL | Errno::NOSYS) if !to.exists() => fs::rename(from, to),
        renamed => renamed.map_err(io::Error::from),
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    /// Removes what did not become whole.
    fn drop(&mut self) {
        if !self.beside.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.beside);
        }
    }
}

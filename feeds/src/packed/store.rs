//! The bytes of a packed file, read at their places.
//!
//! Bound: what is asked for. A file that is shorter than it was when it was opened is an error of the reader, not a wait.

use super::end::{Contents, HEAD, TRAILER, end_of, head_fault};
use crate::reader::ReadFault;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Something whose bytes can be read at any place.
pub(super) trait Store: Send {
    /// Fills `to` with the bytes from `at` on.
    fn read_at(&mut self, to: &mut [u8], at: u64) -> io::Result<()>;
    /// How many bytes there are.
    fn size(&mut self) -> io::Result<u64>;
    /// What it is called in messages.
    fn name(&self) -> String;
}

/// A file, which is opened when it is read first.
pub(super) struct OnDisk {
    path: PathBuf,
    file: Option<File>,
}

impl OnDisk {
    pub(super) fn new(path: PathBuf) -> OnDisk {
        OnDisk { path, file: None }
    }

    fn file(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            self.file = Some(File::open(&self.path)?);
        }
        Ok(self.file.as_ref().expect("it was opened"))
    }
}

impl Store for OnDisk {
    fn read_at(&mut self, to: &mut [u8], at: u64) -> io::Result<()> {
        self.file()?.read_exact_at(to, at)
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.file()?.metadata()?.len())
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// Bytes in memory, for tests and fuzz targets.
impl Store for Vec<u8> {
    fn read_at(&mut self, to: &mut [u8], at: u64) -> io::Result<()> {
        let from = usize::try_from(at).ok().and_then(|at| self.get(at..)?.get(..to.len()));
        to.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn name(&self) -> String {
        "memory".to_owned()
    }
}

/// What to do about a file that is not whole.
const AGAIN: &str = "all earlier records were used; pack the original again, or get the file again";

/// A fault of the file.
pub(super) fn fault(what: String) -> ReadFault {
    ReadFault::new(what, AGAIN)
}

/// What a file holds, from its end.
pub(super) fn contents(store: &mut dyn Store) -> io::Result<Contents> {
    let (name, len) = (store.name(), store.size()?);
    let cut = || fault(format!("{name} has no end: it was cut short, or packing did not finish"));
    let at = len.checked_sub(TRAILER).filter(|at| *at >= HEAD).ok_or_else(cut)?;
    let mut head = [0; HEAD as usize];
    store.read_at(&mut head, 0)?;
    if let Some(what) = head_fault(&head) {
        return Err(ReadFault::new(format!("{name}: {what}"), "pack the original with this build").into());
    }
    let mut trailer = [0; TRAILER as usize];
    store.read_at(&mut trailer, at)?;
    let (end_len, crc) = end_of(&trailer).ok_or_else(cut)?;
    let damaged = || fault(format!("{name}: its end is damaged"));
    let from = at.checked_sub(end_len).filter(|from| *from >= HEAD).ok_or_else(damaged)?;
    let mut end = vec![0; end_len as usize];
    store.read_at(&mut end, from)?;
    let contents = (crc32c::crc32c(&end) == crc).then(|| Contents::read(&end, from)).flatten();
    Ok(contents.ok_or_else(damaged)?)
}

//! Moves closed journals of a run elsewhere: copied, the copy verified, and only then removed.
//!
//! The copies lie in their new folder as the journals did in the old one, so that folder can be verified, exported and
//! replayed like a run, also together with journals that were moved there before. A move that was interrupted goes on where
//! it was. Bound: a pass over each journal to copy it and one to verify the copy.

use super::carry::CarryError;
use super::memory::wrong_files;
use super::retention::settled;
use sinks::journal::{Home, JournalError, bytes_of, verify};
use std::path::{Path, PathBuf};

/// Why journals cannot be moved.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// One cannot be read, copied or removed.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// What they say of each other cannot be read.
    #[error("{0}")]
    Carry(#[from] CarryError),
    /// A copy is not what was copied.
    #[error("{}: the copy is damaged ({what}); the journal stays where it is: delete the copy, check both disks, and try again", copy.display())]
    Damaged {
        /// The copy.
        copy: PathBuf,
        /// Its first fault.
        what: String,
    },
}

/// A journal that was moved.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Where it is now.
    pub to: PathBuf,
    /// Its bytes.
    pub bytes: u64,
}

/// Moves the closed journals of the run in `dir` that nothing there needs any more to `to`; says what it has moved.
///
/// # Errors
/// When one cannot be moved. Those before it have been.
pub fn archive(dir: &Path, to: &Path, mut moved: impl FnMut(Moved)) -> Result<(), ArchiveError> {
    let home = Home::open(dir)?;
    for member in settled(&home)? {
        let bytes = bytes_of(member)?;
        let copy = member.copy_to(to)?;
        let fault = verify(&copy.dir, 1)?.faults.first().map(ToString::to_string);
        let damaged = |what: String| ArchiveError::Damaged { copy: copy.dir.clone(), what };
        fault.map_or(Ok(()), |what| Err(damaged(what)))?;
        let beginning = wrong_files(&copy).map_err(|e| damaged(e.to_string()))?.first().map(ToString::to_string);
        beginning.map_or(Ok(()), |what| Err(damaged(what)))?;
        home.remove(member)?;
        moved(Moved { to: copy.dir, bytes });
    }
    Ok(())
}

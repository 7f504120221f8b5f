//! Moves closed journals of a run elsewhere: copied, the copy verified, and only then removed.
//!
//! The copies lie in their new folder as the journals did in the old one, so that folder can be verified, exported and
//! replayed like a run, also together with journals that were moved there before. A move that was interrupted goes on where
//! it was. One that a follower has not read stays until it has. Bound: a pass over each journal to copy it and one to verify the copy.

use super::carry::CarryError;
use super::memory::wrong_files;
use super::retention::settled;
use crate::config::Draft;
use crate::registries::Registries;
use sinks::journal::{HOLD_MB, Home, JournalError, bytes_of, holders, verify};
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

/// What became of a journal.
#[derive(Clone, Debug)]
pub enum Archived {
    /// It was moved.
    Moved {
        /// Where it is now.
        to: PathBuf,
        /// Its bytes.
        bytes: u64,
    },
    /// It stays, and so do all behind it: followers have not read it.
    Held {
        /// Where it is.
        dir: PathBuf,
        /// The names of the followers.
        by: Vec<String>,
    },
}

/// Moves the closed journals of the run in `dir` that nothing there needs any more to `to`; says what became of each. One that
/// a follower has not read stays, unless closed journals take more than the run's `journal.hold_mb`, or `held` says that it
/// need not be read.
///
/// # Errors
/// When one cannot be moved. Those before it have been.
pub fn archive(dir: &Path, to: &Path, held: bool, mut told: impl FnMut(Archived)) -> Result<(), ArchiveError> {
    let home = Home::open(dir)?;
    let closed = settled(&home)?;
    let mut total = closed.iter().map(|member| bytes_of(member)).sum::<Result<u64, _>>()?;
    for member in closed {
        let bytes = bytes_of(member)?;
        let by = holders(&home, member)?;
        if !by.is_empty() && !held && total <= held_bytes(&home) {
            told(Archived::Held { dir: member.dir.clone(), by });
            return Ok(());
        }
        let copy = member.copy_to(to)?;
        let fault = verify(&copy.dir, 1)?.faults.first().map(ToString::to_string);
        let damaged = |what: String| ArchiveError::Damaged { copy: copy.dir.clone(), what };
        fault.map_or(Ok(()), |what| Err(damaged(what)))?;
        let beginning = wrong_files(&copy).map_err(|e| damaged(e.to_string()))?.first().map(ToString::to_string);
        beginning.map_or(Ok(()), |what| Err(damaged(what)))?;
        home.remove(member)?;
        total -= bytes;
        told(Archived::Moved { to: copy.dir, bytes });
    }
    Ok(())
}

/// Bytes of closed journals up to which followers hold them, as the run was configured.
fn held_bytes(home: &Home) -> u64 {
    let text = &home.current().info.config_text;
    let settings = Draft::recorded(text, Path::new("journal.toml"), &Registries::default()).settings;
    settings.sinks["journal"].get(HOLD_MB) << 20
}

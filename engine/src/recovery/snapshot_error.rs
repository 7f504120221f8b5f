//! Why a file beside the logs of a journal, a snapshot or what it leaves to the next one, cannot be written or used.

use sinks::journal::JournalError;
use std::io;
use std::path::PathBuf;

/// Why a snapshot, or another file of its kind, cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read or written.
    #[error("{}: {error}; check the folder and the space on its disk", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// The journal cannot be read.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The file does not match its hash.
    #[error("{}: the file is damaged; delete it", .0.display())]
    Damaged(PathBuf),
    /// The file has another format version.
    #[error("{}: the file has format {found}, and this build reads format {format} only; delete it", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that is read here.
        format: u32,
    },
    /// It was taken of another journal.
    #[error("{}: the file belongs to the journal {theirs:016x}, this one is {ours:016x}; delete it", path.display())]
    OtherJournal {
        /// The file.
        path: PathBuf,
        /// Id of its journal.
        theirs: u64,
        /// Id of the journal in whose folder it lies.
        ours: u64,
    },
    /// Its name, its build or its configuration is not that of its journal.
    #[error("{}: the file is not what its name and its journal say ({what}); delete it", path.display())]
    Misplaced {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// A journal that follows another lacks the state that it begins with.
    #[error("{}: the state that this journal begins with is damaged or gone: restore its folder `snapshots` from a copy", .0.display())]
    NoStart(PathBuf),
    /// The journals before one are gone, and it has nothing of them.
    #[error("{}: there is no summary of the journals before, and these are gone: restore it from a copy", .0.display())]
    NoSummary(PathBuf),
    /// The inputs that it includes are not those of the journal.
    #[error("{}: the journal's inputs are not those that the file includes; delete it", .0.display())]
    OtherInputs(PathBuf),
    /// The outcomes before it are not those of the journal.
    #[error("{}: the journal's outcomes are not those before which the file was taken", .0.display())]
    OtherOutcomes(PathBuf),
}

//! What can go wrong with a journal: where it is, what it is, and what to do next.

use super::format::{LogKind, VERSION};
use std::io;
use std::path::{Path, PathBuf};

/// Why a journal cannot be created, opened, read or closed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder holds something already.
    #[error(
        "{} already holds {found}; name a new or an empty folder, or move this one away (a journal is never overwritten)",
        dir.display()
    )]
    Occupied {
        /// The folder.
        dir: PathBuf,
        /// What is in it.
        found: String,
    },
    /// The folder's parent does not exist.
    #[error("the folder {} does not exist, so no journal can be made in it; create it first", parent.display())]
    NoParent {
        /// The missing folder.
        parent: PathBuf,
    },
    /// The folder cannot be written.
    #[error("{} cannot be written ({source}); choose a folder on a writable disk, or change its owner or mount", path.display())]
    NotWritable {
        /// File or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The disk has no room for the first segments.
    #[error(
        "no room for the journal's next segment {}: {needed} bytes are needed, {free} are free; free space, choose another disk, or lower journal.segment_records",
        path.display()
    )]
    NoSpace {
        /// File that was to be allocated.
        path: PathBuf,
        /// Bytes of the file and its sidecar.
        needed: u64,
        /// Bytes that the disk has left.
        free: u64,
    },
    /// The folder holds no journal.
    #[error("{} holds no journal (there is no journal.toml); name the folder that a run was given with --journal", dir.display())]
    NotAJournal {
        /// The folder.
        dir: PathBuf,
    },
    /// The manifest does not read.
    #[error("{}: {what}; restore the file from a copy, the logs beside it are not touched", path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Another version of the format.
    #[error("{}: {}", path.display(), other_format(*found, build_id))]
    OtherFormat {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The build that wrote it, as far as the manifest names one.
        build_id: String,
    },
    /// Another process writes it.
    #[error("the journal {} is being written by another process; stop that one first", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// A setting that cannot be.
    #[error("journal.{key}: {found} is not valid; {valid}")]
    Setting {
        /// Name of the parameter.
        key: &'static str,
        /// What was given.
        found: String,
        /// What would be valid.
        valid: String,
    },
    /// The logs are damaged in a way that stops the work.
    #[error("{} is damaged: {fault}; run `tidegate journal verify` on the folder for all faults, and restore it from a copy", dir.display())]
    Damaged {
        /// The folder.
        dir: PathBuf,
        /// The first fault.
        fault: Box<super::Fault>,
    },
    /// Any other failure of the system.
    #[error("{}: {doing} failed ({source}); check the disk and the folder's permissions", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The helper thread is gone.
    #[error(
        "the journal's helper thread stopped unexpectedly ({0}); what was appended is in the files, resume the journal to seal it"
    )]
    Helper(String),
}

/// What is said of a journal of the format `found`, and what to do.
pub(super) fn other_format(found: u32, build_id: &str) -> String {
    let build = if build_id.is_empty() { String::new() } else { format!(" ({build_id})") };
    format!(
        "the journal has format {found}, and this build reads format {VERSION} only; read it with the build that wrote \
         it{build}, or begin a new journal in another folder"
    )
}

impl JournalError {
    /// The variant that fits the system's error.
    pub(super) fn io(path: &Path, doing: &'static str, source: io::Error) -> JournalError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                JournalError::NotWritable { path, source }
            }
            _ => JournalError::Io { path, doing, source },
        }
    }
}

/// Why no input can be stored: the run halts, for nothing may be traded on that is not logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the input log stopped before record {record}: {what}; {next}")]
pub struct LogFull {
    /// Number of the record that could not be stored.
    pub record: u64,
    /// What is full or broken, and how much is missing.
    pub what: String,
    /// What the user can do.
    pub next: &'static str,
}

/// One thing that is wrong in a journal's files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}{}: {what}", file, place(*.offset, *.record), seq_text(*.seq))]
pub struct Fault {
    /// The log; none for the journal's own files.
    pub log: Option<LogKind>,
    /// File, from the journal's folder.
    pub file: String,
    /// Offset in the file of the first byte that is wrong.
    pub offset: Option<u64>,
    /// Number of the record in its log, from 1.
    pub record: Option<u64>,
    /// Ingress number that the record should carry, as far as it is known.
    pub seq: Option<u64>,
    /// What is wrong.
    pub what: Damage,
}

fn place(offset: Option<u64>, record: Option<u64>) -> String {
    let record = record.map(|r| format!(", record {r}")).unwrap_or_default();
    let offset = offset.map(|o| format!(" at byte {o}")).unwrap_or_default();
    record + &offset
}

fn seq_text(seq: Option<u64>) -> String {
    seq.map(|s| format!(" (seq {s})")).unwrap_or_default()
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The bytes are not what was sealed.
    #[error("its bytes are not those that were sealed (CRC {found:#010x}, sealed {sealed:#010x})")]
    Changed {
        /// CRC32C of the bytes as they are.
        found: u32,
        /// CRC32C in the sidecar.
        sealed: u32,
    },
    /// A sealed record is missing; those behind it moved up.
    #[error("the record was removed: the one behind it stands in its place")]
    Removed,
    /// A record that was not sealed stands between sealed ones.
    #[error("a record was put in here that was not sealed{}", if *.duplicate { " (a copy of the one before)" } else { "" })]
    Inserted {
        /// It equals the record before it.
        duplicate: bool,
    },
    /// Two neighbours changed places.
    #[error("the record and the next one changed places")]
    Swapped,
    /// CRCs agree, the chain does not.
    #[error("the hash chain breaks in the block that begins here: block or sidecar was replaced")]
    Chain,
    /// The chain of a segment does not continue that of the one before.
    #[error(
        "the segment's chain does not continue the one before it: a segment was exchanged, or the manifest changed"
    )]
    ChainStart,
    /// A block of the sidecar is damaged.
    #[error("the block of the sidecar is damaged: {0}")]
    Block(&'static str),
    /// The sidecar is damaged or missing.
    #[error("the sidecar {0}")]
    Sidecar(&'static str),
    /// A segment is missing.
    #[error("the segment is missing and no gap is marked")]
    MissingSegment,
    /// The file is shorter than it must be.
    #[error("the file has {found} bytes, {wanted} are right")]
    Length {
        /// Bytes that it has.
        found: u64,
        /// Bytes that it must have.
        wanted: u64,
    },
    /// The header is damaged.
    #[error("the header is damaged: {0}")]
    Header(&'static str),
    /// An id that cannot stand there.
    #[error("the id {found:#018x} cannot follow seq {previous}")]
    Id {
        /// The id word.
        found: u64,
        /// Seq of the record before.
        previous: u64,
    },
    /// Something stands behind the end of the log.
    #[error("bytes that are not zero stand behind the end of the log")]
    BehindEnd,
    /// The journal's end is not where `closed.toml` says.
    #[error("{what} is {found}, closed.toml says {wanted}")]
    Closed {
        /// Which number.
        what: &'static str,
        /// As found in the logs.
        found: String,
        /// As noted at the close.
        wanted: String,
    },
    /// The file does not read.
    #[error("{0}")]
    Unreadable(String),
}

//! The errors of a journal: where, what, and what to do next.

use super::format::{LogKind, VERSION};
use std::io;
use std::path::{Path, PathBuf};

/// Why a journal cannot be created, opened, read or closed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder is not empty.
    #[error(
        "{} already holds {found}; name a new or an empty folder, or move this one away (a journal is never overwritten)",
        dir.display()
    )]
    Occupied {
        /// The folder.
        dir: PathBuf,
        /// Its content.
        found: String,
    },
    /// The folder's parent does not exist.
    #[error("the folder {} does not exist; create it before starting a journal in it", parent.display())]
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
    #[error("{}; free space, choose another disk, or lower journal.segment_records", lack(path, *needed, *free, why))]
    NoSpace {
        /// File to allocate.
        path: PathBuf,
        /// Bytes of the file and its sidecar.
        needed: u64,
        /// Free bytes on the disk.
        free: u64,
        /// What the system says: a disk, a quota or the limit of a file's size.
        why: String,
    },
    /// The folder holds no journal.
    #[error("{} holds no journal (there is no journal.toml); name the folder that a run was given with --journal", dir.display())]
    NotAJournal {
        /// The folder.
        dir: PathBuf,
    },
    /// The manifest cannot be parsed.
    #[error("{}: {what}; restore the file from a copy; the logs next to it are unaffected", path.display())]
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
    /// Another process is writing it.
    #[error("the journal {} is being written by another process; stop that one first", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// An invalid setting.
    #[error("journal.{key}: {found} is not valid; {valid}")]
    Setting {
        /// Name of the parameter.
        key: &'static str,
        /// What was given.
        found: String,
        /// What would be valid.
        valid: String,
    },
    /// The logs are damaged in a way that prevents the operation.
    #[error("{} is damaged: {fault}; run `tidegate journal verify` on the folder for all faults, and restore it from a copy", dir.display())]
    Damaged {
        /// The folder.
        dir: PathBuf,
        /// The first fault.
        fault: Box<super::Fault>,
    },
    /// A saved position does not fit the journals.
    #[error(
        "{}: the position is not here: {what}. After a power failure a run may have gone on without its newest inputs; \
         check what was made of them, forget the follower (`tidegate journal forget`), and follow anew",
        dir.display()
    )]
    Elsewhere {
        /// The folder.
        dir: PathBuf,
        /// What is not here.
        what: String,
    },
    /// A follower cannot go by this name, or is not there.
    #[error("the follower {name:?} {what}")]
    Follower {
        /// The name.
        name: String,
        /// What is wrong, and what would be valid.
        what: String,
    },
    /// The examination was ended early.
    #[error("{}: stopped while the journal was being checked; nothing in it was changed", dir.display())]
    Stopped {
        /// The folder.
        dir: PathBuf,
    },
    /// Any other system error.
    #[error("{}: {doing} failed ({source}); check the disk and the folder's permissions", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// The operation that failed.
        doing: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The disk did not answer while the journal was closed.
    #[error(
        "{}: the disk has not answered for {:.1} s; the journal was left without being closed, as a kill leaves it: every \
         appended record is in its files or in memory, and the next start goes on from there (if the process does not end, \
         the disk keeps it until it answers)",
        dir.display(), waited.as_secs_f64()
    )]
    Silent {
        /// The journal's folder.
        dir: PathBuf,
        /// How long it did not answer.
        waited: std::time::Duration,
    },
    /// The helper thread has ended.
    #[error(
        "the journal's helper thread stopped unexpectedly ({0}); every appended record is in the files; start the run again to seal them"
    )]
    Helper(String),
}

/// The message about a journal of format `found`.
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

    /// What is wrong, without what to do about it: that depends on who says it.
    pub(super) fn fact(&self) -> String {
        match self {
            JournalError::NoSpace { path, needed, free, why } => lack(path, *needed, *free, why),
            other => other.to_string(),
        }
    }

    /// Whether it says that there is no room.
    pub(super) fn is_full(&self) -> bool {
        match self {
            JournalError::NoSpace { .. } => true,
            JournalError::Io { source, .. } => is_full(source),
            _ => false,
        }
    }
}

/// What there is no room for.
fn lack(path: &Path, needed: u64, free: u64, why: &str) -> String {
    let path = path.display();
    format!("no space for the journal's next segment {path} ({why}): {needed} bytes are needed, {free} are free")
}

/// Whether the error says that there is no room: a full disk, a quota, the largest file that the process may write.
pub(super) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Why no input can be stored. The run halts, because nothing may be traded on that is not logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the input log stopped before record {record}: {what}; {next}")]
pub struct LogFull {
    /// Number of the record that could not be stored.
    pub record: u64,
    /// What is full or broken, and how much space is missing.
    pub what: String,
    /// What the user can do.
    pub next: &'static str,
}

/// One fault in a journal's files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}{}: {what}", file, place(*.offset, *.record), seq_text(*.seq))]
pub struct Fault {
    /// The log; none for the journal's own files.
    pub log: Option<LogKind>,
    /// File, relative to the journal's folder.
    pub file: String,
    /// Offset of the first wrong byte in the file.
    pub offset: Option<u64>,
    /// Number of the record in its log, from 1.
    pub record: Option<u64>,
    /// Ingress number that the record should carry, if known.
    pub seq: Option<u64>,
    /// What is wrong.
    pub what: Damage,
}

impl Fault {
    /// The fault of a missing segment.
    pub(super) fn missing(log: LogKind, number: u64) -> Fault {
        let file = log.segment_name(number);
        Fault { log: Some(log), file, offset: None, record: None, seq: None, what: Damage::MissingSegment }
    }

    /// A fault of one of the journal's own files.
    pub(super) fn plain(file: &str, what: Damage) -> Fault {
        Fault { log: None, file: file.to_owned(), offset: None, record: None, seq: None, what }
    }

    /// This fault at a byte offset.
    pub(super) fn at(self, offset: u64) -> Fault {
        Fault { offset: Some(offset), ..self }
    }
}

fn place(offset: Option<u64>, record: Option<u64>) -> String {
    let record = record.map(|r| format!(", record {r}")).unwrap_or_default();
    let offset = offset.map(|o| format!(" at byte {o}")).unwrap_or_default();
    record + &offset
}

fn seq_text(seq: Option<u64>) -> String {
    seq.map(|s| format!(" (seq {s})")).unwrap_or_default()
}

/// Kinds of damage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The bytes differ from those that were sealed.
    #[error("its bytes differ from the sealed ones (CRC {found:#010x}, sealed {sealed:#010x})")]
    Changed {
        /// CRC32C of the current bytes.
        found: u32,
        /// CRC32C in the sidecar.
        sealed: u32,
    },
    /// A sealed record is missing; later ones moved up.
    #[error("the record was removed: the next one is in its place")]
    Removed,
    /// An unsealed record stands between sealed ones.
    #[error("an unsealed record was inserted here{}", if *.duplicate { " (a copy of the one before)" } else { "" })]
    Inserted {
        /// It equals the record before it.
        duplicate: bool,
    },
    /// Two neighbours are swapped.
    #[error("the record and the next one are swapped")]
    Swapped,
    /// CRCs match, the chain does not.
    #[error("the hash chain breaks in the block that begins here: block or sidecar was replaced")]
    Chain,
    /// A segment's chain does not continue that of the previous one.
    #[error("the segment's chain does not continue the one before it: a segment was replaced, or the manifest changed")]
    ChainStart,
    /// A block of the sidecar is damaged.
    #[error("the block of the sidecar is damaged: {0}")]
    Block(&'static str),
    /// The sidecar is damaged or missing.
    #[error("the sidecar {0}")]
    Sidecar(&'static str),
    /// A segment is missing.
    #[error("the segment is missing and no gap is recorded")]
    MissingSegment,
    /// The file is too short.
    #[error("the file has {found} bytes instead of {expected}")]
    Length {
        /// Its actual size in bytes.
        found: u64,
        /// Its correct size in bytes.
        expected: u64,
    },
    /// The header is damaged.
    #[error("the header is damaged: {0}")]
    Header(&'static str),
    /// An id that is impossible at this place.
    #[error("the id {found:#018x} cannot follow seq {previous}")]
    Id {
        /// The id word.
        found: u64,
        /// Seq of the previous record.
        previous: u64,
    },
    /// There is data after the end of the log.
    #[error("there are non-zero bytes after the end of the log")]
    BehindEnd,
    /// The journal's end is not where `closed.toml` says.
    #[error("{what} is {found}, but closed.toml says {expected}")]
    Closed {
        /// The number that differs.
        what: &'static str,
        /// Its value in the logs.
        found: String,
        /// Its value at the close.
        expected: String,
    },
    /// The copy on the disk of a segment in memory is not the same.
    #[error("its copy of the record is not what lies in memory")]
    Copy,
    /// A log goes further than the inputs that are stored.
    #[error("{what} is {seq}, but the last input that is stored is {last}")]
    Beyond {
        /// The number that is too high.
        what: &'static str,
        /// Its value.
        seq: u64,
        /// Seq of the last input.
        last: u64,
    },
    /// One of the two copies of the gaps is damaged.
    #[error("one of its two copies is damaged; the other is intact and is used")]
    GapCopy,
    /// The file cannot be parsed.
    #[error("{0}")]
    Unreadable(String),
}

impl Damage {
    /// Whether a process or a machine that stops in the middle of a write leaves this. Going on mends it.
    pub(super) fn is_left_by_a_crash(&self) -> bool {
        matches!(self, Damage::BehindEnd | Damage::GapCopy)
    }
}

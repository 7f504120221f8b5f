//! The journal: everything that happened, in two append-only logs.
//!
//! **Idea.** Inputs and outcomes are logged as the 64-byte events that they are, in memory-mapped segment files, by
//! plain stores: the pipeline makes no system call for it. A helper thread allocates segments ahead of the writers and, behind
//! them, syncs and seals what was written: a CRC32C per record and a BLAKE3 chain over blocks, in sidecar files. Any
//! process can read along while the journal is written. `docs/journal.md` of this folder is the format, byte by byte.
//!
//! **Promise.** What was appended survives the death of the process at any moment. A power cut loses at most what was
//! not synced, two intervals. Whatever is sealed cannot change unnoticed.
//!
//! **Bounds.** Three segments of each log are allocated ahead. Inputs are never dropped: without room the run halts.
//! Outcomes can be re-derived: without room the oldest segments go, and the gap is marked.
//!
//! **Worst case.** A disk that cannot keep up: the writers run out of segments and wait for the helper; each such stall is
//! counted.

mod align;
mod create;
mod error;
mod files;
mod format;
mod gaps;
mod handover;
mod helper;
mod keeper;
mod manifest;
mod mapping;
mod reader;
mod resume;
mod seal;
mod segment;
mod spec;
mod verify;
mod verify_log;
mod writer;

pub use create::Journal;
pub use error::{Damage, Fault, JournalError, LogFull};
pub use format::LogKind;
pub use gaps::{Dropped, Gaps, Lost};
pub use manifest::{Closed, JournalInfo, LogEnd};
pub use reader::{JournalReader, LogReader, SegmentSummary};
pub use resume::Resumed;
pub(crate) use spec::PARAMS;
pub use spec::{JournalSpec, Upkeep};
pub use verify::{LogState, Verified, verify};
pub use writer::{InputLog, OutcomeLog};

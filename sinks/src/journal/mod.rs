//! The journal: everything that happened, in two append-only logs.
//!
//! **Idea.** Inputs and outcomes are logged as their own 64-byte events, with plain stores into segments that are mapped from
//! shared memory: the pipeline makes no system call for it and does not know the disk. One thread keeps segments ready ahead
//! of the writers; another one copies them to the disk behind them, syncs, and seals what was written: a CRC32C per record
//! and a BLAKE3 chain over blocks, in sidecar files. Any process can tail the journal while it is written. `docs/journal.md`
//! of this folder specifies the format byte by byte.
//!
//! **Guarantee.** Every appended record survives the death of the process at any moment. A power failure loses at most
//! what was not synced, two intervals if the disk keeps up. A sealed record cannot change unnoticed.
//!
//! **Bounds.** A stated number of segments of each log in memory. Inputs are never dropped: while the disk is that far
//! behind they wait, and without space the run halts. Outcomes can be derived again and never wait: without space the oldest
//! segments are dropped, or events are left out, and the gap is recorded.
//!
//! **Worst case.** A disk that does not answer: the inputs wait, the control thread says so, and a stop leaves the journal as
//! a kill would.

mod align;
mod begin;
mod by_number;
mod commitment;
mod copy;
mod create;
mod disk;
mod error;
mod files;
mod findings;
mod follow;
mod format;
mod gaps;
mod gate;
mod handover;
mod helper;
mod home;
mod home_log;
mod keeper;
mod log_keeper;
mod manifest;
#[allow(unsafe_code)]
mod mapping;
mod memory;
mod part;
mod previous;
pub(crate) mod private;
mod reader;
mod resume;
mod seal;
mod sealed;
mod segment;
mod spec;
mod start;
mod supplier;
mod verified;
mod verify;
mod verify_log;
mod verify_segments;
mod writer;

pub use begin::Begin;
pub use by_number::Records;
pub use commitment::{Commitment, OutcomeCommitment};
pub use create::{Journal, check_place};
pub use disk::{Disk, DiskOp};
pub use error::{Damage, Fault, JournalError, LogFull};
pub use follow::{Follow, Followed, Follower, Gap, Lag, Missing, OpenedSink, Position, Registered, Saved, holders};
pub use format::LogKind;
pub use gaps::{Dropped, Gaps, Lost};
pub use gate::{CurrentDisk, DiskState, DiskWatch};
pub use home::{Home, Member, bytes_of};
pub use home_log::{HomeGaps, HomeLog};
pub use manifest::{Closed, JournalInfo, LogEnd};
pub use previous::Previous;
pub use reader::{JournalReader, LogReader, SegmentSummary};
pub use resume::{Examined, Resumed, Trusted};
pub(crate) use spec::PARAMS;
pub use spec::{Follows, HOLD_MB, JournalSpec, KEEP_DAYS, KEEP_MB, ROLL, Upkeep};
pub use verified::{LogState, Verified};
pub use verify::verify;
pub use writer::{InputLog, OutcomeLog};

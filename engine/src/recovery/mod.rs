//! Recovery: how a run resumes after a stop.
//!
//! The recorded inputs are replayed through the same pipeline, from the first one or from a snapshot. The sources and the
//! simulated venue must reproduce their inputs and the pipeline its outcomes; then the run continues where the journal
//! ends. Nothing is logged or sent twice, and nothing is written before the record is accepted. Only the build and the
//! configuration that wrote a journal may resume it. Bound: a snapshot holds one state. Worst case: a replay costs what
//! the run cost.

mod acceptance;
mod actors;
mod archive;
mod carry;
mod changed;
mod counters;
mod definitions;
mod error;
mod halt_note;
mod journal;
mod limits;
mod memory;
mod next_journal;
mod notices;
mod panics;
mod parameters;
mod past;
mod repeat;
mod retention;
mod roll_time;
mod safe_mode;
mod sealed;
mod settle;
mod snapshot;
mod snapshot_error;
mod snapshot_replay;
mod started;
mod stop_state;
mod verify;

pub(crate) use acceptance::Acceptance;
pub use archive::{Archive, ArchiveError, Archived, archive};
pub use carry::{Carried, CarryError, Earlier};
pub use changed::{Changed, ChangedKey, begun, differences};
pub(crate) use counters::{SKIPPED, skip_counters};
pub(crate) use definitions::DefinitionsSoFar;
pub use error::RecoveryError;
pub use halt_note::{HaltNote, HaltNotes};
pub(crate) use journal::Opening;
pub(crate) use limits::{LimitNow, Limits};
pub(crate) use memory::{Learned, owners};
pub use memory::{Remembered, Row, wrong_files};
pub(crate) use next_journal::Roller;
pub use notices::Notices;
pub use panics::Panics;
pub(crate) use repeat::{Repeater, as_begun};
pub use roll_time::RollTime;
pub use safe_mode::{CancelledAt, cancel_at_venues};
pub use snapshot::{Past, Snapshot};
pub use snapshot_error::SnapshotError;
pub use snapshot_replay::{snapshot, snapshots};
pub use started::as_started;
pub(crate) use stop_state::StateAtStop;
pub use verify::{Verified, VerifySink};

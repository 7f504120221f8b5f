//! Going on after a stop.
//!
//! What was stored is repeated through the same pipeline: from the start, or from a snapshot that a shadow wrote. The sources
//! and the simulated venue must give what they gave, the pipeline must say what it said; then the run goes on where the
//! record ends, and nothing is stored or sent twice. Only the build and the configuration that wrote a journal may go on
//! with it. Bound: a snapshot holds one state; repeating costs what running did.

mod carry;
mod changed;
mod counters;
mod error;
mod journal;
mod limits;
mod panics;
mod safe_mode;
mod snapshot;
mod snapshot_replay;
mod verify;

pub use carry::{Carried, CarryError};
pub use changed::Changed;
pub(crate) use counters::{SKIPPED, skip_counters};
pub use error::RecoveryError;
pub(crate) use journal::Journalling;
pub use panics::Panics;
pub use safe_mode::cancel_at_venue;
pub use snapshot::{Snapshot, SnapshotError};
pub use snapshot_replay::snapshot;
pub use verify::{Verified, VerifySink};

//! Why the story of an order cannot be told.

use crate::config::Faults;
use crate::recovery::{RecoveryError, SnapshotError};
use sinks::journal::JournalError;
use std::path::PathBuf;

/// Why the story of an order cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    /// The text is no order id.
    #[error("{0}")]
    NotAnOrder(String),
    /// The journal has no such order; in words, with what is near.
    #[error("{0}")]
    Unknown(String),
    /// The journal cannot be read.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The state that a journal begins with cannot be read.
    #[error("{0}")]
    Snapshot(#[from] SnapshotError),
    /// The journal cannot be repeated.
    #[error("{0}")]
    Repeat(#[from] RecoveryError),
    /// The repetition of a journal gives something else than was recorded.
    #[error("{}: repeated up to order {order}, it gives another request than was recorded; `tidegate replay --journal {} --verify` says where they part", .dir.display(), .dir.display())]
    Differs {
        /// The journal.
        dir: PathBuf,
        /// The order.
        order: u64,
    },
    /// The recorded configuration cannot be read.
    #[error("{0}")]
    Config(#[from] Faults),
    /// The records do not agree with an index that was made a moment ago.
    #[error("{}: its records change while they are read; `tidegate journal verify` says what is wrong with them", .0.display())]
    Changing(PathBuf),
}

//! Why a pipeline could not be assembled or driven.

use super::proof::Need;
use crate::config::Faults;
use crate::drive::DriveError;

/// Why a pipeline could not be assembled, or did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// The configuration is invalid.
    #[error("{0}")]
    Config(#[from] Faults),
    /// The system cannot give the memory.
    #[error(
        "the run needs {need}, and can get {} MB: {}; lower the bounds of its tables (the parameters `max_…`), or give it more",
        free.bytes >> 20, free.by
    )]
    Memory {
        /// What it needs.
        need: Need,
        /// What it can get.
        free: tuning::Free,
    },
    /// A thread or a ring could not be created, or a thread panicked.
    #[error("{0}")]
    Drive(#[from] DriveError),
}

//! Why a pipeline could not be assembled or driven.

use super::need::NotEnough;
use crate::config::Faults;
use crate::drive::DriveError;

/// Why a pipeline could not be assembled, or did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// The configuration is invalid.
    #[error("{0}")]
    Config(#[from] Faults),
    /// The system cannot give the memory.
    #[error("{0}")]
    Memory(#[from] NotEnough),
    /// A thread or a ring could not be created, or a thread panicked.
    #[error("{0}")]
    Drive(#[from] DriveError),
}

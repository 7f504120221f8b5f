//! Why a run failed.

use crate::assembly::{AssemblyError, NotEnough};
use crate::config::Faults;
use crate::drive::DriveError;
use crate::gateway::GatewayError;
use crate::ingress::IngressError;
use crate::recovery::RecoveryError;
use flow::SinkError;
use sinks::journal::JournalError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration has faults.
    #[error("{0}")]
    Config(#[from] Faults),
    /// Something without which the run may not begin is missing.
    #[error("{0}")]
    NotReady(String),
    /// An input could not be opened.
    #[error("{0}")]
    Open(#[from] feeds::OpenError),
    /// The sequence ended before its sources did. The report covers the inputs before that point.
    #[error("{0}")]
    Ingress(#[from] IngressError),
    /// A sink failed, or is closed.
    #[error("{0}")]
    Sink(SinkError),
    /// A stored run cannot be resumed, or the run cannot be stored.
    #[error("{0}")]
    Recovery(RecoveryError),
    /// The thread that looks after the journals cannot be started.
    #[error("the thread that looks after the journals does not start: {0}")]
    Journals(std::io::Error),
    /// The thread that compares with the record cannot be started.
    #[error("the thread that compares with the record does not start: {0}")]
    Comparison(std::io::Error),
    /// The gateway to the venue failed.
    #[error("{0}")]
    Gateway(#[from] GatewayError),
    /// The system cannot give the memory that it needs.
    #[error("{0}")]
    Memory(#[from] NotEnough),
    /// A thread or a ring could not be created, or a thread panicked.
    #[error("{0}")]
    Drive(#[from] DriveError),
}

impl RunError {
    /// Whether all that failed is a disk that did not answer in time. Nothing is lost: the next start finds the journal as a
    /// kill leaves it.
    pub fn is_silent_disk(&self) -> bool {
        matches!(self, RunError::Recovery(RecoveryError::Journal(JournalError::Silent { .. })))
    }
}

impl From<AssemblyError> for RunError {
    fn from(error: AssemblyError) -> RunError {
        match error {
            AssemblyError::Config(faults) => RunError::Config(faults),
            AssemblyError::Drive(error) => RunError::Drive(error),
            AssemblyError::Memory(error) => RunError::Memory(error),
        }
    }
}

impl From<RecoveryError> for RunError {
    fn from(error: RecoveryError) -> RunError {
        match error {
            RecoveryError::Assembly(error) => error.into(),
            other => RunError::Recovery(other),
        }
    }
}

impl From<JournalError> for RunError {
    fn from(error: JournalError) -> RunError {
        RunError::Recovery(error.into())
    }
}

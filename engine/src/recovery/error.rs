//! Why a run cannot resume, or a snapshot cannot be taken.

use super::carry::CarryError;
use super::changed::Changed;
use super::snapshot_error::SnapshotError;
use crate::assembly::AssemblyError;
use crate::config::Faults;
use crate::gateway::GatewayError;
use crate::ingress::IngressError;
use std::path::PathBuf;

/// Why a run cannot resume, or a snapshot cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The pipeline could not be assembled or driven.
    #[error("{0}")]
    Assembly(#[from] AssemblyError),
    /// The journal cannot be written or read.
    #[error("{0}")]
    Journal(#[from] sinks::journal::JournalError),
    /// This build or configuration may not resume the journal.
    #[error("{0}")]
    Changed(#[from] Changed),
    /// The journal came to its true end.
    #[error(
        "{}: this journal has ended, because all its inputs came to their end: begin a new one (--carry-over keeps positions and limits)",
        .0.display()
    )]
    Ended(PathBuf),
    /// The command was stopped before it had a result.
    #[error("stopped: no snapshot was written")]
    Stopped,
    /// The outcomes on record are not those that the inputs cause.
    #[error(
        "{}: the journal's outcomes are not those that its inputs cause, so no snapshot was written; `tidegate replay --diff` shows \
         where they differ first",
        .0.display()
    )]
    OtherOutcomes(PathBuf),
    /// A log could not be compared.
    #[error("{0}")]
    Sink(#[from] flow::SinkError),
    /// The earlier journal cannot be carried over.
    #[error("{0}")]
    Carry(#[from] CarryError),
    /// A snapshot cannot be used or written.
    #[error("{0}")]
    Snapshot(#[from] SnapshotError),
    /// A snapshot does not fit this pipeline.
    #[error("{0}")]
    State(#[from] flow::StateError),
    /// The replayed inputs differ from the recorded ones.
    #[error("{0}")]
    Ingress(#[from] IngressError),
    /// The venue cannot be reached.
    #[error("{0}")]
    Gateway(#[from] GatewayError),
}

impl From<Faults> for RecoveryError {
    fn from(faults: Faults) -> RecoveryError {
        AssemblyError::from(faults).into()
    }
}

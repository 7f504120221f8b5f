//! A run: sources opened, the plan built, every group on its thread, and the end awaited.

mod build;
mod drive;
mod journalling;
mod latency;
mod report;
mod safe;
mod shadow;
#[cfg(test)]
mod sources;
mod summary;
mod tail;
mod trades;
mod trading;
mod verify;

pub use build::{Compare, Options, Rows, Sources, build_id, execute, execute_sources, outcome_kinds};
pub use drive::{Control, Finished, run_pipeline};
pub use report::{InputReport, Percentiles, Report, SymbolReport};
pub use safe::cancel_at_venue;
pub use shadow::snapshot;
pub(crate) use summary::latencies;
pub use tail::{Tail, TailStats};
pub use trades::{PnlReport, PositionReport, ToxicityReport, TradeStats};
pub use verify::{Verified, VerifySink};

use crate::config::Faults;
use crate::ingress::IngressError;
use flow::SinkError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration cannot run.
    #[error("{0}")]
    Config(#[from] Faults),
    /// An input could not be opened.
    #[error("{0}")]
    Open(#[from] feeds::OpenError),
    /// The sequence ended before its sources did. What came before was processed; the report is of that.
    #[error("{0}")]
    Ingress(#[from] IngressError),
    /// A sink takes no more.
    #[error("{0}")]
    Sink(SinkError),
    /// The journal cannot be written or read.
    #[error("{0}")]
    Journal(#[from] sinks::journal::JournalError),
    /// A journal cannot go on with this build or configuration.
    #[error("{0}")]
    Changed(#[from] crate::recovery::Changed),
    /// Nothing can be carried over from the journal before.
    #[error("{0}")]
    Carry(#[from] crate::recovery::CarryError),
    /// A snapshot cannot be used or written.
    #[error("{0}")]
    Snapshot(#[from] crate::recovery::SnapshotError),
    /// A snapshot does not fit this pipeline.
    #[error("{0}")]
    State(#[from] flow::StateError),
    /// The gateway to the venue failed.
    #[error("{0}")]
    Gateway(#[from] crate::gateway::GatewayError),
    /// A thread could not be started.
    #[error("{0}")]
    Thread(#[from] ring::thread::SpawnError),
    /// A ring could not be made.
    #[error("{0}")]
    Ring(#[from] ring::RingError),
    /// A broken invariant: a bug.
    #[error("{0}; this is a bug: the run was stopped and nothing more was processed")]
    Panicked(#[from] ring::thread::Panicked),
}

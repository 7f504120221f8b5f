//! A run: sources opened, the plan built, every group on its thread, and the end awaited.

mod build;
mod drive;
mod report;
mod tail;
mod verify;

pub use build::{Compare, Options, Rows, build_id, execute, outcome_kinds};
pub use drive::{Control, Finished, run_line};
pub use report::{InputReport, LatencyReport, Report, SymbolReport};
pub use tail::{Tail, TailStats};
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

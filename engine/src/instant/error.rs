//! Why an instant cannot be rebuilt.

use super::written::written;
use crate::assembly::AssemblyError;
use crate::config::Faults;
use crate::drive::DriveError;
use crate::ingress::IngressError;
use crate::recovery::SnapshotError;
use flow::{Event, Ns, StateError};
use sinks::journal::JournalError;

/// Why an instant cannot be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum InstantError {
    /// The journal has no input.
    #[error("the journal has no input yet")]
    Empty,
    /// It lies outside the journal.
    #[error(
        "{asked} is {side} of the journal: its inputs are {} to {}, from {} to {}; name an instant between them",
        first.id.seq(), last.id.seq(), written(first.ts), written(last.ts)
    )]
    Outside {
        /// What was asked for.
        asked: String,
        /// On which side.
        side: &'static str,
        /// The first input that is there.
        first: Box<Event>,
        /// The last one.
        last: Box<Event>,
    },
    /// A time of day that lies in it more than once.
    #[error("{asked} lies in the journal more than once, at {} and at {}: name the date too", written(*one), written(*other))]
    Ambiguous {
        /// What was asked for.
        asked: String,
        /// The first such time.
        one: Ns,
        /// The second.
        other: Ns,
    },
    /// No instrument of that symbol is listed then.
    #[error("{symbol}: no such symbol is listed at that instant{meant}")]
    NoSymbol {
        /// The symbol.
        symbol: String,
        /// The nearest, as a question.
        meant: String,
    },
    /// Several venues have it.
    #[error("{symbol} is listed at several venues: name one of {}", keys.join(", "))]
    ManySymbols {
        /// The symbol.
        symbol: String,
        /// The keys of those that have it.
        keys: Vec<String>,
    },
    /// The recorded configuration is not valid here.
    #[error("{0}")]
    Config(#[from] Faults),
    /// The journal cannot be read, or what was read is damaged.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The state that it begins with cannot be read.
    #[error("{0}")]
    Snapshot(#[from] SnapshotError),
    /// A state does not fit.
    #[error("{0}")]
    State(#[from] StateError),
    /// The pipeline cannot be built.
    #[error("{0}")]
    Assembly(#[from] AssemblyError),
    /// It did not run to its end.
    #[error("{0}")]
    Drive(#[from] DriveError),
    /// An input cannot be read.
    #[error("{0}")]
    Ingress(#[from] IngressError),
    /// It was stopped.
    #[error("stopped before the instant was reached")]
    Stopped,
}

impl InstantError {
    /// Whether what was asked for is at fault, and not the journal.
    pub fn is_usage(&self) -> bool {
        use InstantError as E;
        matches!(
            self,
            E::Outside { .. } | E::Ambiguous { .. } | E::NoSymbol { .. } | E::ManySymbols { .. } | E::Config(_)
        )
    }
}

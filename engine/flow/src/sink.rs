//! Sinks: where outcomes go.

use crate::{Event, Kinds};

/// Why a sink cannot continue.
#[derive(Debug, thiserror::Error)]
#[error("{what}; {next}")]
pub struct SinkError {
    /// What went wrong, and where.
    pub what: String,
    /// What the user can do.
    pub next: &'static str,
    /// The reader closed on purpose (a closed pipe): the run ends successfully.
    pub closed: bool,
}

/// Takes events at the end of the pipeline. A sink that is slow or can fail reads from the journal instead.
pub trait Sink: Send {
    /// The kinds it takes; cuts forward them to the tail.
    fn kinds(&self) -> Kinds;

    /// Whether it gets events at once, because they leave the process through it. Other sinks get them when their input is
    /// finished, or sooner, in the same order.
    fn is_prompt(&self) -> bool {
        false
    }

    /// Takes one event. Called in sequence order, depth first.
    ///
    /// # Errors
    /// When it cannot take any more.
    fn take(&mut self, event: &Event) -> Result<(), SinkError>;

    /// All inputs up to `seq` are finished, and everything they caused was taken.
    ///
    /// # Errors
    /// When it cannot pass on what it took.
    fn finished(&mut self, seq: u64) -> Result<(), SinkError>;

    /// The run is over: passes on what is still buffered.
    ///
    /// # Errors
    /// When it cannot.
    fn end(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

//! Where outcomes go.

use crate::{Event, Kinds};

/// Why a sink cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("{what}; {next}")]
pub struct SinkError {
    /// What went wrong, and where.
    pub what: String,
    /// What the user can do.
    pub next: &'static str,
    /// The reader went away on purpose (a closed pipe): the run ends well.
    pub closed: bool,
}

/// Takes events at the end of the pipeline. A sink that is slow or can die stands behind the journal, never here.
pub trait Sink: Send {
    /// Kinds that it takes; a cut forwards them to the end.
    fn kinds(&self) -> Kinds;

    /// Whether it is handed events the moment they are there, for what leaves by it; all others see them when their input
    /// is finished, or sooner, and in the same order.
    fn is_prompt(&self) -> bool {
        false
    }

    /// Takes one event. Called in the order of the sequence, depth first.
    ///
    /// # Errors
    /// When it cannot take any more.
    fn take(&mut self, event: &Event) -> Result<(), SinkError>;

    /// All inputs up to `seq` are finished and everything they caused was handed over.
    ///
    /// # Errors
    /// When what was taken cannot be handed on.
    fn finished(&mut self, seq: u64) -> Result<(), SinkError>;

    /// The run is over: what is still held back is handed on.
    ///
    /// # Errors
    /// When it cannot be.
    fn end(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

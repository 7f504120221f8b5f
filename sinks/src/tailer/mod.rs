//! Sinks that work beside a run: each gets the events of its journals, in a process of its own.
//!
//! **Idea.** A [`Tailer`] says which kinds it wants, takes events in their one order, and commits them now and then; [`deliver`]
//! reads the journals for it, saves behind each commit how far it came, and goes on there after a kill of either side. What
//! fails for a while is tried again from the last commit, after a pause that doubles. The run knows nothing of it: a sink that
//! is slow, or whose database is away, holds closed journals up to the stated size and nothing else.
//!
//! **Guarantee.** Each event at least once and in order. A tailer that saves the position together with its data, and returns
//! it from [`Tailer::position`], has each exactly once; others drop repetitions by the key of an event: journal and id.
//!
//! Bound: the buffers of two logs, and what the tailer keeps between two commits. Worst case: a sink that never comes back.

mod deliver;

pub use deliver::{Delivered, Delivery, DeliveryError, deliver};

use crate::journal::{Gap, Position};
use flow::{Event, Kinds};

/// Why a sink cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {next}")]
pub struct TailerError {
    /// What went wrong, and where.
    pub what: String,
    /// What the user can do.
    pub next: String,
    /// Whether it may work later: it is tried again from the last commit.
    pub transient: bool,
}

/// A sink beside the run. No method is called after an error until [`Tailer::position`] is.
pub trait Tailer {
    /// The kinds that it wants; others are passed over before they are copied.
    fn kinds(&self) -> Kinds;

    /// Called before the first event and after each error: drops what was not committed. Returns how far the committed data
    /// reach, if that is saved with them; `None`: behind the last commit that the folder of the run knows.
    ///
    /// # Errors
    /// When it cannot be reached.
    fn position(&mut self) -> Result<Option<Position>, TailerError> {
        Ok(None)
    }

    /// Takes an event of a journal: an input, or an outcome of the last one.
    ///
    /// # Errors
    /// When it takes no more.
    fn take(&mut self, journal: u64, event: &Event) -> Result<(), TailerError>;

    /// Something is missing from here on.
    ///
    /// # Errors
    /// When that cannot be noted.
    fn gap(&mut self, gap: &Gap) -> Result<(), TailerError> {
        let _ = gap;
        Ok(())
    }

    /// Makes all that was taken durable; `position` is behind it, between two inputs.
    ///
    /// # Errors
    /// When it is not durable.
    fn commit(&mut self, position: &Position) -> Result<(), TailerError>;
}

//! The ingress: everything that happens gets its number and its time here.
//!
//! Under the event clock the ingress is a merge by (time, rank, order of arrival): the next input is the one with the
//! least `max(now, due)`, ticks before files, files in the order of the arguments. It decides only when every source has
//! shown its next input or said that it has none before a time, so the sequence is a function of the inputs alone. Under
//! the wall clock inputs enter as they arrive and `ts` is the time of the turn. Bound: one queue of inputs per source;
//! nothing is allocated per input.

mod clock;
mod merge;
mod origin;
mod recorded;
mod ticks;

pub use clock::Clock;
pub use merge::{Feeding, Ingress};
pub use origin::{Origin, Origins};
pub use recorded::Recorded;
pub use ticks::TickSource;

use flow::{Event, FeedError};
use sinks::journal::LogFull;

/// What one call of [`Head::admit`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// An input entered.
    One,
    /// None is there yet.
    Pending,
    /// The end of input has entered; nothing follows.
    Ended,
}

/// Why the sequence ended before its sources did.
#[derive(Debug, thiserror::Error)]
pub enum IngressError {
    /// A source cannot go on.
    #[error("{input}: {error}")]
    Source {
        /// Name of the input.
        input: String,
        /// Why.
        error: FeedError,
    },
    /// The input log takes no more: nothing may be traded on that cannot be logged.
    #[error("{0}")]
    Log(#[from] LogFull),
    /// The recorded inputs cannot be read.
    #[error("{0}")]
    Recorded(String),
}

/// What drives the line: numbers inputs, or repeats numbered ones.
pub trait Head: Send {
    /// Called once at the beginning of a turn: the only place where a clock is read.
    fn begin_turn(&mut self);

    /// Admits the next input, if there is one, and hands it to `deliver`.
    ///
    /// # Errors
    /// When the sequence cannot go on. Call again: what is left is the orderly end.
    fn admit(&mut self, deliver: &mut dyn FnMut(&Event)) -> Result<Admitted, IngressError>;

    /// Ends the sources: what follows is the orderly end, as if they had no more.
    fn stop(&mut self);

    /// The last `seq` given.
    fn seq(&self) -> u64;
}

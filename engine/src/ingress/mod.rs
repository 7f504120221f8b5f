//! The ingress: everything that happens gets its number and its time here.
//!
//! Under the event clock the ingress is a merge by (time, rank, order of arrival): the next input is the one with the
//! least `max(now, due)`: returns, then ticks, commands, files in the order of the arguments, the end of input. It decides only when every source has
//! shown its next input or said that it has none before a time, so the sequence is a function of the inputs alone. Under
//! the wall clock inputs enter as they arrive and `ts` is the time of the turn. Bound: one queue of inputs per source;
//! nothing is allocated per input.

mod clock;
mod commands;
mod merge;
mod origin;
mod recorded;
mod retrace;
mod sim_replies;
mod source_queue;
mod ticks;
mod waiting;

pub use clock::{Clock, Pace, wall_now};
pub use commands::{Asker, CommandSender, Commands, OperatorCommand, halt};
pub use merge::Ingress;
pub use origin::{Origin, Origins};
pub use recorded::Recorded;
pub use retrace::{Retrace, Then};
pub use sim_replies::SimVenueReplies;
pub use source_queue::SourceQueue;
pub use ticks::TickSource;

use crate::gateway::GatewayEnded;
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
    /// What the sources and the venue give is not what was recorded.
    #[error(
        "the inputs are not those of the record, recorded: {recorded}; now: {made}; give the same files, or start a new journal"
    )]
    Diverged {
        /// The recorded input.
        recorded: String,
        /// The one in its place.
        made: String,
    },
    /// A source has fewer inputs than were recorded of it.
    #[error(
        "{input}: {missing} of the recorded inputs are not in it any more; give the same files, or start a new journal"
    )]
    Short {
        /// Name of the input.
        input: String,
        /// How many.
        missing: u64,
    },
    /// The gateway has ended before the run.
    #[error("{0}")]
    Gateway(#[from] GatewayEnded),
    /// More came back from the pipeline than may wait: trading halted.
    #[error(
        "more than {limit} orders and answers waited at once: trading halted; raise pipeline.max_returns, or trade less at once"
    )]
    Returns {
        /// The bound.
        limit: usize,
    },
}

/// What drives the pipeline: numbers inputs, or repeats numbered ones.
pub trait Head: Send {
    /// Called once at the beginning of a turn: the only place where a clock is read.
    fn begin_turn(&mut self);

    /// Admits the next input, if there is one, and writes it to `to`, which must still hold the one that was admitted last.
    ///
    /// # Errors
    /// When the sequence cannot go on. Call again: what is left is the orderly end.
    fn admit(&mut self, to: &mut Event) -> Result<Admitted, IngressError>;

    /// Inputs that will probably come next, the first one first; their numbers and times are not final.
    fn lookahead(&self) -> &[Event] {
        &[]
    }

    /// Whether it waits for the pipeline to finish an input before it admits another: for what comes back from it.
    fn awaits_returns(&self) -> bool {
        false
    }

    /// Called while the pipeline waits for room: takes what came back, so that the pipeline and the head never wait for each other.
    fn on_backpressure(&mut self) {}

    /// Ends the sources: what follows is the orderly end, as if they had no more.
    fn stop(&mut self);

    /// The last `seq` given.
    fn seq(&self) -> u64;
}

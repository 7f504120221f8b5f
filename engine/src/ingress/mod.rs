//! The ingress merges every source into one sequence and gives each input its number and its time.
//!
//! Under the event clock the merge orders by (time, rank, order of arguments): the next input is the one with the least
//! `max(now, due)`, and at equal times venue replies come first, then sessions, ticks, commands, files in the order of the
//! arguments, and the end of input. It decides only once every source has either shown its next input or ended, so the
//! sequence depends on the inputs alone. Under the wall clock inputs enter as they arrive and `ts` is the time of the
//! turn. Bound: one queue per source; no allocation per input. Worst case: one look at every source per input.

mod answered;
mod clock;
mod commands;
mod directory;
mod feed_status;
mod joining;
mod locals;
mod merge;
mod origin;
mod read_ahead;
mod recorded;
mod refusals;
mod renumbered;
mod retrace;
mod rolling;
mod sessions;
mod sim_replies;
mod source_queue;
mod stated_terms;
mod ticket;
mod ticks;
mod waiting;
mod watch;

pub use answered::{Answered, Extent, Listener};
pub use clock::{Clock, ClockStep, Pace, Times, wall_now};
pub(crate) use commands::names;
pub use commands::{
    Asker, CommandSender, Commands, OperatorCommand, actor_handle, actor_names, halt, instrument_names, param_names,
};
pub use feed_status::{FeedStanding, FeedStatus, FeedStatuses};
pub use joining::{StandIn, reload, watch};
pub use merge::Ingress;
pub use origin::{Origin, Origins};
pub use read_ahead::ReadAhead;
pub use recorded::Recorded;
pub use refusals::Refusals;
pub use retrace::{Accept, Retrace, Then};
pub use rolling::{NextJournal, NoJournal, RollRequests};
pub use sim_replies::SimVenueReplies;
pub use source_queue::SourceQueue;
pub use stated_terms::Stated;
pub use ticket::{Submission, Ticket};
pub use ticks::TickSource;
pub use watch::WatchList;

use crate::gateway::GatewayEnded;
use crate::pipeline::{Group, HeadState};
use flow::{Event, FeedError};
use sinks::journal::LogFull;

/// Result of one call of [`Head::admit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// An input entered.
    One,
    /// No input is ready yet.
    Pending,
    /// The end of input has entered; nothing follows.
    Ended,
}

/// Why the sequence stopped before its sources ended.
#[derive(Debug, thiserror::Error)]
pub enum IngressError {
    /// A source failed.
    #[error("{input}: {error}")]
    Source {
        /// Name of the input.
        input: String,
        /// The cause.
        error: FeedError,
    },
    /// The input log cannot store any more. Trading on an input that is not logged is not allowed.
    #[error("{0}")]
    Log(#[from] LogFull),
    /// The recorded inputs cannot be read.
    #[error("{0}")]
    Recorded(String),
    /// The journal must not be continued.
    #[error("{0}")]
    Refused(String),
    /// The sources or the venue produced something other than what was recorded.
    #[error(
        "the inputs differ from the journal; recorded: {recorded}; now: {made}; pass the same files, or start a new journal"
    )]
    Diverged {
        /// The recorded input.
        recorded: String,
        /// The input that came instead.
        made: String,
    },
    /// A source has fewer inputs than the journal recorded from it.
    #[error(
        "{input}: {missing} of the recorded inputs are no longer in it; pass the same files, or start a new journal"
    )]
    Short {
        /// Name of the input.
        input: String,
        /// Number of inputs that are gone.
        missing: u64,
    },
    /// The gateway stopped before the run did.
    #[error("{0}")]
    Gateway(#[from] GatewayEnded),
    /// More returns are waiting than the bound allows: trading halted.
    #[error(
        "more than {limit} orders and answers were waiting at once: trading halted; raise pipeline.max_returns, or send fewer orders at once"
    )]
    Returns {
        /// The bound.
        limit: usize,
    },
}

/// The head of a pipeline: numbers new inputs, or replays numbered ones.
pub trait Head: Send {
    /// Called once at the start of a turn; the only place where the head reads a clock.
    fn begin_turn(&mut self);

    /// Admits the next input, if one is ready, and writes it to `to`, which must still hold the last admitted input. `group` is
    /// the head's, and has finished that one.
    ///
    /// # Errors
    /// When the sequence cannot continue. Keep calling until it ends: the head then shuts down in order.
    fn admit(&mut self, to: &mut Event, group: &Group) -> Result<Admitted, IngressError>;

    /// The inputs that will probably come next, nearest first. Their numbers and times are not final.
    fn lookahead(&self) -> &[Event] {
        &[]
    }

    /// Whether the head waits for returns, so that the pipeline must finish an input before the next one may enter.
    fn awaits_returns(&self) -> bool {
        false
    }

    /// Called while the pipeline waits for room. Takes the returns off their ring, so that head and pipeline never
    /// deadlock on each other.
    fn on_backpressure(&mut self) {}

    /// Ends the sources. The run then ends in order, as if they had no more inputs.
    fn stop(&mut self);

    /// Whether recorded inputs are still to be replayed.
    fn is_replaying(&self) -> bool {
        false
    }

    /// The last assigned `seq`.
    fn seq(&self) -> u64;

    /// Says where it stands, because an operator asked.
    fn trading_state(&self, _to: &mut HeadState) {}
}

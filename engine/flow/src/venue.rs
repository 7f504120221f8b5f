//! The seam to venues outside the process.
//!
//! A gateway's thread owns a [`Venue`] and is its only caller; the pipeline never sees it. A venue numbers its answers from 1
//! and keeps them: after a stop or a broken connection it is told how many were received and gives those behind it again, so
//! that an answer is neither lost nor taken twice. What was sent and is in doubt is asked for by our own id, never sent
//! again. Bound: an implementation holds what one read of its socket gave.

use crate::{Approved, Event, OrderId};

/// Why a venue cannot be used: what, where, what next.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{place}: {what}; {next}")]
pub struct VenueError {
    /// What went wrong.
    pub what: String,
    /// Which venue, at which address.
    pub place: String,
    /// What the user can do.
    pub next: &'static str,
    /// Whether another try at the same venue can mend it: the connection broke, nobody listens yet.
    pub transient: bool,
}

/// What a venue says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueReply {
    /// A numbered answer: `ack`, `fill`, `fill-cost`, `reject`, `cancelled` or `bust`. The order of these is that of their numbers.
    Numbered(Event),
    /// Whether the venue ever took an order of that id; follows a question, in the order of the questions.
    OrderStatus {
        /// Which order.
        order_id: OrderId,
        /// Whether it is known.
        known: bool,
    },
}

/// A venue as its gateway sees it.
pub trait Venue: Send {
    /// Opens a session: `received` answers were received before, those behind them come again first. Gives how many the
    /// venue has given so far: with that one everything said before is told again. May wait for the venue, but not for ever.
    ///
    /// # Errors
    /// When the venue cannot be reached, or is not the one that gave those answers.
    fn resume(&mut self, received: u64) -> Result<u64, VenueError>;

    /// Hands a route over; when this returns the socket has it whole.
    ///
    /// # Errors
    /// When the connection is broken: whether the venue has the route is then in doubt.
    fn send(&mut self, route: &Approved<Event>) -> Result<(), VenueError>;

    /// Asks whether the venue ever took an order of that id. The answer comes by [`Venue::poll`].
    ///
    /// # Errors
    /// When the connection is broken.
    fn query(&mut self, order_id: OrderId) -> Result<(), VenueError>;

    /// The next thing that the venue has said, if there is one; never waits.
    ///
    /// # Errors
    /// When the connection is broken, or what came is not the venue's language.
    fn poll(&mut self) -> Result<Option<VenueReply>, VenueError>;

    /// Asks for the end of all orders of this session's client, whoever sent them.
    ///
    /// # Errors
    /// When the connection is broken.
    fn cancel_all(&mut self) -> Result<(), VenueError>;
}

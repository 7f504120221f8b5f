//! The interface to a venue outside the process.
//!
//! The thread of a gateway owns a [`Venue`] and is its only caller. A venue numbers its messages from 1 and keeps them: after
//! a stop or a broken connection it learns how many were received and sends the later ones again, so a message is neither
//! lost nor applied twice. An order in doubt is queried by our own id, never sent again. Bound: an implementation buffers
//! what one read of its socket returned.

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
    /// Whether a retry at the same venue can help: the connection broke, nobody listens yet.
    pub transient: bool,
}

/// A message from a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueReply {
    /// A numbered message: `ack`, `fill`, `fill-cost`, `reject`, `cancelled` or `bust`, in the order of its numbers.
    Numbered(Event),
    /// The reply to a query, in the order of the queries: whether the venue ever accepted that order.
    OrderStatus {
        /// The order.
        order_id: OrderId,
        /// Whether the venue knows it.
        known: bool,
    },
}

/// A venue, as its gateway uses it.
pub trait Venue: Send {
    /// Opens a session: `received` messages were received before, the later ones are sent again. Returns the number of the
    /// venue's latest message: up to it, messages are repetitions. May wait for the venue, but not for ever.
    ///
    /// # Errors
    /// When the venue cannot be reached, or is not the one that sent those messages.
    fn resume(&mut self, received: u64) -> Result<u64, VenueError>;

    /// Sends a route; when this returns, the socket has all of it.
    ///
    /// # Errors
    /// When the connection is broken: whether the venue has the route is then in doubt.
    fn send(&mut self, route: &Approved<Event>) -> Result<(), VenueError>;

    /// Queries whether the venue ever accepted an order of that id. The reply comes from [`Venue::poll`].
    ///
    /// # Errors
    /// When the connection is broken.
    fn query(&mut self, order_id: OrderId) -> Result<(), VenueError>;

    /// The next message, if there is one; never waits.
    ///
    /// # Errors
    /// When the connection is broken, or the bytes are not the venue's protocol.
    fn poll(&mut self) -> Result<Option<VenueReply>, VenueError>;

    /// Requests a cancel of all orders of this session's client, whoever sent them.
    ///
    /// # Errors
    /// When the connection is broken.
    fn cancel_all(&mut self) -> Result<(), VenueError>;
}

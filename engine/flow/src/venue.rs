//! The interface to a venue outside the process.
//!
//! The thread of a gateway owns a [`Venue`] and is its only caller. No method waits: what takes time is done a step at a
//! time, so the gateway can look at its kill switch between two steps. A venue numbers its messages from 1 and keeps them:
//! after a stop or a broken connection it learns how many were received and sends the later ones again, so a message is
//! neither lost nor applied twice. An order in doubt is queried by our own id, never sent again. Bound: an implementation
//! buffers what one read of its socket returned, and what was handed to it since the socket had room.

use crate::{Approved, Event, OrderId, Side};
use std::time::Duration;

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

/// An order that may be open at a venue: what a cancel of it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// The order.
    pub order_id: OrderId,
    /// Its instrument.
    pub instrument: u32,
    /// Its side.
    pub side: Side,
}

/// How a session begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// Id of the journal of this run, by which a venue tells two engines apart; 0 = no journal.
    pub journal: u64,
    /// Messages received before: the later ones are sent again. `None`: a session for cancels alone, nothing is sent again.
    pub received: Option<u64>,
}

/// How long a gateway waits for its venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the next promised message, and for the reply to a query, before the session counts as broken.
    pub reply: Duration,
    /// For the answer to a route, before its instrument is blocked; `None` = for ever.
    pub answer: Option<Duration>,
    /// For a session that is lost, before the run ends.
    pub session: Duration,
}

/// A venue, as its gateway uses it.
pub trait Venue: Send {
    /// How long the gateway is to wait for it.
    fn patience(&self) -> Patience;

    /// Takes a piece of a symbol's `name`, or a `listing`: before any order of that instrument, and again whenever the feed tells
    /// it again. A venue that goes by our numbers needs neither.
    fn define(&mut self, definition: &Event) {
        let _ = definition;
    }

    /// Opens a session, a step a call. Once it is open, returns the number of the venue's latest message: up to it, messages
    /// are repetitions. Called for an open session, it ends that one and opens another.
    ///
    /// # Errors
    /// When the venue cannot be reached in time, or is not the one that sent those messages. The next call begins anew.
    fn resume(&mut self, how: &Resume) -> Result<Option<u64>, VenueError>;

    /// Takes a route, to be handed to the socket by [`Venue::flush`].
    fn send(&mut self, route: &Approved<Event>);

    /// Takes a query whether the venue ever accepted an order of that id; [`Venue::poll`] returns the reply. Everything taken
    /// before it has then reached the venue.
    fn query(&mut self, order_id: OrderId);

    /// Whether [`Venue::cancel_all`] works; else every order is cancelled by itself.
    fn cancels_all(&self) -> bool;

    /// Takes a cancel of all orders of this client, whoever sent them.
    fn cancel_all(&mut self);

    /// Takes a cancel of one order, on behalf of the gateway itself: its answer names no route. It may come again.
    fn cancel(&mut self, order: &OpenOrder);

    /// Hands what was taken to the socket; whether the socket has all of it.
    ///
    /// # Errors
    /// When the connection is broken: what the venue has of it is then in doubt.
    fn flush(&mut self) -> Result<bool, VenueError>;

    /// The next message, if there is one.
    ///
    /// # Errors
    /// When the connection is broken or silent for too long, or the bytes are not the venue's protocol.
    fn poll(&mut self) -> Result<Option<VenueReply>, VenueError>;

    /// For how long nothing has come from the venue; `None` before the first session.
    fn silence(&self) -> Option<Duration>;
}

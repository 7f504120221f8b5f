//! The interface to a venue outside the process.
//!
//! The thread of a gateway owns a [`Venue`] and is its only caller. No method waits: what takes time is done a step at a
//! time, so the gateway can look at its kill switch between two steps. There are two sorts of venues. One numbers its messages
//! from 1 and keeps them: after a stop or a broken connection it learns how many were received and sends the later ones
//! again, so a message is neither lost nor applied twice. The other numbers nothing: it may lose a message, tell it twice or
//! late, and it fills what nobody here sent; the gateway asks it for every order that may be open and makes what was
//! not told. Of both an order in doubt is asked for by our own id, never sent again. `docs/venues.md` of the engine has the contract in
//! order. Bound: an implementation buffers what one read of its socket returned, and what was handed to it since the socket had
//! room.

use crate::{Approved, Event, OrderId, OrderState, Qty, Side};
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

/// What has become of an order, as its venue says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderAnswer {
    /// The venue cannot say now. It will be asked again.
    Unknown,
    /// The venue never had it, and it cannot arrive any more.
    Never,
    /// The venue has, or had, it.
    Is {
        /// What it is now.
        state: OrderState,
        /// How much of it is filled, with what was filled of the orders that it replaced.
        filled: Qty,
    },
}

impl OrderAnswer {
    /// Of a venue that tells all the rest by numbered messages: whether it ever accepted the order.
    pub const fn known(known: bool) -> OrderAnswer {
        if known { OrderAnswer::Is { state: OrderState::Open, filled: Qty(0) } } else { OrderAnswer::Never }
    }
}

/// A message from a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueReply {
    /// A message of its own accord: `ack`, `fill`, `fill-cost`, `reject`, `cancelled` or `bust`; from a venue that numbers
    /// them in the order of its numbers, from one that does not also `drop-copy`.
    Answer(Event),
    /// The answer to [`Venue::ask`], in the order of the questions. A venue that numbers nothing tells before it, as
    /// answers, the executions of the order that it can tell.
    Status {
        /// The order.
        order_id: OrderId,
        /// What it says of it.
        is: OrderAnswer,
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

/// An order that may be open, and what the record has of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownOrder {
    /// The order.
    pub order: OpenOrder,
    /// Its quantity; 0 if that is not recorded yet.
    pub qty: Qty,
    /// Whether its acknowledgement is recorded.
    pub acknowledged: bool,
    /// How much of it is executed, with what was executed of the orders that it replaced.
    pub executed: Qty,
    /// The `match_id`s of its executions.
    pub matches: Vec<u64>,
}

/// What the record has of a venue when a session begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Id of the journal of this run, by which a venue tells two engines apart; 0 = no journal.
    pub journal: u64,
    /// Messages received before: a venue that numbers them sends the later ones again. `None`: a session for cancels alone,
    /// nothing is sent again.
    pub received: Option<u64>,
    /// The orders that may be open, and those that have ended with executions that may be missing; none in a session for
    /// cancels alone.
    pub orders: Vec<KnownOrder>,
}

/// How the messages of a session that has opened are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// They are numbered. Up to this number, the latest so far, they are repetitions.
    Numbered(u64),
    /// They are not: what was missed has to be asked for.
    Unnumbered,
}

/// How a venue that numbers nothing may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskPace {
    /// An open order of which nothing has come for so long is asked for.
    pub silence: Duration,
    /// An order of which the venue could not say enough is asked for again after so long.
    pub again: Duration,
    /// Time between two questions of an open session.
    pub spacing: Duration,
    /// Most questions without an answer.
    pub at_once: usize,
}

impl Default for AskPace {
    fn default() -> AskPace {
        let ms = Duration::from_millis;
        AskPace { silence: ms(30_000), again: ms(1_000), spacing: ms(50), at_once: 8 }
    }
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

    /// How it may be asked, if it numbers nothing.
    fn ask_pace(&self) -> AskPace {
        AskPace::default()
    }

    /// Takes a piece of a symbol's `name`, or a `listing`: before any order of that instrument, and again whenever the feed tells
    /// it again. A venue that goes by our numbers needs neither.
    fn define(&mut self, definition: &Event) {
        let _ = definition;
    }

    /// Opens a session, a step a call; `None` until it is open. Called for an open session, it ends that one and opens another.
    ///
    /// # Errors
    /// When the venue cannot be reached in time, or is not the one that sent those messages. The next call begins anew.
    fn resume(&mut self, known: &Known) -> Result<Option<Opened>, VenueError>;

    /// Takes a route, to be handed to the socket by [`Venue::flush`].
    fn send(&mut self, route: &Approved<Event>);

    /// Takes the question what has become of the order of that id; [`Venue::poll`] returns the answer. Everything taken
    /// before it has then reached the venue, or never will. No order has the id 0: then that is all that the answer says.
    fn ask(&mut self, order_id: OrderId);

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

//! The story of an order, put together from recorded events.
//!
//! **Idea.** The index gives the events that name the order. The first of them, its request, says which input it follows from;
//! the other outcomes of that input have the intent and the signal. What had been measured is the last value of each kind
//! before the intent, by the order of the log. Reports and bookings name the order themselves, and so do replaces.
//!
//! What no event says is not made up: it is listed as missing, or is absent.
//!
//! Bound: the events of the order, the outcomes of the inputs that it had a part in, and 64 other orders.

mod book;
mod cause;
mod model;
mod moment;
mod outcome;
mod relatives;
mod teller;

pub(super) use book::Book;
pub(super) use model::{Cause, Chapter, Relative, Row, Step, Story};
pub(super) use outcome::qty;
pub(super) use teller::tell;

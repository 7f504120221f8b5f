//! A gateway: the thread between the pipeline and a venue outside the process. A run may have several.
//!
//! ```text
//! tail ── routes ──► gateway ── socket ──► venue
//! head ◄─ sent, answers ─┘  ◄──────────────┘
//! ```
//!
//! Socket I/O is slow, so it has its own thread off the pipeline. The gateway takes routes off a ring, wraps them as
//! approved again (a ring carries bytes, not types), sends them to the venue in order, and publishes what happened
//! (`sent`, and the venue's answers) to a ring that the ingress reads. Recovery never sends: routes that the pipeline
//! repeats during a replay are checked against the journal, and the venue is queried about those in doubt
//! ([`VenueSession`]). Whoever halts trading pulls the [`KillSwitch`], which the gateway obeys beside the pipeline; what the
//! gateway finds out by itself (a session lost and back, an order without an answer) enters at the head as an input.
//!
//! Bound: the plan proves that the ring of routes holds every order that `orders` allows in flight, so the pipeline never
//! waits here. Worst case: a venue that stays unreachable through all retries ends the run. A pipeline that fails, and a
//! venue that violates its protocol, end with one cancel of everything, and what could not be cancelled is said.

mod definitions;
mod fence;
mod kill_switch;
mod last_cancel;
mod last_names;
mod link;
mod open_orders;
mod outbox;
mod pace;
mod replies;
mod session;
mod settling;
#[cfg(test)]
mod tests;
mod thread;
mod venue_status;

pub use definitions::{DefinitionSink, is_definition};
pub use kill_switch::{KillSwitch, Pull, StoredPull};
pub use last_cancel::cancel_everything;
pub use link::{Ending, Link, Resumption};
pub use open_orders::OpenOrders;
pub(crate) use replies::saved_events;
pub use replies::{Answers, GatewayEnded, LiveVenueReplies};
pub use session::VenueSession;
pub use settling::{is_numbered, settles};
pub use thread::{GatewayError, GatewayThread};
pub use venue_status::{SessionState, VenueStatus};

//! The gateway: the thread between the pipeline and a venue outside the process.
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
//! ([`VenueSession`]).
//!
//! Bound: the plan proves that the ring of routes holds every order that `orders` allows in flight, so the pipeline never
//! waits here. Worst case: a venue that stays unreachable through all retries ends the run; a pipeline that fails ends
//! with one cancel-all.

mod kill_switch;
mod link;
mod replies;
mod session;
mod settling;
#[cfg(test)]
mod tests;
mod thread;

pub use kill_switch::{KillSwitch, Pull, StoredPull};
pub use link::{Ending, Link, Resumption};
pub use replies::{GatewayEnded, LiveVenueReplies};
pub use session::VenueSession;
pub use settling::is_numbered;
pub use thread::{GatewayError, GatewayThread};

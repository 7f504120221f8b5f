//! The gateway: the thread between the pipeline and a venue outside the process.
//!
//! ```text
//! tail ── routes ──► gateway ── socket ──► venue
//! head ◄─ sent, answers ─┘  ◄──────────────┘
//! ```
//!
//! It is slow and never on the pipeline. It takes routes off a ring, gives them leave again (the pipeline's type ends at the ring's
//! bytes), hands them to the venue in the order in which they come, and pushes what happened (`sent`, and the venue's
//! answers) into a ring that the ingress reads. Recovery never sends: what the pipeline says again while the record is
//! repeated is compared with the record, and what is in doubt is asked for ([`VenueSession`]).
//!
//! Bound: the ring of routes is larger than what `orders` lets be on the way (the plan proves it), so the pipeline never waits
//! here. Worst case: a venue that is away for longer than the tries allow ends the run; a pipeline that broke ends with one
//! cancel-all.

mod link;
mod replies;
mod session;
mod settling;
#[cfg(test)]
mod tests;
mod thread;

pub use link::{Ending, Link, Resumption};
pub use replies::{GatewayEnded, LiveVenueReplies};
pub use session::VenueSession;
pub use settling::is_numbered;
pub use thread::{GatewayError, GatewayThread};

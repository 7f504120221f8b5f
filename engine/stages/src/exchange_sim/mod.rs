//! The simulated venue: where orders go when none may leave the house.
//!
//! [`SimulatedVenue`] keeps the market's book as the stage `book` does and our orders beside it, never inside: the
//! market does not see them. A marketable order walks the displayed depth; one that rests is filled when the shares
//! ahead of it in its queue are gone. Queue positions are exact where the feed tells of single orders, and by a named
//! model where it does not. Pure and deterministic: it is run at the head of the pipeline, where a real venue would be, and
//! what it says enters there. `docs/venue.md` has the rules, the parameters and a worked queue.
//!
//! Bound: the parameters; all memory is allocated and touched at construction. Worst case of one event: the levels that
//! it walks, and the orders of ours on its instrument.

mod answers;
mod by_level;
mod consumed;
mod fees;
mod ids;
mod instrument;
mod latency;
mod market;
mod params;
mod queue;
mod registry;
mod replies;
mod resting;
mod route;
mod sim;
mod state;

pub use latency::Sample;
pub use params::PARAMS;
pub use registry::{VENUES, VenueEntry};
pub use replies::Replies;
pub use sim::{SimulatedVenue, Standing};

//! The simulated venue: paper trading against the market's own book.
//!
//! [`SimulatedVenue`] looks at the market's book, the book stage's or one of its own that is kept like that, and has our orders
//! beside it, never in it: there is no market impact. A marketable order walks the displayed depth. A resting order fills once
//! the queue ahead of it is gone. Queue positions are exact where the feed reports single orders, and estimated by a queue model where it reports
//! levels. The venue is pure and deterministic; it runs at the head of the pipeline, where a real venue would be, and
//! its replies enter there. `docs/venue.md` has the rules, the parameters and a worked queue.
//!
//! Bound: the parameters; all memory is reserved at construction. Worst case of one event: the levels that
//! an order walks, or our orders on the instrument.

mod by_level;
mod consumed;
mod fees;
mod ids;
mod instrument;
mod latency;
mod market;
mod matching;
mod params;
mod queue;
mod registry;
mod replies;
mod reports;
mod resting;
mod route;
mod sim;
mod state;

pub use params::{PARAMS, book_params};
pub use registry::{VENUES, VenueEntry};
pub use replies::Replies;
pub use sim::{QueuePosition, SimulatedVenue};

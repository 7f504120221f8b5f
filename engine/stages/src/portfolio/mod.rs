//! Portfolio: what is held, kept once, and told to all who follow it.
//!
//! Fills and busts enter at the head of the pipeline. This stage stands before the strategies; it is the only one that
//! remembers fills and computes positions from them. Of each report it says what is held now
//! ([`flow::records::Position`]), and then what it was ([`flow::records::Booked`]: a fill, a correction, a fill taken back). Strategies, orders and risk read
//! these and never a `fill` or a `bust`, so all of them judge a report alike, and one that is told twice changes nothing anywhere.
//!
//! What it says about a fill is delivered after all that later stages make of that fill itself, and before the pulse: nobody
//! acts before it is known, and an order that a fill causes is judged with that fill in. A fill always changes its position,
//! since the money moved, even if no order of ours has room for it. `docs/portfolio.md` has the definitions and worked numbers.
//!
//! Bound: `pipeline.max_positions` and `pipeline.max_fills`; all memory is allocated at construction. Worst case of an event: a
//! bust, which rebuilds a position from its remembered fills; otherwise one lookup per table and two events.

mod executions;
mod money;
mod positions;
mod saved;
mod stage;

pub use money::{Holding, Terms};
pub(crate) use positions::Key;
pub use stage::{PARAMS, PortfolioStage};

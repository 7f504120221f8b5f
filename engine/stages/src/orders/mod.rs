//! Orders: intents become requests, execution reports move life cycles, fills become positions.
//!
//! One table holds the open orders, by id; another holds a position per account, strategy and instrument. A report that the
//! life cycle does not allow is an anomaly and changes no order. A fill always changes its position, since the money moved.
//! Fills are remembered, so that the venue can bust one. `docs/orders.md` has the life cycle, the definitions and the cost.
//!
//! Bound: `max_orders`, `max_positions`, `max_accounts`, `max_in_flight` for unanswered requests, and `pipeline.max_fills`;
//! all memory is allocated and written at construction. Worst case of an event: a bust, which rebuilds a position from all
//! its fills; otherwise a fill, one lookup per table and two events.

mod busts;
mod chains;
mod closing;
mod counters;
mod cycle;
mod flatten;
mod flatten_state;
mod intake;
mod manager;
mod money;
mod params;
mod positions;
mod reports;
mod saved;
mod stage;
mod table;

pub use chains::Ended;
pub use cycle::{State, Step};
pub use money::{Holding, Terms};
pub use params::{MAX_IN_FLIGHT, MAX_ORDERS, PARAMS};
pub use stage::OrdersStage;
pub use table::Order;

//! Orders: intents become requests, execution reports move life cycles.
//!
//! One table holds the open orders, by id. Fills come from the portfolio, which has booked them once ([`crate::portfolio`]); a
//! report that the life cycle does not allow is an anomaly and changes no order. Which order a fill counts in is remembered,
//! so that the venue can bust it. `docs/orders.md` has the life cycle and the cost.
//!
//! Bound: `max_orders`, `max_accounts`, `max_in_flight` for unanswered requests, `pipeline.max_positions` and
//! `pipeline.max_fills`; all memory is allocated and written at construction. Worst case of an event: one lookup per table.

mod busts;
mod chains;
mod closing;
mod counters;
mod cycle;
mod flatten;
mod flatten_state;
mod held;
mod intake;
mod manager;
mod params;
mod reports;
mod roots;
mod saved;
mod stage;
mod table;

pub use chains::Ended;
pub use cycle::{State, Step};
pub use params::{MAX_IN_FLIGHT, MAX_ORDERS, PARAMS};
pub use stage::OrdersStage;
pub use table::Order;

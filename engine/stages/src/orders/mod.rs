//! Orders: intents become requests, answers move life cycles, fills become positions.
//!
//! One table holds the orders that are not over, found by their id; one holds a position per account, strategy and
//! instrument. An answer that the life cycle does not allow is an anomaly and changes no order; money is real, so a fill
//! changes its position whatever the order's state. Fills are remembered, so that the venue can take one back.
//! `docs/orders.md` has the cycle, the definitions and the cost.
//!
//! Bound: `max_orders`, `max_positions`, `max_accounts`, of requests without an answer `max_in_flight`, and `pipeline.max_fills`;
//! all memory is allocated and written at construction. Worst case of an event: a bust, which makes a position anew from
//! all its fills; else a fill, one look into each table and two events.

mod busts;
mod chains;
mod counters;
mod cycle;
mod intake;
mod money;
mod positions;
mod saved;
mod stage;
mod table;

pub use chains::Ended;
pub use cycle::{State, Step};
pub use money::{Holding, Terms};
pub use stage::{MAX_IN_FLIGHT, MAX_ORDERS, OrdersStage, PARAMS};
pub use table::Order;

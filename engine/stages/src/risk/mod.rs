//! Risk: approves or refuses every new order and every replace.
//!
//! A request must pass all checks of [`CHECKS`], in their fixed order; the first that fails puts its number, its limit and
//! the value it found into a `refused`. Every check fails closed: a limit of 0 means "not set" and refuses, and so does a
//! missing reference price. Tables of limits narrow them for some of the orders ([`LimitScope`]). A request that passes becomes an `order` through [`flow::Approved`], which only this stage can
//! make. Legs of a group are decided together when the last one has arrived. `docs/risk.md` has the definitions.
//!
//! Bound: one record per instrument, a table of open orders, one of accounts and strategies, a ring of message times, and
//! sixteen held legs. The records are filled as instruments are listed, the rest at construction. Worst case of an event:
//! sixteen legs are approved or refused.

mod breach;
mod checks;
mod explain;
mod exposure;
mod exposures;
mod gate;
mod group;
mod ids;
mod levels;
mod limits;
mod market;
mod messages;
mod open;
mod proposal;
mod questions;
mod rates;
mod stage;
mod state;
mod tables;
mod target;
mod unexplained;

pub use breach::CheckEntry;
pub(crate) use checks::CURRENCY;
pub use checks::{CEILINGS, CHECKS, Flaw, PARAMS, RATE, check, check_name};
pub use explain::Checked;
pub use group::MAX_LEGS;
pub use levels::{LimitScope, MAX_LEVELS, Mode};
pub use messages::MAX_MESSAGES;
pub use stage::RiskStage;
pub use tables::{
    ACCOUNT, ACCOUNT_KEYS, ACCOUNT_NUMBER, LIMIT_KEYS, PAIR, SCOPE, STRATEGY_NUMBER, TableLimit, WrittenScope,
    hidden_limits, limit_faults, numbered, pair, paper, scope_of, strategy_of, table_limits,
};
pub use target::{LIMIT, LimitTarget};

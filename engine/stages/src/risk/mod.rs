//! Risk: the last word on every new order and every replace.
//!
//! A request passes all checks of [`CHECKS`] in their fixed order, or the first that it fails names itself, its limit and
//! what it saw in a `refused`. Every check fails closed: a limit of 0 is not bound and refuses, and so does a reference
//! that is not there. What passes becomes an `order` through [`flow::Approved`], which is made here and nowhere else on
//! the pipeline. Legs of a group are decided together when the last one has come. `docs/risk.md` has the definitions.
//!
//! Bound: one record an instrument, a table of open orders, one of accounts and strategies, a ring of the times of the
//! last messages, sixteen held legs; all are allocated and written at construction. Worst case of an event: sixteen legs
//! are approved, or refused.

mod breach;
mod checks;
mod gate;
mod group;
mod ids;
mod limits;
mod market;
mod messages;
mod open;
mod proposal;
mod stage;
mod state;

pub use breach::CheckEntry;
pub use checks::{CHECKS, Flaw, PARAMS, check, check_name};
pub use group::MAX_LEGS;
pub use messages::MAX_MESSAGES;
pub use stage::RiskStage;

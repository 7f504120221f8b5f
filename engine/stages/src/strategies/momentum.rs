//! Order-flow momentum: follows aggressive flow while the book agrees and the flow is not toxic.
//!
//! The idea: whoever must trade takes liquidity, and splits a large order into many. Net signed volume that is a large part
//! of all volume in the last minute suggests such an order at work; a book that leans the same way suggests that nobody
//! stands against it; a low VPIN suggests that the flow is not from informed traders. The entry takes the touch at once or
//! not at all, stop and target are multiples of the average true range, and nothing is held past the end of the session.
//! Whether that earns anything is for a backtest to show; nothing here claims it.
//!
//! Bound: one record per instrument, with sixteen slots of flow. Worst case: a trade after a long pause clears sixteen
//! slots and emits one signal, three reasons and an intent.

mod atr;
mod flow;
mod occasion;
mod params;
mod stage;
mod state;

pub use occasion::OCCASION;
pub use params::{MOMENTUM, PARAMS};
pub use stage::MomentumStage;

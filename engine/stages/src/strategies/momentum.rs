//! Order-flow momentum: goes with aggressive flow while the book leans the same way and the flow is not toxic.
//!
//! The idea: who must trade takes liquidity, and parts a large order into many. A net of signed volume over the last
//! minute that is a large part of all volume says that such an order is at work; a book that leans the same way says
//! that nobody stands against it; a low VPIN says that the flow is not one-sided for so long that those who know trade.
//! The entry takes the touch at once or not at all, stop and target lie so many average true ranges away, and nothing is
//! held over the end of the session. Whether that earns anything is for a backtest to show; nothing here claims it.
//!
//! Bound: one record an instrument, with sixteen slots of flow. Worst case: a trade after a long pause clears sixteen slots
//! and makes one signal, three reasons and an intent.

mod atr;
mod flow;
mod params;
mod stage;
mod state;

pub use params::PARAMS;
pub use stage::MomentumStage;

//! What a change of the settings changes in a recorded run.
//!
//! **Idea.** The recorded inputs run through a pipeline of other settings, and the simulated exchange answers anew
//! ([`Answered`](crate::ingress::Answered)). Each recorded input that enters again has the same place among those on both
//! sides, so it is the key of the comparison: a *slot* is such an input with all that follows from it and with the answers
//! behind it. The outcomes of the record are read beside the run and compared slot by slot, on a thread of its own, which takes
//! what the pipeline hands over in batches.
//!
//! **Identity.** What the market causes is the same if stage, kind, instrument, instance and its place among these are. An
//! order's number is no identity, since one order more moves all that follow. Two orders are one if the same strategy, account,
//! instrument and side made them of the same input or, if an answer made them, of the same order, and they are the n-th of
//! these. Its events belong to it by kind and place, whenever they come. Numbers of orders, executions and inputs are left out
//! of the comparison.
//!
//! **Causes.** A difference follows from something: the change itself, or a difference before it. Market data, bars and
//! measures depend on inputs and settings alone, so there it is the change. An order depends on its strategy's settings and
//! state, on the limits and what they count, and on the exchange, where others take depth. The nearest of these that differs
//! already is named: the same order, strategy, account, then the limit or the exchange. What nothing explains is counted.
//!
//! **Bound.** The open orders and the last `orders::KEPT` others; the events of one slot; `link::DEPTH` batches. Worst case:
//! every input makes an order: then each slot is matched item by item, which costs more than the run.

mod cause;
mod compare;
mod link;
mod loose;
mod mask;
mod orders;
mod prices;
mod report;
mod side;
mod slot;
mod tally;
mod totals;

pub(crate) use cause::Changes;
pub(crate) use compare::{Comparison, Ends, Record};
pub(crate) use prices::LastPrices;
pub use report::{DiffReport, DifferenceRow, FieldChange, Holding, KindCount, SettingChange, StrategyRow};
pub(crate) use report::{Shown, named, reported};
pub(crate) use tally::Tally;

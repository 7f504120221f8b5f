//! Set-ups: what `trend` and `reversion` share. Both wait for price that comes back to a low-volume node of a leg, with flow that goes with it.
//!
//! The measures say what there is: the state of the market, legs with their nodes, pullbacks to these, and flow. A [`Model`] says which legs
//! are its own, in which state of the market it acts, and where stop and target are; the stage holds all of it against the conditions, in
//! one order, and emits a `signal` with its reasons when the last of them is met, at a trade. The first condition that is not met is
//! emitted too, as `setup`: when it becomes another one, and at the end of every minute. So the last one is the answer to "why not".
//!
//! Bound: one record per instrument. Worst case of a trade: a look at each node of the leg, and a signal for each.

mod decide;
mod market;
mod params;
mod stage;

pub(super) use decide::Plan;
pub(super) use decide::Target;
pub(super) use market::{Leg, Market};
pub(super) use params::{LEAST_FLOW, LEAST_REWARD, RULES, SESSION_END, SESSION_START, STOP_ROWS};
pub(super) use stage::SetupStage;

use flow::{LegType, MarketBalance, Param, Params, PriceDirection, Px};

/// A strategy of this kind.
pub trait Model: Send + Sized + 'static {
    /// Its name, as in the registry.
    const NAME: &'static str;
    /// The legs that it waits for.
    const LEG: LegType;
    /// Its parameters.
    const PARAMS: &'static [Param];

    /// Reads what is its own of the parameters.
    fn read(params: &Params) -> Self;

    /// Whether it acts in a state of the market; `leg` is where its leg goes, if there is one.
    fn acts_in(&self, state: MarketBalance, leg: Option<PriceDirection>) -> bool;

    /// Stop and target of an entry at the last price, for a pullback to a node; `None` if the stop is not known.
    fn plan(&self, market: &Market, leg: &Leg, node: Px, stop_rows: u32) -> Option<Plan>;
}

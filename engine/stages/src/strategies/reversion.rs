//! Reversion: a breakout has failed, and price goes back to the middle of its range.
//!
//! Who bought the breakout is wrong and has to sell; price has reclaimed the inside, and comes back to a row of that leg in which little
//! was traded. The stop lies beyond the failed extreme, the target is the point of control of the range. Whether that earns anything is for
//! a backtest to show. The conditions are those of `set_ups`.
//!
//! Bound: as there.

use super::common::SYMBOLS;
use super::set_ups::{
    LEAST_FLOW, LEAST_REWARD, Leg, Market, Model, Plan, RULES, SESSION_END, SESSION_START, STOP_ROWS, SetupStage,
    Target,
};
use flow::{BoolParam, LegType, MarketBalance, Param, Params, PriceDirection, Px, StrategyId, TargetType};

/// Number of the strategy `reversion`.
pub const REVERSION: StrategyId = StrategyId(5);

const IN_BALANCE: BoolParam = BoolParam::new("in_balance", true, "whether the market must be in balance");

/// What can be set.
pub const PARAMS: &[Param] = &[
    SYMBOLS.param(),
    RULES.param(),
    LEAST_FLOW.live().per_symbol().param(),
    LEAST_REWARD.live().per_symbol().param(),
    STOP_ROWS.live().per_symbol().param(),
    IN_BALANCE.live().per_symbol().param(),
    SESSION_START.per_symbol().param(),
    SESSION_END.per_symbol().param(),
];

/// The strategy.
pub type ReversionStage = SetupStage<Reversion>;

/// What is its own.
pub struct Reversion {
    in_balance: bool,
}

impl Model for Reversion {
    const NAME: &'static str = "reversion";
    const LEG: LegType = LegType::Reclaim;
    const PARAMS: &'static [Param] = PARAMS;

    fn read(params: &Params) -> Reversion {
        Reversion { in_balance: params.get(IN_BALANCE) }
    }

    fn acts_in(&self, state: MarketBalance, _: Option<PriceDirection>) -> bool {
        !self.in_balance || state == MarketBalance::Balance
    }

    fn plan(&self, market: &Market, leg: &Leg, _: Px, stop_rows: u32) -> Option<Plan> {
        let stop = leg.beyond(leg.start, -leg.row.0.saturating_mul(stop_rows.into()));
        let target = Target::At(market.poc.known()?, TargetType::Poc);
        Some(Plan { stop, target })
    }
}

//! Trend: a market that is out of balance and looks for a new one is joined where it pauses.
//!
//! Price has broken out, an impulse leg has run, and price comes back to a row of it in which little was traded: who missed the leg
//! may enter there, and who is on it may add. The stop lies where that was wrong, beyond the row; the target is where much was traded in past
//! sessions. Whether that earns anything is for a backtest to show. The conditions are those of `set_ups`.
//!
//! Bound: as there. Worst case: a look at the high-volume nodes of past sessions.

use super::common::SYMBOLS;
use super::set_ups::{
    LEAST_FLOW, LEAST_REWARD, Leg, Market, Model, Plan, RULES, SESSION_END, SESSION_START, STOP_ROWS, SetupStage,
    Target,
};
use flow::{FloatParam, LegType, MarketBalance, Param, Params, PriceDirection, Px, StrategyId, TargetType};

/// Number of the strategy `trend`.
pub const TREND: StrategyId = StrategyId(4);

const STOP_ATR: FloatParam = FloatParam::new(
    "stop_atr",
    (0.0, 100.0),
    "1",
    "the stop lies so many average true ranges beyond the node, if that is more than its rows",
);
const TARGET_RISK: FloatParam = FloatParam::new(
    "target_risk",
    (0.1, 100.0),
    "3",
    "target where past sessions have no high-volume node beyond the leg, in distances of the stop",
);

/// What can be set.
pub const PARAMS: &[Param] = &[
    SYMBOLS.param(),
    RULES.param(),
    LEAST_FLOW.live().per_symbol().param(),
    LEAST_REWARD.live().per_symbol().param(),
    STOP_ROWS.live().per_symbol().param(),
    STOP_ATR.live().per_symbol().param(),
    TARGET_RISK.live().per_symbol().param(),
    SESSION_START.per_symbol().param(),
    SESSION_END.per_symbol().param(),
];

/// The strategy.
pub type TrendStage = SetupStage<Trend>;

/// What is its own.
pub struct Trend {
    stop_atr: f64,
    target_risk: f64,
}

impl Model for Trend {
    const NAME: &'static str = "trend";
    const LEG: LegType = LegType::Impulse;
    const PARAMS: &'static [Param] = PARAMS;

    fn read(params: &Params) -> Trend {
        Trend { stop_atr: params.get(STOP_ATR), target_risk: params.get(TARGET_RISK) }
    }

    fn acts_in(&self, state: MarketBalance, leg: Option<PriceDirection>) -> bool {
        match state {
            MarketBalance::Up => leg != Some(PriceDirection::Down),
            MarketBalance::Down => leg != Some(PriceDirection::Up),
            MarketBalance::Balance | MarketBalance::Unknown => false,
        }
    }

    fn plan(&self, market: &Market, leg: &Leg, node: Px, stop_rows: u32) -> Option<Plan> {
        let ranges = (market.atr.known()? * self.stop_atr * Px::ONE as f64).ceil() as i64;
        let rows = leg.row.0.saturating_mul(stop_rows.into());
        let stop = leg.beyond(node, -ranges.max(rows));
        let target = match market.high_beyond(leg) {
            Some(high) => Target::At(high, TargetType::Node),
            None => Target::Risk(self.target_risk),
        };
        Some(Plan { stop, target })
    }
}

//! Strategies: they turn market data and measures into signals and intents.
//!
//! A strategy is one file and one registry entry; it runs only if `pipeline.stages` names it. It emits a `signal`, the
//! `reason`s behind it, and its `intent`s; `orders` and `risk` decide what becomes of those. Execution reports on its
//! orders return to it through the head of the pipeline. After the end of input it emits nothing. The pages under `docs/`
//! have each strategy's rules and parameters.
//!
//! Bound: one record per instrument and strategy, allocated and written at construction. Worst case of an event: one
//! signal, its reasons and the legs of one group.

mod buy_and_hold;
mod emit;
mod momentum;
mod random;
mod session;
mod universe;

pub use buy_and_hold::{BuyAndHoldStage, PARAMS as BUY_AND_HOLD_PARAMS};
pub use momentum::{MomentumStage, PARAMS as MOMENTUM_PARAMS};
pub use random::{PARAMS as RANDOM_PARAMS, RandomStage};
pub use universe::MAX_SYMBOLS;

use flow::{IntParam, ListParam, StrategyId};

/// Number of the strategy `momentum`.
pub const MOMENTUM: StrategyId = StrategyId(1);
/// Number of the strategy `buy-and-hold`.
pub const BUY_AND_HOLD: StrategyId = StrategyId(2);
/// Number of the strategy `random`.
pub const RANDOM: StrategyId = StrategyId(3);

/// The name of a strategy: the name of its stage.
pub fn name(strategy: StrategyId) -> Option<&'static str> {
    match strategy {
        MOMENTUM => Some("momentum"),
        BUY_AND_HOLD => Some("buy-and-hold"),
        RANDOM => Some("random"),
        _ => None,
    }
}

/// The instruments of a strategy.
const SYMBOLS: ListParam = ListParam::new("symbols", "", "symbols to trade, up to 64; none = every instrument");
/// The account of its orders.
const ACCOUNT: IntParam<u8> = IntParam::new("account", (1, 255), "1", "account that its orders are for");
/// The quantity of its orders.
const QTY: IntParam =
    IntParam::new("qty", (1, 1_000_000_000_000), "100", "quantity of an order").unit("smallest units");

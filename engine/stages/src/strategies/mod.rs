//! Strategies: what they see becomes signals with reasons, and intents.
//!
//! A strategy is one file and one registry entry; it runs only where `pipeline.stages` names it. It tells a `signal`, the
//! `reason`s that made it, and then what it wants done, as `intent`s; `orders` and `risk` decide what becomes of them. It
//! hears of its orders by what comes back at the head. After the end of input it is silent. The pages under `docs/` have
//! rules and parameters of each.
//!
//! Bound: each keeps one record an instrument, allocated and written at construction. Worst case of an event: one signal,
//! its reasons and the legs of one group.

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

/// The name of a strategy, which is that of its stage.
pub fn name(strategy: StrategyId) -> Option<&'static str> {
    match strategy {
        MOMENTUM => Some("momentum"),
        BUY_AND_HOLD => Some("buy-and-hold"),
        RANDOM => Some("random"),
        _ => None,
    }
}

/// Which instruments a strategy trades.
const SYMBOLS: ListParam = ListParam::new("symbols", "", "symbols to trade, up to 64; none = every instrument");
/// For whom a strategy trades.
const ACCOUNT: IntParam<u8> = IntParam::new("account", (1, 255), "1", "account that its orders are for");
/// How much a strategy trades.
const QTY: IntParam =
    IntParam::new("qty", (1, 1_000_000_000_000), "100", "quantity of an order").unit("smallest units");

//! Strategies: they turn market data and measures into signals and intents.
//!
//! A strategy is one file and one registry entry; it runs only if `pipeline.stages` names it. It collects what it reads, and
//! decides at the [`pulse`](crate::pulse) alone, when all that an input caused has come. It then emits a `signal`, the
//! `reason`s behind it, and its `intent`s; `orders` and `risk` decide what becomes of those. Execution reports on its
//! orders return to it through the head of the pipeline. After the end of input it emits nothing. The pages under `docs/`
//! have each strategy's rules and parameters.
//!
//! Bound: one record per instrument and strategy, written when it is listed. Worst case of an event: one
//! signal, its reasons and the legs of one group.

pub mod buy_and_hold;
mod changed;
mod common;
mod emit;
mod entry;
mod holding;
pub mod momentum;
mod occasion;
mod owner;
pub mod random;
pub mod reversion;
mod session;
mod set_ups;
mod several;
pub mod trend;
mod universe;

pub use buy_and_hold::{BUY_AND_HOLD, BuyAndHoldStage};
pub use common::{STRATEGY_VENUE, traded_symbols};
pub use entry::{Setup, StrategyEntry};
pub use momentum::{MOMENTUM, MomentumStage};
pub use occasion::{Occasion, Occasions};
pub use random::{RANDOM, RandomStage};
pub use reversion::{REVERSION, ReversionStage};
pub use trend::{TREND, TrendStage};
pub use universe::MAX_SYMBOLS;

pub(crate) use several::Several;

/// Every strategy; numbers rise.
pub const STRATEGIES: &[StrategyEntry] = &[
    StrategyEntry {
        name: "momentum",
        doc: "engine/stages/docs/momentum.md",
        about: "Order-flow momentum: follows aggressive flow while the book agrees and the flow is not toxic.",
        number: MOMENTUM,
        params: momentum::PARAMS,
        build: MomentumStage::build,
        rehearsal: Some(momentum::OCCASION),
    },
    StrategyEntry {
        name: "buy-and-hold",
        doc: "engine/stages/docs/buy-and-hold.md",
        about: "Buys each of its instruments once, at the market.",
        number: BUY_AND_HOLD,
        params: buy_and_hold::PARAMS,
        build: BuyAndHoldStage::build,
        rehearsal: None,
    },
    StrategyEntry {
        name: "random",
        doc: "engine/stages/docs/random.md",
        about: "Trades at random from a seed, with every kind of order; for tests.",
        number: RANDOM,
        params: random::PARAMS,
        build: RandomStage::build,
        rehearsal: Some(random::OCCASION),
    },
    StrategyEntry {
        name: "trend",
        doc: "engine/stages/docs/trend.md",
        about: "Signals where a market out of balance comes back to a low-volume node of its leg, with flow.",
        number: TREND,
        params: trend::PARAMS,
        build: TrendStage::build,
        rehearsal: None,
    },
    StrategyEntry {
        name: "reversion",
        doc: "engine/stages/docs/reversion.md",
        about: "Signals where a failed breakout goes back to the middle of its range, with flow.",
        number: REVERSION,
        params: reversion::PARAMS,
        build: ReversionStage::build,
        rehearsal: None,
    },
];

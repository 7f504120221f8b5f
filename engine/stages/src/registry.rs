//! The registry of stages: one entry each, in pipeline order.

use crate::Space;
use crate::bars::{self, BarStage};
use crate::book::{self, BookStage};
use crate::measures::{self, CvdStage, ImbalanceStage, VpinStage};
use crate::orders::{self, OrdersStage};
use crate::risk::{self, RiskStage};
use crate::router::{self, RouterStage};
use crate::strategies::{self, BuyAndHoldStage, MomentumStage, RandomStage};
use flow::{Param, ParamError, Params, Stage};

/// Builds a stage from its parameters.
pub type Build = fn(&Params, Space) -> Result<Box<dyn Stage>, ParamError>;

/// A stage that a configuration can name.
pub struct StageEntry {
    /// Name in configurations and on the command line.
    pub name: &'static str,
    /// Its documentation page.
    pub doc: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// Builds the stage; allocates and touches all the memory that it will ever use.
    pub build: Build,
}

flow::registered!(StageEntry);

/// Every stage, in pipeline order.
pub const STAGES: &[StageEntry] = &[
    StageEntry {
        name: "book",
        doc: "engine/stages/docs/book.md",
        about: "Keeps the order book of every instrument, by order or by level; emits trades, levels and the top.",
        params: book::PARAMS,
        build: BookStage::build,
    },
    StageEntry {
        name: "bars",
        doc: "engine/stages/docs/bars.md",
        about: "Builds time bars of one or several lengths from trades.",
        params: bars::PARAMS,
        build: BarStage::build,
    },
    StageEntry {
        name: "cvd",
        doc: "engine/stages/docs/cvd.md",
        about: "Cumulative volume delta: signed volume since the session began, after every trade.",
        params: measures::CVD_PARAMS,
        build: CvdStage::build,
    },
    StageEntry {
        name: "imbalance",
        doc: "engine/stages/docs/imbalance.md",
        about: "Book imbalance at the touch and over the best levels; mid and weighted mid.",
        params: measures::IMBALANCE_PARAMS,
        build: ImbalanceStage::build,
    },
    StageEntry {
        name: "vpin",
        doc: "engine/stages/docs/vpin.md",
        about: "VPIN: how one-sided the last buckets of equal volume were, by aggressor or by bar.",
        params: measures::VPIN_PARAMS,
        build: VpinStage::build,
    },
    StageEntry {
        name: "momentum",
        doc: "engine/stages/docs/momentum.md",
        about: "Order-flow momentum: follows aggressive flow while the book agrees and the flow is not toxic.",
        params: strategies::MOMENTUM_PARAMS,
        build: MomentumStage::build,
    },
    StageEntry {
        name: "buy-and-hold",
        doc: "engine/stages/docs/buy-and-hold.md",
        about: "Buys each of its instruments once, at the market.",
        params: strategies::BUY_AND_HOLD_PARAMS,
        build: BuyAndHoldStage::build,
    },
    StageEntry {
        name: "random",
        doc: "engine/stages/docs/random.md",
        about: "Trades at random from a seed, with every kind of order; for tests.",
        params: strategies::RANDOM_PARAMS,
        build: RandomStage::build,
    },
    StageEntry {
        name: "orders",
        doc: "engine/stages/docs/orders.md",
        about: "Turns intents into requests; keeps order life cycles, positions and P&L.",
        params: orders::PARAMS,
        build: OrdersStage::build,
    },
    StageEntry {
        name: "risk",
        doc: "engine/stages/docs/risk.md",
        about: "Approves new orders and replaces, or refuses them with the check, its limit and the value.",
        params: risk::PARAMS,
        build: RiskStage::build,
    },
    StageEntry {
        name: "router",
        doc: "engine/stages/docs/router.md",
        about: "Routes approved orders, and every cancel, to the configured venue.",
        params: router::PARAMS,
        build: RouterStage::build,
    },
];

//! The registry of stages, in the order of the uncut pipeline: one entry each.

use crate::bars::{self, BarStage};
use crate::book::{self, BookStage};
use crate::measures::{self, CvdStage, ImbalanceStage, VpinStage};
use crate::orders::{self, OrdersStage};
use crate::risk::{self, RiskStage};
use crate::router::{self, RouterStage};
use crate::strategies::{self, BuyAndHoldStage, MomentumStage, RandomStage};
use flow::{Param, ParamError, Params, Stage};

/// What the plan tells a stage about the world that it is built for.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Instrument indices are below this number.
    pub instruments: u32,
    /// How many fills those remember who follow them: equally many, so that all judge a bust alike.
    pub fills: u32,
}

/// Makes a stage from its parameters.
pub type Build = fn(&Params, Space) -> Result<Box<dyn Stage>, ParamError>;

/// An entry of the registry.
pub struct StageEntry {
    /// Name in configurations and on the command line.
    pub name: &'static str,
    /// Page of documentation.
    pub doc: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What can be set.
    pub params: &'static [Param],
    /// Builds it; all memory that it will ever use is allocated and touched here.
    pub build: Build,
}

flow::registered!(StageEntry);

/// Every stage, in the order of the uncut pipeline.
pub const STAGES: &[StageEntry] = &[
    StageEntry {
        name: "book",
        doc: "engine/stages/docs/book.md",
        about: "Keeps the books of all instruments, by order or by level; tells of trades, levels and the top.",
        params: book::PARAMS,
        build: BookStage::build,
    },
    StageEntry {
        name: "bars",
        doc: "engine/stages/docs/bars.md",
        about: "Sums trades up to bars of one or several lengths; each closes once.",
        params: bars::PARAMS,
        build: BarStage::build,
    },
    StageEntry {
        name: "cvd",
        doc: "engine/stages/docs/cvd.md",
        about: "Sums signed volume since the session began, after every trade.",
        params: measures::CVD_PARAMS,
        build: CvdStage::build,
    },
    StageEntry {
        name: "imbalance",
        doc: "engine/stages/docs/imbalance.md",
        about: "Compares the sides of the book, at the touch and over its best levels; mid and weighted mid.",
        params: measures::IMBALANCE_PARAMS,
        build: ImbalanceStage::build,
    },
    StageEntry {
        name: "vpin",
        doc: "engine/stages/docs/vpin.md",
        about: "Measures how one-sided the last buckets of equal volume were, by aggressor or by bar.",
        params: measures::VPIN_PARAMS,
        build: VpinStage::build,
    },
    StageEntry {
        name: "momentum",
        doc: "engine/stages/docs/momentum.md",
        about: "Goes with aggressive flow while the book leans the same way and the flow is not toxic.",
        params: strategies::MOMENTUM_PARAMS,
        build: MomentumStage::build,
    },
    StageEntry {
        name: "buy-and-hold",
        doc: "engine/stages/docs/buy-and-hold.md",
        about: "Buys every chosen instrument once, at the market.",
        params: strategies::BUY_AND_HOLD_PARAMS,
        build: BuyAndHoldStage::build,
    },
    StageEntry {
        name: "random",
        doc: "engine/stages/docs/random.md",
        about: "Trades at random, by a seed: every kind of order, for tests.",
        params: strategies::RANDOM_PARAMS,
        build: RandomStage::build,
    },
    StageEntry {
        name: "orders",
        doc: "engine/stages/docs/orders.md",
        about: "Makes requests of intents, keeps the life cycle of every order, and positions with their money.",
        params: orders::PARAMS,
        build: OrdersStage::build,
    },
    StageEntry {
        name: "risk",
        doc: "engine/stages/docs/risk.md",
        about: "Lets orders and replaces pass, or refuses them and says which check, what it allows and what it saw.",
        params: risk::PARAMS,
        build: RiskStage::build,
    },
    StageEntry {
        name: "router",
        doc: "engine/stages/docs/router.md",
        about: "Sends what risk let pass, and every cancel, to the configured venue.",
        params: router::PARAMS,
        build: RouterStage::build,
    },
];

//! The registry of stages, in the order of the uncut line: one line each.

use crate::bars::{self, BarStage};
use crate::book::{self, BookStage};
use crate::orders::{self, OrdersStage};
use crate::risk::{self, RiskStage};
use crate::router::{self, RouterStage};
use crate::signals::{self, BuyAndHoldStage, MomentumStage, RandomStage};
use crate::toxicity::{self, CvdStage, ImbalanceStage, VpinStage};
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

/// A line of the registry.
pub struct StageLine {
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

flow::registered!(StageLine);

/// Every stage, in the order of the uncut line.
pub const STAGES: &[StageLine] = &[
    StageLine {
        name: "book",
        doc: "engine/stages/docs/book.md",
        about: "Keeps the books of all instruments, by order or by level; tells of trades, levels and the top.",
        params: book::PARAMS,
        build: BookStage::build,
    },
    StageLine {
        name: "bars",
        doc: "engine/stages/docs/bars.md",
        about: "Sums trades up to bars of one or several lengths; each closes once.",
        params: bars::PARAMS,
        build: BarStage::build,
    },
    StageLine {
        name: "cvd",
        doc: "engine/stages/docs/cvd.md",
        about: "Sums signed volume since the session began, after every trade.",
        params: toxicity::CVD_PARAMS,
        build: CvdStage::build,
    },
    StageLine {
        name: "imbalance",
        doc: "engine/stages/docs/imbalance.md",
        about: "Compares the sides of the book, at the touch and over its best levels; mid and weighted mid.",
        params: toxicity::IMBALANCE_PARAMS,
        build: ImbalanceStage::build,
    },
    StageLine {
        name: "vpin",
        doc: "engine/stages/docs/vpin.md",
        about: "Measures how one-sided the last buckets of equal volume were, by aggressor or by bar.",
        params: toxicity::VPIN_PARAMS,
        build: VpinStage::build,
    },
    StageLine {
        name: "momentum",
        doc: "engine/stages/docs/momentum.md",
        about: "Goes with aggressive flow while the book leans the same way and the flow is not toxic.",
        params: signals::MOMENTUM_PARAMS,
        build: MomentumStage::build,
    },
    StageLine {
        name: "buy-and-hold",
        doc: "engine/stages/docs/buy-and-hold.md",
        about: "Buys every chosen instrument once, at the market.",
        params: signals::BUY_AND_HOLD_PARAMS,
        build: BuyAndHoldStage::build,
    },
    StageLine {
        name: "random",
        doc: "engine/stages/docs/random.md",
        about: "Trades at random, by a seed: every kind of order, for tests.",
        params: signals::RANDOM_PARAMS,
        build: RandomStage::build,
    },
    StageLine {
        name: "orders",
        doc: "engine/stages/docs/orders.md",
        about: "Makes requests of intents, keeps the life cycle of every order, and positions with their money.",
        params: orders::PARAMS,
        build: OrdersStage::build,
    },
    StageLine {
        name: "risk",
        doc: "engine/stages/docs/risk.md",
        about: "Lets orders and replaces pass, or refuses them and says which check, what it allows and what it saw.",
        params: risk::PARAMS,
        build: RiskStage::build,
    },
    StageLine {
        name: "router",
        doc: "engine/stages/docs/router.md",
        about: "Sends what risk let pass, and every cancel, to the configured venue.",
        params: router::PARAMS,
        build: RouterStage::build,
    },
];

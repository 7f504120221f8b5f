//! The registry of stages: one entry each, in pipeline order.
//!
//! Every stage has a fixed position, a number from 1 to 126 that stands in its entry for ever and goes into the ids of its
//! events: who else runs changes no id. Positions rise in the order of the pipeline, with gaps for what is to come; but
//! stages on which no order depends run behind the router. 0 is the ingress, 127 the simulated venue.
//!
//! | positions | whose |
//! |---|---|
//! | 2 | `pulse` |
//! | 8 | `book` |
//! | 16 | `bars` |
//! | 24 | `portfolio` |
//! | 32 to 68, every fourth | families of measures, see [`crate::measures::Family`]; ten at most |
//! | 72 to 99 | strategies, by their number, see [`crate::strategies::StrategyEntry`] |
//! | 104, 112, 120 | `orders`, `risk`, `router` |

use crate::Space;
use crate::bars::{self, BarStage};
use crate::book::{self, BookStage};
use crate::orders::{self, OrdersStage};
use crate::portfolio::{self, PortfolioStage};
use crate::pulse::{self, PulseStage};
use crate::risk::{self, RiskStage};
use crate::router::{self, RouterStage};
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
    /// Its fixed position in the ids of events.
    pub position: u8,
    /// Its parameters.
    pub params: &'static [Param],
    /// Builds the stage; allocates and touches all the memory that it will ever use.
    pub build: Build,
}

flow::registered!(StageEntry);

/// The stage that measures ask for depth.
pub(crate) const BOOK: &str = "book";

/// Every stage that is neither a measure nor a strategy, in pipeline order.
pub const STAGES: &[StageEntry] = &[
    StageEntry {
        name: "pulse",
        doc: "engine/stages/docs/pulse.md",
        about: "Says when all that an input caused has been delivered, so that nobody acts on half-new state.",
        position: 2,
        params: pulse::PARAMS,
        build: PulseStage::build,
    },
    StageEntry {
        name: BOOK,
        doc: "engine/stages/docs/book.md",
        about: "Keeps the order book of every instrument, by order or by level; emits trades, levels and the top.",
        position: 8,
        params: book::PARAMS,
        build: BookStage::build,
    },
    StageEntry {
        name: "bars",
        doc: "engine/stages/docs/bars.md",
        about: "Builds time bars of one or several lengths from trades.",
        position: 16,
        params: bars::PARAMS,
        build: BarStage::build,
    },
    StageEntry {
        name: "portfolio",
        doc: "engine/stages/docs/portfolio.md",
        about: "Books fills and busts once; says what is held, what it cost and what it made.",
        position: 24,
        params: portfolio::PARAMS,
        build: PortfolioStage::build,
    },
    StageEntry {
        name: "orders",
        doc: "engine/stages/docs/orders.md",
        about: "Turns intents into requests; keeps the life cycles of orders.",
        position: 104,
        params: orders::PARAMS,
        build: OrdersStage::build,
    },
    StageEntry {
        name: "risk",
        doc: "engine/stages/docs/risk.md",
        about: "Approves new orders and replaces, or refuses them with the check, its limit and the value.",
        position: 112,
        params: risk::PARAMS,
        build: RiskStage::build,
    },
    StageEntry {
        name: "router",
        doc: "engine/stages/docs/router.md",
        about: "Routes approved orders, and every cancel, to the configured venue.",
        position: 120,
        params: router::PARAMS,
        build: RouterStage::build,
    },
];

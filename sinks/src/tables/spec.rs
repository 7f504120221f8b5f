//! Which tables there are, and what each is made from.
//!
//! Bound: a list of names and kinds.

use flow::{Kind, kind_info};

/// What a table is made from.
#[derive(Clone, Copy, Debug)]
pub struct TableSpec {
    /// Its name.
    pub name: &'static str,
    /// Description, in one sentence.
    pub about: &'static str,
    /// The kinds of events that are rows of it. A kind that follows one of them completes its row.
    pub kinds: &'static [Kind],
}

/// Every table.
pub const TABLES: &[TableSpec] = &[
    TableSpec {
        name: "instruments",
        about: "What is traded: symbol, venue, currency, tick, multiplier; strike and expiry of derivatives.",
        kinds: &[Kind::Listing, Kind::Contract],
    },
    TableSpec { name: "trades", about: "Trades, with the side of the aggressor.", kinds: &[Kind::Trade] },
    TableSpec {
        name: "broken_trades",
        about: "Trades that the venue has taken back: they stay in `trades`.",
        kinds: &[Kind::BrokenTrade],
    },
    TableSpec { name: "quotes", about: "Best bid and ask, as a feed reports them.", kinds: &[Kind::Quote] },
    TableSpec {
        name: "price_bands",
        about: "Limit-up and limit-down prices, as a feed reports them.",
        kinds: &[Kind::Bands],
    },
    TableSpec { name: "book_top", about: "Best bid and ask of the books, as they change.", kinds: &[Kind::BookTop] },
    TableSpec { name: "bars", about: "Bars with their volumes.", kinds: &[Kind::Bar] },
    TableSpec {
        name: "corrected_bars",
        about: "Bars as they are without a trade that was broken after they had closed, or with one that came late: they stay in `bars`.",
        kinds: &[Kind::CorrectedBar],
    },
    TableSpec { name: "order_flow", about: "Signed volume and imbalance.", kinds: &[Kind::Cvd, Kind::Imbalance] },
    TableSpec {
        name: "fates",
        about: "What became of displayed quantity, by level, distance and age.",
        kinds: &[Kind::Fate, Kind::FateShown, Kind::FateApart],
    },
    TableSpec {
        name: "book_measures",
        about: "Spread, order-flow imbalance, depth and price impact of books, and how much their imbalance varies.",
        kinds: &[
            Kind::ImbalanceVariability,
            Kind::QuotedSpread,
            Kind::OrderFlowImbalance,
            Kind::PriceImpact,
            Kind::DepthSlope,
        ],
    },
    TableSpec { name: "bar_flow", about: "Order flow of bars: delta, change, pressures, score.", kinds: &[Kind::Flow] },
    TableSpec {
        name: "footprints",
        about: "Footprints of bars: delta, busiest row, imbalances and stacks.",
        kinds: &[Kind::FootprintBar],
    },
    TableSpec { name: "footprint_rows", about: "Rows of footprints, as they change.", kinds: &[Kind::Footprint] },
    TableSpec {
        name: "exhaustions",
        about: "New extremes of bars where their aggressors hardly traded.",
        kinds: &[Kind::Exhaustion],
    },
    TableSpec {
        name: "absorptions",
        about: "Rows where much was bought or sold, and beyond which price did not go.",
        kinds: &[Kind::Absorption],
    },
    TableSpec {
        name: "layerings",
        about: "Levels of one side that grew at once and were pulled.",
        kinds: &[Kind::Layering],
    },
    TableSpec { name: "profiles", about: "Volume profiles: point of control, value area.", kinds: &[Kind::Profile] },
    TableSpec { name: "profile_rows", about: "Rows of profiles, as they change.", kinds: &[Kind::ProfileRow] },
    TableSpec { name: "profile_nodes", about: "High-volume and low-volume nodes.", kinds: &[Kind::ProfileNode] },
    TableSpec { name: "profile_letters", about: "Half hours in which a row traded.", kinds: &[Kind::ProfileLetters] },
    TableSpec {
        name: "market_states",
        about: "Balance or imbalance after every bar, with what decides it.",
        kinds: &[Kind::MarketState],
    },
    TableSpec { name: "breakouts", about: "Breakouts from ranges, and what became of them.", kinds: &[Kind::Breakout] },
    TableSpec {
        name: "untested",
        about: "Prices that past sessions left untested, and what became of them.",
        kinds: &[Kind::Untested],
    },
    TableSpec { name: "legs", about: "Legs of price, as they close, open again and end.", kinds: &[Kind::Leg] },
    TableSpec { name: "leg_nodes", about: "Rows that stand out of the profiles of legs.", kinds: &[Kind::LegNode] },
    TableSpec { name: "pullbacks", about: "Price that comes back to a node of a leg.", kinds: &[Kind::Pullback] },
    TableSpec {
        name: "lvn_alerts",
        about: "Price close to a low-volume node; the nearest one at every bar.",
        kinds: &[Kind::LvnAlert, Kind::NearestLvn],
    },
    TableSpec {
        name: "market_alerts",
        about: "Changes of market state, and flow that has become aggressive.",
        kinds: &[Kind::StateAlert, Kind::FlowAlert],
    },
    TableSpec { name: "averages", about: "Averages of the closes of bars.", kinds: &[Kind::Average] },
    TableSpec { name: "rsi", about: "Relative strength indices of bars.", kinds: &[Kind::Rsi] },
    TableSpec { name: "macd", about: "Differences of averages of closes, with their signal.", kinds: &[Kind::Macd] },
    TableSpec { name: "atr", about: "Average true ranges of bars.", kinds: &[Kind::Atr] },
    TableSpec { name: "bollinger", about: "Bollinger bands around the closes of bars.", kinds: &[Kind::Bollinger] },
    TableSpec { name: "donchian", about: "Highest and lowest prices of the last bars.", kinds: &[Kind::Donchian] },
    TableSpec {
        name: "vwap",
        about: "Volume-weighted average prices since an anchor, with bands.",
        kinds: &[Kind::Vwap],
    },
    TableSpec { name: "pivots", about: "Pivot levels from the bar or session before.", kinds: &[Kind::Pivots] },
    TableSpec {
        name: "swings",
        about: "Swing highs and lows of bars, and fractals, once confirmed.",
        kinds: &[Kind::Swing],
    },
    TableSpec { name: "volatility", about: "Volatility of bars.", kinds: &[Kind::Volatility] },
    TableSpec {
        name: "regimes",
        about: "Regimes of volatility at every bar, and when they change.",
        kinds: &[Kind::Regime, Kind::RegimeChange],
    },
    TableSpec {
        name: "correlations",
        about: "Correlations of the returns of two instruments.",
        kinds: &[Kind::Correlation],
    },
    TableSpec { name: "event_bars", about: "Bars that the clock does not end.", kinds: &[Kind::EventBar] },
    TableSpec { name: "pace", about: "Number and size of the last trades.", kinds: &[Kind::Pace] },
    TableSpec { name: "signing", about: "How often rules find the aggressor that is told.", kinds: &[Kind::Signing] },
    TableSpec { name: "toxicity", about: "VPIN, by volume bucket.", kinds: &[Kind::Vpin] },
    TableSpec { name: "trade_patterns", about: "Trades that show a pattern.", kinds: &[Kind::TradePattern] },
    TableSpec {
        name: "pattern_scores",
        about: "How aggressive the last trades were, by their patterns.",
        kinds: &[Kind::PatternScore],
    },
    TableSpec {
        name: "venue_scores",
        about: "How toxic the venues of the last trades are.",
        kinds: &[Kind::VenueScore],
    },
    TableSpec {
        name: "blended_toxicity",
        about: "VPIN, venues, patterns and the book in one number.",
        kinds: &[Kind::Toxicity],
    },
    TableSpec { name: "signals", about: "Signals of the strategies.", kinds: &[Kind::Signal] },
    TableSpec { name: "setups", about: "How far the set-ups of strategies are.", kinds: &[Kind::Setup] },
    TableSpec { name: "signal_reasons", about: "The measures that led to a signal.", kinds: &[Kind::Reason] },
    TableSpec {
        name: "orders",
        about: "Everything in the life of an order but its fills: from the intent to the answers of the venue.",
        kinds: &[
            Kind::Intent,
            Kind::Request,
            Kind::CancelRequest,
            Kind::ReplaceRequest,
            Kind::Order,
            Kind::Route,
            Kind::Sent,
            Kind::Arrival,
            Kind::Ack,
            Kind::Reject,
            Kind::Cancelled,
            Kind::OrderStatus,
        ],
    },
    TableSpec {
        name: "fills",
        about: "Fills with their costs, busts, what was booked of them, and executions that nobody here sent.",
        kinds: &[Kind::Fill, Kind::Bust, Kind::Booked, Kind::DropCopy],
    },
    TableSpec { name: "positions", about: "Positions with their money, as they change.", kinds: &[Kind::Position] },
    TableSpec {
        name: "risk_events",
        about: "Refusals, halts, anomalies, doubtful data, states of the market, sessions with venues.",
        kinds: &[
            Kind::Refused,
            Kind::Halt,
            Kind::Anomaly,
            Kind::Gap,
            Kind::DataState,
            Kind::Status,
            Kind::Session,
            Kind::Reconciled,
        ],
    },
    TableSpec {
        name: "commands",
        about: "Commands of operators, and what became of them.",
        kinds: &[Kind::Command, Kind::CommandOutcome],
    },
    TableSpec {
        name: "results",
        about: "What was computed beside the pipeline and entered it.",
        kinds: &[Kind::External],
    },
];

/// The kind that follows this one exactly once and completes its row.
pub(super) fn completes(kind: Kind) -> Option<Kind> {
    let info = flow::follower_of(kind)?;
    let follows = info.follows.expect("it follows");
    follows.times.is_none().then_some(info.kind)
}

/// Whether a table has several kinds, which a column then tells apart.
pub(super) fn has_kinds(spec: &TableSpec) -> bool {
    spec.kinds.len() > 1
}

/// The entry of a kind.
///
/// # Panics
/// When the table of kinds does not have it.
pub(super) fn info(kind: Kind) -> &'static flow::KindInfo {
    kind_info(kind).unwrap_or_else(|| panic!("no record has the kind {kind:?}"))
}

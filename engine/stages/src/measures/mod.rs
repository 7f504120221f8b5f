//! Measures: numbers that describe a market. Each is one file, one registry entry and one page.
//!
//! A [`Measure`] holds its parameters and turns an event into at most one group of records. The host does the rest: the
//! state of every instrument ([`PerInstrument`]), sessions, saving and loading, and the shared [`Context`]. The measures of
//! a [`Family`] run in one stage, the [`Host`]; configurations name measures, never families. Sums of market quantities
//! stay integers; a measure is one division at the end. `docs/measures.md` shows how to add one.
//!
//! Bound: tables by instrument, filled as they are listed. Worst case of an event: that of the most expensive
//! measure; `vpin` on a trade that closes more buckets than its window holds, linear in the window.

pub mod absorption;
pub mod any_bars;
pub mod atr;
pub mod average;
pub mod bollinger;
pub mod breakout;
pub mod correlation;
pub mod cvd;
pub mod depth_slope;
pub mod donchian;
pub mod event_bars;
pub mod fate;
pub mod flow_of_bars;
pub mod footprint;
pub mod imbalance;
pub mod imbalance_variability;
pub mod layering;
pub mod legs;
pub mod lvn_alerts;
pub mod macd;
pub mod market_alerts;
pub mod market_state;
pub mod ofi;
pub mod pace;
pub mod patterns;
pub mod pivots;
pub mod price_impact;
pub mod profile;
pub mod regime;
pub mod rsi;
pub mod signing;
pub mod spread;
pub mod swings;
pub mod toxicity;
pub mod untested;
pub mod venues;
pub mod volatility;
pub mod vpin;
pub mod vwap;

mod bar_hours;
mod by_session;
mod context;
mod entry;
mod gliding;
mod host;
mod last_depth;
mod last_trades;
mod measure;
mod named;
mod of_session;
mod per_instrument;
mod piece;
mod print;
mod rings;
mod session;
mod shown_orders;
mod state;
mod trade;
mod true_range;
mod value_area;

pub use by_session::BySession;
pub use context::{Context, LastTrade, Needs, Touch};
pub use entry::{Build, Family, MeasureEntry};
pub use host::{Host, Many, MeasureSet, One};
pub use last_depth::LastDepth;
pub use measure::Measure;
pub use of_session::OfSession;
pub use per_instrument::PerInstrument;
pub use rings::Rings;
pub use session::Session;
pub use state::MeasureState;
pub use trade::{Aggressor, counted, counted_before};

use flow::{Kind, Kinds};
use measure::{emit, inferred};
use trade::take_out;

/// Every measure; those of a family are adjacent, in the order in which they run.
pub const MEASURES: &[MeasureEntry] = &[
    MeasureEntry {
        name: "cvd",
        doc: "engine/stages/docs/cvd.md",
        about: "Cumulative volume delta: signed volume since the session began, after every trade.",
        params: cvd::PARAMS,
        family: Family::Flow,
        summary: &[(Kind::Cvd, "cvd")],
        build: Build::of::<cvd::Cvd>(),
    },
    MeasureEntry {
        name: "flow",
        doc: "engine/stages/docs/flow.md",
        about: "Order flow of every bar in market hours: delta, its change, pressures, volume ratio and a score.",
        params: flow_of_bars::PARAMS,
        family: Family::Flow,
        summary: &[(Kind::Flow, "score"), (Kind::Flow, "direction")],
        build: Build::of::<flow_of_bars::FlowOfBars>(),
    },
    MeasureEntry {
        name: "footprint",
        doc: "engine/stages/docs/footprint.md",
        about: "Footprints: the volume of a bar by price and side, and what its rows come to when it closes.",
        params: footprint::PARAMS,
        family: Family::Flow,
        summary: &[],
        build: Build::of::<footprint::Footprint>(),
    },
    MeasureEntry {
        name: "pace",
        doc: "engine/stages/docs/pace.md",
        about: "Number, size and sides of the trades of the last minute, after every trade.",
        params: pace::PARAMS,
        family: Family::Flow,
        summary: &[],
        build: Build::of::<pace::Pace>(),
    },
    MeasureEntry {
        name: "signing",
        doc: "engine/stages/docs/signing.md",
        about: "How well the rules that infer an aggressor do, on a feed that tells it.",
        params: signing::PARAMS,
        family: Family::Flow,
        summary: &[
            (Kind::Signing, "trades"),
            (Kind::Signing, "tick_right"),
            (Kind::Signing, "quote_right"),
            (Kind::Signing, "lee_ready_right"),
        ],
        build: Build::of::<signing::Signing>(),
    },
    MeasureEntry {
        name: "event-bars",
        doc: "engine/stages/docs/event-bars.md",
        about: "Bars that end after so many trades, so much volume or value, or once prices lie so far apart.",
        params: event_bars::PARAMS,
        family: Family::Flow,
        summary: &[],
        build: Build::of::<event_bars::EventBars>(),
    },
    MeasureEntry {
        name: "patterns",
        doc: "engine/stages/docs/patterns.md",
        about: "Odd lots, blocks, sweeps, hidden orders and icebergs, and how aggressive the last trades were by them.",
        params: patterns::PARAMS,
        family: Family::Flow,
        summary: &[(Kind::PatternScore, "score")],
        build: Build::of::<patterns::Patterns>(),
    },
    MeasureEntry {
        name: "venues",
        doc: "engine/stages/docs/venues.md",
        about: "How toxic the venues of the last trades are, by a table of values.",
        params: venues::PARAMS,
        family: Family::Flow,
        summary: &[(Kind::VenueScore, "score")],
        build: Build::of::<venues::Venues>(),
    },
    MeasureEntry {
        name: "absorption",
        doc: "engine/stages/docs/absorption.md",
        about: "Prices where much was bought or sold and that price did not go through.",
        params: absorption::PARAMS,
        family: Family::Flow,
        summary: &[],
        build: Build::of::<absorption::Absorption>(),
    },
    MeasureEntry {
        name: "layering",
        doc: "engine/stages/docs/layering.md",
        about: "Levels of one side that grow at once, and whose growth is pulled again: a pattern, no word on an intent.",
        params: layering::PARAMS,
        family: Family::Flow,
        summary: &[],
        build: Build::of::<layering::Layering>(),
    },
    MeasureEntry {
        name: "imbalance",
        doc: "engine/stages/docs/imbalance.md",
        about: "Book imbalance at the touch and over the best levels; mid and weighted mid.",
        params: imbalance::PARAMS,
        family: Family::Book,
        summary: &[],
        build: Build::of::<imbalance::Imbalance>(),
    },
    MeasureEntry {
        name: "fate",
        doc: "engine/stages/docs/fate.md",
        about: "Liquidity fate: how much displayed quantity was taken, pulled or moved, by level, side, distance and age.",
        params: fate::PARAMS,
        family: Family::Book,
        summary: &[],
        build: Build::of::<fate::Fate>(),
    },
    MeasureEntry {
        name: "imbalance-variability",
        doc: "engine/stages/docs/imbalance-variability.md",
        about: "Variability of the book imbalance: how far it swings about its mean, second by second.",
        params: imbalance_variability::PARAMS,
        family: Family::Book,
        summary: &[(Kind::ImbalanceVariability, "variability")],
        build: Build::of::<imbalance_variability::ImbalanceVariability>(),
    },
    MeasureEntry {
        name: "spread",
        doc: "engine/stages/docs/spread.md",
        about: "Quoted spread in price and in basis points of the mid; whether the touch is locked or crossed.",
        params: spread::PARAMS,
        family: Family::Book,
        summary: &[(Kind::QuotedSpread, "spread"), (Kind::QuotedSpread, "bps")],
        build: Build::of::<spread::Spread>(),
    },
    MeasureEntry {
        name: "ofi",
        doc: "engine/stages/docs/ofi.md",
        about: "Order-flow imbalance: what changes of best bid and ask add to demand and supply.",
        params: ofi::PARAMS,
        family: Family::Book,
        summary: &[(Kind::OrderFlowImbalance, "session")],
        build: Build::of::<ofi::Ofi>(),
    },
    MeasureEntry {
        name: "price-impact",
        doc: "engine/stages/docs/price-impact.md",
        about: "Price impact: how much the mid moves with signed volume, over the last intervals.",
        params: price_impact::PARAMS,
        family: Family::Book,
        summary: &[(Kind::PriceImpact, "slope"), (Kind::PriceImpact, "r2")],
        build: Build::of::<price_impact::KyleLambda>(),
    },
    MeasureEntry {
        name: "depth-slope",
        doc: "engine/stages/docs/depth-slope.md",
        about: "Slope of depth: how much quantity a book gains with the distance from its mid.",
        params: depth_slope::PARAMS,
        family: Family::Book,
        summary: &[],
        build: Build::of::<depth_slope::DepthSlope>(),
    },
    MeasureEntry {
        name: "vpin",
        doc: "engine/stages/docs/vpin.md",
        about: "VPIN: how one-sided the last buckets of equal volume were, by aggressor or by bar.",
        params: vpin::PARAMS,
        family: Family::Toxicity,
        summary: &[(Kind::Vpin, "vpin"), (Kind::Vpin, "buckets")],
        build: Build::of::<vpin::Vpin>(),
    },
    MeasureEntry {
        name: "toxicity",
        doc: "engine/stages/docs/toxicity.md",
        about: "How toxic a market is: VPIN, venues, patterns of trades and the book together.",
        params: toxicity::PARAMS,
        family: Family::Blend,
        summary: &[(Kind::Toxicity, "toxicity"), (Kind::Toxicity, "label")],
        build: Build::of::<toxicity::Toxicity>(),
    },
    MeasureEntry {
        name: "profile",
        doc: "engine/stages/docs/profile.md",
        about: "Volume profile: volume by price, point of control, value areas and nodes, of sessions and of the last hour.",
        params: profile::PARAMS,
        family: Family::Profile,
        summary: &[],
        build: Build::of::<profile::VolumeProfile>(),
    },
    MeasureEntry {
        name: "state",
        doc: "engine/stages/docs/state.md",
        about: "Market state after every bar in market hours: balance, or imbalance upwards or downwards.",
        params: market_state::PARAMS,
        family: Family::State,
        summary: &[(Kind::MarketState, "state"), (Kind::MarketState, "published_state")],
        build: Build::of::<market_state::MarketState>(),
    },
    MeasureEntry {
        name: "breakout",
        doc: "engine/stages/docs/breakout.md",
        about: "Breakouts from the value area of the session before, or of the last hour, and what becomes of them.",
        params: breakout::PARAMS,
        family: Family::State,
        summary: &[],
        build: Build::of::<breakout::Breakout>(),
    },
    MeasureEntry {
        name: "untested",
        doc: "engine/stages/docs/untested.md",
        about: "Prices that past sessions left untested: naked points of control and unfinished extremes.",
        params: untested::PARAMS,
        family: Family::State,
        summary: &[],
        build: Build::of::<untested::Untested>(),
    },
    MeasureEntry {
        name: "legs",
        doc: "engine/stages/docs/legs.md",
        about: "Legs of price out of a range and back into it, their nodes of volume, and pullbacks to these.",
        params: legs::PARAMS,
        family: Family::Legs,
        summary: &[],
        build: Build::of::<legs::Legs>(),
    },
    MeasureEntry {
        name: "lvn-alerts",
        doc: "engine/stages/docs/lvn-alerts.md",
        about: "Alerts when price comes close to a low-volume node of past sessions or of a leg; the nearest at every bar.",
        params: lvn_alerts::PARAMS,
        family: Family::Alerts,
        summary: &[],
        build: Build::of::<lvn_alerts::LvnAlerts>(),
    },
    MeasureEntry {
        name: "market-alerts",
        doc: "engine/stages/docs/market-alerts.md",
        about: "Says once that a market has come into another state, and that flow has become aggressive.",
        params: market_alerts::PARAMS,
        family: Family::Alerts,
        summary: &[],
        build: Build::of::<market_alerts::MarketAlerts>(),
    },
    MeasureEntry {
        name: "average",
        doc: "engine/stages/docs/average.md",
        about: "Averages of the closes of bars: exponential or simple.",
        params: average::PARAMS,
        family: Family::Indicators,
        summary: &[(Kind::Average, "average")],
        build: Build::of::<average::Average>(),
    },
    MeasureEntry {
        name: "rsi",
        doc: "engine/stages/docs/rsi.md",
        about: "Relative strength index: how much of the moves of closes went up, as Wilder has it.",
        params: rsi::PARAMS,
        family: Family::Indicators,
        summary: &[(Kind::Rsi, "rsi")],
        build: Build::of::<rsi::Rsi>(),
    },
    MeasureEntry {
        name: "macd",
        doc: "engine/stages/docs/macd.md",
        about: "Moving average convergence and divergence: a fast average less a slow one, its average, and what lies between.",
        params: macd::PARAMS,
        family: Family::Indicators,
        summary: &[(Kind::Macd, "macd"), (Kind::Macd, "histogram")],
        build: Build::of::<macd::Macd>(),
    },
    MeasureEntry {
        name: "atr",
        doc: "engine/stages/docs/atr.md",
        about: "Average true range of bars, as Wilder has it.",
        params: atr::PARAMS,
        family: Family::Indicators,
        summary: &[(Kind::Atr, "atr")],
        build: Build::of::<atr::Atr>(),
    },
    MeasureEntry {
        name: "bollinger",
        doc: "engine/stages/docs/bollinger.md",
        about: "Bollinger bands: the mean of the last closes, and some standard deviations above and below it.",
        params: bollinger::PARAMS,
        family: Family::Indicators,
        summary: &[],
        build: Build::of::<bollinger::Bollinger>(),
    },
    MeasureEntry {
        name: "donchian",
        doc: "engine/stages/docs/donchian.md",
        about: "Donchian channel: the highest and the lowest price of the bars before, and of the last ones with the bar.",
        params: donchian::PARAMS,
        family: Family::Indicators,
        summary: &[],
        build: Build::of::<donchian::Donchian>(),
    },
    MeasureEntry {
        name: "vwap",
        doc: "engine/stages/docs/vwap.md",
        about: "Volume-weighted average price since the session or another anchor began, with bands about it.",
        params: vwap::PARAMS,
        family: Family::Indicators,
        summary: &[(Kind::Vwap, "vwap")],
        build: Build::of::<vwap::Vwap>(),
    },
    MeasureEntry {
        name: "pivots",
        doc: "engine/stages/docs/pivots.md",
        about: "Classic pivot levels from high, low and close of the session before.",
        params: pivots::PARAMS,
        family: Family::Indicators,
        summary: &[],
        build: Build::of::<pivots::Pivots>(),
    },
    MeasureEntry {
        name: "swings",
        doc: "engine/stages/docs/swings.md",
        about: "Swing highs and lows of bars, confirmed as many bars later.",
        params: swings::PARAMS,
        family: Family::Indicators,
        summary: &[],
        build: Build::of::<swings::Swings>(),
    },
    MeasureEntry {
        name: "volatility",
        doc: "engine/stages/docs/volatility.md",
        about: "Volatility of bars: from the returns of closes, and from their ranges.",
        params: volatility::PARAMS,
        family: Family::Indicators,
        summary: &[(Kind::Volatility, "volatility")],
        build: Build::of::<volatility::Volatility>(),
    },
    MeasureEntry {
        name: "regime",
        doc: "engine/stages/docs/regime.md",
        about: "Regime of volatility: low, normal or high, by the percentile of realised volatility in its own history.",
        params: regime::PARAMS,
        family: Family::Indicators,
        summary: &[(Kind::Regime, "regime"), (Kind::Regime, "percentile")],
        build: Build::of::<regime::Regime>(),
    },
    MeasureEntry {
        name: "correlation",
        doc: "engine/stages/docs/correlation.md",
        about: "Correlation of the returns of each two instruments, over the last bars of up to 64 of them.",
        params: correlation::PARAMS,
        family: Family::Pairs,
        summary: &[],
        build: Build::of::<correlation::Correlation>(),
    },
];

/// The kinds that a summary of measures reads.
pub const SUMMARY_KINDS: Kinds = entry::summary_kinds(MEASURES);

/// The kinds that measures emit.
pub const MEASURE_KINDS: Kinds = entry::emitted_kinds(MEASURES);

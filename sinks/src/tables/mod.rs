//! The events of a run as tables of a database: which tables there are, their columns, and rows.
//!
//! **Idea.** A table names the kinds of events that it is made from, and nothing else: its [columns](Column) follow from the
//! records of these kinds, so a field that is added to a record is a column, and a new kind needs one word here. Every row has
//! the key of its event (`journal`, `seq`, `position`, `ordinal`), so the same row written twice is one row. A kind that follows
//! another completes its row. What is not known is absent, in every column. Prices and money are integers of 1e-9, which no
//! database rounds.
//!
//! Bound: [`Rows`] keeps the listings and at most one waiting row a table and source. Worst case: a fill whose cost never comes
//! waits for [`rows::PATIENCE`] events, then it is written without it.

mod column;
pub mod rows;
#[cfg(test)]
mod tests;
mod value;

pub use column::{Column, ColumnType, SCALED};
pub use rows::{Row, Rows, Taken, id_of};
pub use value::Value;

use column::columns;
use flow::{Kind, Kinds, kind_info};

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
    TableSpec { name: "book_top", about: "Best bid and ask of the books, as they change.", kinds: &[Kind::BookTop] },
    TableSpec { name: "bars", about: "Bars with their volumes.", kinds: &[Kind::Bar] },
    TableSpec { name: "order_flow", about: "Signed volume and imbalance.", kinds: &[Kind::Cvd, Kind::Imbalance] },
    TableSpec { name: "toxicity", about: "VPIN, by volume bucket.", kinds: &[Kind::Vpin] },
    TableSpec { name: "signals", about: "Signals of the strategies.", kinds: &[Kind::Signal] },
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

/// A table with its columns.
#[derive(Debug)]
pub struct Table {
    /// What it is made from.
    pub spec: &'static TableSpec,
    /// Its columns, the common ones first.
    pub columns: Vec<Column>,
}

impl Table {
    /// The table of a spec.
    pub fn of(spec: &'static TableSpec) -> Table {
        Table { spec, columns: columns(spec) }
    }

    /// The kinds that it reads: its own, and those that follow them.
    pub fn reads(&self) -> Kinds {
        let own = self.spec.kinds.iter().map(|kind| Kinds::of(&[*kind]));
        let all = own.chain(self.spec.kinds.iter().filter_map(|kind| completes(*kind)).map(|kind| Kinds::of(&[kind])));
        all.fold(Kinds::NONE, Kinds::or)
    }
}

/// The kind that follows this one exactly once and completes its row.
fn completes(kind: Kind) -> Option<Kind> {
    let info = flow::follower_of(kind)?;
    let follows = info.follows.expect("it follows");
    follows.times.is_none().then_some(info.kind)
}

/// Whether a table has several kinds, which a column then tells apart.
fn has_kinds(spec: &TableSpec) -> bool {
    spec.kinds.len() > 1
}

/// The entry of a kind.
///
/// # Panics
/// When the table of kinds does not have it.
fn info(kind: Kind) -> &'static flow::KindInfo {
    kind_info(kind).unwrap_or_else(|| panic!("no record has the kind {kind:?}"))
}

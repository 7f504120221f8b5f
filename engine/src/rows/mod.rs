//! Rows: events of any kind as JSON lines or CSV, for people and for cross-checks with other systems.
//!
//! The columns of a kind, their order and their format follow from its entry in [`flow::KINDS`]: fields, flags, the owner
//! of an order id and, if one kind follows another, the fields of both. A joined row is printed when all followers have
//! arrived from the same source and on the same instrument, before another first of that kind from there: what two venues send
//! may lie between. A first without its followers prints no row. Only `depth` is made here, rebuilt from level changes. `schema`
//! prints the same columns; their names are a public contract.
//!
//! Bound: one waiting first with its followers per kind and source; `depth` keeps every level that it receives.

mod cell;
mod column;
mod depth;
mod fields;
mod filter;
mod one;
mod render;
mod schema;
pub(crate) mod words;
mod write;

pub use cell::Cell;
pub use column::Column;
pub use fields::{Shown, fields};
pub(crate) use fields::{price, quantity};
pub use filter::{Filter, FilterError, parse_time};
pub(crate) use one::row;
pub(crate) use render::value;
pub use schema::{RowKind, row_kind, row_kinds};
pub use write::{Format, RowSink};

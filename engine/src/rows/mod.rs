//! Rows: any kind of event as JSON lines or CSV, for people and for checks against the world.
//!
//! The columns of a kind, their order and how their values are printed follow from its entry in [`flow::KINDS`]: fields,
//! flags, the owner of an order id, and, where one kind follows another, the fields of both. A row of two kinds is
//! printed when the followers have come: on the same instrument, with no other first of that kind between; a first
//! without its followers has no row. Only `depth` is made here: it is rebuilt from level changes. The same columns are
//! what `schema` prints, and their names are a public contract.
//!
//! Bound: one waiting first with its followers a kind; `depth` keeps every level that it is shown.

mod cell;
mod column;
mod depth;
mod filter;
mod names;
mod render;
mod schema;
mod write;

pub use cell::Cell;
pub use column::Column;
pub use filter::{Filter, FilterError, parse_time};
pub use names::Names;
pub(crate) use render::value;
pub use schema::{RowKind, row_kind, row_kinds};
pub use write::{Format, RowSink};

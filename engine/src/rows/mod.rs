//! Rows: any kind of event as JSON lines or CSV, for people and for checks against the world.
//!
//! The columns of a kind follow from its record ([`flow::KINDS`]); a few kinds are shown in their own way (a bar is
//! joined from its two events, depth is rebuilt from level changes). The table of columns is the one that `schema`
//! prints: names are a public contract.

mod cell;
mod depth;
mod filter;
mod join;
mod orders;
mod render;
mod schema;
mod words;
mod write;

pub use cell::Cell;
pub use filter::{Filter, FilterError, parse_time};
pub use schema::{Column, RowKind, row_kind, row_kinds};
pub use write::{Format, RowSink};

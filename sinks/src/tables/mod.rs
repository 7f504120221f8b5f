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
mod spec;
mod table;
#[cfg(test)]
mod tests;
mod value;

pub use column::{Column, ColumnType, SCALED};
pub use rows::{Row, Rows, Taken, id_of};
pub use spec::{TABLES, TableSpec};
pub use table::Table;
pub use value::Value;

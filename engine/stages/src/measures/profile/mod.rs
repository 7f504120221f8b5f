//! Volume profile: how much was traded at which price.

mod grid;
mod nodes;
mod rows;
mod shape;

pub use grid::Grid;
pub use nodes::{Node, NodeFinder, Nodes};
pub use rows::{Profile, RowSums, Rows};
pub use shape::{Shape, Span};

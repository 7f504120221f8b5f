//! A plan as a drawing: groups with their cores and stages, what joins them, what comes in and what goes out.
//!
//! [`Graph`] holds plain values in the order of the pipeline; text for people (80 columns), Graphviz, Mermaid and JSON are
//! four ways to write the same values.

mod drawing;
#[cfg(test)]
mod tests;
mod text;
mod values;

pub use values::{Graph, Input, Node, Output, Venue};

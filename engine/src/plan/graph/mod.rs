//! Draws a plan: groups with their cores and stages, the links between them, sources, venues and sinks.
//!
//! [`Graph`] holds plain values in pipeline order. Text (80 columns), Graphviz, Mermaid and JSON are four renderings of the
//! same values.

mod drawing;
#[cfg(test)]
mod tests;
mod text;
mod values;

pub use values::{Graph, Input, Node, Output, Venue};

//! How a process does, over HTTP: `/metrics`, `/healthz`, `/readyz` and `/version`.
//!
//! **Idea.** A thread of its own answers. It takes numbers from atomics that the threads of the run publish, and from what a
//! follower of the journal [has read](crate::last_values); it asks the pipeline nothing, so a scrape changes no latency but
//! by the cache lines that it reads. One [`table`] has every name with its unit, and the rule by which they are made.
//!
//! Bound: 64 connections, and one value a group, ring, stage, feed, venue, sink, limit, check and kind.
//! Worst case: histograms of all stages are copied at each scrape, 29 KiB a stage.

mod engine;
mod exposed;
mod http;
mod scrape;
mod sink;
pub mod table;

pub use engine::EngineMetrics;
pub use exposed::Exposed;
pub use http::{Endpoint, EndpointError, Served};
pub use scrape::{Format, Scrape};
pub use sink::SinkMetrics;

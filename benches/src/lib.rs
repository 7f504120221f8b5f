//! Benchmarks: what they share.
//!
//! Every program under `benches/` measures one part of the pipeline beside its rivals, in the same process, on the same
//! bytes, in rounds that alternate between them ([`rounds`]): what else the machine does then hits all of them alike, and
//! the ratio can be trusted where the nanoseconds cannot. What `tidegate bench` measures too is measured by the same code
//! ([`tidegate::bench`]); here are the rivals. [`market`] makes the bytes, [`day`] runs the book on them, [`naive`], [`naive_stages`] and
//! [`naive_momentum`] are what one would write with the standard collections, [`report`] prints and stores the figures with the host that they were
//! measured on, [`results`] makes the page of results.
//!
//! Bound: each program runs for less than a minute, `families` for some, and holds its bytes in memory.

#![forbid(unsafe_code)]

pub mod alone;
pub mod chain;
pub mod day;
pub mod fused;
pub mod market;
pub mod naive;
pub mod naive_momentum;
pub mod naive_stages;
pub mod report;
pub mod results;
pub mod rounds;

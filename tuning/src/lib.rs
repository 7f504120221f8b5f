//! The machine.
//!
//! A latency without the host that it was measured on says nothing: [`Host`] is the fingerprint that stands beside every figure.
//! What a host does to latency the [`checks`] find, with what mends it; [`change`] does so and takes it back; [`Jitter`] measures
//! what is left. Everything is read from `/proc` and `/sys`; what a host does not tell is left empty, never guessed.

#![forbid(unsafe_code)]

pub mod change;
pub mod checks;
pub mod cores;
mod host;
mod jitter;
mod memory;
mod root;
mod topology;

pub use cores::Cores;
pub use host::{Host, Steal};
pub use jitter::Jitter;
pub use memory::Free;
pub use root::Root;
pub use topology::{Core, Topology};

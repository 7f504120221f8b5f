//! The machine.
//!
//! A latency without the host that it was measured on says nothing. [`Host`] is the fingerprint that stands beside every
//! figure. Everything is read from `/proc` and `/sys`; what a host does not tell is left empty, never guessed.

#![forbid(unsafe_code)]

mod host;
mod memory;

pub use host::{Host, Steal};
pub use memory::Free;

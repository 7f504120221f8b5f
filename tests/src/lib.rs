//! What the whole-system tests share.
//!
//! [`Case`] is a test on recorded market data: it names the files that it needs, and where they are missing the test is
//! reported as ignored, by its name, instead of passing without having looked at anything. [`tidegate()`] is the binary
//! under test, never older than the sources; [`run`] calls it and gives back what a user would see.

#![forbid(unsafe_code)]

mod binary;
mod case;
mod chance;
mod framing;
pub mod http;
pub mod journals;
pub mod ledger;
mod prometheus;
mod questdb;
pub mod rig;
mod scratch;
mod venue;

pub use binary::{Outcome, run, tidegate};
pub use case::{Case, conclude, data};
pub use chance::{draw, seed};
pub use framing::{Frame, Inlet, Outlet};
pub use prometheus::Prometheus;
pub use questdb::QuestDb;
pub use scratch::Scratch;
pub use venue::Venue;

use std::path::PathBuf;

/// The root of the project.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("this package stands in a folder of the project").to_owned()
}

/// How much a test does: `quick` in every run, `full` where `TIDEGATE_FULL` is set, which `.ci/long` does.
pub fn amount(quick: u64, full: u64) -> u64 {
    if std::env::var_os("TIDEGATE_FULL").is_some() { full } else { quick }
}

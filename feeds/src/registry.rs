//! The registry of feeds: one line each.

use chrono::NaiveDate;
use flow::{Param, Params, Source};
use std::path::PathBuf;

/// What a feed is opened with.
#[derive(Clone, Debug)]
pub struct Request {
    /// Files of this input, in order; most feeds take one.
    pub paths: Vec<PathBuf>,
    /// Trading date in the exchange's zone, for feeds that count from midnight.
    pub date: Option<NaiveDate>,
    /// The feed's own parameters.
    pub params: Params,
}

/// Why a feed could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{what}; {next}")]
pub struct OpenError {
    /// What is wrong, with the file.
    pub what: String,
    /// What the user can do.
    pub next: String,
}

/// A line of the registry.
pub struct Feed {
    /// Name in configurations and on the command line.
    pub name: &'static str,
    /// Page of documentation.
    pub doc: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What can be set.
    pub params: &'static [Param],
    /// Whether the first bytes (uncompressed) of a file are this feed's.
    pub recognise: fn(&[u8]) -> bool,
    /// Opens it.
    pub open: fn(&Request) -> Result<Box<dyn Source>, OpenError>,
}

flow::registered!(Feed);

/// Every feed.
pub const FEEDS: &[Feed] = &[crate::dbn::FEED, crate::itch::FEED, crate::lobster::FEED, crate::synthetic::FEED];

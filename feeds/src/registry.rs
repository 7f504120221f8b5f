//! The registry of feeds: one line each.

use crate::reader::StreamSource;
use chrono::NaiveDate;
use flow::{Decoder, Param, Params, Source};
use std::io::Read;
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

/// An input that was found and recognised, and is not read yet.
pub struct Opened {
    /// Path, and member if there is one.
    pub name: String,
    /// What the user ought to know.
    pub warnings: Vec<String>,
    /// Decodes the streams, a window for each.
    pub decoder: Box<dyn Decoder>,
    /// Uncompressed bytes.
    pub streams: Vec<Box<dyn Read + Send>>,
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
    /// Finds what a request names.
    pub find: fn(&Request) -> Result<Opened, OpenError>,
}

impl Feed {
    /// Opens an input: a thread a stream begins to read.
    ///
    /// # Errors
    /// When it is not there or not of this feed.
    pub fn open(&self, request: &Request) -> Result<Box<dyn Source>, OpenError> {
        let Opened { name, warnings, decoder, streams } = (self.find)(request)?;
        Ok(Box::new(StreamSource::new(decoder, streams).named(name).warned(warnings)))
    }
}

flow::registered!(Feed);

/// Every feed.
pub const FEEDS: &[Feed] = &[crate::dbn::FEED, crate::itch::FEED, crate::lobster::FEED, crate::synthetic::FEED];

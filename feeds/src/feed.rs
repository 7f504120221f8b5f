//! What a feed is: its entry in the registry, and how it finds its input.

use chrono::NaiveDate;
use flow::{Decoder, Param, Params};
use std::io::Read;
use std::path::{Path, PathBuf};

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

/// Why a feed did not find its input.
#[derive(Debug)]
pub enum FindError {
    /// It cannot be opened.
    Open(OpenError),
    /// It is of another feed.
    OtherFeed {
        /// The file.
        path: PathBuf,
        /// The first bytes of its stream, uncompressed.
        head: Vec<u8>,
    },
}

impl FindError {
    /// The file is of another feed: `head` are the first bytes of its stream.
    pub fn other_feed(path: &Path, head: &[u8]) -> FindError {
        FindError::OtherFeed { path: path.to_owned(), head: head.to_vec() }
    }
}

impl From<OpenError> for FindError {
    fn from(error: OpenError) -> FindError {
        FindError::Open(error)
    }
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
    /// Finds what a request names; [`Feed::opened`] says what to do when that is of another feed.
    pub find: fn(&Request) -> Result<Opened, FindError>,
}

flow::registered!(Feed);

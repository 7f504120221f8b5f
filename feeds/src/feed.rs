//! The types of a feed: its registry entry, and how it finds its input.

use chrono::NaiveDate;
use flow::{Decoder, Param, Params, Source};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What to open, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The files of this input.
    pub paths: Vec<PathBuf>,
    /// Trading date in the exchange's time zone, for feeds whose times count from midnight.
    pub date: Option<NaiveDate>,
    /// The feed's own parameters.
    pub params: Params,
}

impl Request {
    /// The file of an input that is one file.
    pub(crate) fn path(&self) -> &Path {
        self.paths.first().map_or(Path::new(""), PathBuf::as_path)
    }
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
    /// It belongs to another feed.
    OtherFeed {
        /// The file.
        path: PathBuf,
        /// The first bytes of its stream, uncompressed.
        head: Vec<u8>,
    },
}

impl FindError {
    /// The error for a file of another feed; `head` is the start of its uncompressed stream.
    pub fn other_feed(path: &Path, head: &[u8]) -> FindError {
        FindError::OtherFeed { path: path.to_owned(), head: head.to_vec() }
    }
}

impl From<OpenError> for FindError {
    fn from(error: OpenError) -> FindError {
        FindError::Open(error)
    }
}

/// An input that was found and recognised but not read yet.
pub struct Opened {
    /// The path, and the archive member if there is one.
    pub name: String,
    /// Warnings for the user.
    pub warnings: Vec<String>,
    /// Decodes the streams; it gets one window per stream.
    pub decoder: Box<dyn Decoder>,
    /// The uncompressed bytes, one reader per stream.
    pub streams: Vec<Box<dyn Read + Send>>,
    /// Bytes of memory that reading takes, besides the buffers of the streams.
    pub memory: u64,
    /// What part of a dataset it is, where definitions may stand in a file of their own.
    pub part: Option<DatasetPart>,
}

/// The part of a dataset that an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatasetPart {
    /// The dataset's code, padded with zeros; `None` for a pipe, which says it once it is read.
    pub dataset: Option<[u8; 16]>,
    /// Whether it has definitions alone.
    pub defines: bool,
}

/// An entry of the registry.
pub struct Feed {
    /// Name in configuration files and on the command line.
    pub name: &'static str,
    /// Path of its documentation page.
    pub doc: &'static str,
    /// One-line description.
    pub about: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// How its inputs are opened.
    pub open: Open,
}

/// How a feed opens an input.
pub enum Open {
    /// As bytes, which a decoder turns into inputs.
    Bytes {
        /// The files of one input.
        files: Files,
        /// Whether these first uncompressed bytes of a file belong to this feed.
        recognise: fn(&[u8]) -> bool,
        /// Finds the files of a request; [`Feed::opened`] turns the error for another feed's file into advice.
        find: fn(&Request) -> Result<Opened, FindError>,
    },
    /// As a source of its own that gives what happens now. It neither connects nor starts a thread before its first poll.
    Live(fn(&Request) -> Result<Box<dyn Source>, OpenError>),
}

/// The files of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// None: it reads no file.
    None,
    /// One a day: several are read one after the other.
    OneADay,
    /// Several, which are one input together: parts of one recording.
    Together,
    /// Several of any days, symbols and sorts, merged by time into one input.
    Merged,
}

impl Feed {
    /// The files of one of its inputs.
    pub fn files(&self) -> Files {
        match self.open {
            Open::Bytes { files, .. } => files,
            Open::Live(_) => Files::None,
        }
    }

    /// Whether its inputs are live.
    pub fn is_live(&self) -> bool {
        matches!(self.open, Open::Live(_))
    }

    /// Whether these first uncompressed bytes of a file belong to this feed.
    pub fn recognises(&self, head: &[u8]) -> bool {
        match self.open {
            Open::Bytes { recognise, .. } => recognise(head),
            Open::Live(_) => false,
        }
    }
}

flow::registered!(Feed);

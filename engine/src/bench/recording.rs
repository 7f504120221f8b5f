//! A file in memory, to be decoded again and again.
//!
//! The feed is recognised by the first bytes as everywhere, and a packed file is unpacked once. Each round gets a fresh
//! decoder and fresh windows before its time begins. Bound: at most as many bytes as asked for, twice: once as they
//! were read and once in the windows of a round. What is left over at the end of a cut file is not decoded.

use chrono::NaiveDate;
use feeds::{FEEDS, Feed, OpenError, Opened, Request};
use flow::{Decoder, Params, Window};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Why a file cannot be measured on.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It is not there, or not of a feed.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// No feed knows it.
    #[error("{}: no feed recognises its first bytes; say which it is with --feed ({names})", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The feeds.
        names: String,
    },
    /// It cannot be read to its end.
    #[error("{}: {error}; get the file again: it is damaged or truncated", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What of which file.
#[derive(Clone)]
pub struct Wanted {
    /// The file.
    pub path: PathBuf,
    /// Its feed, if the first bytes shall not tell.
    pub feed: Option<&'static Feed>,
    /// Its trading date, for feeds that count from midnight.
    pub date: Option<NaiveDate>,
    /// Bytes of each stream that are read at most.
    pub most: u64,
}

/// A file's uncompressed bytes and what decodes them.
pub struct Recording {
    feed: &'static Feed,
    request: Request,
    streams: Vec<Vec<u8>>,
    whole: bool,
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or no feed knows it.
    pub fn read(wanted: &Wanted) -> Result<Recording, RecordingError> {
        let path = &wanted.path;
        let feed = match wanted.feed {
            Some(feed) => feed,
            None => recognised(path)?,
        };
        let request = Request { paths: vec![path.clone()], date: wanted.date, params: Params::defaults(feed.params) };
        let (mut streams, mut whole) = (Vec::new(), true);
        for stream in feed.opened(&request)?.streams {
            let mut bytes = Vec::new();
            let read = stream.take(wanted.most + 1).read_to_end(&mut bytes);
            read.map_err(|error| RecordingError::Read { path: path.clone(), error })?;
            whole &= bytes.len() as u64 <= wanted.most;
            bytes.truncate(wanted.most as usize);
            streams.push(bytes);
        }
        Ok(Recording { feed, request, streams, whole })
    }

    /// The feed.
    pub fn feed(&self) -> &'static Feed {
        self.feed
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.request.paths[0]
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> u64 {
        self.streams.iter().map(|s| s.len() as u64).sum()
    }

    /// Whether all of the file was read.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// A decoder that has seen nothing yet, with its name for messages.
    ///
    /// # Errors
    /// When the file is gone meanwhile.
    pub fn decoder(&self) -> Result<(String, Box<dyn Decoder>), OpenError> {
        let Opened { name, decoder, .. } = self.feed.opened(&self.request)?;
        Ok((name, decoder))
    }

    /// Windows on all that was read, a window a stream.
    pub fn windows(&self) -> Vec<Window> {
        let window = |bytes: &Vec<u8>| {
            let mut window = Window::with_capacity(bytes.len());
            window.append(bytes);
            if self.whole {
                window.end();
            }
            window
        };
        self.streams.iter().map(window).collect()
    }
}

fn recognised(path: &Path) -> Result<&'static Feed, RecordingError> {
    let name = feeds::recognised_as(path)?;
    name.and_then(|name| flow::find(FEEDS, name)).ok_or_else(|| RecordingError::Unknown {
        path: path.to_owned(),
        names: FEEDS.iter().map(|f| f.name).collect::<Vec<_>>().join(", "),
    })
}

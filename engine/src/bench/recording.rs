//! A file in memory, decoded again and again.
//!
//! The feed is recognised by its first bytes, as everywhere, and a compressed file is decompressed once. Each round gets a
//! fresh decoder and fresh windows before its time begins. Bound: at most as many bytes as requested, twice: once as read,
//! and once in the windows of a round. An incomplete message at the end of a cut file is not decoded.

use chrono::NaiveDate;
use feeds::{Feed, OpenError, Opened, Request};
use flow::{Decoder, Params, Window};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Why a file cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It does not exist, or cannot be opened by a feed.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// No feed recognises it.
    #[error("{}: no feed recognises its first bytes; name the feed with --feed ({names})", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The feeds.
        names: String,
    },
    /// It cannot be read to its end.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What to read from which file.
#[derive(Clone)]
pub struct Wanted {
    /// The file.
    pub path: PathBuf,
    /// Its feed; `None` = recognised by the first bytes.
    pub feed: Option<&'static Feed>,
    /// The feeds that it may be of.
    pub known: Vec<&'static Feed>,
    /// Its trading date, for feeds whose times count from midnight.
    pub date: Option<NaiveDate>,
    /// Most bytes read of each stream.
    pub most: u64,
}

/// A file's uncompressed bytes, and the feed that decodes them.
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
    /// When it cannot be read or no feed recognises it.
    pub fn read(wanted: &Wanted) -> Result<Recording, RecordingError> {
        let path = &wanted.path;
        let feed = match wanted.feed {
            Some(feed) => feed,
            None => recognised(wanted)?,
        };
        let request = Request { paths: vec![path.clone()], date: wanted.date, params: Params::defaults(feed.params) };
        let (mut streams, mut whole) = (Vec::new(), true);
        for stream in feed.opened(&request, &wanted.known)?.streams {
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

    /// Number of bytes in memory.
    pub fn bytes(&self) -> u64 {
        self.streams.iter().map(|s| s.len() as u64).sum()
    }

    /// Whether the whole file was read.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// A fresh decoder, with its name for messages.
    ///
    /// # Errors
    /// When the file no longer exists.
    pub fn decoder(&self) -> Result<(String, Box<dyn Decoder>), OpenError> {
        let Opened { name, decoder, .. } = self.feed.opened(&self.request, &[])?;
        Ok((name, decoder))
    }

    /// Windows on all bytes read, one per stream.
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

fn recognised(wanted: &Wanted) -> Result<&'static Feed, RecordingError> {
    feeds::recognised_as(&wanted.path, &wanted.known)?.ok_or_else(|| RecordingError::Unknown {
        path: wanted.path.clone(),
        names: wanted.known.iter().map(|f| f.name).collect::<Vec<_>>().join(", "),
    })
}

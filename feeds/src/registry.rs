//! The registry of feeds: one entry each.

use crate::feed::{Feed, FindError, OpenError, Opened, Request};
use crate::reader::{HEAD, Later, ReadFault, StreamSource, head_of, heads, is_pipe};
use flow::Source;
use std::io::{Cursor, Read};
use std::path::Path;

/// Every feed.
pub const FEEDS: &[Feed] = &[crate::dbn::FEED, crate::itch::FEED, crate::lobster::FEED, crate::synthetic::FEED];

/// Finds the inputs of a run without reading them; only files that define instruments of other inputs are read, whole.
pub fn found(inputs: &[(&'static Feed, Request)]) -> Vec<Result<Opened, OpenError>> {
    let mut found: Vec<_> = inputs.iter().map(|(feed, request)| feed.opened(request)).collect();
    crate::dbn::join(&mut found);
    found
}

impl Feed {
    /// Finds an input without reading it.
    ///
    /// # Errors
    /// When a file is missing or does not belong to this feed; the error then names the feed that it looks like.
    pub fn opened(&'static self, request: &Request) -> Result<Opened, OpenError> {
        let mut opened = (self.find)(request).map_err(|error| match error {
            FindError::Open(error) => error,
            FindError::OtherFeed { path, head } => wrong_feed(&path, self.name, &head),
        })?;
        if request.paths.iter().any(|path| is_pipe(path)) {
            opened.streams = opened.streams.into_iter().map(|bytes| self.expected(&opened.name, bytes)).collect();
        }
        Ok(opened)
    }

    /// The bytes of a pipe that should belong to this feed, as is seen once they are read.
    fn expected(&'static self, name: &str, mut bytes: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        let name = name.to_owned();
        Box::new(Later::new(move || {
            let head = head_of(&mut bytes, HEAD, |head| looks_like(head).is_some())?;
            match looks_like(&head) {
                _ if head.is_empty() => {
                    return Err(ReadFault::new(format!("nothing came from {name}"), "check what writes to it").into());
                }
                Some(other) if other != self.name => {
                    let OpenError { what, next } = wrong_feed(Path::new(&name), self.name, &head);
                    return Err(ReadFault::new(format!("{what}; {next}"), "nothing of it was used").into());
                }
                // What no feed recognises, the decoder can describe.
                _ => {}
            }
            Ok(Box::new(Cursor::new(head).chain(bytes)) as Box<dyn Read + Send>)
        }))
    }

    /// Opens an input and starts one reader thread per stream.
    ///
    /// # Errors
    /// When a file is missing or does not belong to this feed.
    pub fn open(&'static self, request: &Request) -> Result<Box<dyn Source>, OpenError> {
        Ok(self.opened(request)?.start())
    }
}

impl Opened {
    /// Starts one reader thread per stream.
    pub fn start(self) -> Box<dyn Source> {
        let Opened { name, warnings, decoder, streams, .. } = self;
        Box::new(StreamSource::new(decoder, streams).with_name(name).with_warnings(warnings))
    }

    /// About how many bytes of memory reading takes.
    pub fn memory(&self) -> u64 {
        self.memory + self.streams.len() as u64 * StreamSource::MEMORY
    }
}

/// The feed that a file belongs to: the first entry of [`FEEDS`] that recognises one of its streams. Waits for the first
/// bytes of a pipe, which are not lost.
///
/// # Errors
/// As [`open_streams`](crate::reader::open_streams).
pub fn recognised_as(path: &Path) -> Result<Option<&'static str>, OpenError> {
    for head in heads(path, |head| looks_like(head).is_some())? {
        if let Some(feed) = looks_like(&head?) {
            return Ok(Some(feed));
        }
    }
    Ok(None)
}

fn looks_like(head: &[u8]) -> Option<&'static str> {
    FEEDS.iter().find(|f| (f.recognise)(head)).map(|f| f.name)
}

/// The error for a `path` that does not belong to `feed`; `head` is the start of its stream.
fn wrong_feed(path: &Path, feed: &str, head: &[u8]) -> OpenError {
    let first = &head[..head.len().min(8)];
    let hex = first.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
    let text: String = first.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' }).collect();
    let what = format!("{} is not {feed} data (first bytes: {hex}, {text:?})", path.display());
    let next = match looks_like(head) {
        Some(other) if other != feed => format!("it looks like {other}: use --feed {other}"),
        _ => {
            let names = FEEDS.iter().map(|f| f.name).collect::<Vec<_>>().join(", ");
            format!("check the file; feeds are: {names}")
        }
    };
    OpenError { what, next }
}

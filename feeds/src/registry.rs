//! The registry of feeds: one entry each.

use crate::days::{self, Days};
use crate::feed::{Feed, Files, FindError, Open, OpenError, Opened, Request};
use crate::reader::{self, HEAD, Later, ReadFault, StreamSource, head_of, heads, is_pipe};
use flow::Source;
use std::io::{Cursor, Read};
use std::path::Path;

/// The feeds that a binary knows.
pub type Known<'a> = &'a [&'static Feed];

/// Every feed of this crate.
pub const FEEDS: Known = &[
    &crate::alpaca::FEED,
    &crate::csv::FEED,
    &crate::dbn::FEED,
    &crate::itch::FEED,
    &crate::lean::FEED,
    &crate::lobster::FEED,
    &crate::packed::FEED,
    &crate::synthetic::FEED,
];

/// An input that can be started.
pub enum Input {
    /// Bytes and their decoder.
    Bytes(Opened),
    /// Files of days, each with its decoder, in order.
    Days(Vec<Opened>),
    /// A live source.
    Live(Box<dyn Source>),
}

/// Finds the inputs of a run without reading them; only files that define instruments of other inputs are read, whole. `known`
/// are the feeds that advice names.
pub fn found(inputs: &[(&'static Feed, Request)], known: Known) -> Vec<Result<Input, OpenError>> {
    let mut found: Vec<_> = inputs.iter().map(|(feed, request)| feed.input(request, known)).collect();
    let bytes = found.iter_mut().flat_map(|input| match input {
        Ok(Input::Bytes(opened)) => std::slice::from_mut(opened),
        Ok(Input::Days(files)) => files.as_mut_slice(),
        _ => &mut [],
    });
    crate::dbn::join(bytes.collect());
    found
}

impl Feed {
    /// Finds an input without reading it or connecting to it.
    ///
    /// # Errors
    /// When a file is missing, or does not belong to this feed; the error then names the one of `known` that it looks like.
    pub fn input(&'static self, request: &Request, known: Known) -> Result<Input, OpenError> {
        match self.open {
            Open::Bytes { files: Files::OneADay, .. } if request.paths.len() > 1 => {
                let files = days::requests(request)?.into_iter().map(|day| self.opened(&day, known));
                Ok(Input::Days(files.collect::<Result<_, _>>()?))
            }
            Open::Bytes { .. } => Ok(Input::Bytes(self.opened(request, known)?)),
            Open::Live(open) => {
                self.check_files(request)?;
                open(request).map(Input::Live)
            }
        }
    }

    /// [`Feed::input`] of a feed of bytes.
    ///
    /// # Errors
    /// As [`Feed::input`], and for a live feed.
    pub fn opened(&'static self, request: &Request, known: Known) -> Result<Opened, OpenError> {
        let Open::Bytes { find, .. } = self.open else {
            let next = "name a feed of recorded data".to_owned();
            return Err(OpenError { what: format!("the {} feed is live and has no bytes to read", self.name), next });
        };
        self.check_files(request)?;
        let mut opened = find(request).map_err(|error| match error {
            FindError::Open(error) => error,
            FindError::OtherFeed { path, head } => wrong_feed(&path, self.name, &head, known),
        })?;
        opened.memory += request.paths.iter().map(|path| reader::memory(path)).sum::<u64>();
        if request.paths.iter().any(|path| is_pipe(path)) {
            let expected = |bytes| self.expected(&opened.name, bytes, known);
            opened.streams = std::mem::take(&mut opened.streams).into_iter().map(expected).collect();
        }
        Ok(opened)
    }

    /// Whether it takes as many files as are given.
    fn check_files(&self, request: &Request) -> Result<(), OpenError> {
        let (what, next) = match (self.files(), request.paths.as_slice()) {
            (Files::None, [first, ..]) => (
                format!("the {} feed reads no file, but {} was given", self.name, first.display()),
                "leave the file out, or name the feed that reads it",
            ),
            (Files::OneADay, []) => {
                (format!("the {} feed has no file", self.name), "name its file, or one for each day")
            }
            (Files::OneADay, [_, _, ..]) => {
                (format!("one file of {} is read here, not {}", self.name, request.paths.len()), "give one file")
            }
            _ => return Ok(()),
        };
        Err(OpenError { what, next: next.to_owned() })
    }

    /// The bytes of a pipe that should belong to this feed, as is seen once they are read.
    fn expected(&'static self, name: &str, mut bytes: Box<dyn Read + Send>, known: Known) -> Box<dyn Read + Send> {
        let (name, known) = (name.to_owned(), known.to_vec());
        Box::new(Later::new(move || {
            let head = head_of(&mut bytes, HEAD, |head| looks_like(head, &known).is_some())?;
            match looks_like(&head, &known) {
                _ if head.is_empty() => {
                    return Err(ReadFault::new(format!("nothing came from {name}"), "check what writes to it").into());
                }
                Some(other) if other.name != self.name => {
                    let OpenError { what, next } = wrong_feed(Path::new(&name), self.name, &head, &known);
                    return Err(ReadFault::new(format!("{what}; {next}"), "nothing of it was used").into());
                }
                // What no feed recognises, the decoder can describe.
                _ => {}
            }
            Ok(Box::new(Cursor::new(head).chain(bytes)) as Box<dyn Read + Send>)
        }))
    }
}

impl Input {
    /// The path, and the archive member if there is one; of several days the first and the last; of a live input what it calls
    /// itself.
    pub fn name(&self) -> String {
        match self {
            Input::Bytes(opened) => opened.name.clone(),
            Input::Days(files) => days::name(files),
            Input::Live(source) => source.name().to_owned(),
        }
    }

    /// Its instruments are below this number.
    pub fn instruments(&self) -> u32 {
        match self {
            Input::Bytes(opened) => opened.decoder.instruments(),
            Input::Days(files) => files.iter().map(|file| file.decoder.instruments()).max().unwrap_or(0),
            Input::Live(source) => source.instruments(),
        }
    }

    /// About how many bytes of memory it takes.
    pub fn memory(&self) -> u64 {
        match self {
            Input::Bytes(opened) => opened.memory(),
            Input::Days(files) => days::memory(files),
            Input::Live(source) => source.memory(),
        }
    }

    /// Starts it; of bytes, one reader thread per stream.
    pub fn start(self) -> Box<dyn Source> {
        match self {
            Input::Bytes(opened) => opened.start(),
            Input::Days(files) => Box::new(Days::start(files)),
            Input::Live(source) => source,
        }
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

/// The feed that a file belongs to: the first of `known` that recognises one of its streams. Waits for the first
/// bytes of a pipe, which are not lost.
///
/// # Errors
/// As [`open_streams`](crate::reader::open_streams).
pub fn recognised_as(path: &Path, known: Known) -> Result<Option<&'static Feed>, OpenError> {
    for head in heads(path, |head| looks_like(head, known).is_some())? {
        if let Some(feed) = looks_like(&head?, known) {
            return Ok(Some(feed));
        }
    }
    Ok(None)
}

fn looks_like(head: &[u8], known: Known) -> Option<&'static Feed> {
    known.iter().copied().find(|feed| feed.recognises(head))
}

/// The error for a `path` that does not belong to `feed`; `head` is the start of its stream.
fn wrong_feed(path: &Path, feed: &str, head: &[u8], known: Known) -> OpenError {
    let first = &head[..head.len().min(8)];
    let hex = first.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
    let text: String = first.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' }).collect();
    let what = format!("{} is not {feed} data (first bytes: {hex}, {text:?})", path.display());
    let next = match looks_like(head, known).map(|other| other.name) {
        Some(other) if other != feed => format!("it looks like {other}: use --feed {other}"),
        _ => {
            let names = known.iter().map(|f| f.name).collect::<Vec<_>>().join(", ");
            format!("check the file; feeds are: {names}")
        }
    };
    OpenError { what, next }
}

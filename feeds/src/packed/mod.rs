//! Packed days: a recorded day once decoded, in a form that is read whole or by instrument.
//!
//! A day of ITCH has 400 million messages of 8,000 stocks, and most readers want a hundred of them. In the vendors' files the
//! messages of all stocks lie among each other, so even what is skipped must be read and looked at. [`Packer`] takes the
//! inputs of any decoder and writes them in segments of about a million; in a segment the inputs of an instrument lie together
//! as a run, so those of others are neither read nor unpacked. Each input keeps its record and its place in the stream, so a
//! replay of the whole gives the inputs of the original bit for bit, and one of some instruments gives what the original gives
//! of them.
//!
//! Inputs are told from those before them in few bytes (`model`), with no compression beside that: decoding is loads and
//! additions, and a byte of the file belongs to one instrument. The page `feeds/docs/packed.md` has the form byte by byte.
//! Bound: a segment, packed and once more as inputs while it is written. Worst case: a file is damaged, which is found before
//! anything of the damaged run is given.

mod decode;
mod decoder;
mod encode;
mod end;
mod fields;
mod model;
mod packer;
mod predict;
mod seal;
mod store;
mod unpack;

pub use end::{About, Contents};
pub use packer::{Packer, SEGMENT};
pub use seal::seal;

use crate::reader::{ReadFault, open_streams};
use crate::{Feed, Files, FindError, Open, OpenError, Opened, Request};
use decoder::Packed;
use flow::Source;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use store::{OnDisk, Store};
use unpack::Unpacked;

/// The entry in the registry.
pub const FEED: Feed = Feed {
    name: "packed",
    doc: "feeds/docs/packed.md",
    about: "A day that `tidegate pack` has written: any feed's inputs, read whole or by instrument",
    params: &[],
    open: Open::Bytes { files: Files::OneADay, recognise: |head| head.starts_with(end::MAGIC), find },
};

/// How the name of a packed file ends.
pub const SUFFIX: &str = "tidepack";

fn find(request: &Request) -> Result<Opened, FindError> {
    let path = request.path();
    let mut streams = open_streams(path)?;
    let Some(first) = streams.next().transpose()? else { return Err(FindError::other_feed(path, &[])) };
    let shown = path.display().to_string();
    let not_in_place = |what: &str, next: &str| OpenError { what: format!("{shown} {what}"), next: next.to_owned() };
    if first.is_pipe {
        let next = "give the file by its path";
        return Err(not_in_place("is a pipe, and a packed file is read at its places", next).into());
    }
    if !first.may_be(|head| head.starts_with(end::MAGIC)) {
        return Err(FindError::other_feed(path, &first.head));
    }
    if first.is_member || !begins_packed(path) {
        let next = "unpack it and give the plain file";
        return Err(not_in_place("is compressed, and a packed file is read at its places", next).into());
    }
    let mut store = OnDisk::new(path.to_owned());
    let contents = store::contents(&mut store).map_err(|e| {
        let found = ReadFault::of(&e);
        let next = found.at_start().to_owned();
        OpenError { what: found.what, next }
    })?;
    Ok(opened(OnDisk::new(path.to_owned()), shown, contents))
}

/// What a file was packed from.
///
/// # Errors
/// When it is no packed file, or not whole.
pub fn about(path: &Path) -> io::Result<About> {
    Ok(store::contents(&mut OnDisk::new(path.to_owned()))?.about)
}

/// Whether the file itself begins as a packed one, and not what it holds.
fn begins_packed(path: &Path) -> bool {
    let mut first = [0; end::MAGIC.len()];
    OnDisk::new(path.to_owned()).read_at(&mut first, 0).is_ok() && first == *end::MAGIC
}

/// An input from a store whose contents are known.
fn opened(store: impl Store + 'static, name: String, contents: Contents) -> Opened {
    let memory = memory(&contents);
    let (asks, asked) = channel();
    let contents = Arc::new(contents);
    let decoder = Box::new(Packed::new(Arc::clone(&contents), asks));
    let stream: Box<dyn Read + Send> = Box::new(Unpacked::new(store, contents, asked));
    Opened { name, warnings: Vec::new(), decoder, streams: vec![stream], memory, part: None }
}

/// About how many bytes unpacking takes: a segment, and a cursor and the last inputs for each of its runs.
fn memory(contents: &Contents) -> u64 {
    const A_RUN: u64 = 256 + 64 * (model::SLOTS as u64 + 1);
    let largest = contents.segments.iter().map(|at| at.head_len + at.runs_len).max().unwrap_or(0);
    largest + contents.names.len() as u64 * A_RUN + (unpack::SLICE * size_of::<model::Item>()) as u64
}

/// A packed file in memory as a source, for tests and tools without a file.
///
/// # Errors
/// When it is not whole.
pub fn source(bytes: Vec<u8>) -> io::Result<Box<dyn Source>> {
    let mut store = bytes;
    let contents = store::contents(&mut store)?;
    Ok(opened(store, "memory".to_owned(), contents).start())
}

/// Unpacks arbitrary bytes, for a fuzz target, and calls `each` on every input; the first bytes that are wrong end it. Never panics.
///
/// # Errors
/// When the bytes are no packed file, or a damaged one.
pub fn unpack(
    bytes: Vec<u8>,
    watched: flow::Selection,
    mut each: impl FnMut(&flow::Event, u64),
) -> io::Result<Contents> {
    let mut store = bytes;
    let contents = store::contents(&mut store)?;
    let opened = opened(store, "memory".to_owned(), contents.clone());
    let (mut decoder, mut streams) = (opened.decoder, opened.streams);
    decoder.watch(&watched);
    let mut windows = [flow::Window::with_capacity(1 << 16)];
    let (mut inputs, mut block) = (flow::Inputs::with_capacity(1 << 10), vec![0; 1 << 14]);
    loop {
        let step = decoder.decode(&mut windows, &mut inputs);
        while let Some((event, record)) = inputs.front() {
            each(event, record);
            inputs.pop();
        }
        match step.map_err(io::Error::other)? {
            flow::Step::Ended => return Ok(contents),
            flow::Step::Full => {}
            flow::Step::Starved => {
                let most = block.len().min(windows[0].room());
                match streams[0].read(&mut block[..most])? {
                    0 => windows[0].end(),
                    n => windows[0].append(&block[..n]),
                }
            }
        }
    }
}

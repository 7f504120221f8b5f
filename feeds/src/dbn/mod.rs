//! Databento Binary Encoding, versions 1 to 3.
//!
//! The `dbn` crate reads the bytes; this feed maps each record to inputs of the pipeline: orders, levels, quotes,
//! trades, bars, definitions and statuses. See [`Dbn`] and the feed's page.
//!
//! Bound: one buffer, and one slot per instrument up to 65,535. Worst case: an MBP-10 record that changes all of its
//! levels.

mod bars;
mod decoder;
mod fields;
mod instruments;
mod tally;
mod translate;

pub use decoder::Dbn;

use crate::reader::open_streams;
use crate::{Feed, FindError, OpenError, Opened, Request, drive};
use flow::Ns;

/// The entry in the registry.
pub const FEED: Feed = Feed {
    name: "dbn",
    doc: "feeds/docs/dbn.md",
    about: "Databento DBN versions 1 to 3, any schema, plain or zstd",
    params: &[],
    recognise,
    find,
};

fn recognise(head: &[u8]) -> bool {
    decoder::is_header(head)
}

fn find(request: &Request) -> Result<Opened, FindError> {
    let [path] = request.paths.as_slice() else {
        return Err(OpenError {
            what: format!("a dbn input is one file, not {}", request.paths.len()),
            next: "give each file as a separate input: inputs are merged by time".to_owned(),
        }
        .into());
    };
    let mut streams = open_streams(path)?;
    let Some(first) = streams.next().transpose()? else { return Err(FindError::other_feed(path, &[])) };
    if streams.next().is_some() || !recognise(&first.head) {
        return Err(FindError::other_feed(path, &first.head));
    }
    let (name, decoder) = (path.display().to_string(), Box::new(Dbn::new()));
    Ok(Opened { name, warnings: Vec::new(), decoder, streams: vec![first.read], memory: 0 })
}

/// Decodes arbitrary bytes, for a fuzz target; the first byte says how they are cut. Never panics.
pub fn fuzz(bytes: &[u8]) {
    let [cut, stream @ ..] = bytes else { return };
    let mut last = Ns(0);
    // An error is as valid an outcome as success.
    let _ = drive::run(&mut Dbn::new(), &[stream], usize::from(*cut) * 16, 0, |event, _| last = event.ts);
}

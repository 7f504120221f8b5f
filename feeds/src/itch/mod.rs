//! Nasdaq TotalView-ITCH 5.0.
//!
//! [`ItchDecoder`] finds messages in a BinaryFILE or in the MoldUDP64 packets of a capture; [`wire`] reads and writes
//! them; `translate` turns them into inputs, with a fast path for the frequent types in `table`. One pass, no order
//! table: keeping a book is the book stage's task.

mod capture;
mod decoder;
mod fragments;
mod mold;
mod packets;
mod sequencer;
mod stocks;
mod table;
mod translate;
mod venue;
pub mod wire;

pub use decoder::ItchDecoder;

use crate::reader::{Stream, date, open_streams};
use crate::{Feed, Files, FindError, Open, OpenError, Opened, Request};
use capture::Capture;
use std::path::Path;
use venue::VENUE;

/// The entry in the registry.
pub const FEED: Feed = Feed {
    name: NAME,
    doc: "feeds/docs/itch.md",
    about: "Nasdaq TotalView-ITCH 5.0: BinaryFILE, or MoldUDP64 in pcap and pcapng",
    params: &[VENUE.param()],
    open: Open::Bytes { files: Files::OneADay, recognise, find },
};

const NAME: &str = "itch";

/// How many bytes longer than specified a message may be and still identify a file as ITCH.
const APPENDED: usize = 32;

/// Whether these are the first bytes of a capture or of a BinaryFILE. A BinaryFILE's first message of a known type must
/// have about its specified length and a time of day; anything before it must at least look like a message.
fn recognise(head: &[u8]) -> bool {
    Capture::recognise(head) || {
        let mut rest = head;
        loop {
            let Some((len, bytes)) = rest.split_first_chunk::<2>() else { return false };
            let len = usize::from(u16::from_be_bytes(*len));
            let Some(code) = bytes.first().filter(|_| len > 0) else { return false };
            let known = usize::from(wire::LENGTHS[usize::from(*code)]);
            if known > 0 && (known..=known + APPENDED).contains(&len) {
                return wire::head_of(bytes).is_none_or(|h| h.timestamp < wire::DAY_NS);
            }
            match bytes.get(len..) {
                Some(next) if code.is_ascii_alphabetic() => rest = next,
                _ => return false,
            }
        }
    }
}

/// Whether the session ended before it began.
fn is_empty_session(head: &[u8]) -> bool {
    head.starts_with(&[0, 0])
}

fn find(request: &Request) -> Result<Opened, FindError> {
    let path = request.path();
    let stream = choose(path)?;
    let file = path.display().to_string();
    let date = date::choose(request.date, &[&stream.name, &file]);
    let named = || venue::in_name(&stream.name).or_else(|| venue::in_name(&file));
    let venue = request.params.get(VENUE).or_else(named);
    let name = if stream.is_member { format!("{file}:{}", stream.name) } else { file };
    let decoder = Box::new(ItchDecoder::new(date).at_venue(venue));
    Ok(Opened { name, warnings: Vec::new(), decoder, streams: vec![stream.read], memory: 0, part: None })
}

/// The ITCH stream of the file: the file itself, or the one matching member of a zip.
fn choose(path: &Path) -> Result<Stream, FindError> {
    let ours = |head: &[u8]| recognise(head) || is_empty_session(head);
    let (mut found, mut count, mut first) = (None, 0, None);
    for stream in open_streams(path)? {
        let stream = stream?;
        if stream.may_be(ours) {
            count += 1;
            found.get_or_insert(stream);
        } else {
            first.get_or_insert(stream.head);
        }
    }
    match (found, count) {
        (Some(one), 1) => Ok(one),
        (None, _) => Err(FindError::other_feed(path, &first.unwrap_or_default())),
        _ => Err(OpenError {
            what: format!("{} has {} ITCH members", path.display(), count),
            next: "unpack it and give each file as a separate input".to_owned(),
        }
        .into()),
    }
}

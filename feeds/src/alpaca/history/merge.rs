//! The rows of all symbols and channels, merged by time and packed.
//!
//! Of rows at the same time trades come before quotes and quotes before bars, so that a trade's aggressor follows from the quote strictly before it, and then by
//! symbol. A row is due at its time, a bar at its end; one whose time goes back comes at that of the row before it. A trade that was
//! cancelled, or that a later one corrects, is left out. Bound: a row of each symbol and channel; a file is open for each.

use super::ask::{Ask, Channel};
use super::going::FetchError;
use super::kept::{Spans, spans};
use super::rows::message;
use crate::alpaca::handover::clear;
use crate::alpaca::translate::{INSTRUMENTS, Translator};
use crate::packed::{About, Contents, Packer};
use flow::{Count, Inputs, Ns};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::BufRead;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MINUTE: u64 = 60 * Ns::SECOND;
/// Bytes read at once of a symbol.
const BLOCK: usize = 1 << 14;

/// What was packed.
pub struct Merged<W> {
    /// What was written to.
    pub to: W,
    /// What it holds.
    pub contents: Contents,
}

/// The rows of a symbol of a channel.
struct Stream {
    channel: Channel,
    symbol: String,
    file: BufReader<File>,
    /// The spans that are still to be read, last first, and how many bytes of the first are left.
    spans: Vec<[u64; 2]>,
    left: u64,
    row: Vec<u8>,
    due: Ns,
}

impl Stream {
    fn open(path: &Path, channel: Channel, symbol: String, mut spans: Vec<[u64; 2]>) -> io::Result<Stream> {
        spans.reverse();
        let file = BufReader::with_capacity(BLOCK, File::open(path)?);
        Ok(Stream { channel, symbol, file, spans, left: 0, row: Vec::new(), due: Ns(0) })
    }

    /// Reads the next row and when it is due; `false` at the end.
    fn next(&mut self) -> io::Result<bool> {
        while self.left == 0 {
            let Some([from, to]) = self.spans.pop() else { return Ok(false) };
            self.file.seek(SeekFrom::Start(from))?;
            self.left = to - from;
        }
        self.row.clear();
        let count = self.file.by_ref().take(self.left).read_until(b'\n', &mut self.row)? as u64;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count;
        Ok(true)
    }
}

fn is_taken_back(update: &str) -> bool {
    ["canceled", "incorrect"].contains(&update)
}

/// Packs the rows of these files, each of a channel.
///
/// # Errors
/// When a file fails, or it was stopped.
pub fn packed<W: Write>(
    ask: &Ask,
    files: &[(Channel, PathBuf)],
    to: W,
    stops: &dyn Fn() -> bool,
) -> Result<Merged<W>, FetchError> {
    let failed =
        |e: io::Error| FetchError::File(format!("packing fails: {e}; choose another folder or free some space"));
    let channels: Vec<_> = files.iter().map(|(channel, _)| *channel).collect();
    let mut streams = Vec::new();
    for (channel, path) in files {
        let found: Spans = spans(path).map_err(failed)?;
        for (symbol, spans) in found {
            streams.push(Stream::open(path, *channel, symbol, spans).map_err(failed)?);
        }
    }
    let mut merge = Merge { translator: Translator::new(ask.manner()), taken_back: 0, unreadable: 0, rows: 0 };
    let mut to = Packer::new(to).map_err(failed)?;
    let mut waiting = BinaryHeap::new();
    for (at, stream) in streams.iter_mut().enumerate() {
        if merge.look(stream).map_err(failed)? {
            waiting.push(Reverse((stream.due, stream.channel, at)));
        }
    }
    let mut inputs = Inputs::with_capacity(0);
    while let Some(Reverse((.., at))) = waiting.pop() {
        if merge.rows.is_multiple_of(1 << 12) && stops() {
            return Err(FetchError::Stopped);
        }
        let stream = &mut streams[at];
        merge.give(stream, &mut inputs);
        for input in inputs.waiting() {
            to.push(input, merge.rows).map_err(failed)?;
        }
        clear(&mut inputs);
        if merge.look(stream).map_err(failed)? {
            waiting.push(Reverse((stream.due, stream.channel, at)));
        }
    }
    let (to, contents) = to.finish(merge.about(ask.name(&channels))).map_err(failed)?;
    Ok(Merged { to, contents })
}

struct Merge {
    translator: Translator,
    taken_back: u64,
    unreadable: u64,
    rows: u64,
}

impl Merge {
    /// Reads the next row of a stream that is to be given.
    fn look(&mut self, stream: &mut Stream) -> io::Result<bool> {
        while stream.next()? {
            let row = message(stream.channel, &stream.symbol, &stream.row);
            let time = row.as_ref().ok().and_then(|message| message.t.time());
            match (row, time) {
                (Ok(row), _) if stream.channel == Channel::Trades && is_taken_back(row.u.text()) => {
                    self.taken_back += 1
                }
                (Ok(_), Some(time)) => {
                    let end = if stream.channel == Channel::Bars { MINUTE } else { 0 };
                    stream.due = stream.due.max(Ns(time.0.saturating_add(end)));
                    return Ok(true);
                }
                _ => self.unreadable += 1,
            }
        }
        Ok(false)
    }

    fn give(&mut self, stream: &Stream, to: &mut Inputs) {
        self.rows += 1;
        // It was read once already; what the translator finds wrong it counts.
        if let Ok(row) = message(stream.channel, &stream.symbol, &stream.row) {
            let _ = self.translator.message(&row, stream.due, to);
        }
    }

    fn about(&self, name: String) -> About {
        let mut counts = self.translator.counts();
        let count = |name: &str, count| Count { name: name.to_owned(), count };
        counts.push(count("rows of trades that were taken back", self.taken_back));
        counts.push(count("rows that cannot be read", self.unreadable));
        let counts: Vec<_> = counts.into_iter().filter(|count| count.count > 0).collect();
        let unreadable =
            (self.unreadable > 0).then(|| format!("{} rows cannot be read and are left out", self.unreadable));
        About {
            feed: "alpaca".to_owned(),
            source: name,
            instruments: INSTRUMENTS,
            records: self.rows,
            counts,
            warnings: unreadable.into_iter().collect(),
        }
    }
}

//! Spans of a compressed file decompressed side by side, and read in order.
//!
//! The thread that reads the file starts a helper for each of the next spans, one less than there are cores, since the
//! pipeline spins on one, and at most [`MOST_HELPERS`]; each opens the file for itself, decompresses its span into blocks and
//! waits when it has [`BLOCKS`] of them. The reader takes the blocks of the first span, then those of the next. Where a helper
//! does not stop at the end of its span, or fails, the stream goes on and ends with what it gave, as if it were alone: what
//! the others did is dropped, so bytes and errors are those of one thread. A helper ends when the reader does, at its next
//! block.
//!
//! A file of one span has no helper, and neither has a host of two cores: the thread that reads does the work there. Bound:
//! [`memory`] of a file: for each helper [`BLOCKS`] blocks and two on their ways, and what its decompressor keeps. Worst case:
//! one long frame after the other; a helper is at most its blocks ahead.

use super::compression::{Compression, decompress, decompress_span};
use super::fault::ReadFault;
use super::later::Bytes;
use super::parts::Span;
use super::spans::{Spans, WINDOW};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

#[cfg(test)]
mod tests;

/// Helpers of a file, at most.
const MOST_HELPERS: usize = 4;
/// Compressed bytes of a span, at least: some milliseconds of work.
const LEAST: u64 = 1 << 20;
/// Bytes per block.
const BLOCK: usize = 64 << 10;
/// Blocks that wait of one helper: the content of a frame as `pzstd` makes them.
const BLOCKS: usize = 128;

/// How a file is divided.
#[derive(Clone, Copy)]
struct Division {
    /// Spans that are decompressed at once.
    helpers: usize,
    /// Compressed bytes of a span, at least.
    least: u64,
}

impl Division {
    fn of_this_machine() -> Division {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Division { helpers: (cores - 1).min(MOST_HELPERS), least: LEAST }
    }

    /// The first span of a file that has several, and the others.
    fn cut(self, file: File, compression: Compression) -> Option<(Span, Spans)> {
        let mut spans = Spans::of(file, compression, self.least).filter(|_| self.helpers > 1)?;
        spans.next().filter(|first| first.stop.is_some()).map(|first| (first, spans))
    }

    fn open(self, path: &Path, name: &str, compression: Compression) -> io::Result<Bytes> {
        let file = File::open(path)?;
        let Some((first, spans)) = self.cut(file.try_clone()?, compression) else {
            return Ok(decompress(file, name, compression));
        };
        let work = Work { path: path.to_owned(), name: name.to_owned(), compression, spare: Spare::default() };
        let running = VecDeque::from([Helper::start(&work, first)]);
        Ok(Box::new(Ahead { work, most: self.helpers, spans, running }))
    }
}

/// Bytes of memory that the helpers of a file take at most.
pub(super) fn memory(file: File, compression: Compression) -> u64 {
    let division = Division::of_this_machine();
    let helpers = division.cut(file, compression).map_or(0, |_| division.helpers as u64);
    helpers * (((BLOCKS + 2) * BLOCK) as u64 + 2 * WINDOW)
}

/// The uncompressed bytes of a file, which is no pipe and no zip.
///
/// # Errors
/// When it cannot be opened.
pub(super) fn open(path: &Path, name: &str, compression: Compression) -> io::Result<Bytes> {
    Division::of_this_machine().open(path, name, compression)
}

/// What every helper needs.
#[derive(Clone)]
struct Work {
    path: PathBuf,
    name: String,
    compression: Compression,
    spare: Spare,
}

/// Blocks that were read, for the next helper.
#[derive(Clone, Default)]
struct Spare(Arc<Mutex<Vec<Box<[u8]>>>>);

impl Spare {
    fn take(&self) -> Box<[u8]> {
        let block = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        block.unwrap_or_else(|| vec![0; BLOCK].into_boxed_slice())
    }

    fn put(&self, block: Option<Box<[u8]>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(block);
    }
}

/// What a helper gives.
enum Piece {
    /// So many bytes of a block.
    Block(Box<[u8]>, usize),
    /// The next span goes on.
    Stopped,
    /// The stream ends.
    Ended,
    Failed(io::Error),
}

impl Work {
    /// Decompresses a span until nobody wants it any more.
    fn run(&self, span: Span, to: &SyncSender<Piece>) {
        let stopped = Arc::new(AtomicBool::new(false));
        let mut bytes = match self.open(span, stopped.clone()) {
            Ok(bytes) => bytes,
            Err(e) => return drop(to.send(Piece::Failed(e))),
        };
        loop {
            let (mut block, mut len) = (self.spare.take(), 0);
            let last = loop {
                match bytes.read(&mut block[len..]) {
                    Ok(0) if stopped.load(Ordering::Relaxed) => break Some(Piece::Stopped),
                    Ok(0) => break Some(Piece::Ended),
                    Ok(n) => len += n,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => break Some(Piece::Failed(e)),
                }
                if len == block.len() {
                    break None;
                }
            };
            if to.send(Piece::Block(block, len)).is_err() {
                return;
            }
            if let Some(last) = last {
                return drop(to.send(last));
            }
        }
    }

    fn open(&self, span: Span, stopped: Arc<AtomicBool>) -> io::Result<Bytes> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(span.from))?;
        Ok(decompress_span(file, &self.name, self.compression, span, stopped))
    }
}

/// The reader's end of a helper.
struct Helper {
    pieces: Receiver<Piece>,
    /// The block that is read, and which of its bytes are left.
    block: Option<Box<[u8]>>,
    left: Range<usize>,
}

impl Helper {
    fn start(work: &Work, span: Span) -> Helper {
        let (to, pieces) = sync_channel(BLOCKS);
        let work = work.clone();
        // If the thread could not start, its end is dropped, which is reported like a thread that died.
        let _ = thread::Builder::new().name("feed-unpack".to_owned()).spawn(move || work.run(span, &to));
        Helper { pieces, block: None, left: 0..0 }
    }

    /// Copies what is left of its block.
    fn copy(&mut self, to: &mut [u8]) -> usize {
        let left = self.block.as_ref().map_or(&[][..], |block| &block[self.left.clone()]);
        let n = to.len().min(left.len());
        to[..n].copy_from_slice(&left[..n]);
        self.left.start += n;
        n
    }

    /// Waits for what comes next.
    fn next(&mut self) -> Piece {
        let stopped = "a thread that decompresses stopped";
        let gone = |_| Piece::Failed(ReadFault::new(stopped, "this is a fault of the program: report it").into());
        self.pieces.recv().unwrap_or_else(gone)
    }
}

/// The bytes of a file whose spans are decompressed ahead.
struct Ahead {
    work: Work,
    /// Helpers at once.
    most: usize,
    spans: Spans,
    /// In the order of their spans.
    running: VecDeque<Helper>,
}

impl Ahead {
    /// Starts helpers for the next spans.
    fn start(&mut self) {
        while self.running.len() < self.most {
            let Some(span) = self.spans.next() else { return };
            self.running.push_back(Helper::start(&self.work, span));
        }
    }

    /// Nothing follows; what was decompressed ahead is dropped.
    fn end(&mut self) {
        self.spans.end();
        self.running.clear();
    }
}

impl Read for Ahead {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            self.start();
            let Some(first) = self.running.front_mut() else { return Ok(0) };
            let n = first.copy(to);
            if n > 0 || to.is_empty() {
                return Ok(n);
            }
            let next = first.next();
            self.work.spare.put(first.block.take());
            match next {
                Piece::Block(block, len) => (first.block, first.left) = (Some(block), 0..len),
                Piece::Stopped => drop(self.running.pop_front()),
                Piece::Ended => self.end(),
                Piece::Failed(e) => {
                    self.end();
                    return Err(e);
                }
            }
        }
    }
}

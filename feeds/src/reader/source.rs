//! A decoder fed by reader threads.
//!
//! Each stream has one named thread that reads (and decompresses) into blocks of a fixed pool; full blocks go to the
//! line's thread by a bounded single-producer queue and come back empty by another. [`StreamSource::poll`] only tries to
//! pop, copies a block into the decoder's window and decodes: no system call, lock or allocation. The reader is the one
//! that waits, by yielding and then sleeping; it ends when the source is dropped.
//!
//! Bound: [`BLOCKS`] blocks of [`BLOCK`] bytes and one window of [`WINDOW_BLOCKS`] blocks a stream; a record longer than
//! the window less a block is an error. Worst case of one poll: decoding two windows' worth of records.

use flow::{Count, Decoder, FeedError, Inputs, Ns, Polled, Source, Step, Window};
use rtrb::{Consumer, Producer, RingBuffer};
use std::io::{self, Read};
use std::time::Duration;

/// Bytes in a block.
const BLOCK: usize = 256 << 10;
/// Blocks of a stream's pool.
const BLOCKS: usize = 8;
/// Capacity of a window, in blocks.
const WINDOW_BLOCKS: usize = 4;
/// The smallest window: no record of any feed, a captured packet included, comes near it.
const WINDOW_MIN: usize = 512 << 10;
/// How often the reader yields before it sleeps.
const YIELDS: u32 = 64;
const SLEEP: Duration = Duration::from_micros(50);

/// A block of the pool; the first `len` bytes are the stream's.
struct Block {
    bytes: Box<[u8]>,
    len: usize,
}

/// What the reader hands over.
enum Piece {
    Block(Block),
    End,
    Failed(io::Error),
}

/// A stream as the pipeline's thread sees it.
struct Lane {
    filled: Consumer<Piece>,
    free: Producer<Block>,
    waiting: Option<Block>,
    failed: Option<String>,
}

/// What a lane could give.
#[derive(PartialEq, Eq)]
enum Supply {
    Given,
    Empty,
    Stuck,
    Over,
}

/// A [`Source`] that reads streams and decodes them. See the module's page.
pub struct StreamSource {
    decoder: Box<dyn Decoder>,
    windows: Vec<Window>,
    lanes: Vec<Lane>,
    name: String,
    warnings: Vec<String>,
    failed: Option<FeedError>,
    ended: bool,
}

impl StreamSource {
    /// Starts a reader for each stream; the decoder gets one window for each, in the same order.
    pub fn new(decoder: Box<dyn Decoder>, streams: Vec<Box<dyn Read + Send>>) -> StreamSource {
        StreamSource::with_blocks(decoder, streams, BLOCK)
    }

    /// [`StreamSource::new`] with blocks of `block` bytes, at least 1.
    pub fn with_blocks(decoder: Box<dyn Decoder>, streams: Vec<Box<dyn Read + Send>>, block: usize) -> StreamSource {
        let block = block.max(1);
        let window = || Window::with_capacity((WINDOW_BLOCKS * block).max(WINDOW_MIN));
        StreamSource {
            decoder,
            windows: streams.iter().map(|_| window()).collect(),
            lanes: streams.into_iter().enumerate().map(|(i, s)| Lane::start(i, s, block)).collect(),
            name: String::new(),
            warnings: Vec::new(),
            failed: None,
            ended: false,
        }
    }

    /// Gives the input its name for messages: the path, and the member if there is one.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> StreamSource {
        self.name = name.into();
        self
    }

    /// Adds warnings to those of the decoder.
    #[must_use]
    pub fn warned(mut self, warnings: impl IntoIterator<Item = String>) -> StreamSource {
        self.warnings.extend(warnings);
        self
    }

    /// Brings each window one more block; false when nothing came but something may.
    ///
    /// # Errors
    /// When nothing can come any more.
    fn supply(&mut self) -> Result<bool, FeedError> {
        let (mut given, mut empty) = (false, false);
        for (lane, window) in self.lanes.iter_mut().zip(&mut self.windows) {
            match lane.supply(window) {
                Supply::Given => given = true,
                Supply::Empty => empty = true,
                Supply::Stuck | Supply::Over => {}
            }
        }
        if given || empty { Ok(given) } else { Err(self.no_more()) }
    }

    /// Why a decoder that asks for more cannot have it.
    fn no_more(&self) -> FeedError {
        let record = self.decoder.records() + 1;
        let failed = self.lanes.iter().zip(&self.windows).find(|(lane, _)| lane.failed.is_some());
        let (lane, window) = failed.unwrap_or((&self.lanes[0], &self.windows[0]));
        let end = window.offset() + window.bytes().len() as u64;
        match &lane.failed {
            Some(why) => FeedError {
                what: why.clone(),
                offset: end,
                record,
                next: "everything before it was used; get the file again, it is damaged or was cut short",
            },
            None => FeedError {
                what: format!("a record is longer than the {} bytes that are kept", window.bytes().len()),
                offset: window.offset(),
                record,
                next: "the file is damaged or of another feed",
            },
        }
    }

    /// Keeps a fault back until the inputs before it were taken.
    fn fail(&mut self, fault: FeedError, to: &Inputs) -> Result<Polled, FeedError> {
        self.failed = Some(fault.clone());
        if to.is_empty() { Err(fault) } else { Ok(Polled::Ready) }
    }
}

impl Source for StreamSource {
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        if !to.is_empty() {
            return Ok(Polled::Ready);
        }
        if let Some(fault) = &self.failed {
            return Err(fault.clone());
        }
        for _ in 0..2 {
            if self.ended {
                return Ok(Polled::Ended);
            }
            match self.decoder.decode(&mut self.windows, to) {
                Ok(Step::Full) => return Ok(Polled::Ready),
                Ok(Step::Ended) => self.ended = true,
                Ok(Step::Starved) => match self.supply() {
                    Ok(given) if !given && to.is_empty() => return Ok(Polled::Idle(Ns::NONE)),
                    Ok(_) => {}
                    Err(fault) => return self.fail(fault, to),
                },
                Err(fault) => return self.fail(fault, to),
            }
            if !to.is_empty() {
                return Ok(Polled::Ready);
            }
        }
        Ok(if self.ended { Polled::Ended } else { Polled::Idle(Ns::NONE) })
    }

    fn instruments(&self) -> u32 {
        self.decoder.instruments()
    }

    fn counts(&self) -> Vec<Count> {
        self.decoder.counts()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.iter().cloned().chain(self.decoder.warnings()).collect()
    }
}

impl Lane {
    fn start(index: usize, stream: Box<dyn Read + Send>, block: usize) -> Lane {
        let (to_line, filled) = RingBuffer::new(BLOCKS + 1);
        let (mut free, to_reader) = RingBuffer::new(BLOCKS);
        for _ in 0..BLOCKS {
            let empty = Block { bytes: vec![0; block].into_boxed_slice(), len: 0 };
            free.push(empty).unwrap_or_else(|_| unreachable!("the queue holds the whole pool"));
        }
        let reader = Reader { stream, filled: to_line, free: to_reader };
        // A thread that could not start drops its ends, which the lane reports like a thread that died.
        let _ = std::thread::Builder::new().name(format!("feed-reader-{index}")).spawn(move || reader.run());
        Lane { filled, free, waiting: None, failed: None }
    }

    fn supply(&mut self, window: &mut Window) -> Supply {
        if window.ended() || self.failed.is_some() {
            return Supply::Over;
        }
        // Looked at before the queue: a reader that ends pushes its last piece first.
        let gone = self.filled.is_abandoned();
        let piece = self.waiting.take().map(Piece::Block).or_else(|| self.filled.pop().ok());
        match piece {
            Some(Piece::Block(block)) if window.room() < block.len => {
                self.waiting = Some(block);
                Supply::Stuck
            }
            Some(Piece::Block(block)) => {
                window.append(&block.bytes[..block.len]);
                // The queue has room for the whole pool; only a reader that is gone leaves the block behind.
                let _ = self.free.push(block);
                Supply::Given
            }
            Some(Piece::End) => {
                window.end();
                Supply::Given
            }
            Some(Piece::Failed(e)) => {
                self.failed = Some(e.to_string());
                Supply::Over
            }
            None if gone => {
                self.failed = Some("the thread that reads the file stopped".to_owned());
                Supply::Over
            }
            None => Supply::Empty,
        }
    }
}

/// A stream as its own thread sees it.
struct Reader {
    stream: Box<dyn Read + Send>,
    filled: Producer<Piece>,
    free: Consumer<Block>,
}

impl Reader {
    fn run(mut self) {
        while let Some(mut block) = self.free_block() {
            block.len = 0;
            let last = self.fill(&mut block);
            if block.len > 0 {
                self.hand(Piece::Block(block));
            }
            if let Some(last) = last {
                self.hand(last);
                return;
            }
        }
    }

    /// Waits for an empty block; `None` when the source was dropped.
    fn free_block(&mut self) -> Option<Block> {
        let mut waits = 0;
        while !self.filled.is_abandoned() {
            if let Ok(block) = self.free.pop() {
                return Some(block);
            }
            waits += 1;
            if waits < YIELDS { std::thread::yield_now() } else { std::thread::sleep(SLEEP) }
        }
        None
    }

    /// Reads until the block is full, or the pipeline waits for what there is already; gives the last piece at the end.
    fn fill(&mut self, block: &mut Block) -> Option<Piece> {
        while block.len < block.bytes.len() && (block.len == 0 || self.filled.slots() <= BLOCKS) {
            match self.stream.read(&mut block.bytes[block.len..]) {
                Ok(0) => return Some(Piece::End),
                Ok(n) => block.len += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Some(Piece::Failed(e)),
            }
        }
        None
    }

    fn hand(&mut self, piece: Piece) {
        // One slot more than the pool has blocks: there is room for every block and the last piece.
        self.filled.push(piece).unwrap_or_else(|_| unreachable!("the queue holds the pool and the end"));
    }
}

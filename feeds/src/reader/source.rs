//! A decoder supplied by reader threads.
//!
//! Each stream has one named thread that reads (and decompresses) into blocks of a fixed pool. Full blocks travel to
//! the pipeline's thread through a bounded single-producer queue, empty ones travel back through another.
//! [`StreamSource::poll`] pops without waiting, copies a block into the decoder's window and decodes: no system call,
//! lock or allocation. Only the reader waits, first yielding, then sleeping; it ends when the source is dropped.
//!
//! Bound: [`BLOCKS`] blocks of [`BLOCK`] bytes and one window of [`WINDOW_BLOCKS`] blocks per stream; a record longer
//! than the window less one block is an error. Worst case of one poll: decoding two windows of records.

use flow::{Count, Decoder, FeedError, Inputs, Ns, Polled, Source, Step, Window};
use rtrb::{Consumer, Producer, RingBuffer};
use std::io::{self, Read};
use std::time::Duration;

/// Bytes per block.
const BLOCK: usize = 256 << 10;
/// Blocks in a stream's pool.
const BLOCKS: usize = 8;
/// Capacity of a window, in blocks.
const WINDOW_BLOCKS: usize = 4;
/// The smallest window, far larger than any record of any feed, captured packets included.
const WINDOW_MIN: usize = 512 << 10;
/// How often the reader yields before it starts to sleep.
const YIELDS: u32 = 64;
const SLEEP: Duration = Duration::from_micros(50);

/// A block of the pool; its first `len` bytes are data.
struct Block {
    bytes: Box<[u8]>,
    len: usize,
}

/// What the reader sends.
enum Piece {
    Block(Block),
    End,
    Failed(io::Error),
}

/// The pipeline's end of a stream.
struct Lane {
    filled: Consumer<Piece>,
    free: Producer<Block>,
    waiting: Option<Block>,
    failed: Option<String>,
}

/// The result of supplying one window.
#[derive(PartialEq, Eq)]
enum Supply {
    Filled,
    Empty,
    WindowFull,
    Done,
}

/// A [`Source`] that reads streams and decodes them; see the module documentation.
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
    /// Starts one reader per stream; the decoder gets one window per stream, in the same order.
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

    /// Names the input in messages: the path, and the archive member if there is one.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> StreamSource {
        self.name = name.into();
        self
    }

    /// Adds warnings to the decoder's own.
    #[must_use]
    pub fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> StreamSource {
        self.warnings.extend(warnings);
        self
    }

    /// Supplies each window with one more block; false if none is ready yet.
    ///
    /// # Errors
    /// When no stream can supply any more.
    fn supply(&mut self) -> Result<bool, FeedError> {
        let (mut filled, mut empty) = (false, false);
        for (lane, window) in self.lanes.iter_mut().zip(&mut self.windows) {
            match lane.supply(window) {
                Supply::Filled => filled = true,
                Supply::Empty => empty = true,
                Supply::WindowFull | Supply::Done => {}
            }
        }
        if filled || empty { Ok(filled) } else { Err(self.exhausted()) }
    }

    /// Why a decoder cannot have the bytes that it asks for.
    fn exhausted(&self) -> FeedError {
        let record = self.decoder.records() + 1;
        let failed = self.lanes.iter().zip(&self.windows).find(|(lane, _)| lane.failed.is_some());
        let (lane, window) = failed.unwrap_or((&self.lanes[0], &self.windows[0]));
        let end = window.offset() + window.bytes().len() as u64;
        match &lane.failed {
            Some(why) => FeedError {
                what: why.clone(),
                offset: end,
                record,
                next: "all earlier records were used; get the file again: it is damaged or truncated",
            },
            None => FeedError {
                what: format!("a record is longer than the window of {} bytes", window.bytes().len()),
                offset: window.offset(),
                record,
                next: "the file is damaged or belongs to another feed",
            },
        }
    }

    /// Defers an error until the inputs before it are taken.
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
                    Ok(filled) if !filled && to.is_empty() => return Ok(Polled::Idle(Ns::NONE)),
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
        let (to_pipeline, filled) = RingBuffer::new(BLOCKS + 1);
        let (mut free, to_reader) = RingBuffer::new(BLOCKS);
        for _ in 0..BLOCKS {
            let empty = Block { bytes: vec![0; block].into_boxed_slice(), len: 0 };
            free.push(empty).unwrap_or_else(|_| unreachable!("the queue holds the whole pool"));
        }
        let reader = Reader { stream, filled: to_pipeline, free: to_reader };
        // If the thread could not start, its queue ends are dropped, which the lane reports like a thread that died.
        let _ = std::thread::Builder::new().name(format!("feed-reader-{index}")).spawn(move || reader.run());
        Lane { filled, free, waiting: None, failed: None }
    }

    fn supply(&mut self, window: &mut Window) -> Supply {
        if window.ended() || self.failed.is_some() {
            return Supply::Done;
        }
        // Read before the queue is polled: a reader that ends pushes its last piece first.
        let gone = self.filled.is_abandoned();
        let piece = self.waiting.take().map(Piece::Block).or_else(|| self.filled.pop().ok());
        match piece {
            Some(Piece::Block(block)) if window.room() < block.len => {
                self.waiting = Some(block);
                Supply::WindowFull
            }
            Some(Piece::Block(block)) => {
                window.append(&block.bytes[..block.len]);
                // The queue has room for the whole pool, so only a reader that has ended loses the block.
                let _ = self.free.push(block);
                Supply::Filled
            }
            Some(Piece::End) => {
                window.end();
                Supply::Filled
            }
            Some(Piece::Failed(e)) => {
                self.failed = Some(e.to_string());
                Supply::Done
            }
            None if gone => {
                self.failed = Some("the reader thread stopped".to_owned());
                Supply::Done
            }
            None => Supply::Empty,
        }
    }
}

/// The reader thread's end of a stream.
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
                self.send(Piece::Block(block));
            }
            if let Some(last) = last {
                self.send(last);
                return;
            }
        }
    }

    /// Waits for an empty block; `None` once the source was dropped.
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

    /// Reads until the block is full or the pipeline is waiting for data; returns the last piece at the end of the
    /// stream.
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

    fn send(&mut self, piece: Piece) {
        // One slot more than the pool has blocks: enough for every block and the last piece.
        self.filled.push(piece).unwrap_or_else(|_| unreachable!("the queue holds the pool and the end"));
    }
}

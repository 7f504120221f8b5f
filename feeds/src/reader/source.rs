//! A decoder supplied by reader threads.
//!
//! Each stream has one named thread that reads (and decompresses) into blocks of a fixed pool. Full blocks travel to the
//! pipeline's thread through a bounded single-producer queue, empty ones travel back through another. [`StreamSource::poll`]
//! pops without waiting, makes the block the decoder's window and decodes: no system call, lock or allocation, and of the
//! bytes only a record that straddles two blocks is copied. Only the reader waits, first yielding, then sleeping; it ends when
//! the source is dropped.
//!
//! Bound: [`BLOCKS`] blocks of [`BLOCK`] bytes and one window of [`WINDOW_BLOCKS`] blocks per stream; a record longer
//! than the window less one block is an error. Worst case of one poll: decoding two windows of records.

use super::lane::{BLOCKS, Lane, Supply};
use flow::{Count, Decoder, FeedError, Inputs, Ns, Polled, Selection, Source, Step, Window};
use std::io::Read;

/// Bytes per block.
const BLOCK: usize = 256 << 10;
/// Capacity of a window, in blocks.
const WINDOW_BLOCKS: usize = 4;
/// The smallest window, far larger than any record of any feed, captured packets included.
const WINDOW_MIN: usize = 512 << 10;

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
    /// Bytes of memory per stream: its window, its blocks, and what a decompressor keeps.
    pub const MEMORY: u64 = (16 << 20) + ((WINDOW_BLOCKS + BLOCKS) * BLOCK) as u64;

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
            Some(fault) => FeedError { what: fault.what.clone(), offset: end, record, next: fault.next },
            None => FeedError {
                what: format!("a record is longer than the window of {} bytes", window.bytes().len()),
                offset: window.offset(),
                record,
                next: "no record of this feed is so long: check --feed",
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

    fn watch(&mut self, watched: &Selection) {
        self.decoder.watch(watched);
    }

    fn instruments(&self) -> u32 {
        self.decoder.instruments()
    }

    fn records(&self) -> u64 {
        self.decoder.records()
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

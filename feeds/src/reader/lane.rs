//! One stream between its reader thread and the pipeline's thread.
//!
//! The reader fills blocks of a fixed pool; full blocks travel to the pipeline's thread through a bounded
//! single-producer queue, empty ones travel back through another. Only the reader waits, first yielding, then sleeping,
//! twice as long each time up to [`LONGEST`], so that it takes next to nothing while the pipeline follows a pace; it ends
//! when the lane is dropped. Bound: [`BLOCKS`] blocks and the two queues. Worst case: a stream slower than the decoder
//! leaves the queue of full blocks empty; [`Lane::supply`] then returns at once.

use super::fault::ReadFault;
use flow::{Block, Window};
use rtrb::{Consumer, Producer, RingBuffer};
use std::io::{self, Read};
use std::time::Duration;

/// Blocks in a stream's pool, one of which the window holds.
pub(super) const BLOCKS: usize = 8;
/// How often the reader yields before it starts to sleep.
const YIELDS: u32 = 64;
/// The first sleep, and the longest one. A sleep is never longer than the wait before it was, so the pipeline finds the pool
/// empty only where it takes eight blocks in the time that it took one before.
const SHORTEST: Duration = Duration::from_micros(50);
const LONGEST: Duration = Duration::from_millis(20);

/// What the reader sends.
enum Piece {
    Block(Block),
    End,
    Failed(io::Error),
}

/// The pipeline's end of a stream.
pub(super) struct Lane {
    filled: Consumer<Piece>,
    free: Producer<Block>,
    waiting: Option<Block>,
    /// Why the stream ended early.
    pub(super) failed: Option<ReadFault>,
}

/// The result of supplying one window.
#[derive(PartialEq, Eq)]
pub(super) enum Supply {
    Filled,
    Empty,
    WindowFull,
    Done,
}

impl Lane {
    pub(super) fn start(index: usize, stream: Box<dyn Read + Send>, block: usize) -> Lane {
        let (to_pipeline, filled) = RingBuffer::new(BLOCKS + 1);
        let (mut free, to_reader) = RingBuffer::new(BLOCKS);
        for _ in 0..BLOCKS {
            free.push(Block::new(block)).unwrap_or_else(|_| unreachable!("the queue holds the whole pool"));
        }
        let reader = Reader { stream, filled: to_pipeline, free: to_reader };
        // If the thread could not start, its queue ends are dropped, which the lane reports like a thread that died.
        let _ = std::thread::Builder::new().name(format!("feed-reader-{index}")).spawn(move || reader.run());
        Lane { filled, free, waiting: None, failed: None }
    }

    pub(super) fn supply(&mut self, window: &mut Window) -> Supply {
        if window.ended() || self.failed.is_some() {
            return Supply::Done;
        }
        // Read before the queue is polled: a reader that ends pushes its last piece first.
        let gone = self.filled.is_abandoned();
        let piece = self.waiting.take().map(Piece::Block).or_else(|| self.filled.pop().ok());
        match piece {
            Some(Piece::Block(block)) if window.room() < block.data().len() => {
                self.waiting = Some(block);
                Supply::WindowFull
            }
            Some(Piece::Block(block)) => {
                // The queue has room for the whole pool, so only a reader that has ended loses a block.
                window.give(block, |block| drop(self.free.push(block)));
                Supply::Filled
            }
            Some(Piece::End) => {
                window.end();
                Supply::Filled
            }
            Some(Piece::Failed(e)) => {
                self.failed = Some(ReadFault::of(&e));
                Supply::Done
            }
            None if gone => {
                self.failed =
                    Some(ReadFault::new("the reader thread stopped", "this is a fault of the program: report it"));
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
            let last = self.fill(&mut block);
            if !block.data().is_empty() {
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
        let (mut waits, mut sleep) = (0, SHORTEST);
        while !self.filled.is_abandoned() {
            if let Ok(block) = self.free.pop() {
                return Some(block);
            }
            waits += 1;
            if waits < YIELDS {
                std::thread::yield_now();
            } else {
                std::thread::sleep(sleep);
                sleep = (sleep * 2).min(LONGEST);
            }
        }
        None
    }

    /// Reads until the block is full or the pipeline is waiting for data; returns the last piece at the end of the
    /// stream.
    fn fill(&mut self, block: &mut Block) -> Option<Piece> {
        while !block.room().is_empty() && (block.data().is_empty() || self.filled.slots() <= BLOCKS) {
            match self.stream.read(block.room()) {
                Ok(0) => return Some(Piece::End),
                Ok(n) => block.fill(n),
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

//! A sliding window over a byte stream, between a reader and a decoder.
//!
//! The reader supplies bytes at the back, the decoder consumes them at the front. Whoever has bytes in hand appends a copy. A reader
//! that fills [`Block`]s gives them to the window, which becomes the block: what is left of the one before, most often a piece of
//! one message, is copied into the room in front of the block's bytes, so a message that straddles two blocks is contiguous and
//! nothing else is copied. Only what is longer than that room is put together in the window's own memory. Bound: the capacity,
//! which no more than what is written takes of the system, and one block; a message longer than that can never be complete,
//! which the decoder reports.

use std::mem;

/// Bytes that a reader fills and a window takes over, with room in front of them.
pub struct Block {
    /// [`Block::FRONT`] bytes of room, then those of the block.
    bytes: Vec<u8>,
    /// Where its data end.
    end: usize,
}

impl Block {
    /// Room for what is left of the block before: more than a message of most feeds.
    pub const FRONT: usize = 4 << 10;

    /// An empty block for up to `size` bytes.
    pub fn new(size: usize) -> Block {
        Block { bytes: vec![0; Block::FRONT + size], end: Block::FRONT }
    }

    /// Its data.
    pub fn data(&self) -> &[u8] {
        &self.bytes[Block::FRONT..self.end]
    }

    /// What is not filled.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end..]
    }

    /// Declares the first `n` bytes of its room data.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn fill(&mut self, n: usize) {
        assert!(n <= self.bytes.len() - self.end, "filled more than the block holds");
        self.end += n;
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.end = Block::FRONT;
    }
}

/// The bytes of a stream from an absolute offset on.
pub struct Window {
    /// The window's own memory, or that of a block.
    bytes: Vec<u8>,
    /// The bytes to decode are those from `start` to `end`.
    start: usize,
    end: usize,
    /// The window's own memory, while the bytes are those of a block.
    own: Option<Vec<u8>>,
    capacity: usize,
    offset: u64,
    ended: bool,
}

impl Window {
    /// An empty window that holds up to `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Window {
        let bytes = Vec::with_capacity(capacity);
        Window { bytes, start: 0, end: 0, own: None, capacity, offset: 0, ended: false }
    }

    /// A window on all of `bytes`; nothing follows.
    pub fn whole(bytes: &[u8]) -> Window {
        Window { bytes: bytes.to_vec(), end: bytes.len(), ended: true, ..Window::with_capacity(0) }
    }

    /// The bytes to decode.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Drops `n` bytes at the front.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline]
    pub fn consume(&mut self, n: usize) {
        assert!(n <= self.end - self.start, "consumed more than the window holds");
        self.start += n;
        self.offset += n as u64;
    }

    /// Offset, in the uncompressed stream, of the first byte of [`Window::bytes`].
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the stream has ended.
    #[inline]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// How many bytes can be supplied now.
    pub fn room(&self) -> usize {
        self.capacity.saturating_sub(self.bytes().len())
    }

    /// Appends bytes.
    ///
    /// # Panics
    /// When there is no room, or the end was declared.
    pub fn append(&mut self, bytes: &[u8]) {
        self.check(bytes.len());
        drop(self.leave_block());
        self.push(bytes);
    }

    /// Takes a block over; `free` gets those that the window needs no more, emptied.
    ///
    /// # Panics
    /// When there is no room for its data, or the end was declared.
    pub fn give(&mut self, mut block: Block, mut free: impl FnMut(Block)) {
        self.check(block.data().len());
        let left = self.end - self.start;
        if left > Block::FRONT {
            self.leave_block().map(&mut free);
            self.push(block.data());
            block.clear();
            return free(block);
        }
        let start = Block::FRONT - left;
        block.bytes[start..Block::FRONT].copy_from_slice(&self.bytes[self.start..self.end]);
        let before = mem::replace(&mut self.bytes, block.bytes);
        (self.start, self.end) = (start, block.end);
        match self.own {
            None => self.own = Some(before),
            Some(_) => free(Block { bytes: before, end: Block::FRONT }),
        }
    }

    /// Declares the end of the stream.
    pub fn end(&mut self) {
        self.ended = true;
    }

    fn check(&self, more: usize) {
        assert!(more <= self.room() && !self.ended, "supplied past the window's room or end");
    }

    /// Puts what is left into the window's own memory; the block that it lay in, if it did.
    fn leave_block(&mut self) -> Option<Block> {
        let mut own = self.own.take()?;
        own.clear();
        own.extend_from_slice(self.bytes());
        (self.start, self.end) = (0, own.len());
        Some(Block { bytes: mem::replace(&mut self.bytes, own), end: Block::FRONT })
    }

    /// Appends to the window's own memory.
    fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.copy_within(self.start.., 0);
            self.bytes.truncate(self.end - self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
        self.end = self.bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: usize = 3_000;
    const CAPACITY: usize = 4 * SIZE;

    proptest! {
        #[test]
        fn however_bytes_come_they_are_consumed_in_order(steps in prop::collection::vec((0..SIZE, 0..SIZE, 0u8..8), 1..60)) {
            let (mut window, mut want, mut given) = (Window::with_capacity(CAPACITY), Vec::new(), 0u64);
            let mut pool: Vec<_> = (0..3).map(|_| Block::new(SIZE)).collect();
            for (more, less, how) in steps {
                let bytes: Vec<u8> = (0..more as u64).map(|i| (((given + i) * 167) >> 3) as u8).collect();
                if window.room() >= more {
                    given += more as u64;
                    want.extend(&bytes);
                    let mut block = pool.pop().expect("no block is lost");
                    block.room()[..more].copy_from_slice(&bytes);
                    block.fill(more);
                    window.give(block, |block| pool.push(block));
                }
                prop_assert!(pool.iter().all(|block| block.data().is_empty()) && pool.len() >= 2);
                // Now and then much is left, as of a long message.
                let taken = if how == 0 { less.min(want.len()) } else { want.len().saturating_sub(less / 40) };
                prop_assert_eq!(window.bytes(), &want[..]);
                window.consume(taken);
                want.drain(..taken);
                prop_assert_eq!((window.offset(), window.room()), (given - want.len() as u64, CAPACITY - want.len()));
            }
        }
    }

    #[test]
    fn bytes_may_be_appended_to_a_block() {
        let mut window = Window::with_capacity(100);
        window.append(b"abc");
        let mut block = Block::new(4);
        block.room().copy_from_slice(b"defg");
        block.fill(4);
        window.give(block, |_| unreachable!("it is read from now"));
        window.append(b"h");
        assert_eq!((window.bytes(), window.room()), (&b"abcdefgh"[..], 92));
    }
}

//! The phase ring: a value and the mark that publishes it travel between cores in one cache line.
//!
//! **Idea.** A ring with a cursor moves two cache lines per event, the cursor's and the value's, and the consumer
//! fetches one after the other. Here the mark is part of the value's own cache line: bit 63 of the first word is a
//! phase bit, the parity of the lap in which the slot was written. The consumer, at position `p`, polls the head word
//! of slot `p mod capacity`; once its phase bit matches the parity of `p`'s lap, the value is there, and so is its
//! cache line. The phase flips every lap, so no mark is ever cleared.
//!
//! The consumer's position is one word on its own cache line. The producer caches the last position it read and reloads
//! it only when the ring looks full: normally once a lap, and on every attempt while the ring is full. The consumer
//! publishes its position at the end of each take and after every [quantum] within one.
//!
//! A batch is written from its last slot to its first. The consumer polls the first slot, so it sees either none of the
//! batch or all of it: it then reads cache lines that are already written instead of chasing the producer from one to
//! the next.
//!
//! The producer does not prefetch slots for writing. With `prefetchw` one and eight slots ahead, a hop was no faster
//! and a stream of events at least three times slower, presumably because the prefetch takes the cache line away from
//! the consumer.
//!
//! **Bound.** A push, and each event of a drain, takes a constant number of steps; neither end waits for the other, and
//! the ring holds at most `capacity` events. **Worst case.** A consumer that drains one event at a time while the
//! producer keeps finding the ring full moves the position's cache line on every event: some ten times slower than a
//! ring with free slots.
//!
//! **Why the orderings suffice.** Each slot passes back and forth between the ends, and each hand-over is one Release
//! store read by one Acquire load:
//!
//! - *To the consumer.* The producer writes the body, then stores the head word with Release. A consumer that loads
//!   this head word with Acquire reads the body after it was written. The phase is unambiguous: at position `p`, in lap
//!   `l`, the slot holds either lap `l - 1`, of the other parity, or lap `l`; lap `l + 1` is not written before `p` is
//!   freed.
//! - *Back to the producer.* The consumer reads the body, then stores its position with Release. The producer loads it
//!   with Acquire and only then writes slots below that position plus the capacity.
//!
//! So the two ends never access a body at the same time. The head word is atomic, so polling it during a store is no
//! data race. Any weaker ordering is a data race on a body, as the model checks (`model.rs`) show for each of them.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::kind::quantum;
use crate::slot::{MARK, Words};
use crate::sync::{AtomicU64, UnsafeCell, order};

/// One cache line: the head word, which carries the mark, and the other seven words.
#[repr(C, align(64))]
struct Cell {
    head: AtomicU64,
    body: UnsafeCell<[u64; 7]>,
}

// SAFETY: `head` is atomic. `body` is written only by the one `Sender`, in `write`, while the slot is free, and read
// only by the one `Receiver`, in `peek`, while it is published. The hand-overs between the two are ordered (see the
// module documentation), so no two threads access it without a happens-before between them.
unsafe impl Sync for Cell {}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Cell>() == 64 && align_of::<Cell>() == 64);

struct Ring {
    cells: Box<[Cell]>,
    /// log₂ of the capacity: a position shifted right by this is its lap.
    lap_shift: u32,
    /// Positions below this have been read and may be overwritten.
    freed: CachePadded<AtomicU64>,
}

impl Ring {
    #[inline]
    fn cell(&self, position: u64) -> &Cell {
        &self.cells[position as usize & (self.cells.len() - 1)]
    }

    /// The mark of a value at `position`: the parity of its lap.
    #[inline]
    fn mark(&self, position: u64) -> u64 {
        (position >> self.lap_shift) << 63
    }
}

/// The producer's end.
pub(crate) struct Sender {
    ring: Arc<Ring>,
    /// The next position to write.
    next: u64,
    /// The first position not known to be free.
    limit: u64,
}

/// The consumer's end.
pub(crate) struct Receiver {
    ring: Arc<Ring>,
    /// The next position to read.
    next: u64,
    /// The position last published to the producer.
    freed: u64,
    /// The most that `next` may run ahead of `freed` within a drain.
    quantum: u64,
}

/// A ring of `capacity` slots, a power of two.
pub(crate) fn ring(capacity: usize) -> (Sender, Receiver) {
    // Lap 0 has parity 0, so an unused slot carries the mark of an odd lap.
    let [head, body @ ..] = Words::UNUSED.0;
    let cell = || Cell { head: AtomicU64::new(head), body: UnsafeCell::new(body) };
    let ring = Arc::new(Ring {
        cells: std::iter::repeat_with(cell).take(capacity).collect(),
        lap_shift: capacity.trailing_zeros(),
        freed: CachePadded::new(AtomicU64::new(0)),
    });
    let sender = Sender { ring: Arc::clone(&ring), next: 0, limit: capacity as u64 };
    (sender, Receiver { ring, next: 0, freed: 0, quantum: quantum(capacity) as u64 })
}

impl Sender {
    /// Publishes `words` if a slot is free.
    #[inline]
    pub(crate) fn push(&mut self, words: &Words) -> bool {
        if self.next == self.limit && self.find_room() == 0 {
            return false;
        }
        self.write(self.next, words);
        self.next += 1;
        true
    }

    /// Publishes a prefix of `words`, as much as fits; returns its length.
    #[inline]
    pub(crate) fn push_all(&mut self, words: &[Words]) -> usize {
        let wanted = words.len() as u64;
        let mut room = self.limit - self.next;
        if room < wanted {
            room = self.find_room();
        }
        let fit = wanted.min(room);
        for ahead in (0..fit).rev() {
            self.write(self.next + ahead, &words[ahead as usize]);
        }
        self.next += fit;
        fit as usize
    }

    /// Writes and marks the slot of a position in `next..limit`.
    #[inline]
    fn write(&self, position: u64, words: &Words) {
        let [head, body @ ..] = words.0;
        let cell = self.ring.cell(position);
        // SAFETY: `position < limit`, so this slot was never used or its last value was freed; `find_room` loaded that
        // with Acquire. The consumer does not read the body before the head word below is stored, and the one `Sender`
        // writes a position once.
        cell.body.with_mut(|to| unsafe { to.write(body) });
        cell.head.store(head | self.ring.mark(position), order::mark_set());
    }

    /// Reloads the consumer's position; returns how many slots are free.
    fn find_room(&mut self) -> u64 {
        self.limit = self.ring.freed.load(order::freed_seen()) + self.ring.cells.len() as u64;
        self.limit - self.next
    }
}

impl Receiver {
    /// Delivers at most `max` events to `f`, in order; returns how many.
    ///
    /// An event is copied out before `f` gets it: if `f` panics, the event counts as taken and later ones stay in the
    /// ring.
    #[inline]
    pub(crate) fn drain(&mut self, max: usize, mut f: impl FnMut(&Words)) -> usize {
        let mut drained = 0;
        while drained < max {
            let Some(words) = self.peek() else { break };
            self.next += 1;
            drained += 1;
            f(&words);
            if self.next - self.freed >= self.quantum {
                self.free();
            }
        }
        if self.next != self.freed {
            self.free();
        }
        drained
    }

    /// Whether a drain would find nothing to deliver and nothing to free.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.next == self.freed && self.head().is_none()
    }

    /// The next value's first word without its mark, if the value is published.
    #[inline]
    fn head(&self) -> Option<u64> {
        let head = self.ring.cell(self.next).head.load(order::mark_seen());
        ((head ^ self.ring.mark(self.next)) & MARK == 0).then_some(head & !MARK)
    }

    /// A copy of the next value without its mark, if it is published.
    #[inline]
    fn peek(&self) -> Option<Words> {
        let head = self.head()?;
        // SAFETY: the head word carries the mark of this lap and was loaded with Acquire, so the body was written
        // before, and the producer does not overwrite it before this position is freed.
        let [a, b, c, d, e, f, g] = self.ring.cell(self.next).body.with(|from| unsafe { from.read() });
        Some(Words([head, a, b, c, d, e, f, g]))
    }

    /// Publishes the read position to the producer, which frees the slots below it.
    #[inline]
    fn free(&mut self) {
        self.freed = self.next;
        self.ring.freed.store(self.freed, order::freed_set());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    /// In every lap a slot's mark differs from its mark one lap before.
    #[test]
    fn the_mark_flips_each_lap() {
        for capacity in [1, 2, 8] {
            let (sender, _receiver) = ring(capacity);
            for position in 0..64 {
                let later = position + capacity as u64;
                assert_eq!(sender.ring.mark(position) ^ sender.ring.mark(later), MARK, "{capacity} {position}");
            }
        }
    }

    /// Within one long drain the published position is less than a quantum behind.
    #[test]
    fn progress_is_shown_inside_a_drain() {
        let (mut sender, mut receiver) = ring(64);
        assert_eq!(sender.push_all(&[Words([7; 8]); 70]), 64);
        let ring = Arc::clone(&sender.ring);
        let mut handed = 0;
        receiver.drain(64, |_| {
            let shown = ring.freed.load(Ordering::Relaxed);
            assert!(handed - shown < 8, "event {handed} is handed over, progress {shown}");
            handed += 1;
        });
        assert_eq!(ring.freed.load(Ordering::Relaxed), 64);
    }
}

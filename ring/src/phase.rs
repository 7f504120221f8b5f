//! The phase ring: a value and the mark that publishes it cross between cores in one cache line.
//!
//! **Idea.** A ring with a cursor moves two lines per event, the cursor's and the value's, and the consumer fetches
//! them one after the other. Here the mark is in the value's own line: bit 63 of the first word holds the parity of the
//! lap in which the slot was written. The consumer, at position `p`, polls the head word of slot `p mod capacity`; when
//! its mark has the parity of `p`'s lap, the value is there, and so is the line. The mark flips each lap, so nobody ever
//! clears it.
//!
//! The consumer's progress is one word on a line of its own. The producer remembers the last progress that it saw and
//! looks again only when the ring seems full by that: as a rule once a lap, and at every try while it is full. The
//! consumer stores its progress at the end of each take and after every [quantum] inside one.
//!
//! A batch is written from its last slot to its first. So the consumer, which waits at the first, sees nothing of a batch
//! before it sees all of it: it reads lines that are written already, one behind the other, instead of following the
//! producer line by line.
//!
//! The producer does not prefetch slots for writing: tried with `prefetchw` one and eight slots ahead, a hop was no
//! faster and a stream of events at least three times slower; presumably the line is taken from under the consumer.
//!
//! **Bound.** A push, or one event of a drain, is a constant number of steps; neither end ever waits for the other, and
//! at most `capacity` events are inside. **Worst case.** A consumer that empties the ring event by event while the
//! producer finds it full again and again moves the progress line for each event, some ten times slower than a ring
//! with room.
//!
//! **Why the orderings suffice.** Each slot is handed back and forth, and each hand-over is one Release store that one
//! Acquire load reads:
//!
//! - *To the consumer.* The body is written, then the head word stored with Release. Who loads that head word with
//!   Acquire reads the body after it was written. The mark cannot be mistaken: at position `p` the slot holds either
//!   lap `l - 1`, of the other parity, or lap `l`; lap `l + 1` is not written before `p` was freed.
//! - *Back to the producer.* The consumer reads the body, then stores its progress with Release. The producer loads it
//!   with Acquire and only then writes slots below it plus the capacity.
//!
//! So the two ends never touch a body at the same time. The head word is atomic: polling it while it is stored is no
//! race. A weaker ordering anywhere is a data race on a body, and the model checks (`model.rs`) show that for each of
//! them.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::kind::quantum;
use crate::slot::{MARK, Words};
use crate::sync::{AtomicU64, UnsafeCell, order};

/// One cache line: the head word, which carries the mark, and the seven others.
#[repr(C, align(64))]
struct Cell {
    head: AtomicU64,
    body: UnsafeCell<[u64; 7]>,
}

// SAFETY: `head` is atomic. `body` is written only by the one `Sender`, in `write`, while the slot is free, and read only
// by the one `Receiver`, in `peek`, while it is published; the hand-overs between the two are ordered (see the module's
// essay), so no two threads ever access it without a happens-before between them.
unsafe impl Sync for Cell {}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Cell>() == 64 && align_of::<Cell>() == 64);

struct Ring {
    cells: Box<[Cell]>,
    /// log₂ of the capacity: a position shifted right by it is its lap.
    lap_shift: u32,
    /// Positions below this have been read and may be written again.
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
    /// The position to be written next.
    next: u64,
    /// The first position not known to be free.
    limit: u64,
}

/// The consumer's end.
pub(crate) struct Receiver {
    ring: Arc<Ring>,
    /// The position to be read next.
    next: u64,
    /// The progress that the producer can see.
    freed: u64,
    /// How far the two above may be apart inside a drain.
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
    /// Publishes `words` if there is room.
    #[inline]
    pub(crate) fn push(&mut self, words: &Words) -> bool {
        if self.next == self.limit && self.find_room() == 0 {
            return false;
        }
        self.write(self.next, words);
        self.next += 1;
        true
    }

    /// Publishes as many of `words`, from the first, as there is room for; returns how many.
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

    /// Writes the slot of a position from `next` to below `limit`, and marks it.
    #[inline]
    fn write(&self, position: u64, words: &Words) {
        let [head, body @ ..] = words.0;
        let cell = self.ring.cell(position);
        // SAFETY: `position < limit`, so this slot was never used or its last value was freed; `find_room` loaded that
        // with Acquire. The consumer does not look at the body before the head word below is stored, and the one `Sender`
        // writes a position once.
        cell.body.with_mut(|to| unsafe { to.write(body) });
        cell.head.store(head | self.ring.mark(position), order::mark_set());
    }

    /// Looks at the consumer's progress; how many slots are free by it.
    fn find_room(&mut self) -> u64 {
        self.limit = self.ring.freed.load(order::freed_seen()) + self.ring.cells.len() as u64;
        self.limit - self.next
    }
}

impl Receiver {
    /// Hands at most `max` events to `f`, in order; returns how many.
    ///
    /// An event is read before `f` sees it: if `f` unwinds, it has been taken, and the ones after it stay.
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

    /// Whether a drain would find nothing to hand over and nothing to free.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.next == self.freed && self.head().is_none()
    }

    /// The next value's first word without its mark, if it is published.
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
        // before, and the producer does not write it again before this position is freed.
        let [a, b, c, d, e, f, g] = self.ring.cell(self.next).body.with(|from| unsafe { from.read() });
        Some(Words([head, a, b, c, d, e, f, g]))
    }

    /// Shows the producer how far everything has been read.
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

    /// Across several laps the mark of a position differs from that of the same slot one lap before.
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

    /// Inside one long drain the progress is at most a quantum behind.
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

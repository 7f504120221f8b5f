//! The instruments that changed since the last decision on them.
//!
//! A strategy notes here what changed while an input's consequences come in, and takes it out at the pulse. Each instrument
//! waits at most once, the longest waiting first, so the queue never overflows. A pulse decides on all of them, as long as
//! the strategy can emit; the rest waits for the next pulse, when its values are as whole as at this one.
//!
//! Bound: nine bytes per instrument. Worst case of a note or a take: one slot.

use super::universe::index;
use flow::{StateError, StateReader, StateWriter, table};

/// A queue of instruments, each with what changed of it: the bits of `why`, never 0.
pub(super) struct Changed {
    /// A ring of instruments.
    queue: Box<[u32]>,
    first: usize,
    len: usize,
    /// Per instrument what changed; 0 = it does not wait.
    why: Box<[u8]>,
}

impl Changed {
    /// Nothing changed.
    pub(super) fn new(instruments: u32) -> Changed {
        let instruments = instruments as usize;
        Changed { queue: table(instruments, 0), first: 0, len: 0, why: table(instruments, 0) }
    }

    /// Notes that an instrument changed.
    #[inline]
    pub(super) fn note(&mut self, instrument: u32, why: u8) {
        debug_assert!(why != 0);
        if self.why[instrument as usize] == 0 {
            let at = self.place(self.len);
            self.queue[at] = instrument;
            self.len += 1;
        }
        self.why[instrument as usize] |= why;
    }

    /// How many instruments wait.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Takes the instrument that has waited longest, and what changed of it.
    #[inline]
    pub(super) fn take(&mut self) -> Option<(u32, u8)> {
        self.len = self.len.checked_sub(1)?;
        let instrument = self.queue[self.first];
        self.first = self.place(1);
        Some((instrument, std::mem::take(&mut self.why[instrument as usize])))
    }

    /// The slot that lies `after` so many behind the first.
    #[inline]
    fn place(&self, after: usize) -> usize {
        let at = self.first + after;
        if at < self.queue.len() { at } else { at - self.queue.len() }
    }

    /// Everything that waits, the longest waiting first.
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let waiting = (0..self.len).map(|i| self.queue[self.place(i)]);
        let waiting: Vec<_> = waiting.map(|at| (to.key(at), self.why[at as usize])).collect();
        to.put(&waiting);
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        (self.first, self.len) = (0, 0);
        self.why.fill(0);
        for (key, why) in from.get::<Vec<(String, u8)>>()? {
            let at = index(&key, from, self.why.len())?;
            if why == 0 || self.why[at] != 0 {
                return Err(StateError::Inconsistent("a changed instrument that does not wait, or waits twice"));
            }
            self.note(at as u32, why);
        }
        Ok(())
    }
}

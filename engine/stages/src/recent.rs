//! The last trades of all instruments together: each new one takes the place of the oldest.
//!
//! A ring, kept for the day on which something is asked of the past. Keeping a value is one store, to a line that was fetched
//! some values ago: nothing else ever reads it, so without that every store waits for memory. Looking for one is a walk from
//! the newest back. Saved from the oldest on, so equal pasts are equal bytes wherever the ring begins.
//!
//! Bound: its length, of which memory is taken as it fills. Worst case: a walk over all of it.

use flow::{Reserve, StateError, StateReader, StateWriter};
use prefetch_index::prefetch_index;
use std::collections::BTreeMap;

/// How many values ahead their place is prefetched.
const AHEAD: usize = 3;

/// Most words of a value.
pub(crate) const MOST_WORDS: usize = 6;

/// What is kept of a trade.
pub(crate) trait Kept: Copy {
    /// Words of a value in a saved state.
    const WORDS: usize;
    /// Any value.
    const VACANT: Self;
    /// The instrument.
    fn instrument(&mut self) -> &mut u32;
    /// The value in words; those behind [`Kept::WORDS`] are 0.
    fn words(&self) -> [u64; MOST_WORDS];
    /// The value of such words.
    fn of(words: [u64; MOST_WORDS]) -> Self;
}

/// The ring.
pub(crate) struct Recent<T> {
    ring: Reserve<T>,
    /// Where the oldest is: at the front until the ring is full.
    oldest: usize,
}

impl<T: Kept> Recent<T> {
    /// Room for so many.
    pub(crate) fn new(len: usize) -> Recent<T> {
        Recent { ring: flow::in_order(|| Reserve::new(len, T::VACANT)), oldest: 0 }
    }

    /// Whether it keeps anything at all.
    pub(crate) fn keeps(&self) -> bool {
        self.ring.bound() > 0
    }

    /// Keeps a value.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        let mut next = self.ring.len() + 1;
        if !self.ring.push(value)
            && let Some(oldest) = self.ring.get_mut(self.oldest)
        {
            *oldest = value;
            self.oldest = if self.oldest + 1 == self.ring.len() { 0 } else { self.oldest + 1 };
            next = self.oldest;
        }
        prefetch_index(&*self.ring, next + AHEAD);
    }

    /// What it holds, from the oldest on.
    fn iter(&self) -> impl Iterator<Item = &T> {
        self.ring[self.oldest..].iter().chain(&self.ring[..self.oldest])
    }

    /// What it holds, from the newest back.
    pub(crate) fn newest_first(&mut self) -> impl Iterator<Item = &mut T> {
        let (new, old) = self.ring.split_at_mut(self.oldest);
        new.iter_mut().rev().chain(old.iter_mut().rev())
    }
}

impl<T: Kept> Recent<T> {
    /// Saves what it holds: the keys of its instruments as they come first, then the values in words. There are hundreds of
    /// thousands, so they are written and read at once, and not field by field. They are the past of a state: whoever uses
    /// the ring looks at it for a `break` alone.
    pub(crate) fn save(&self, to: &mut StateWriter<'_>) {
        let (mut keys, mut places) = (Vec::new(), BTreeMap::<u32, u32>::new());
        let mut bytes = Vec::with_capacity(self.ring.len() * T::WORDS * 8);
        for mut value in self.iter().copied() {
            let instrument = value.instrument();
            *instrument = *places.entry(*instrument).or_insert_with(|| {
                keys.push(to.key(*instrument));
                keys.len() as u32 - 1
            });
            value.words()[..T::WORDS].iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        }
        to.past(|to| {
            to.put(&keys);
            to.put_bytes(&bytes);
        });
    }

    /// Loads what [`Recent::save`] wrote; holds nothing if that is left out.
    ///
    /// # Errors
    /// When it does not decode, is too much, or an instrument is unknown.
    pub(crate) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.oldest = 0;
        self.ring.clear();
        from.past(|from| self.load_past(from))
    }

    fn load_past(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let keys = from.get::<Vec<String>>()?;
        let instruments = keys.iter().map(|key| from.instrument(key)).collect::<Result<Vec<_>, _>>()?;
        let bytes = from.bytes()?;
        let found = bytes.len() / (T::WORDS * 8);
        if found > self.ring.bound() {
            return Err(StateError::TooLarge { what: "trades", found, limit: self.ring.bound() });
        }
        for row in bytes.chunks(T::WORDS * 8) {
            let mut words = [0; MOST_WORDS];
            for (word, bytes) in words.iter_mut().zip(row.chunks_exact(8)) {
                *word = u64::from_le_bytes(bytes.try_into().expect("a chunk of eight"));
            }
            let mut value = T::of(words);
            let known = instruments.get(*value.instrument() as usize);
            *value.instrument() = *known.ok_or(StateError::Inconsistent("a trade of no instrument"))?;
            self.ring.push(value);
        }
        Ok(())
    }
}

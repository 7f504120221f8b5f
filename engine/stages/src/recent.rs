//! The last trades of all instruments together: each new one takes the place of the oldest.
//!
//! A ring, kept for the day on which something is asked of the past. Keeping a value is one store, to a line that was fetched
//! some values ago: nothing else ever reads it, so without that every store waits for memory. Looking for one is a walk from
//! the newest back. Saved from the oldest on, so equal pasts are equal bytes wherever the ring begins.
//!
//! Bound: its length, of which memory is taken as it fills. Worst case: a walk over all of it.

use flow::{Reserve, StateError, StateReader, StateWriter};
use prefetch_index::prefetch_index;
use serde::{Serialize, de::DeserializeOwned};

/// How many values ahead their place is prefetched.
const AHEAD: usize = 3;

/// What is kept of a trade. The index of its instrument is not serialised: it depends on what else is loaded.
pub(crate) trait Kept: Copy {
    /// Any value.
    const VACANT: Self;
    /// The instrument.
    fn instrument(&mut self) -> &mut u32;
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

impl<T: Kept + Serialize + DeserializeOwned> Recent<T> {
    /// Saves what it holds.
    pub(crate) fn save(&self, to: &mut StateWriter<'_>) {
        let keyed = |mut value: T| (to.key(*value.instrument()), value);
        let held: Vec<(String, T)> = self.iter().copied().map(keyed).collect();
        to.put(&held);
    }

    /// Loads what [`Recent::save`] wrote.
    ///
    /// # Errors
    /// When it does not decode, is too much, or an instrument is unknown.
    pub(crate) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.oldest = 0;
        self.ring.clear();
        // One by one and without a text of its own for each: there are hundreds of thousands.
        let saved = from.get::<usize>()?;
        if saved > self.ring.bound() {
            return Err(StateError::TooLarge { what: "trades", found: saved, limit: self.ring.bound() });
        }
        for _ in 0..saved {
            let instrument = from.keyed()?;
            let mut value = from.get::<T>()?;
            *value.instrument() = instrument;
            self.push(value);
        }
        Ok(())
    }
}

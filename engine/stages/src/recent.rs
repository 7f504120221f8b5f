//! The last values of all instruments together: each new one takes the place of the oldest.
//!
//! A ring, kept for the day on which something is asked of the past. Keeping a value is one store; looking for one is a walk
//! from the newest back. Saved from the oldest on, so equal pasts are equal bytes wherever the ring begins.
//!
//! Bound: its length, of which memory is taken as it fills. Worst case: a walk over all of it.

use flow::{Reserve, StateError, StateReader, StateWriter};
use serde::{Serialize, de::DeserializeOwned};

/// A value of an instrument, whose index is not serialised: an index depends on what else is loaded.
pub(crate) trait OfInstrument {
    /// The instrument.
    fn instrument(&self) -> u32;
    /// Sets it.
    fn set_instrument(&mut self, instrument: u32);
}

/// The ring.
pub(crate) struct Recent<T> {
    ring: Reserve<T>,
    /// Where the oldest is: at the front until the ring is full.
    oldest: usize,
}

impl<T: Copy + OfInstrument> Recent<T> {
    /// Room for so many; `vacant` is any value.
    pub(crate) fn new(len: usize, vacant: T) -> Recent<T> {
        Recent { ring: Reserve::new(len, vacant), oldest: 0 }
    }

    /// Whether it keeps anything at all.
    pub(crate) fn keeps(&self) -> bool {
        self.ring.bound() > 0
    }

    /// Keeps a value.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        if !self.ring.push(value)
            && let Some(oldest) = self.ring.get_mut(self.oldest)
        {
            *oldest = value;
            self.oldest = if self.oldest + 1 == self.ring.len() { 0 } else { self.oldest + 1 };
        }
    }

    /// What it holds, from the oldest on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.ring[self.oldest..].iter().chain(&self.ring[..self.oldest])
    }

    /// What it holds, from the newest back.
    pub(crate) fn newest_first(&mut self) -> impl Iterator<Item = &mut T> {
        let (new, old) = self.ring.split_at_mut(self.oldest);
        new.iter_mut().rev().chain(old.iter_mut().rev())
    }
}

impl<T: Copy + OfInstrument + Serialize + DeserializeOwned> Recent<T> {
    /// Saves what it holds.
    pub(crate) fn save(&self, to: &mut StateWriter<'_>) {
        let held: Vec<(String, &T)> = self.iter().map(|value| (to.key(value.instrument()), value)).collect();
        to.put(&held);
    }

    /// Loads what [`Recent::save`] wrote.
    ///
    /// # Errors
    /// When it does not decode, is too much, or an instrument is unknown.
    pub(crate) fn load(&mut self, from: &mut StateReader<'_>, what: &'static str) -> Result<(), StateError> {
        self.oldest = 0;
        while self.ring.pop().is_some() {}
        let saved = from.get::<Vec<(String, T)>>()?;
        if saved.len() > self.ring.bound() {
            return Err(StateError::TooLarge { what, found: saved.len(), limit: self.ring.bound() });
        }
        for (key, mut value) in saved {
            value.set_instrument(from.instrument(&key)?);
            self.push(value);
        }
        Ok(())
    }
}

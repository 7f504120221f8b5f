//! The last trades of all instruments together: each new one takes the place of the oldest.
//!
//! A ring, kept for the day on which something is asked of the past. Keeping a value is one store, to a line that was fetched
//! some values ago: nothing else ever reads it, so without that every store waits for memory. Looking for one is a walk from
//! the newest back. Saved from the oldest on, so equal pasts are equal bytes wherever the ring begins.
//!
//! Whoever repeats some inputs and knows whose trades they break wants only those few of the past. They lie beside the ring, which
//! begins empty: filling it would be all the work again. Each knows how many trades later its place would have been taken.
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
    /// The wanted ones of a past that was loaded in part, from the oldest on.
    wanted: Vec<Wanted<T>>,
}

/// A value of a past that was loaded in part.
struct Wanted<T> {
    value: T,
    /// How many values can come before it is forgotten.
    lasts: usize,
}

impl<T: Kept> Recent<T> {
    /// Room for so many.
    pub(crate) fn new(len: usize) -> Recent<T> {
        Recent { ring: flow::in_order(|| Reserve::new(len, T::VACANT)), oldest: 0, wanted: Vec::new() }
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
        // A ring that begins empty is full when everything before it is forgotten.
        let came = self.ring.len();
        let wanted = self.wanted.iter_mut().rev().take_while(move |wanted| wanted.lasts >= came);
        let (new, old) = self.ring.split_at_mut(self.oldest);
        new.iter_mut().rev().chain(old.iter_mut().rev()).chain(wanted.map(|wanted| &mut wanted.value))
    }
}

impl<T: Kept> Recent<T> {
    /// Saves what it holds: the keys of its instruments as they come first, then the values in words. There are hundreds of
    /// thousands, so they are written and read at once, and not field by field. They are the past of a state: whoever uses
    /// the ring looks at it for a `break` alone.
    ///
    /// # Panics
    /// If it was loaded in part.
    pub(crate) fn save(&self, to: &mut StateWriter<'_>) {
        assert!(self.wanted.is_empty(), "what was loaded in part is not saved");
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

    /// Loads what [`Recent::save`] wrote, or of it what is [wanted](StateReader::wanted); holds nothing if that is left out.
    ///
    /// # Errors
    /// When it does not decode, is too much, or an instrument is unknown.
    pub(crate) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.oldest = 0;
        self.ring.clear();
        self.wanted.clear();
        from.past(|from| self.load_past(from))
    }

    fn load_past(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let keys = from.get::<Vec<String>>()?;
        let is_wanted = |instrument| from.wanted().is_none_or(|wanted| wanted.contains(&instrument));
        let known = |key: &String| from.instrument(key).map(|instrument| (instrument, is_wanted(instrument)));
        let instruments = keys.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        let all = from.wanted().is_none();
        let bytes = from.bytes()?;
        let (found, bound) = (bytes.len() / (T::WORDS * 8), self.ring.bound());
        if found > bound {
            return Err(StateError::TooLarge { what: "trades", found, limit: bound });
        }
        for (at, row) in bytes.chunks(T::WORDS * 8).enumerate() {
            let mut words = [0; MOST_WORDS];
            for (word, bytes) in words.iter_mut().zip(row.chunks_exact(8)) {
                *word = u64::from_le_bytes(bytes.try_into().expect("a chunk of eight"));
            }
            let mut value = T::of(words);
            let known = instruments.get(*value.instrument() as usize);
            let (instrument, is_wanted) = *known.ok_or(StateError::Inconsistent("a trade of no instrument"))?;
            *value.instrument() = instrument;
            if all {
                self.ring.push(value);
            } else if is_wanted {
                self.wanted.push(Wanted { value, lasts: bound - found + at });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Listings;

    /// A value: its instrument, and which one it is.
    type Value = (u32, u64);

    impl Kept for Value {
        const WORDS: usize = 2;
        const VACANT: Value = (0, 0);
        fn instrument(&mut self) -> &mut u32 {
            &mut self.0
        }
        fn words(&self) -> [u64; MOST_WORDS] {
            [self.0.into(), self.1, 0, 0, 0, 0]
        }
        fn of([instrument, which, ..]: [u64; MOST_WORDS]) -> Value {
            (instrument as u32, which)
        }
    }

    /// Of every length before and after, beside a ring that never was saved.
    #[test]
    fn a_past_that_is_loaded_in_part_is_forgotten_when_the_whole_would_be() {
        const BOUND: usize = 5;
        let (listings, value) = (Listings::default(), |i: usize| ((i % 3) as u32, i as u64));
        for (before, after) in (0..3 * BOUND).flat_map(|before| (0..2 * BOUND).map(move |after| (before, after))) {
            let mut whole = Recent::new(BOUND);
            (0..before).for_each(|i| whole.push(value(i)));
            let mut to = StateWriter::new(&listings);
            whole.save(&mut to);
            let saved = to.into_parts();
            for wanted in [&[0][..], &[1, 2], &[]] {
                let mut part = Recent::<Value>::new(BOUND);
                let mut from = StateReader::apart(&listings, &saved.now, Some(&saved.past)).whose_past(wanted);
                part.load(&mut from).unwrap();
                from.finish().unwrap();
                let mut goes_on = Recent::new(BOUND);
                (0..before).chain(before..before + after).for_each(|i| goes_on.push(value(i)));
                (before..before + after).for_each(|i| part.push(value(i)));
                let of_wanted = |ring: &mut Recent<Value>| {
                    ring.newest_first()
                        .map(|value| *value)
                        .filter(|value| wanted.contains(&value.0))
                        .collect::<Vec<_>>()
                };
                assert_eq!(of_wanted(&mut part), of_wanted(&mut goes_on), "{before} {after} {wanted:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "what was loaded in part is not saved")]
    fn a_part_is_never_saved() {
        let listings = Listings::default();
        let mut ring = Recent::new(2);
        ring.push((7, 1));
        let mut to = StateWriter::new(&listings);
        ring.save(&mut to);
        let saved = to.into_parts();
        let mut from = StateReader::apart(&listings, &saved.now, Some(&saved.past)).whose_past(&[7]);
        ring.load(&mut from).unwrap();
        ring.save(&mut StateWriter::new(&listings));
    }
}

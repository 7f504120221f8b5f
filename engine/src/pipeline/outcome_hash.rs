//! The hash of all outcomes, which names a run: equal hashes mean equal outcomes.
//!
//! It is a chain over blocks of [`BLOCK`] outcomes: h becomes XXH3-128(h ‖ the 64 bytes of each), and the digest is one such
//! step over what is left. So the whole state is h and the last block, which a snapshot can hold: a run that goes on from a
//! snapshot has the very hash of one that did not stop. Bound: one block.

use flow::{Event, StateError, StateReader, StateWriter};
use xxhash_rust::xxh3::xxh3_128;

/// Outcomes of a block.
const BLOCK: usize = 64;
/// Words of an event, and of a hash.
const EVENT: usize = size_of::<Event>() / 8;
const HASH: usize = 2;

/// The hash so far, followed by the outcomes that are not in it yet, as little-endian words.
pub(super) struct OutcomeHash {
    words: Box<[u64; HASH + BLOCK * EVENT]>,
    held: usize,
}

impl OutcomeHash {
    pub(super) fn new() -> OutcomeHash {
        OutcomeHash { words: Box::new([0; HASH + BLOCK * EVENT]), held: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, outcome: &Event) {
        let at = HASH + self.held * EVENT;
        self.words[at..at + EVENT].copy_from_slice(bytemuck::cast_slice(bytemuck::bytes_of(outcome)));
        self.held += 1;
        if self.held == BLOCK {
            let hash = self.digest();
            (self.words[0], self.words[1], self.held) = (hash as u64, (hash >> 64) as u64, 0);
        }
    }

    /// The hash of all outcomes so far.
    pub(super) fn digest(&self) -> u128 {
        xxh3_128(bytemuck::cast_slice(&self.words[..HASH + self.held * EVENT]))
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        to.put(&self.words[..HASH + self.held * EVENT]);
    }

    /// Restores what [`OutcomeHash::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let saved = from.get::<Vec<u64>>()?;
        let events = saved.len().checked_sub(HASH).filter(|words| words % EVENT == 0 && *words < BLOCK * EVENT);
        self.held = events.ok_or(StateError::Inconsistent("an impossible outcome hash"))? / EVENT;
        self.words[..saved.len()].copy_from_slice(&saved);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::EventId;

    fn outcome(n: u64) -> Event {
        Event { id: EventId(n), ..bytemuck::Zeroable::zeroed() }
    }

    /// Wherever it is saved, in the middle of a block or at its end, the hash goes on as if nothing had happened.
    #[test]
    fn a_saved_hash_goes_on() {
        let listings = flow::Listings::default();
        for stop in [0, 1, 63, 64, 65, 128, 200] {
            let (mut whole, mut part) = (OutcomeHash::new(), OutcomeHash::new());
            (1..=300).for_each(|n| whole.push(&outcome(n)));
            (1..=stop).for_each(|n| part.push(&outcome(n)));
            let mut to = StateWriter::new(&listings);
            part.save(&mut to);
            let bytes = to.into_bytes();
            let mut rest = OutcomeHash::new();
            rest.load(&mut StateReader::new(&listings, &bytes)).unwrap();
            assert_eq!(rest.digest(), part.digest());
            (stop + 1..=300).for_each(|n| rest.push(&outcome(n)));
            assert_eq!(rest.digest(), whole.digest(), "saved after {stop}");
            assert_ne!(part.digest(), whole.digest());
        }
    }

    #[test]
    fn an_impossible_state_is_refused() {
        let listings = flow::Listings::default();
        for words in [0, 1, HASH + 1, HASH + BLOCK * EVENT] {
            let mut to = StateWriter::new(&listings);
            to.put(&vec![7_u64; words]);
            let bytes = to.into_bytes();
            assert!(OutcomeHash::new().load(&mut StateReader::new(&listings, &bytes)).is_err(), "{words} words");
        }
    }
}

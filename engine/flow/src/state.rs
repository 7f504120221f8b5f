//! Saved states, as canonical bytes.
//!
//! The format is postcard's: no padding, integers as varints. Maps are not allowed (a stage writes sorted vectors), so equal
//! states are equal bytes and [`StateWriter::hash`] names a state. Instruments are written by listing key, since an index
//! depends on what else is loaded.
//!
//! What only a broken trade looks at, the trades that are remembered for it, is most of a state and marked as its **past**
//! ([`StateWriter::past`]). A state can be kept with its past apart. Whoever repeats inputs and keeps no state can load it without
//! the past, if none of the inputs is a `break`, or with the past of the instruments whose trades they break: nothing that a stage
//! emits or shows depends on the rest then.

use crate::Listings;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// Why a state could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The bytes do not decode.
    #[error(
        "the saved state does not decode ({0}): it was written by another build or configuration; start from an older snapshot or replay the inputs"
    )]
    Decode(#[from] postcard::Error),
    /// It names a listing that no input has defined.
    #[error("the saved state names the listing {0}, which no input has defined here: load the same inputs first")]
    UnknownListing(String),
    /// The state does not fit.
    #[error("the saved state holds {found} {what}, this stage is configured for {limit}: raise the parameter")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many the state holds.
        found: usize,
        /// How many this stage can hold.
        limit: usize,
    },
    /// The bytes decode to an impossible state.
    #[error("the saved state holds {0}: the file is damaged; start from an older snapshot or replay the inputs")]
    Inconsistent(&'static str),
    /// It needs what is not here, as the sentence says.
    #[error("{0}")]
    Elsewhere(String),
    /// Bytes are left over, or a stage's part is missing.
    #[error("the saved state has {0} bytes too many: it was written by a pipeline with other stages")]
    LeftOver(usize),
}

/// A state with its past apart, or the states of several groups of stages, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedState {
    /// The state without its past.
    pub now: Vec<u8>,
    /// Its past.
    pub past: Vec<u8>,
    /// How many bytes at the end of `now` are the state of the tail, which can be read without the rest.
    pub tail: usize,
}

/// Collects the state of the stages, in the order of the pipeline.
pub struct StateWriter<'a> {
    listings: &'a Listings,
    parts: SavedState,
    /// The bytes of both parts after each piece of the past: so the whole is told from them.
    marks: Vec<[usize; 2]>,
    /// Where the state of the tail begins.
    tail: Option<usize>,
}

impl<'a> StateWriter<'a> {
    /// An empty state; `listings` gives the keys.
    pub fn new(listings: &'a Listings) -> Self {
        StateWriter { listings, parts: SavedState::default(), marks: Vec::new(), tail: None }
    }

    /// Appends a value. Structs, tuples, vectors and integers only: the order of a map is not canonical.
    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) {
        let bytes = std::mem::take(&mut self.parts.now);
        self.parts.now = postcard::to_extend(value, bytes).expect("a vector takes every value");
    }

    /// Appends bytes at once: a large table as a list of numbers would be written and read one by one.
    pub fn put_bytes(&mut self, bytes: &[u8]) {
        self.put(&(bytes.len() as u64));
        self.parts.now.extend_from_slice(bytes);
    }

    /// Appends what `put` appends, as the past: what nothing but a `break` has a stage look at.
    pub fn past(&mut self, put: impl FnOnce(&mut Self)) {
        let turn = |parts: &mut SavedState| std::mem::swap(&mut parts.now, &mut parts.past);
        turn(&mut self.parts);
        put(self);
        turn(&mut self.parts);
        self.marks.push([self.parts.now.len(), self.parts.past.len()]);
    }

    /// What follows is the state of the tail, and the last.
    pub fn begin_tail(&mut self) {
        self.tail = Some(self.parts.now.len());
    }

    /// The whole, in the order in which it was put.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let SavedState { now, past, .. } = &self.parts;
        let mut from = [0, 0];
        let piece = move |to: &[usize; 2]| {
            let begin = std::mem::replace(&mut from, *to);
            [&now[begin[0]..to[0]], &past[begin[1]..to[1]]]
        };
        let rest = self.marks.last().map_or(0, |last| last[0]);
        self.marks.iter().flat_map(piece).chain([&now[rest..]])
    }

    /// The key of an instrument: `symbol@venue`.
    pub fn key(&self, instrument: u32) -> String {
        self.listings.key(instrument)
    }

    /// The bytes written so far.
    pub fn into_bytes(self) -> Vec<u8> {
        if self.marks.is_empty() { self.parts.now } else { self.pieces().collect::<Vec<_>>().concat() }
    }

    /// The bytes written so far, the past apart.
    pub fn into_parts(self) -> SavedState {
        let tail = self.tail.map_or(0, |from| self.parts.now.len() - from);
        SavedState { tail, ..self.parts }
    }

    /// BLAKE3 of the bytes: the name of the state.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.pieces().for_each(|piece| {
            hasher.update(piece);
        });
        hasher.finalize().to_hex().to_string()
    }
}

/// Where a reader has the past.
enum Past<'a> {
    /// Among the rest.
    Among,
    Apart(&'a [u8]),
    LeftOut,
}

/// Reads the states back in the order in which they were put.
pub struct StateReader<'a> {
    instruments: BTreeMap<String, u32>,
    bytes: &'a [u8],
    past: Past<'a>,
    /// Whose past is wanted; `None` = everybody's.
    whose: Option<&'a [u32]>,
}

impl<'a> StateReader<'a> {
    /// Reads what a [`StateWriter`] wrote.
    pub fn new(listings: &Listings, bytes: &'a [u8]) -> Self {
        let instruments = listings.iter().map(|l| (listings.key(l.instrument), l.instrument)).collect();
        StateReader { instruments, bytes, past: Past::Among, whose: None }
    }

    /// Reads a [`SavedState`]; without its past the stages remember no trades.
    pub fn apart(listings: &Listings, now: &'a [u8], past: Option<&'a [u8]>) -> Self {
        StateReader { past: past.map_or(Past::LeftOut, Past::Apart), ..StateReader::new(listings, now) }
    }

    /// Of the past only that of these instruments is wanted.
    pub fn whose_past(self, instruments: &'a [u32]) -> Self {
        StateReader { whose: Some(instruments), ..self }
    }

    /// Whose past is wanted; `None` = everybody's.
    pub fn wanted(&self) -> Option<&'a [u32]> {
        self.whose
    }

    /// Has `get` read what [`StateWriter::past`] put, unless it is left out.
    ///
    /// # Errors
    /// Those of `get`.
    pub fn past(&mut self, get: impl FnOnce(&mut Self) -> Result<(), StateError>) -> Result<(), StateError> {
        match self.past {
            Past::Among => get(self),
            Past::Apart(past) => {
                let now = std::mem::replace(&mut self.bytes, past);
                let got = get(self);
                self.past = Past::Apart(std::mem::replace(&mut self.bytes, now));
                got
            }
            Past::LeftOut => Ok(()),
        }
    }

    /// The next value.
    ///
    /// # Errors
    /// [`StateError::Decode`] when the bytes are not of that type.
    pub fn get<T: DeserializeOwned>(&mut self) -> Result<T, StateError> {
        let (value, rest) = postcard::take_from_bytes(self.bytes)?;
        self.bytes = rest;
        Ok(value)
    }

    /// The instrument of a key written by [`StateWriter::key`].
    ///
    /// # Errors
    /// [`StateError::UnknownListing`] when no input defined it here.
    pub fn instrument(&self, key: &str) -> Result<u32, StateError> {
        let unlisted = || key.strip_prefix('#').and_then(|index| index.parse().ok());
        let known = self.instruments.get(key).copied().or_else(unlisted);
        known.ok_or_else(|| StateError::UnknownListing(key.to_owned()))
    }

    /// The next value, which are bytes that [`StateWriter::put_bytes`] wrote.
    ///
    /// # Errors
    /// [`StateError::Decode`] when there are fewer.
    pub fn bytes(&mut self) -> Result<&'a [u8], StateError> {
        let (bytes, rest) = postcard::take_from_bytes::<&'a [u8]>(self.bytes)?;
        self.bytes = rest;
        Ok(bytes)
    }

    /// Ends reading.
    ///
    /// # Errors
    /// [`StateError::LeftOver`] when bytes are left.
    pub fn finish(self) -> Result<(), StateError> {
        let past = if let Past::Apart(past) = self.past { past.len() } else { 0 };
        match self.bytes.len() + past {
            0 => Ok(()),
            n => Err(StateError::LeftOver(n)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_with_its_past_among_the_rest_apart_or_not_at_all() {
        let listings = Listings::default();
        let mut to = StateWriter::new(&listings);
        to.put(&1_u64);
        to.past(|to| to.put(&20_u64));
        to.put(&3_u64);
        to.past(|to| to.put_bytes(&[40, 41]));
        let name = to.hash();
        let read = |mut from: StateReader<'_>| {
            let (mut now, mut past) = (Vec::new(), (0, Vec::new()));
            now.push(from.get::<u64>()?);
            from.past(|from| from.get::<u64>().map(|one| past.0 = one))?;
            now.push(from.get::<u64>()?);
            from.past(|from| from.bytes().map(|bytes| past.1 = bytes.to_vec()))?;
            from.finish().map(|()| (now, past))
        };
        let mut again = StateWriter::new(&listings);
        again.put(&1_u64);
        again.put(&20_u64);
        again.put(&3_u64);
        again.put_bytes(&[40, 41]);
        assert_eq!(again.hash(), name, "the past is a part of the state");
        let (bytes, SavedState { now, past, .. }) = (again.into_bytes(), to.into_parts());
        let whole = (vec![1, 3], (20, vec![40, 41]));
        assert_eq!(read(StateReader::new(&listings, &bytes)).unwrap(), whole);
        assert_eq!(read(StateReader::apart(&listings, &now, Some(&past))).unwrap(), whole);
        assert_eq!(read(StateReader::apart(&listings, &now, None)).unwrap(), (vec![1, 3], (0, Vec::new())));
        let longer = [&past[..], &[0]].concat();
        let left = read(StateReader::apart(&listings, &now, Some(&longer)));
        assert!(matches!(left, Err(StateError::LeftOver(1))), "{left:?}");
    }
}

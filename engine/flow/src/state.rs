//! Saved states, as canonical bytes.
//!
//! The format is postcard's: no padding, integers as varints. Maps are not allowed (a stage writes sorted vectors), so equal
//! states are equal bytes and [`StateWriter::hash`] names a state. Instruments are written by listing key, since an index
//! depends on what else is loaded.

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

/// Collects the state of the stages, in the order of the pipeline.
pub struct StateWriter<'a> {
    listings: &'a Listings,
    bytes: Vec<u8>,
}

impl<'a> StateWriter<'a> {
    /// An empty state; `listings` gives the keys.
    pub fn new(listings: &'a Listings) -> Self {
        StateWriter { listings, bytes: Vec::new() }
    }

    /// Appends a value. Structs, tuples, vectors and integers only: the order of a map is not canonical.
    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) {
        self.bytes = postcard::to_extend(value, std::mem::take(&mut self.bytes)).expect("a vector takes every value");
    }

    /// Appends bytes at once: a large table as a list of numbers would be written and read one by one.
    pub fn put_bytes(&mut self, bytes: &[u8]) {
        self.put(&(bytes.len() as u64));
        self.bytes.extend_from_slice(bytes);
    }

    /// The key of an instrument: `symbol@venue`.
    pub fn key(&self, instrument: u32) -> String {
        self.listings.key(instrument)
    }

    /// The bytes written so far.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// BLAKE3 of the bytes: the name of the state.
    pub fn hash(&self) -> String {
        blake3::hash(&self.bytes).to_hex().to_string()
    }
}

/// Reads the states back in the order in which they were put.
pub struct StateReader<'a> {
    instruments: BTreeMap<String, u32>,
    bytes: &'a [u8],
}

impl<'a> StateReader<'a> {
    /// Reads what a [`StateWriter`] wrote.
    pub fn new(listings: &Listings, bytes: &'a [u8]) -> Self {
        let instruments = listings.iter().map(|l| (listings.key(l.instrument), l.instrument)).collect();
        StateReader { instruments, bytes }
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
        match self.bytes.len() {
            0 => Ok(()),
            n => Err(StateError::LeftOver(n)),
        }
    }
}

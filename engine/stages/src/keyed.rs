//! State of instruments, saved by the key of their listing.
//!
//! An index depends on what else is loaded, a key does not. Entries are sorted by key, so equal states are equal bytes.

use flow::{StateError, StateReader, StateWriter};
use serde::{Serialize, de::DeserializeOwned};

/// Saves what `of` gives of each of so many instruments; nothing of those where it gives none.
pub(crate) fn save<S: Serialize>(to: &mut StateWriter<'_>, instruments: usize, of: impl Fn(usize) -> Option<S>) {
    let entry = |at: usize| of(at).map(|saved| (to.key(at as u32), saved));
    let mut entries: Vec<(String, S)> = (0..instruments).filter_map(entry).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    to.put(&entries);
}

/// Hands every saved entry to `put`, with its place among so many instruments.
///
/// # Errors
/// When the bytes are no such state, an instrument is past the end, or `put` refuses an entry.
pub(crate) fn load<S: DeserializeOwned>(
    from: &mut StateReader<'_>,
    instruments: usize,
    mut put: impl FnMut(usize, S) -> Result<(), StateError>,
) -> Result<(), StateError> {
    for (key, saved) in from.get::<Vec<(String, S)>>()? {
        let at = from.instrument(&key)? as usize;
        if at >= instruments {
            return Err(StateError::TooLarge { what: "instruments", found: at + 1, limit: instruments });
        }
        put(at, saved)?;
    }
    Ok(())
}

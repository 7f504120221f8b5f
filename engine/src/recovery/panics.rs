//! Counts how often the pipeline panicked at the same input.
//!
//! A panic is noted in the journal's folder with the `seq` of the last finished input. A run that resumes after one panic
//! starts halted. After a second panic at the same place another replay would only panic again, so the pipeline is not
//! started at all. Bound: one note, of the last panic.

use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

const FILE: &str = "panic.toml";

/// A note of the last panic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panics {
    /// The last input that the pipeline had finished before it.
    pub seq: u64,
    /// How often the pipeline panicked there.
    pub times: u32,
    /// The panic's message.
    pub message: String,
}

impl Panics {
    /// Reads the note in a journal's folder, if there is one.
    pub fn read(journal: &Path) -> Option<Panics> {
        toml::from_str(&std::fs::read_to_string(journal.join(FILE)).ok()?).ok()
    }

    /// Notes a panic after `seq`.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn note(journal: &Path, seq: u64, message: &str) -> io::Result<Panics> {
        let before = Panics::read(journal).filter(|p| p.seq == seq).map_or(0, |p| p.times);
        let panics = Panics { seq, times: before + 1, message: message.to_owned() };
        std::fs::write(journal.join(FILE), toml::to_string(&panics).expect("plain values"))?;
        Ok(panics)
    }

    /// Deletes the note, on the operator's request.
    pub fn forget(journal: &Path) {
        // If there is none, so much the better.
        let _ = std::fs::remove_file(journal.join(FILE));
    }
}

//! How often the same input made the pipeline panic.
//!
//! A panic is noted in the journal's folder with the `seq` at which it came. A run that goes on after one enters halted;
//! after a second one at the same place repeating would only panic again, so the pipeline is not started at all.

use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

const FILE: &str = "panic.toml";

/// The note of the last panic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panics {
    /// The last input that the pipeline had finished.
    pub seq: u64,
    /// How often it came there.
    pub times: u32,
    /// What it said.
    pub message: String,
}

impl Panics {
    /// The note in a journal's folder, if there is one.
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

    /// Forgets it: the operator says so.
    pub fn forget(journal: &Path) {
        // That there was none is as good.
        let _ = std::fs::remove_file(journal.join(FILE));
    }
}

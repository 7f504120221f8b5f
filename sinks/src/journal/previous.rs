//! How the journal before one ended, in the folder of the one that follows.
//!
//! `previous.toml` is written once the journal before has been closed, so the chain goes on from journal to journal, also when
//! older ones have been moved away. Bound: one small text.

use super::begin::{read, text_of};
use super::error::JournalError;
use super::format::{hex, id_text};
use super::manifest::{Closed, JournalInfo};
use super::private::write_whole;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file that says how the journal before ended.
const PREVIOUS: &str = "previous.toml";

/// How the journal before one ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its id, 16 hex digits.
    pub journal_id: String,
    /// BLAKE3 of its own text about the one before it, if it has one: so each journal commits to all before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Its end.
    pub closed: Closed,
}

impl Previous {
    /// How the journal before the one in `dir` ended, if that has been written.
    ///
    /// # Errors
    /// When the text cannot be read, or was altered.
    pub fn read(dir: &Path) -> Result<Option<Previous>, JournalError> {
        read(dir, PREVIOUS)
    }

    /// How the journal in `dir` ended; `None` if it is not closed.
    ///
    /// # Errors
    /// When its texts cannot be read.
    pub fn of(dir: &Path, info: &JournalInfo) -> Result<Option<Previous>, JournalError> {
        let before = Previous::read(dir)?.map(|p| hex(blake3::hash(text_of(&p).as_bytes()).as_bytes()));
        let closed = Closed::read(dir)?;
        Ok(closed.map(|closed| Previous { journal_id: id_text(info.journal_id), before, closed }))
    }

    /// Writes it into the journal in `dir`, which follows.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(&self, dir: &Path) -> Result<(), JournalError> {
        write_whole(dir, PREVIOUS, &text_of(self))
    }
}

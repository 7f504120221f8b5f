//! Rows that the server refuses by themselves: kept in a file, with the reason.
//!
//! The file is synced before the position behind the event is saved. Bound: [`MOST`] letters between two commits; more are a
//! fault of something else, and end the sink.

use crate::dead_letter::line;
use crate::journal::private::remove_if_there;
use crate::tables::id_of;
use crate::tailer::TailerError;
use flow::Event;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Most letters between two commits.
const MOST: usize = 100;

/// Where the letters of a follower are.
pub(super) fn path(dir: &Path, follower: &str) -> PathBuf {
    dir.join("followers").join(format!("{follower}.dead.jsonl"))
}

/// Removes the letters of a follower, if there are any.
///
/// # Errors
/// When the disk does not let them go.
pub(super) fn remove(path: &Path) -> Result<(), TailerError> {
    remove_if_there(path).map_err(|e| TailerError {
        what: format!("{}: dead letters cannot be removed: {e}", path.display()),
        next: "see that the folder can be written".to_owned(),
        transient: true,
    })
}

/// The file.
pub(super) struct DeadLetters {
    path: PathBuf,
    /// Lines that are not in it yet.
    lines: Vec<String>,
}

impl DeadLetters {
    pub(super) fn new(path: PathBuf) -> DeadLetters {
        DeadLetters { path, lines: Vec::new() }
    }

    /// Drops what was not saved: it comes again.
    pub(super) fn restart(&mut self) {
        self.lines.clear();
    }

    /// Takes an event of which no row is made.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn add(&mut self, journal: u64, event: &Event, table: &str, why: &str) -> Result<(), TailerError> {
        if self.lines.len() == MOST {
            return Err(TailerError {
                what: format!("more than {MOST} rows in a row cannot be written, the last of {table}: {why}"),
                next: "see what they have in common; no position behind them is saved".to_owned(),
                transient: false,
            });
        }
        self.lines.push(line(&id_of(journal), event, table, why));
        Ok(())
    }

    /// Writes what has come, and says how many and where.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub(super) fn save(&mut self) -> Result<Option<String>, TailerError> {
        let Some(last) = self.lines.last() else { return Ok(None) };
        let text = self.lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        self.append(&text).map_err(|e| TailerError {
            what: format!("{}: dead letters cannot be written: {e}", self.path.display()),
            next: "see that the disk has room".to_owned(),
            transient: true,
        })?;
        let (number, path) = (self.lines.len(), self.path.display());
        let said =
            format!("{number} events could not be written as rows; they are kept in {path}, the last one: {last}");
        self.lines.clear();
        Ok(Some(said))
    }

    fn append(&self, text: &str) -> io::Result<()> {
        let mut file: File = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()
    }
}

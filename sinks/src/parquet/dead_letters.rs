//! Events of which no row can be made: kept with the reason, in a file that belongs to a cut like those with rows.
//!
//! Bound: [`MOST`] letters between two cuts; more are a fault of something else, and end the sink.

use crate::dead_letter::line;
use crate::tables::id_of;
use crate::tailer::TailerError;
use flow::Event;

/// Most letters between two cuts.
const MOST: usize = 10_000;

/// Letters since the last cut.
#[derive(Default)]
pub(super) struct DeadLetters {
    lines: Vec<String>,
}

impl DeadLetters {
    /// Takes an event of which no row is made.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn add(&mut self, journal: &str, event: &Event, table: &str, why: &str) -> Result<(), TailerError> {
        if self.lines.len() == MOST {
            return Err(TailerError {
                what: format!("more than {MOST} events since the last file make no row, the last of {table:?}: {why}"),
                next: "see what they have in common; nothing behind the last file is lost".to_owned(),
                transient: false,
            });
        }
        self.lines.push(line(journal, event, table, why));
        Ok(())
    }

    /// The same for an event that completes a row which is written already.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn late(&mut self, journal: u64, event: &Event) -> Result<(), TailerError> {
        self.add(&id_of(journal), event, "", "the row that it completes was written before, without it")
    }

    /// Takes out the letters as a text, and how many they are; `None` if there are none.
    pub(super) fn take(&mut self) -> Option<(String, usize)> {
        let lines = std::mem::take(&mut self.lines);
        (!lines.is_empty()).then(|| (lines.iter().map(|line| format!("{line}\n")).collect(), lines.len()))
    }
}

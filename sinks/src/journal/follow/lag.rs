//! How far a follower is behind the run.
//!
//! Bound: a look at the last segment of each journal that it has not read, and one at the newest input. Worst case: many small
//! journals behind a follower that was away for weeks.

use super::super::error::JournalError;
use super::super::format::LogKind;
use super::super::home::{Home, Member};
use super::merged::Merged;
use super::position::Position;
use flow::Ns;

/// What lies between a position and the end of what is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Events of both logs, of any kind.
    pub events: u64,
    /// From the last input that was read to the newest one, by the clock of the run, in nanoseconds; unknown before the first.
    pub ns: Option<u64>,
    /// Whether the journal of the position is still here.
    pub is_there: bool,
}

impl Lag {
    /// How far the journals in `home` reach beyond a position.
    ///
    /// # Errors
    /// When a journal cannot be read.
    pub fn of(home: &Home, position: &Position) -> Result<Lag, JournalError> {
        let journals = home.journals();
        let at = journals.iter().position(|m| m.info.journal_id == position.journal);
        let later = |m: &&Member| m.info.after() >= position.seq;
        let from = at.or_else(|| journals.iter().position(|m| later(&m))).unwrap_or(journals.len());
        let mut events = 0;
        for member in &journals[from..] {
            let reader = member.reader();
            events += reader.records(LogKind::Inputs)? + reader.records(LogKind::Outcomes)?;
        }
        let read = at.map_or(0, |at| position.seq - journals[at].info.after() + position.outcomes);
        let newest = Merged::newest(home.current())?.at;
        let ns = (position.at != Ns(0) && newest != Ns(0)).then(|| newest.0.saturating_sub(position.at.0));
        Ok(Lag { events: events.saturating_sub(read), ns, is_there: at.is_some() })
    }
}

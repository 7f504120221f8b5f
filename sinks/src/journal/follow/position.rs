//! How far a follower has come: a few numbers that can be saved anywhere, and with which it goes on.
//!
//! The logs are append-only and what a kill takes from them is derived again, so the number of the last outcome and the seq of
//! the last input say exactly what has been read. The time of that input guards against a journal that is another one by now:
//! after a power failure a run may go on with other inputs under the same numbers.
//!
//! Bound: six numbers. Worst case: a position that the journal does not have; it is refused in words.

use super::super::home::Member;
use super::super::manifest::Closed;
use flow::Ns;
use serde::{Deserialize, Serialize};

/// A place between two events of a run's journals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Id of the run: of its first journal.
    #[serde(with = "id")]
    pub run: u64,
    /// Id of the journal; keys its rows together with the id of an event.
    #[serde(with = "id")]
    pub journal: u64,
    /// Seq of the last input that was read; that of the last one before the journal if none was.
    pub seq: u64,
    /// When that input came, by the clock of the run; 0 if none was read.
    pub at: Ns,
    /// Number of the last outcome that was read, from 1 in each journal.
    pub outcomes: u64,
    /// Gaps were told up to this seq.
    pub told: u64,
}

impl Position {
    /// Before everything in this journal.
    pub fn before(member: &Member) -> Position {
        let info = &member.info;
        let (seq, at) = (info.after(), Ns(0));
        Position { run: info.run_id(), journal: info.journal_id, seq, at, outcomes: 0, told: seq }
    }

    /// Whether a journal that ended like this was read to its end.
    pub fn is_end_of(&self, closed: &Closed) -> bool {
        self.seq >= closed.inputs.last_seq && self.outcomes >= closed.outcomes.records
    }

    /// The first input of which something may be missing behind it: the last one may have had more outcomes.
    pub(super) fn unsure_from(&self) -> u64 {
        self.seq + u64::from(self.at == Ns(0))
    }
}

/// An id as 16 hex digits.
mod id {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(id: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{id:016x}"))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<u64, D::Error> {
        let text = String::deserialize(from)?;
        u64::from_str_radix(&text, 16).map_err(|_| D::Error::custom("an id is 16 hex digits"))
    }
}

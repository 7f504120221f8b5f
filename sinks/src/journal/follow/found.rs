//! What a follower gets: events, and where some are missing.

use flow::Event;

/// One thing that a follower comes upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// An input, or an outcome of the last one.
    Event(Event),
    /// Something is missing from here on.
    Gap(Gap),
}

/// A part of the journal that cannot be read any more, or was never stored. Each is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Seq of the first input that is concerned.
    pub from: u64,
    /// Seq of the last one.
    pub to: u64,
    /// What is missing.
    pub missing: Missing,
}

/// What a gap lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Outcomes, some or all. The inputs follow, with the outcomes that are there.
    Outcomes,
    /// Inputs and their outcomes: a journal was removed, or a power failure took its end. Nothing of the gap follows but, of
    /// its first input, what was read before.
    Both,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Gap { from, to, missing } = self;
        match missing {
            Missing::Outcomes => {
                write!(f, "outcomes of inputs {from} to {to} are missing: they were left out or dropped")
            }
            Missing::Both => write!(f, "inputs {from} to {to} and their outcomes are missing: their journal is gone"),
        }
    }
}

//! What a check is to the rest of the gate: an entry of the registry, and the breach when it does not hold.
//!
//! Bound: two numbers a breach.

use flow::{IntParam, Param};

/// An entry of the registry of checks. Commands, rows, summaries, pages and tests take all that they say of a check from
/// here.
#[derive(Clone, Copy, Debug)]
pub struct CheckEntry {
    /// Number in `refused` and in commands: part of the journal's format, given once and never again.
    pub number: u16,
    /// Name in rows and on the command line.
    pub name: &'static str,
    /// Unit of limit and value.
    pub unit: &'static str,
    /// What it refuses, in one sentence.
    pub about: &'static str,
    /// The limit, which a command can change; see [`limit`].
    pub limit: Option<IntParam>,
    /// What else can be set: sizes and windows, from the configuration alone.
    pub params: &'static [Param],
}

/// A limit from 0 to `most`; 0 = not bound, and the check refuses everything.
pub(super) const fn limit(name: &'static str, most: u64, default: &'static str) -> IntParam {
    assert!(most <= i64::MAX as u64, "a command can name every limit");
    IntParam::new(name, (0, most), default, "limit of the check; 0 = not bound, and everything is refused").live()
}

/// A check that does not hold: what it allows and what it saw, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) limit: i64,
    pub(super) value: i64,
}

impl Breach {
    /// With a value that may be larger than a record can hold.
    #[cold]
    pub(super) fn of(limit: i64, value: i128) -> Option<Breach> {
        let value = i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
        Some(Breach { limit, value })
    }
}

//! A check as the rest of the gate sees it: a registry entry, and the breach if it fails.
//!
//! Bound: two numbers per breach.

use flow::{IntParam, Param, ParamType};
use std::ops::RangeInclusive;

/// An entry of the registry of checks: the one source for commands, rows, summaries, pages and tests.
#[derive(Clone, Copy, Debug)]
pub struct CheckEntry {
    /// Number in `refused` and in commands: part of the journal's format, never reused.
    pub number: u16,
    /// Name in rows and on the command line.
    pub name: &'static str,
    /// Unit of the limit and the value.
    pub unit: &'static str,
    /// Why it refuses, in one sentence.
    pub about: &'static str,
    /// The limit, which a command can change; made by `limit`.
    pub limit: Option<IntParam>,
    /// Further parameters: sizes and windows, set by the configuration alone.
    pub params: &'static [Param],
}

impl CheckEntry {
    /// The range of its limit, if it has one; the ceiling for commands may be lower.
    pub fn limit_range(&self) -> Option<RangeInclusive<i64>> {
        match self.limit?.param().ty {
            ParamType::Int(low, high) => Some(low.try_into().ok()?..=high.try_into().ok()?),
            _ => None,
        }
    }
}

/// A limit from 0 to `most`; 0 = not set, and the check refuses everything.
pub(super) const fn limit(name: &'static str, most: u64, default: &'static str) -> IntParam {
    assert!(most <= i64::MAX as u64, "a command can name every limit");
    IntParam::new(name, (0, most), default, "limit of the check; 0 = not set, and everything is refused").live()
}

/// A failed check: its limit and the value that it found, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) limit: i64,
    pub(super) value: i64,
}

/// What refuses an order: the check, the number of the most specific table of limits that does (0 = the section), and the
/// breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) check: u16,
    pub(super) level: u16,
    pub(super) breach: Breach,
}

impl Breach {
    /// A breach whose value may be larger than a record can hold.
    #[cold]
    pub(super) fn of(limit: i64, value: i128) -> Option<Breach> {
        let value = i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
        Some(Breach { limit, value })
    }
}

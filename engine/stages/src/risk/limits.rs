//! The limits that hold now, one a check that has one.

use super::checks::{CHECKS, Check};
use flow::records::Command;
use flow::{IntParam, ParamType, Params};
use serde::{Deserialize, Serialize};

/// By number of the check; 0 = not bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Limits([i64; CHECKS.len()]);

impl Limits {
    /// As configured.
    pub(super) fn new(params: &Params) -> Limits {
        let mut limits = Limits([0; CHECKS.len()]);
        for entry in CHECKS {
            if let Some(limit) = entry.limit {
                limits.0[slot(entry.check)] = i64::try_from(params.get(limit)).unwrap_or(i64::MAX);
            }
        }
        limits
    }

    /// What the check allows.
    #[inline]
    pub(super) fn of(&self, check: Check) -> i64 {
        self.0[slot(check)]
    }

    /// Sets the limit that a command names. Refuses a check without one, an old value that does not hold, and a new one
    /// that the parameter would not take.
    pub(super) fn set(&mut self, command: &Command) -> Result<(), BadCommand> {
        let target = u16::try_from(command.target).map_err(|_| BadCommand)?;
        let check = Check::from_code(target).ok_or(BadCommand)?;
        let range = check.entry().limit.and_then(range).ok_or(BadCommand)?;
        let limit = &mut self.0[slot(check)];
        if *limit != command.old || !range.contains(&command.new) {
            return Err(BadCommand);
        }
        *limit = command.new;
        Ok(())
    }
}

impl Limits {
    /// Whether every limit is one that its parameter would take.
    pub(super) fn are_valid(&self) -> bool {
        let valid = |check, limit: i64| match Check::entry(check).limit.and_then(range) {
            Some(range) => range.contains(&limit),
            None => limit == 0,
        };
        CHECKS.iter().all(|entry| valid(entry.check, self.of(entry.check)))
    }
}

/// The command cannot be carried out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadCommand;

#[inline]
const fn slot(check: Check) -> usize {
    check as usize - 1
}

fn range(limit: IntParam) -> Option<std::ops::RangeInclusive<i64>> {
    match limit.param().ty {
        ParamType::Int(low, high) => Some(low.try_into().ok()?..=high.try_into().ok()?),
        _ => None,
    }
}

/// The parameter that is a check's limit.
pub(super) const fn limit(name: &'static str, most: u64, default: &'static str) -> IntParam {
    IntParam::new(name, (0, most), default, "limit of the check; 0 = not bound, and everything is refused").live()
}

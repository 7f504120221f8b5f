//! The limits in force, one for each check that has a limit.

use super::breach::CheckEntry;
use super::checks::{CHECKS, Limits};
use flow::records::Command;
use flow::{IntParam, ParamType, Params};
use std::ops::RangeInclusive;

/// As configured.
pub(super) fn configured(params: &Params) -> Limits {
    let mut limits = [0; CHECKS.len()];
    for (held, entry) in limits.iter_mut().zip(CHECKS) {
        *held = entry.limit.map_or(0, |limit| i64::try_from(params.get(limit)).unwrap_or(i64::MAX));
    }
    limits
}

/// Sets the limit that a command names. Fails if the check has no limit, if the old value is not the one in force, or if
/// the new value is out of the range of the parameter.
pub(super) fn set(limits: &mut Limits, command: &Command) -> Result<(), BadCommand> {
    let at = CHECKS.iter().position(|entry| u32::from(entry.number) == command.target).ok_or(BadCommand)?;
    let range = CHECKS[at].limit.and_then(range).ok_or(BadCommand)?;
    if limits[at] != command.old || !range.contains(&command.new) {
        return Err(BadCommand);
    }
    limits[at] = command.new;
    Ok(())
}

/// Whether every limit is in the range of its parameter.
pub(super) fn are_valid(limits: &Limits) -> bool {
    let valid = |(limit, entry): (&i64, &CheckEntry)| match entry.limit.and_then(range) {
        Some(range) => range.contains(limit),
        None => *limit == 0,
    };
    limits.iter().zip(CHECKS).all(valid)
}

/// The command cannot be executed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadCommand;

fn range(limit: IntParam) -> Option<RangeInclusive<i64>> {
    match limit.param().ty {
        ParamType::Int(low, high) => Some(low.try_into().ok()?..=high.try_into().ok()?),
        _ => None,
    }
}

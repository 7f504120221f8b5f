//! The limits in force, one for each check that has a limit, and what commands may set them to.
//!
//! A command may lower every limit. It may raise one as far as its ceiling, which the configuration alone sets; a limit
//! without a ceiling stays at or below its configured value. The same holds of the limits of a table. Bound: two numbers a
//! check.

use super::breach::CheckEntry;
use super::checks::{CEILINGS, CHECKS, Limits};
use super::levels::Levels;
use super::target::LimitTarget;
use flow::records::{Command, CommandOutcome};
use flow::{CommandAction, CommandResult, LimitInForce, ParamError, Params, TradingState};

/// As configured.
pub(super) fn configured(params: &Params) -> Limits {
    of_checks(|entry| entry.limit.map_or(0, |limit| number(params.get(limit))))
}

/// The most that a command may set each limit to.
pub(super) fn ceilings(params: &Params) -> Limits {
    let ceilings = params.get(CEILINGS);
    let mut most = configured(params);
    for (most, entry) in most.iter_mut().zip(CHECKS) {
        *most = ceilings.get(entry.name).map_or(*most, |ceiling| number(*ceiling));
    }
    most
}

/// Fails if a limit is configured above its ceiling.
pub(super) fn check_ceilings(params: &Params) -> Result<(), ParamError> {
    let most = ceilings(params);
    for ((limit, most), entry) in configured(params).into_iter().zip(most).zip(CHECKS) {
        if limit > most {
            return Err(ParamError {
                key: format!("risk.{}.{}", CEILINGS.name(), entry.name),
                found: format!("{most} is below the configured limit {limit}"),
                valid: format!("valid: {limit} or more, or a lower limit"),
            });
        }
    }
    Ok(())
}

/// Says which limits are in force, which are configured, and how far a command may raise them.
pub(super) fn say(limits: &Limits, configured: &Limits, ceilings: &Limits, to: &mut TradingState) {
    for (at, entry) in CHECKS.iter().enumerate().filter(|(_, entry)| entry.limit.is_some()) {
        let (limit, configured, ceiling) = (limits[at], configured[at], ceilings[at]);
        to.limits.push(LimitInForce { check: entry.number, limit, configured, ceiling });
    }
}

/// Sets the limit that a command names, if it exists, its old value is the one in force, and the new one is in range and not
/// above the ceiling. Returns what became of it.
pub(super) fn set(limits: &mut Limits, ceilings: &Limits, levels: &mut Levels, command: &Command) -> CommandOutcome {
    let LimitTarget { table, check } = LimitTarget::of_code(command.target);
    let at = CHECKS.iter().position(|entry| entry.number == check && entry.limit.is_some());
    let found = at.and_then(|at| match table {
        0 => Some((CHECKS[at], &mut limits[at], ceilings[at])),
        table => levels.limit_mut(table, at).map(|(limit, ceiling)| (CHECKS[at], limit, ceiling)),
    });
    let Some((entry, limit, ceiling)) = found else {
        return outcome(command, CommandResult::UnknownTarget, 0, 0);
    };
    let old = *limit;
    let result = match entry.limit_range() {
        _ if old != command.old => CommandResult::WrongOld,
        Some(range) if range.contains(&command.new) && command.new <= ceiling => CommandResult::Applied,
        Some(range) if range.contains(&command.new) => CommandResult::AboveCeiling,
        _ => CommandResult::OutOfRange,
    };
    if result == CommandResult::Applied {
        *limit = command.new;
    }
    outcome(command, result, old, *limit)
}

/// What became of a command: the value before, and the one in force now.
pub(super) fn outcome(command: &Command, result: CommandResult, old: i64, new: i64) -> CommandOutcome {
    let Command { action, target, .. } = *command;
    debug_assert!(CommandAction::from_code(action).is_some(), "only a known command has an outcome");
    CommandOutcome { action, target, old, new, result: result.code(), ..Default::default() }
}

/// Whether commands could have set every limit to its value.
pub(super) fn are_valid(limits: &Limits, ceilings: &Limits) -> bool {
    limits.iter().zip(ceilings).all(|(limit, most)| (0..=*most).contains(limit))
}

fn of_checks(of: impl Fn(&CheckEntry) -> i64) -> Limits {
    let mut limits = [0; CHECKS.len()];
    for (limit, entry) in limits.iter_mut().zip(CHECKS) {
        *limit = of(entry);
    }
    limits
}

/// A limit of a configuration.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

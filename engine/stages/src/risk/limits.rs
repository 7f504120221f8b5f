//! The limits in force, one for each check that has a limit, and what commands may set them to.
//!
//! A command may lower every limit. It may raise one as far as its ceiling, which the configuration alone sets; a limit
//! without a ceiling stays at or below its configured value. Bound: two numbers a check.

use super::breach::CheckEntry;
use super::checks::{CEILINGS, CHECKS, Limits};
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
pub(super) fn set(limits: &mut Limits, ceilings: &Limits, command: &Command) -> CommandOutcome {
    let is_target = |entry: &CheckEntry| u32::from(entry.number) == command.target && entry.limit.is_some();
    let Some(at) = CHECKS.iter().position(is_target) else {
        return outcome(command, CommandResult::UnknownTarget, 0, 0);
    };
    let old = limits[at];
    let result = match CHECKS[at].limit_range() {
        _ if old != command.old => CommandResult::WrongOld,
        Some(range) if range.contains(&command.new) && command.new <= ceilings[at] => CommandResult::Applied,
        Some(range) if range.contains(&command.new) => CommandResult::AboveCeiling,
        _ => CommandResult::OutOfRange,
    };
    if result == CommandResult::Applied {
        limits[at] = command.new;
    }
    outcome(command, result, old, limits[at])
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

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

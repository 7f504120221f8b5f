//! Skips the counters of order ids ahead when it is not known how far they had come.

use crate::ingress::{Asker, OperatorCommand};
use flow::{CommandAction, Event};

/// How far counters of order ids skip ahead after an unclean stop.
pub(crate) const SKIPPED: u64 = 1_000;

/// The command that skips the counters of every strategy ahead.
pub(crate) fn skip_counters(by: u64) -> Event {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    OperatorCommand { new: by, ..OperatorCommand::plain(CommandAction::SkipCounters, Asker::ENGINE) }.event()
}

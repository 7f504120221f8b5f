//! Going on after a stop.
//!
//! What was stored is repeated through the same pipeline: from the start, or from a snapshot that a shadow wrote. The sources
//! and the simulated venue must give what they gave, the pipeline must say what it said; then the run goes on where the
//! record ends, and nothing is stored or sent twice. Only the build and the configuration that wrote a journal may go on
//! with it. Bound: a snapshot holds one state; repeating costs what running did.

mod carry;
mod limits;
mod panics;
mod snapshot;

pub use carry::{Carried, CarryError, answers, begun_with, carry_over};
pub use panics::Panics;
pub use snapshot::{Snapshot, SnapshotError};

use crate::config::Settings;
use crate::ingress::{Asker, OperatorCommand};
use crate::run::build_id;
use flow::{CommandAction, Event};
use sinks::journal::JournalInfo;

/// Why a journal cannot simply go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Changed {
    /// Another build wrote it.
    #[error(
        "the journal was written by {written}, this is {here}: start that build again, or begin a new journal with --carry-over"
    )]
    Build {
        /// Build that wrote it.
        written: String,
        /// This one.
        here: String,
    },
    /// It was written with another configuration.
    #[error(
        "the configuration is not the one that the journal began with (first difference: {0}): restore it, or begin a new journal with --carry-over"
    )]
    Config(String),
}

/// How far counters of order ids skip ahead after an unclean stop.
pub const SKIPPED: u64 = 1_000;

/// The command that skips the counters of every strategy ahead.
pub fn skip_counters(by: u64) -> Event {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    OperatorCommand { new: by, ..OperatorCommand::plain(CommandAction::SkipCounters, Asker::ENGINE) }.event()
}

/// Whether this build with these settings may go on with a journal.
///
/// # Errors
/// What has changed.
pub fn check(info: &JournalInfo, settings: &Settings) -> Result<(), Changed> {
    if info.build_id != build_id() {
        return Err(Changed::Build { written: info.build_id.clone(), here: build_id() });
    }
    let now = settings.to_toml();
    if info.config_text != now {
        let mut lines = info.config_text.lines().zip(now.lines());
        let first = lines.find(|(was, is)| was != is).map(|(was, is)| format!("was {was:?}, is {is:?}"));
        return Err(Changed::Config(first.unwrap_or_else(|| "a line more or less at its end".to_owned())));
    }
    Ok(())
}

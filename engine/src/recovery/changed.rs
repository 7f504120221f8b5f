//! Checks that this build and these settings may resume a journal.

use crate::build_id::build_id;
use crate::config::Settings;
use sinks::journal::JournalInfo;

/// Why a journal cannot be resumed as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Changed {
    /// Another build wrote it.
    #[error(
        "the journal was written by {written}, this is {here}: use that build, or start a new journal with --carry-over"
    )]
    Build {
        /// Build that wrote it.
        written: String,
        /// This one.
        here: String,
    },
    /// It was written with another configuration.
    #[error(
        "the configuration differs from the one that the journal was started with (first difference: {0}): restore it, or start a new journal with --carry-over"
    )]
    Config(String),
    /// Its inputs numbered another count of instruments.
    #[error(
        "the inputs number {here} instruments, those that the journal was started with {written}: pass the same files, or start a new journal with --carry-over"
    )]
    Instruments {
        /// Count in the journal.
        written: u32,
        /// Count now.
        here: u32,
    },
}

/// Checks that this build with these settings may resume a journal.
///
/// # Errors
/// What has changed.
pub(super) fn check(info: &JournalInfo, settings: &Settings) -> Result<(), Changed> {
    if info.build_id != build_id() {
        return Err(Changed::Build { written: info.build_id.clone(), here: build_id() });
    }
    let now = settings.to_toml();
    if info.config_text != now {
        let mut lines = info.config_text.lines().zip(now.lines());
        let first = lines.find(|(was, is)| was != is).map(|(was, is)| format!("was {was:?}, is {is:?}"));
        return Err(Changed::Config(first.unwrap_or_else(|| "one has more lines at its end".to_owned())));
    }
    Ok(())
}

/// Checks that the run numbers its instruments as the journal was started: tables of another size would compute other
/// outcomes.
///
/// # Errors
/// When the counts differ.
pub(super) fn check_instruments(info: &JournalInfo, here: u32) -> Result<(), Changed> {
    if info.instruments == here {
        return Ok(());
    }
    Err(Changed::Instruments { written: info.instruments, here })
}

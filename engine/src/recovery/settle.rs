//! Settles the journals before the current one: each is closed, and its successor says how it ended.
//!
//! A run does it when its journal has rolled, and when it begins, for what a kill left undone. What a kill left open of a
//! journal before ends where the next one begins: nothing can follow, so it is examined, sealed and closed without a replay.
//! Then the successor gets a summary of all before it ([`super::past`]) and the ends of both logs (`previous.toml`), in this
//! order, so a journal with these ends needs nothing of those before. Bound: one pass over a journal that was left open, and
//! one over each whose successor has no summary.

use super::carry::{CarryError, left_before};
use super::notices::Notices;
use super::past;
use super::retention::retain;
use crate::config::Settings;
use sinks::journal::{Home, Journal, JournalError, Member, Previous, Upkeep};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Settles the journals in `dir`, whose current one this process writes; then removes what the settings do not keep.
///
/// # Errors
/// When one of them cannot be read, or the disk does not take what is to be written.
pub(super) fn settle(dir: &Path, settings: &Settings, stop: &AtomicBool, notices: Notices) -> Result<(), CarryError> {
    let home = Home::open(dir)?;
    for (at, next) in home.journals().iter().enumerate().skip(1) {
        let before = &home.journals()[at - 1];
        if Previous::read(&next.dir)?.is_some() || !follows(next, before) {
            continue;
        }
        close(before, next, settings, stop, notices)?;
        if !past::has_summary(next) {
            let [inputs, routes] = left_before(&home.journals()[..at], settings, stop)?;
            past::write(next, &inputs, &routes)?;
        }
        let previous = Previous::of(&before.dir, &before.info)?;
        previous.map_or(Ok(()), |previous| previous.write(&next.dir))?;
    }
    retain(&home, settings, notices)
}

fn follows(next: &Member, before: &Member) -> bool {
    next.info.follows.is_some_and(|follows| follows.journal_id == before.info.journal_id)
}

/// Closes a journal that a kill left open.
fn close(
    before: &Member,
    next: &Member,
    settings: &Settings,
    stop: &AtomicBool,
    notices: Notices,
) -> Result<(), JournalError> {
    if Previous::of(&before.dir, &before.info)?.is_some() {
        return Ok(());
    }
    let examined = Journal::examine(&before.dir, stop)?;
    notices.trusted(&before.dir, &examined.trusted());
    let (last, after) = (examined.last_input_seq(), next.info.after());
    if last != after {
        notices.say(format!(
            "WARNING: {}: it ends at input {last}, and the next journal begins after {after}: what lay between was lost \
             with the memory of the system",
            before.dir.display()
        ));
    }
    if examined.completed_through() < after.min(last) {
        notices.say(format!(
            "{}: outcomes of its last inputs are missing: `tidegate replay --complete` appends them",
            before.dir.display()
        ));
    }
    let resumed = examined.accept(Upkeep::from_params(&settings.sinks["journal"]))?;
    Journal::close(resumed.inputs, resumed.outcomes).map(drop)
}

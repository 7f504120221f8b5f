//! Replays a journal to write a snapshot, while its run is active or afterwards.
//!
//! What is sealed is checked first, so that no altered input gets into a state, and every outcome is compared, so that a run
//! that goes on behind the snapshot need not do it. Bound: the memory of a run.

use super::error::RecoveryError;
use super::memory::{Remembered, rows};
use super::notices::Notices;
use super::repeat::Repeater;
use super::snapshot::Snapshot;
use super::verify::VerifySink;
use crate::drive::Control;
use crate::registries::Registries;
use sinks::journal::{Home, LogKind, Member};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Writes a snapshot after the last input whose outcomes are all stored; returns the path and the `seq`.
///
/// # Errors
/// When the journal cannot be read, another build or configuration wrote it, the replay differs from it, or the file
/// cannot be written.
pub fn snapshot(
    dir: &Path,
    registries: &Registries,
    control: &Control,
    notices: Notices,
) -> Result<(PathBuf, u64), RecoveryError> {
    let home = Home::open(dir)?;
    let of = Replayed::of(&home, home.current(), registries, control, notices)?;
    of.write(&of.journal, of.last, true)
}

/// Writes a snapshot after every so many inputs, and after the last one, of each journal of a run, where there is none yet;
/// `told` takes the path and the `seq` of each.
///
/// # Errors
/// As [`snapshot`]. Those before are written.
pub fn snapshots(
    dir: &Path,
    every: u64,
    registries: &Registries,
    control: &Control,
    notices: Notices,
    mut told: impl FnMut(PathBuf, u64),
) -> Result<(), RecoveryError> {
    let home = Home::open(dir)?;
    for member in home.journals() {
        let of = Replayed::of(&home, member, registries, control, notices)?;
        let (first, last) = (member.info.after() / every + 1, of.last);
        let is_last = member.info.number == home.current().info.number;
        let due = (first..).map(|n| n * every).take_while(|seq| *seq < last).chain(is_last.then_some(last));
        for seq in due {
            let at = member.dir.join(Snapshot::file_name(seq));
            if seq > member.info.after() && !at.exists() {
                // The meters and marks of one replay are not those of the next.
                let control = Control { stop: Arc::clone(&control.stop), ..Control::default() };
                let journal = Repeater::open(member, registries, &control)?;
                let (path, seq) = of.write(&journal, seq, seq == last && is_last)?;
                told(path, seq);
            }
        }
    }
    Ok(())
}

/// A journal whose inputs are replayed.
struct Replayed<'a> {
    home: &'a Path,
    member: &'a Member,
    journal: Repeater<'a>,
    /// The last input whose outcomes are all stored.
    last: u64,
    notices: Notices,
}

impl<'a> Replayed<'a> {
    /// Checks everything that is sealed, and that this build with its configuration may replay it.
    fn of(
        home: &'a Home,
        member: &'a Member,
        registries: &Registries,
        control: &'a Control,
        notices: Notices,
    ) -> Result<Replayed<'a>, RecoveryError> {
        let dir = member.dir.as_path();
        notices.lost_memory(dir, member.reader().lost_memory());
        let journal = Repeater::open(member, registries, control)?;
        let last = journal.reader.completed_through()?;
        journal.reader.check(&LogKind::BOTH, &control.stop)?;
        Ok(Replayed { home: home.dir(), member, journal, last, notices })
    }

    /// Writes the state after the input `last`; if it `lasts`, also what outlives the journal.
    fn write(&self, journal: &Repeater<'_>, last: u64, lasts: bool) -> Result<(PathBuf, u64), RecoveryError> {
        let dir = self.member.dir.as_path();
        let before = Snapshot::latest_proved(&journal.reader, dir, last, self.notices)?;
        let recorded = VerifySink::new(self.home, std::slice::from_ref(self.member), self.member.info.outcome_kinds)?;
        let recorded = recorded.between(before.as_ref().map_or(0, |s| s.seq), last)?;
        let verdict = recorded.verdict();
        let (finished, mut whole) = journal.run(before.as_ref(), last, Vec::new(), vec![Box::new(recorded)])?;
        let (seq, listings) = (whole.seq, whole.listings());
        let rows = if lasts { rows(finished.groups.iter(), &listings, finished.head.now()) } else { None };
        let now = finished.head.now();
        if let (_, Some(error)) = finished.tail.finish() {
            return Err(error.into());
        }
        let verified = verdict.lock().expect("nothing panics while it holds the verdict").clone();
        if !verified.holds() {
            return Err(RecoveryError::OtherOutcomes(dir.to_owned()));
        }
        if verified.missing == 0 {
            whole.commit_to_outcomes(&journal.reader)?;
        }
        if let Some(rows) = rows {
            Remembered::write(dir, seq, now, rows)?;
        }
        Ok((whole.write(dir)?, seq))
    }
}

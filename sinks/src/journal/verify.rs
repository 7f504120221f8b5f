//! Verifies a journal: every sealed byte, the order of ids, the ends.
//!
//! Sidecars hold a CRC32C per record, so that a fault names its record, and the hash chain, so that a block replaced
//! together with its CRCs is detected. Unsealed records are checked by their ids alone. One pass finds all faults; it
//! keeps as many as requested and counts the rest.
//!
//! Bound: a buffer of 4,096 records, and 4 bytes per record of one segment for its CRCs. Worst case: a journal that is
//! being written during verification; only what was sealed when its sidecar was read is checked.

use super::error::{Damage, Fault, JournalError, other_format};
use super::files::{all_gaps, segment_numbers};
use super::findings::LogFindings;
use super::format::{CLOSED, GAPS, LogKind, MANIFEST, chain_start};
use super::gaps::Gaps;
use super::manifest::{Closed, JournalInfo, read_manifest};
use super::sealed::whole_segments;
use super::verified::{Faults, LogState, Verified};
use super::verify_segments::LogCheck;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// How a journal is gone through.
pub(super) struct Pass<'a> {
    /// The logs that are looked at.
    pub(super) logs: &'a [LogKind],
    /// Most faults that are kept.
    pub(super) limit: usize,
    /// What a crash leaves in a journal that was not closed is no fault.
    pub(super) lenient: bool,
    /// Most threads that check what is sealed.
    pub(super) threads: usize,
    /// Ends it early, with an error.
    pub(super) stop: &'a AtomicBool,
}

/// Verifies the journal in `dir`; keeps the first `limit` faults, at least one.
///
/// # Errors
/// When there is no journal, or a file cannot be read at all. Damage is a result, not an error.
pub fn verify(dir: &Path, limit: usize) -> Result<Verified, JournalError> {
    let never = AtomicBool::new(false);
    let pass = Pass { logs: &LogKind::BOTH, limit, lenient: false, threads: 1, stop: &never };
    go_through(dir, &pass).map(|(verified, _)| verified)
}

/// Goes through the journal in `dir`, and returns what is wrong with it and where its logs stand.
pub(super) fn go_through(dir: &Path, pass: &Pass<'_>) -> Result<(Verified, [LogFindings; 2]), JournalError> {
    let mut faults = Faults::new(pass.limit);
    let none = |faults: Faults| Verified {
        faults: faults.list,
        more_faults: faults.more,
        inputs: LogState::default(),
        outcomes: LogState::default(),
        gaps: None,
        closed: None,
        lost_memory: None,
    };
    let mut unreadable = |file: &str, what| faults.push(Fault::plain(file, Damage::Unreadable(what)));
    let (info, manifest) = match read_manifest(dir) {
        Err(JournalError::BadManifest { path, what }) => {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            unreadable(&file, what);
            return Ok((none(faults), Default::default()));
        }
        // A damaged digit looks the same; in either case nothing else in the folder can be checked.
        Err(JournalError::OtherFormat { found, build_id, .. }) => {
            unreadable(MANIFEST, other_format(found, &build_id));
            return Ok((none(faults), Default::default()));
        }
        other => other?,
    };
    let closed = match Closed::read(dir) {
        Err(JournalError::BadManifest { what, .. }) => {
            faults.push(Fault::plain(CLOSED, Damage::Unreadable(what)));
            None
        }
        other => other?,
    };
    faults.lenient = pass.lenient && closed.is_none();
    let gaps = read_gaps(dir, &info, &mut faults);
    let whole = whole_segments(dir, &info, &listed(dir, &info, pass.logs)?, pass.threads, pass.stop)?;
    let mut check = LogCheck { dir, info: &info, closed: closed.as_ref(), whole, faults: &mut faults };
    let (mut states, mut findings): ([LogState; 2], [LogFindings; 2]) = Default::default();
    for log in pass.logs {
        let dropped = gaps.as_ref().filter(|_| *log == LogKind::Outcomes).map(|g| g.dropped);
        let found = check.log(*log, chain_start(&manifest, *log), dropped.filter(|d| d.through_segment > 0))?;
        (states[*log as usize], findings[*log as usize]) = found;
    }
    if pass.logs == LogKind::BOTH {
        check.check_both(&findings)?;
    }
    let [inputs, outcomes] = states;
    let lost_memory = info.lost_memory;
    Ok((Verified { inputs, outcomes, gaps, closed, lost_memory, ..none(faults) }, findings))
}

/// All segments of these logs.
fn listed(dir: &Path, info: &JournalInfo, logs: &[LogKind]) -> Result<Vec<(LogKind, u64)>, JournalError> {
    let mut all = Vec::new();
    for log in logs {
        all.extend(segment_numbers(dir, info, *log)?.into_iter().map(|number| (*log, number)));
    }
    Ok(all)
}

fn read_gaps(dir: &Path, info: &JournalInfo, faults: &mut Faults) -> Option<Gaps> {
    let file = format!("{}/{GAPS}", LogKind::Outcomes);
    match all_gaps(dir, info) {
        Ok((gaps, damaged)) => {
            if damaged {
                faults.push(Fault::plain(&file, Damage::GapCopy));
            }
            Some(gaps)
        }
        Err(e) => {
            faults.push(Fault::plain(&file, Damage::Unreadable(format!("the gap file cannot be read ({e})"))));
            None
        }
    }
}

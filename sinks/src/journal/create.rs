//! Creates a journal, and closes it in order.

use super::error::JournalError;
use super::format::{LogKind, MANIFEST, chain_start};
use super::gaps::GapFile;
use super::helper::Helper;
use super::keeper::Keeper;
use super::log_keeper::LogKeeper;
use super::manifest::{Closed, MANIFEST_DRAFT, draft_manifest, publish_manifest};
use super::spec::JournalSpec;
use super::writer::{InputLog, OutcomeLog};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

/// Entry points of a journal as a whole.
#[derive(Debug)]
pub struct Journal;

impl Journal {
    /// Creates a journal in `dir`, which must be empty or new (with an existing parent), and starts its helper thread.
    ///
    /// # Errors
    /// When the folder is occupied, has no parent, is not writable, or has no space for the first segments.
    pub fn create(dir: &Path, spec: &JournalSpec) -> Result<(InputLog, OutcomeLog), JournalError> {
        spec.check()?;
        let made = make_folder(dir)?;
        let lock = lock(dir)?;
        clear_unfinished(dir)?;
        check_empty(dir)?;
        let begun = begin(dir, spec, lock);
        if begun.is_err() {
            // The folder was empty, so everything in it was created here and is useless without the rest.
            for log in LogKind::BOTH {
                let _ = fs::remove_dir_all(log.folder(dir));
            }
            for manifest in [MANIFEST, MANIFEST_DRAFT] {
                let _ = fs::remove_file(dir.join(manifest));
            }
            if made {
                let _ = fs::remove_dir(dir);
            }
        }
        begun
    }

    /// Ends both logs, waits until everything is sealed and durable, and returns where they end.
    ///
    /// # Errors
    /// When the helper could not seal or sync the rest; every appended record is in the files.
    pub fn close(inputs: InputLog, outcomes: OutcomeLog) -> Result<Closed, JournalError> {
        drop(inputs);
        let closed = outcomes.close()?;
        Ok(closed.expect("both logs have ended, so the helper has too"))
    }
}

fn begin(dir: &Path, spec: &JournalSpec, lock: File) -> Result<(InputLog, OutcomeLog), JournalError> {
    let (info, text) = draft_manifest(dir, spec)?;
    for log in LogKind::BOTH {
        let folder = log.folder(dir);
        fs::create_dir(&folder).map_err(|e| JournalError::io(&folder, "creating", e))?;
    }
    let gaps = GapFile::create(dir, info.journal_id)
        .map_err(|e| JournalError::io(&LogKind::Outcomes.folder(dir), "creating the gap file", e))?;
    let logs = LogKind::BOTH.map(|log| LogKeeper::new(log, chain_start(&text, log), 0));
    let mut keeper = Keeper::new(dir, info, spec.upkeep, logs, gaps, lock);
    let inputs = keeper.prepare(LogKind::Inputs)?;
    let outcomes = keeper.prepare(LogKind::Outcomes)?;
    let [input_handover, outcome_handover] = LogKind::BOTH.map(|log| keeper.handover(log));
    publish_manifest(dir)?;
    let helper = Helper::spawn(dir, keeper)?;
    let inputs = InputLog::new(inputs, 0, input_handover, Arc::clone(&helper));
    let outcomes = OutcomeLog::new(outcomes, 0, 0, outcome_handover, helper);
    Ok((inputs, outcomes))
}

/// Creates the folder unless it exists; returns whether it did. It is the user's alone, whatever the umask.
fn make_folder(dir: &Path) -> Result<bool, JournalError> {
    let made = make_if_missing(dir)?;
    let own = fs::Permissions::from_mode(0o700);
    fs::set_permissions(dir, own).map_err(|e| JournalError::io(dir, "keeping other users out of", e))?;
    Ok(made)
}

fn make_if_missing(dir: &Path) -> Result<bool, JournalError> {
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(false),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            Err(JournalError::Occupied { dir: dir.to_owned(), found: "a file of that name".to_owned() })
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            Err(JournalError::NoParent { parent: dir.parent().unwrap_or(dir).to_owned() })
        }
        Err(e) => Err(JournalError::io(dir, "creating the folder", e)),
    }
}

/// Takes the folder's lock, which the one writer of a journal holds.
pub(super) fn lock(dir: &Path) -> Result<File, JournalError> {
    let folder = File::open(dir).map_err(|e| JournalError::io(dir, "opening", e))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(e)) => Err(JournalError::io(dir, "locking", e)),
    }
}

/// Removes the remains of a process that was stopped while creating a journal here, which never stored anything.
fn clear_unfinished(dir: &Path) -> Result<(), JournalError> {
    let is_ours = |name: &std::ffi::OsStr| {
        name == MANIFEST_DRAFT || LogKind::BOTH.iter().any(|log| log.folder(dir).file_name() == Some(name))
    };
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|e| JournalError::io(dir, "reading", e))?;
    if !dir.join(MANIFEST_DRAFT).exists() || !entries.iter().all(|e| is_ours(&e.file_name())) {
        return Ok(());
    }
    let removed = |path: &Path, result: io::Result<()>| match result {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(JournalError::io(path, "removing the remains of an unfinished start", e))
        }
        _ => Ok(()),
    };
    for log in LogKind::BOTH {
        let folder = log.folder(dir);
        removed(&folder, fs::remove_dir_all(&folder))?;
    }
    // The marker goes last: until then the next start finds it again.
    let draft = dir.join(MANIFEST_DRAFT);
    removed(&draft, fs::remove_file(&draft))
}

fn check_empty(dir: &Path) -> Result<(), JournalError> {
    let mut entries = fs::read_dir(dir).map_err(|e| JournalError::io(dir, "reading", e))?;
    let Some(first) = entries.next() else { return Ok(()) };
    let first = first.map_err(|e| JournalError::io(dir, "reading", e))?;
    let found = match dir.join(MANIFEST).exists() {
        true => "a journal".to_owned(),
        false => format!("other files ({}, …)", first.file_name().to_string_lossy()),
    };
    Err(JournalError::Occupied { dir: dir.to_owned(), found })
}

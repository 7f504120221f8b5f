//! Creates a journal, and closes it in order.

use super::disk::Disk;
use super::error::JournalError;
use super::format::{LogKind, MANIFEST, chain_start};
use super::gaps::GapFile;
use super::gate::Gate;
use super::keeper::{Keeper, Kit};
use super::log_keeper::LogKeeper;
use super::manifest::{Closed, MANIFEST_DRAFT, draft_manifest, publish_manifest};
use super::memory::{Memory, NOTE, ON_DISK};
use super::private::{make_folder, remove_folder_if_there, remove_if_there};
use super::spec::JournalSpec;
use super::start::Start;
use super::writer::{InputLog, OutcomeLog};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Entry points of a journal as a whole.
#[derive(Debug)]
pub struct Journal;

impl Journal {
    /// Creates a journal in `dir`, which must be empty or new (with an existing parent), and starts its helper threads.
    ///
    /// # Errors
    /// When the folder is occupied, has no parent, is not writable, or has no space for the first segments.
    pub fn create(dir: &Path, spec: &JournalSpec) -> Result<(InputLog, OutcomeLog), JournalError> {
        Journal::create_on(dir, spec, Disk::default())
    }

    /// Like [`Journal::create`], on this disk.
    ///
    /// # Errors
    /// As [`Journal::create`].
    pub fn create_on(dir: &Path, spec: &JournalSpec, disk: Disk) -> Result<(InputLog, OutcomeLog), JournalError> {
        spec.check()?;
        let made = make_if_missing(dir)?;
        let lock = Journal::lock(dir)?;
        clear_unfinished(dir)?;
        check_empty(dir)?;
        // It is the user's alone from here on, whatever the umask.
        let own = fs::set_permissions(dir, fs::Permissions::from_mode(0o700));
        own.map_err(|e| JournalError::io(dir, "keeping other users out of", e))?;
        let mut memory = None;
        let begun = begin(dir, spec, disk, lock, &mut memory);
        if begun.is_err() {
            // The folder was empty, so everything in it was created here and is useless without the rest.
            let folders = LogKind::BOTH.iter().map(|log| log.folder(dir)).chain(memory);
            folders.for_each(|folder| drop(fs::remove_dir_all(folder)));
            for text in [MANIFEST, MANIFEST_DRAFT, NOTE] {
                let _ = fs::remove_file(dir.join(text));
            }
            if made {
                let _ = fs::remove_dir(dir);
            }
        }
        begun
    }

    /// Takes the lock of the journal in `dir`, which its one writer holds, and holds it as long as the file is open.
    ///
    /// # Errors
    /// When another process holds it, or there is no such folder.
    pub fn lock(dir: &Path) -> Result<File, JournalError> {
        let folder = File::open(dir).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => JournalError::NotAJournal { dir: dir.to_owned() },
            _ => JournalError::io(dir, "opening", e),
        })?;
        match folder.try_lock() {
            Ok(()) => Ok(folder),
            Err(TryLockError::WouldBlock) => Err(JournalError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(e)) => Err(JournalError::io(dir, "locking", e)),
        }
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

/// Begins a journal in an empty folder; says where its active segments lie as soon as there is such a folder.
fn begin(
    dir: &Path,
    spec: &JournalSpec,
    disk: Disk,
    lock: File,
    made: &mut Option<PathBuf>,
) -> Result<(InputLog, OutcomeLog), JournalError> {
    let (info, text) = draft_manifest(dir, spec)?;
    for log in LogKind::BOTH {
        let folder = log.folder(dir);
        make_folder(&folder).map_err(|e| JournalError::io(&folder, "creating", e))?;
    }
    let gaps = GapFile::create(dir, info.journal_id)
        .map_err(|e| JournalError::io(&LogKind::Outcomes.folder(dir), "creating the gap file", e))?;
    let memory = Memory::make(dir, info.journal_id, &spec.upkeep.memory, spec.memory_bytes())?;
    *made = Some(memory.folder.clone());
    let gate = Arc::new(Gate::new(spec.upkeep.behind, &memory));
    let logs = LogKind::BOTH.map(|log| LogKeeper::new(log, Arc::clone(&gate), chain_start(&text, log)));
    let kit = Kit { dir: dir.to_owned(), info, upkeep: spec.upkeep.clone(), memory, disk, gate, gaps, _lock: lock };
    let started = Start::new(Keeper::new(kit, logs), [1, 1])?;
    started.keeper.kit.memory.note(dir)?;
    publish_manifest(dir)?;
    started.go()
}

/// Creates the folder unless it exists; returns whether it did.
fn make_if_missing(dir: &Path) -> Result<bool, JournalError> {
    match make_folder(dir) {
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

/// Removes the remains of a process that was stopped while creating a journal here, which never stored anything.
fn clear_unfinished(dir: &Path) -> Result<(), JournalError> {
    let texts = [MANIFEST_DRAFT.to_owned(), NOTE.to_owned(), format!("{NOTE}.draft")];
    let folders: Vec<PathBuf> = LogKind::BOTH.iter().map(|log| log.folder(dir)).chain([dir.join(ON_DISK)]).collect();
    let is_ours = |name: &std::ffi::OsStr| {
        texts.iter().any(|text| name == text.as_str()) || folders.iter().any(|folder| folder.file_name() == Some(name))
    };
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|e| JournalError::io(dir, "reading", e))?;
    if !dir.join(MANIFEST_DRAFT).exists() || !entries.iter().all(|e| is_ours(&e.file_name())) {
        return Ok(());
    }
    let folders = folders.iter().try_for_each(|folder| remove_folder_if_there(folder));
    // The marker goes last: until then the next start finds it again.
    let removed = folders.and_then(|()| texts.iter().rev().try_for_each(|text| remove_if_there(&dir.join(text))));
    removed.map_err(|e| JournalError::io(dir, "removing the remains of an unfinished start", e))
}

/// Whether a journal is in `dir` or could be begun there; looks only.
///
/// # Errors
/// When the folder would have no parent, or something else is there.
pub fn check_place(dir: &Path) -> Result<(), JournalError> {
    let folder = |path: &Path| if path.as_os_str().is_empty() { Path::new(".").is_dir() } else { path.is_dir() };
    match fs::metadata(dir) {
        Ok(found) if !found.is_dir() => {
            Err(JournalError::Occupied { dir: dir.to_owned(), found: "a file of that name".to_owned() })
        }
        Ok(_) if [MANIFEST, MANIFEST_DRAFT].iter().any(|name| dir.join(name).exists()) => Ok(()),
        Ok(_) => check_empty(dir),
        Err(_) if dir.parent().is_some_and(folder) => Ok(()),
        Err(_) => Err(JournalError::NoParent { parent: dir.parent().unwrap_or(dir).to_owned() }),
    }
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

//! Moves closed journals of a run elsewhere: copied, the copy verified, and only then removed.
//!
//! The copies lie in their new folder as the journals did in the old one, so that folder can be verified, exported and
//! replayed like a run, also together with journals that were moved there before. A move that was interrupted goes on where
//! it was. One that a follower has not read stays until it has.
//!
//! Where the place is none that has folders, as a store of objects, two commands reach it: one stores, one brings back. That the
//! first says it has stored proves nothing: what the second brings back is verified, and compared byte by byte.
//!
//! Bound: a pass over each journal to copy it and one to verify the copy; with commands room for two copies.

use super::carry::CarryError;
use super::memory::wrong_files;
use super::retention::settled;
use crate::config::Draft;
use crate::registries::Registries;
use sinks::journal::{HOLD_MB, Home, JournalError, Member, bytes_of, holders, verify};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Where journals go.
#[derive(Clone, Debug)]
pub enum Archive {
    /// A folder.
    Folder(PathBuf),
    /// Whatever commands reach; the shell runs them. `TIDEGATE_NAME` is the name of the journal there.
    Commands {
        /// Stores the folder `TIDEGATE_JOURNAL`.
        store: String,
        /// Brings it back into the folder `TIDEGATE_JOURNAL`, which is empty.
        fetch: String,
        /// Has room for two copies of a journal.
        scratch: PathBuf,
    },
}

/// Why journals cannot be moved.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// One cannot be read, copied or removed.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// What they say of each other cannot be read.
    #[error("{0}")]
    Carry(#[from] CarryError),
    /// A command did not do its work.
    #[error(
        "{which} failed for {name} ({how}); the journal stays where it is: run it by hand, as the page says, and see"
    )]
    Command {
        /// `--store` or `--fetch`.
        which: &'static str,
        /// Name of the journal.
        name: String,
        /// What became of it.
        how: String,
    },
    /// There is no room, or no right, for what commands need.
    #[error("{}: {error}; name another folder with --scratch", path.display())]
    Scratch {
        /// The folder.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
    /// A copy is not what was copied.
    #[error("{}: the copy is damaged ({what}); the journal stays where it is: delete the copy, check both disks, and try again", copy.display())]
    Damaged {
        /// The copy.
        copy: PathBuf,
        /// Its first fault.
        what: String,
    },
}

/// What became of a journal.
#[derive(Clone, Debug)]
pub enum Archived {
    /// It was moved.
    Moved {
        /// Where it is now: a folder, or its name where commands have stored it.
        to: String,
        /// Its bytes.
        bytes: u64,
    },
    /// It stays, and so do all behind it: followers have not read it.
    Held {
        /// Where it is.
        dir: PathBuf,
        /// The names of the followers.
        by: Vec<String>,
    },
}

/// Moves the closed journals of the run in `dir` that nothing there needs any more to `to`; says what became of each. One that
/// a follower has not read stays, unless closed journals take more than the run's `journal.hold_mb`, or `held` says that it
/// need not be read.
///
/// # Errors
/// When one cannot be moved. Those before it have been.
pub fn archive(dir: &Path, to: &Archive, held: bool, mut told: impl FnMut(Archived)) -> Result<(), ArchiveError> {
    let home = Home::open(dir)?;
    let closed = settled(&home)?;
    let mut total = closed.iter().map(|member| bytes_of(member)).sum::<Result<u64, _>>()?;
    for member in closed {
        let bytes = bytes_of(member)?;
        let by = holders(&home, member)?;
        if !by.is_empty() && !held && total <= held_bytes(&home) {
            told(Archived::Held { dir: member.dir.clone(), by });
            return Ok(());
        }
        let Copied { copy, at, _scratch } = copied(member, to)?;
        let fault = verify(&copy.dir, 1)?.faults.first().map(ToString::to_string);
        let damaged = |what: String| ArchiveError::Damaged { copy: copy.dir.clone(), what };
        fault.map_or(Ok(()), |what| Err(damaged(what)))?;
        let beginning = wrong_files(&copy).map_err(|e| damaged(e.to_string()))?.first().map(ToString::to_string);
        beginning.map_or(Ok(()), |what| Err(damaged(what)))?;
        home.remove(member)?;
        total -= bytes;
        told(Archived::Moved { to: at, bytes });
    }
    Ok(())
}

/// A copy of a journal, where it can be read.
struct Copied {
    copy: Member,
    /// Where it is to be found.
    at: String,
    /// What commands brought back is gone when this is.
    _scratch: Option<TempDir>,
}

fn copied(member: &Member, to: &Archive) -> Result<Copied, ArchiveError> {
    match to {
        Archive::Folder(to) => {
            let copy = member.copy_to(to)?;
            Ok(Copied { at: copy.dir.display().to_string(), copy, _scratch: None })
        }
        Archive::Commands { store, fetch, scratch } => stored(member, [store, fetch], scratch),
    }
}

/// Has a journal stored and brought back by commands; what came back is what was stored, byte by byte.
fn stored(member: &Member, [store, fetch]: [&str; 2], scratch: &Path) -> Result<Copied, ArchiveError> {
    let failed = |error| ArchiveError::Scratch { path: scratch.to_owned(), error };
    let folder = tempfile::Builder::new().prefix("tidegate-archive-").tempdir_in(scratch).map_err(failed)?;
    let [out, back] = ["out", "back"].map(|name| folder.path().join(name));
    let name = format!("{:04}-{:016x}", member.info.number, member.info.journal_id);
    member.copy_to(&out)?;
    std::fs::create_dir(&back).map_err(failed)?;
    command("--store", store, &name, &out)?;
    command("--fetch", fetch, &name, &back)?;
    let what = match (files(&out).map_err(failed)?, files(&back).map_err(failed)?) {
        (sent, came) if sent == came => None,
        (sent, came) => {
            let differs = |path: &&PathBuf| sent.get(*path) != came.get(*path);
            let path = sent.keys().chain(came.keys()).find(differs).map(|path| path.display().to_string());
            path.map(|path| format!("{path} did not come back as it was stored"))
        }
    };
    if let Some(what) = what {
        return Err(ArchiveError::Damaged { copy: PathBuf::from(name), what });
    }
    let home = Home::open(&back)?;
    let copy = home.journals().first().cloned().ok_or_else(|| JournalError::NotAJournal { dir: back.clone() })?;
    Ok(Copied { copy, at: name, _scratch: Some(folder) })
}

/// Runs a command of the archive; what it prints to standard error is seen.
fn command(which: &'static str, command: &str, name: &str, journal: &Path) -> Result<(), ArchiveError> {
    let failed = |how: String| ArchiveError::Command { which, name: name.to_owned(), how };
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).env("TIDEGATE_NAME", name).env("TIDEGATE_JOURNAL", journal);
    let ended = shell.stdin(Stdio::null()).stdout(Stdio::null()).status().map_err(|e| failed(e.to_string()))?;
    if ended.success() { Ok(()) } else { Err(failed(ended.to_string())) }
}

/// The hashes of all files below a folder, by their path in it.
fn files(folder: &Path) -> io::Result<BTreeMap<PathBuf, blake3::Hash>> {
    let (mut all, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut hasher = blake3::Hasher::new();
            io::copy(&mut std::fs::File::open(&path)?, &mut hasher)?;
            let name = path.strip_prefix(folder).expect("it is below").to_owned();
            all.insert(name, hasher.finalize());
        }
    }
    Ok(all)
}

/// Bytes of closed journals up to which followers hold them, as the run was configured.
fn held_bytes(home: &Home) -> u64 {
    let text = &home.current().info.config_text;
    let settings = Draft::recorded(text, Path::new("journal.toml"), &Registries::default()).settings;
    settings.sinks["journal"].get(HOLD_MB) << 20
}

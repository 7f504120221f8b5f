//! Followers with a name: their saved positions, in the folder of the run, and the journals that these hold.
//!
//! A file `followers/NAME.toml` is a registration. It is written as a whole or not at all, and a lock beside it keeps a second
//! process from going by the same name. Beside it a sink notes how it was opened, so that a reset of the run finds what it wrote.
//! A closed journal that a follower has not read is held; by whom and up to which size decides whoever removes journals. Bound: two
//! small files a follower. Worst case: a follower that never comes back holds journals up to that size, until it is forgotten.

use super::super::begin::{read, text_of};
use super::super::error::JournalError;
use super::super::home::{Home, Member};
use super::super::previous::Previous;
use super::super::private::{make_folder, open_file, remove_if_there, remove_text, write_whole};
use super::position::Position;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the registrations.
const FOLDER: &str = "followers";
/// What ends the name of a registration, of its lock, and of the note of a sink.
const SAVED: &str = "toml";
const LOCK: &str = "lock";
const SINK: &str = "sink";
/// The longest name.
const LONGEST: usize = 64;

/// What a follower has saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// Bytes of its own output file that belong to the position, if it has one; what lies behind them came without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// How far it has come.
    pub position: Position,
}

/// How the sink behind a follower was opened last. Of a secret it has the place alone, as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedSink {
    /// Name of the sink.
    pub sink: String,
    /// Its parameters that were given, each as `name=value`.
    pub set: Vec<String>,
    /// The folder that relative paths among them begin at.
    pub folder: String,
}

/// A follower that this process runs: nobody else can go by its name meanwhile.
#[derive(Debug)]
pub struct Follower {
    folder: PathBuf,
    name: String,
    saved: Option<Saved>,
    _lock: File,
}

/// A follower of a run, for listings.
#[derive(Debug)]
pub struct Registered {
    /// Its name.
    pub name: String,
    /// What it has saved.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub saved: Result<Saved, JournalError>,
    /// A process goes by its name now.
    pub is_running: bool,
}

impl Follower {
    /// Takes a name among the followers of the run in `dir`; it is registered once a position is saved.
    ///
    /// # Errors
    /// When the name is not valid or another process has it, or the disk does not take the file.
    pub fn take(dir: &Path, name: &str) -> Result<Follower, JournalError> {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > LONGEST || !name.chars().all(valid) {
            let valid = format!("valid: 1 to {LONGEST} letters, digits, - and _");
            return Err(JournalError::Follower {
                name: name.to_owned(),
                what: format!("is not a valid name; {valid}"),
            });
        }
        let folder = dir.join(FOLDER);
        if !folder.is_dir() {
            make_folder(&folder)
                .or_else(|e| if folder.is_dir() { Ok(()) } else { Err(e) })
                .map_err(|e| JournalError::io(&folder, "creating", e))?;
        }
        let lock = lock(&folder, name)?;
        let busy = || JournalError::Follower {
            name: name.to_owned(),
            what: "is running already; give another name, or stop that process first".to_owned(),
        };
        let lock = lock.ok_or_else(busy)?;
        let saved = read(&folder, &file_name(name))?;
        Ok(Follower { folder, name: name.to_owned(), saved, _lock: lock })
    }

    /// What was saved last; `None` for a new one.
    pub fn saved(&self) -> Option<&Saved> {
        self.saved.as_ref()
    }

    /// Saves where it is, durably.
    ///
    /// # Errors
    /// When the disk does not take it: what was saved before stays.
    pub fn save(&mut self, saved: Saved) -> Result<(), JournalError> {
        if self.saved != Some(saved) {
            write_whole(&self.folder, &file_name(&self.name), &text_of(&saved))?;
            self.saved = Some(saved);
        }
        Ok(())
    }

    /// Notes how its sink was opened, durably.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn note_sink(&self, opened: &OpenedSink) -> Result<(), JournalError> {
        write_whole(&self.folder, &sink_name(&self.name), &text_of(opened))
    }

    /// How its sink was opened last; `None` where it is no sink, or one of a build that did not note it.
    ///
    /// # Errors
    /// When the note cannot be read.
    pub fn opened_sink(&self) -> Result<Option<OpenedSink>, JournalError> {
        read(&self.folder, &sink_name(&self.name))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Removes the registration: it holds nothing any more.
    ///
    /// # Errors
    /// When it is not registered, or the disk does not take it.
    pub fn forget(self) -> Result<(), JournalError> {
        if self.saved.is_none() {
            self.remove_lock()?;
            return Err(JournalError::Follower { name: self.name, what: "is no follower of this run".to_owned() });
        }
        remove_text(&self.folder, &file_name(&self.name))?;
        remove_text(&self.folder, &sink_name(&self.name))?;
        self.remove_lock()
    }

    fn remove_lock(&self) -> Result<(), JournalError> {
        let lock = self.folder.join(&self.name).with_extension(LOCK);
        remove_if_there(&lock).map_err(|e| JournalError::io(&lock, "removing", e))
    }
}

impl Registered {
    /// The followers of the run in `dir`, by name.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(dir: &Path) -> Result<Vec<Registered>, JournalError> {
        let folder = dir.join(FOLDER);
        let failed = |e| JournalError::io(&folder, "reading", e);
        let entries = match fs::read_dir(&folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str());
            names.extend(name.filter(|_| path.extension().is_some_and(|e| e == SAVED)).map(str::to_owned));
        }
        names.sort_unstable();
        names
            .into_iter()
            .filter_map(|name| {
                let saved = read(&folder, &file_name(&name)).transpose()?;
                // The lock is held for a moment only.
                let is_running = matches!(lock(&folder, &name), Ok(None));
                Some(Ok(Registered { name, saved, is_running }))
            })
            .collect()
    }
}

/// The names of those who hold a closed journal: they have not read it to its end, or it cannot be read how far they are.
///
/// # Errors
/// When the journals or the folder of the followers cannot be read.
pub fn holders(home: &Home, member: &Member) -> Result<Vec<String>, JournalError> {
    let ended = Previous::of(&member.dir, &member.info)?;
    let number_of = |id: u64| home.journals().iter().find(|m| m.info.journal_id == id).map(|m| m.info.number);
    let needs = |position: &Position| {
        let at = number_of(position.journal);
        let is_behind = at.map_or(position.seq <= member.info.after(), |at| at <= member.info.number);
        let was_read = at == Some(member.info.number) && ended.as_ref().is_some_and(|e| position.is_end_of(&e.closed));
        position.run == member.info.run_id() && is_behind && !was_read
    };
    let all = Registered::list(home.dir())?.into_iter();
    Ok(all.filter(|one| one.saved.as_ref().map_or(true, |saved| needs(&saved.position))).map(|one| one.name).collect())
}

fn file_name(name: &str) -> String {
    format!("{name}.{SAVED}")
}

fn sink_name(name: &str) -> String {
    format!("{name}.{SINK}")
}

/// The lock of a name; `None` if another process holds it.
fn lock(folder: &Path, name: &str) -> Result<Option<File>, JournalError> {
    let path = folder.join(name).with_extension(LOCK);
    let failed = |doing| move |e| JournalError::io(&folder.join(name), doing, e);
    let file = open_file(&path).map_err(failed("opening"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(failed("locking")(e)),
    }
}

//! The journals of one run, oldest first: the folder that an operator names.
//!
//! **Idea.** The first journal lies in the folder itself, so a journal that never rolled is just that. Those that follow lie
//! in `rolled/0002`, `rolled/0003` and so on, each of them whole: with its own two logs and the state that it begins with. The
//! last one that has begun is the current one. One that was prepared and has not begun holds nothing, and is removed by the
//! next start; if it holds something, a power failure has taken its beginning, and it is set aside for people to look into. A
//! folder of `rolled` can be named itself; then it is a journal of its own.
//!
//! A journal goes as a whole: its folder gets a name that no journal has, and then its files go. So after a kill in between
//! it is no journal any more, and what is left of it is removed next time.
//!
//! Bound: one look at each folder.

use super::begin::Begin;
use super::create::Journal;
use super::error::JournalError;
use super::format::{CLOSED, LogKind, MANIFEST};
use super::manifest::{JournalInfo, read_manifest};
use super::memory;
use super::private::{make_folder, open_file, sync_folder};
use super::reader::JournalReader;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the journals that follow the first.
const ROLLED: &str = "rolled";
/// What the name of a journal ends with that is being removed.
const GONE: &str = "gone";
/// What the name of a journal ends with whose beginning is lost.
const LOST: &str = "lost";
/// What belongs to the first journal in the folder of the run, but for its manifest; the rest belongs to the run.
const OWN: [&str; 4] = [CLOSED, "inputs", "outcomes", "snapshots"];
/// The file that is written last into a copy of a journal.
const LAST: &str = MANIFEST;

/// One of the journals of a run.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its folder.
    pub dir: PathBuf,
    /// Its identity and settings.
    pub info: JournalInfo,
}

impl Member {
    /// Copies the journal, which is closed and stays so, to where it belongs in another folder of a run; returns the copy. A
    /// copy that is there already is not made again.
    ///
    /// # Errors
    /// When another journal is there, or the disk does not take it.
    pub fn copy_to(&self, home: &Path) -> Result<Member, JournalError> {
        let to = if self.info.number == 1 { home.to_owned() } else { Home::place(home, self.info.number) };
        if !to.join(LAST).exists() {
            self.copy_files(home, &to).map_err(|e| JournalError::io(&to, "copying a journal", e))?;
        }
        let (info, _) = read_manifest(&to)?;
        if info.manifest_hash != self.info.manifest_hash {
            return Err(JournalError::Occupied { dir: to, found: "another journal".to_owned() });
        }
        Ok(Member { dir: to, info })
    }

    fn copy_files(&self, home: &Path, to: &Path) -> io::Result<()> {
        for folder in [home, &home.join(ROLLED), to].into_iter().take(if to == home { 1 } else { 3 }) {
            if !folder.is_dir() {
                make_folder(folder)?;
            }
        }
        let names = fs::read_dir(&self.dir)?.map(|entry| entry.map(|entry| entry.file_name()));
        let names = names.collect::<io::Result<Vec<_>>>()?;
        let is_own = |name: &&std::ffi::OsString| self.info.number > 1 || OWN.iter().any(|own| *name == *own);
        for name in names.iter().filter(is_own).filter(|name| *name != LAST) {
            copy(&self.dir.join(name), &to.join(name))?;
        }
        copy(&self.dir.join(LAST), &to.join(LAST))?;
        sync_folder(to)
    }

    /// Reads it.
    pub fn reader(&self) -> JournalReader {
        JournalReader::of(&self.dir, self.info.clone())
    }
}

/// The journals of a run.
#[derive(Clone, Debug)]
pub struct Home {
    dir: PathBuf,
    journals: Vec<Member>,
    /// Those that have not begun.
    prepared: Vec<Member>,
}

impl Home {
    /// Whether a run has journals in this folder.
    pub fn exists(dir: &Path) -> bool {
        dir.join(MANIFEST).exists() || rolled(dir).is_ok_and(|found| !found.is_empty())
    }

    /// Looks at the journals in this folder.
    ///
    /// # Errors
    /// When there is none, or one of them cannot be read.
    pub fn open(dir: &Path) -> Result<Home, JournalError> {
        let mut all = rolled(dir)?;
        if dir.join(MANIFEST).exists() || all.is_empty() {
            all.insert(0, dir.to_owned());
        }
        let member = |dir: PathBuf| read_manifest(&dir).map(|(info, _)| Member { dir, info });
        let all = all.into_iter().map(member).collect::<Result<Vec<_>, _>>()?;
        let (journals, prepared): (Vec<_>, _) = all.into_iter().partition(|member| member.info.has_begun());
        if journals.is_empty() {
            return Err(JournalError::NotAJournal { dir: dir.to_owned() });
        }
        Ok(Home { dir: dir.to_owned(), journals, prepared })
    }

    /// The journals, oldest first; at least one.
    pub fn journals(&self) -> &[Member] {
        &self.journals
    }

    /// The folder of the run.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The one that goes on.
    pub fn current(&self) -> &Member {
        self.journals.last().expect("a home has a journal")
    }

    /// The one before the journal of that number, if it is still here.
    pub fn before(&self, number: u64) -> Option<&Member> {
        self.journals.iter().rev().find(|member| member.info.number < number)
    }

    /// The journal in `dir` that goes on after this one and has begun; if that is gone already, the oldest behind it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn after(dir: &Path, member: &Member) -> Result<Option<Member>, JournalError> {
        let next = Home::place(dir, member.info.number + 1);
        if !next.join(MANIFEST).exists() {
            // Only a journal that is closed can be followed by one that is gone.
            let is_closed = member.dir.join(CLOSED).exists() || !member.dir.join(MANIFEST).exists();
            let later = if is_closed { Home::open(dir)?.journals } else { Vec::new() };
            return Ok(later.into_iter().find(|later| later.info.number > member.info.number));
        }
        if !Begin::is_there(&next, member.info.segment_records) {
            return Ok(None);
        }
        let (info, _) = read_manifest(&next)?;
        Ok(info.has_begun().then_some(Member { dir: next, info }))
    }

    /// The folder of the journal of that number, which must not be the first.
    pub fn place(dir: &Path, number: u64) -> PathBuf {
        dir.join(ROLLED).join(format!("{number:04}"))
    }

    /// Makes the folder in which journals that follow are made.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_room(dir: &Path) -> Result<(), JournalError> {
        let folder = dir.join(ROLLED);
        match make_folder(&folder) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(JournalError::io(&folder, "creating", e)),
            _ => Ok(()),
        }
    }

    /// Removes what a run left that was killed: journals that have not begun, and the rest of those that were being removed.
    /// Only the writer of the current journal may. One that has not begun and holds something all the same is set aside;
    /// returns where those lie now.
    ///
    /// # Errors
    /// When a file cannot be removed or renamed.
    pub fn tidy(&self) -> Result<Vec<PathBuf>, JournalError> {
        let mut aside = Vec::new();
        for member in &self.prepared {
            // One that is being prepared belongs to a run that is alive.
            let _lock = Journal::lock(&member.dir)?;
            let is_empty = member.reader().list().is_ok_and(|segments| segments.iter().all(|s| s.records == 0));
            match is_empty {
                true => remove(&self.dir, member)?,
                false => aside.push(set_aside(&self.dir, member)?),
            }
        }
        let folder = self.dir.join(ROLLED);
        for left in names(&folder)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == GONE)) {
            fs::remove_dir_all(&left).map_err(|e| JournalError::io(&left, "removing", e))?;
        }
        Ok(aside)
    }

    /// Removes a journal that is closed.
    ///
    /// # Errors
    /// When it is being written, or a file cannot be removed.
    pub fn remove(&self, member: &Member) -> Result<(), JournalError> {
        let _lock = Journal::lock(&member.dir)?;
        remove(&self.dir, member)
    }
}

/// Bytes of the files of a journal.
///
/// # Errors
/// When the folder cannot be read.
pub fn bytes_of(member: &Member) -> Result<u64, JournalError> {
    let mut bytes = 0;
    for folder in LogKind::BOTH.map(|log| log.folder(&member.dir)).into_iter().chain([member.dir.join("snapshots")]) {
        for file in names(&folder)? {
            bytes += fs::metadata(&file).map_or(0, |m| m.len());
        }
    }
    Ok(bytes)
}

/// Gives a journal a name that none has.
fn set_aside(home: &Path, member: &Member) -> Result<PathBuf, JournalError> {
    let place = Home::place(home, member.info.number);
    let names = (1_u64..).map(|n| place.with_extension(format!("{LOST}{n}")));
    let free = names.into_iter().find(|name| !name.exists()).expect("few are there");
    fs::rename(&member.dir, &free).map_err(|e| JournalError::io(&member.dir, "renaming", e))?;
    Ok(free)
}

fn remove(home: &Path, member: &Member) -> Result<(), JournalError> {
    let failed = |e| JournalError::io(&member.dir, "removing", e);
    memory::forget(&member.dir)?;
    let gone = Home::place(home, member.info.number).with_extension(GONE);
    if member.dir == home {
        Home::make_room(home)?;
        if !gone.exists() {
            make_folder(&gone).map_err(failed)?;
        }
        // The manifest goes first: from then on it is no journal.
        for name in [MANIFEST].into_iter().chain(OWN) {
            let from = home.join(name);
            if from.exists() {
                fs::rename(from, gone.join(name)).map_err(failed)?;
            }
        }
        sync_folder(home).map_err(failed)?;
    } else {
        fs::rename(&member.dir, &gone).map_err(failed)?;
    }
    fs::remove_dir_all(&gone).map_err(failed)
}

/// Copies a file, or a folder and its files, and makes the copy durable.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        let mut file = open_file(to)?;
        file.set_len(0)?;
        io::copy(&mut File::open(from)?, &mut file)?;
        return file.sync_all();
    }
    if !to.is_dir() {
        make_folder(to)?;
    }
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    sync_folder(to)
}

/// What a folder has; nothing if it is not there.
fn names(folder: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let entries = entries.map_err(|e| JournalError::io(folder, "reading", e))?;
    Ok(entries.into_iter().map(|entry| entry.path()).collect())
}

/// The folders of the journals that follow the first, in order.
fn rolled(dir: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u64>().ok();
    let mut found: Vec<_> = names(&dir.join(ROLLED))?
        .into_iter()
        .filter(|path| path.join(MANIFEST).exists())
        .filter_map(|path| Some((number(&path)?, path)))
        .collect();
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

//! The folder of the files, and the text that says which of them are there and how far they reach.
//!
//! **Idea.** Drafts lie in `_tidegate/RUN`. A cut syncs them, replaces `position.json` there, which names them with their places,
//! and then renames them. A start looks at that text first: drafts that it names get their names, all others go. So a kill
//! between any two steps leaves either the state before the cut or the one behind it. Runs share a folder: each has a text
//! and names of its own.
//!
//! Bound: the names of one cut. Worst case: a folder that two processes want for one run; the second is refused.

use super::step::{failed, step};
use crate::journal::Position;
use crate::journal::private::{make_folder, open_file, remove_if_there, sync_folder, write_whole};
use crate::tables::id_of;
use crate::tailer::TailerError;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Where drafts and positions are. Readers of tables do not look there.
pub(super) const WORK: &str = "_tidegate";
/// Where dead letters are, beside the folders of the tables.
pub(super) const DEAD_LETTERS: &str = "dead_letters";
pub(super) const POSITION: &str = "position.json";
const LOCK: &str = "lock";
/// The end of the name of a draft.
pub(super) const DRAFT: &str = "draft";
/// The form of the text.
const FORM: u32 = 1;

/// The folder, for one run and this process alone.
pub(super) struct Folder {
    dir: PathBuf,
    work: PathBuf,
    run: u64,
    state: State,
    /// Held as long as it is open.
    _lock: File,
}

/// What the text says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    form: u32,
    tables: Vec<String>,
    /// Cuts so far.
    cuts: u64,
    /// How far the files reach; absent before the first cut.
    position: Option<Position>,
    /// The files of the last cut.
    files: Vec<Finished>,
}

/// A file that is whole: its draft, and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finished {
    pub(super) draft: String,
    /// Folders below that of the files, and the name.
    pub(super) place: Vec<String>,
}

impl Folder {
    /// Opens it, and brings a cut that was cut short to its end. `resumes`: rows were delivered before.
    pub(super) fn open(dir: &Path, run: u64, tables: Vec<String>, resumes: bool) -> Result<Folder, TailerError> {
        let work = dir.join(WORK).join(id_of(run));
        make_folders(dir)?;
        make_below(dir, &[WORK.to_owned(), id_of(run)])?;
        let lock = lock(&work)?;
        let path = work.join(POSITION);
        let state = match step(&path, "reading", || unless_missing(fs::read(&path)))? {
            Some(text) => read(&path, &text, &tables)?,
            None if resumes => return Err(lost(dir)),
            None => State { form: FORM, tables, cuts: 0, position: None, files: Vec::new() },
        };
        let mut folder = Folder { dir: dir.to_owned(), work, run, state, _lock: lock };
        if !path.exists() {
            folder.save(folder.state.clone())?;
        }
        folder.publish()?;
        folder.clear()?;
        Ok(folder)
    }

    /// How far the files reach.
    pub(super) fn position(&self) -> Option<Position> {
        self.state.position
    }

    /// The path of a draft.
    pub(super) fn draft(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    /// What tells the files of the next cut from those of any other: of which run, and its number.
    pub(super) fn mark(&self) -> String {
        format!("{}-{:06}", id_of(self.run), self.state.cuts + 1)
    }

    /// Takes drafts, which are synced, as the files up to a position.
    pub(super) fn cut(&mut self, files: Vec<Finished>, position: Position) -> Result<(), TailerError> {
        for file in &files {
            make_below(&self.dir, &file.place[..file.place.len() - 1])?;
        }
        step(&self.work, "syncing", || sync_folder(&self.work))?;
        let (cuts, position) = (self.state.cuts + 1, Some(position));
        self.save(State { cuts, position, files, ..self.state.clone() })?;
        self.publish()
    }

    fn save(&mut self, state: State) -> Result<(), TailerError> {
        let path = self.work.join(POSITION);
        let text = serde_json::to_string_pretty(&state).map_err(|e| failed(&path, "writing", e))?;
        step(&path, "writing", || write_whole(&self.work, POSITION, &text))?;
        self.state = state;
        Ok(())
    }

    /// Gives the files of the last cut their names, unless they have them.
    fn publish(&self) -> Result<(), TailerError> {
        let mut folders = Vec::new();
        for file in &self.state.files {
            let (draft, place) = (self.work.join(&file.draft), self.dir.join(file.place.iter().collect::<PathBuf>()));
            if draft.exists() {
                make_below(&self.dir, &file.place[..file.place.len() - 1])?;
                step(&place, "naming", || fs::rename(&draft, &place))?;
            }
            folders.extend(place.parent().map(Path::to_owned));
        }
        folders.push(self.work.clone());
        folders.sort_unstable();
        folders.dedup();
        // A folder that a user has moved away has nothing to be synced.
        folders.iter().try_for_each(|folder| step(folder, "syncing", || unless_missing(sync_folder(folder))).map(drop))
    }

    /// Removes the drafts that belong to no cut.
    fn clear(&self) -> Result<(), TailerError> {
        for entry in step(&self.work, "reading", || fs::read_dir(&self.work))? {
            let path = entry.map_err(|e| failed(&self.work, "reading", e))?.path();
            if path.extension().is_some_and(|end| end == DRAFT) {
                step(&path, "removing", || remove_if_there(&path))?;
            }
        }
        Ok(())
    }
}

fn read(path: &Path, text: &[u8], tables: &[String]) -> Result<State, TailerError> {
    let fault = |what: String, next: &str| TailerError {
        what: format!("{}: {what}", path.display()),
        next: next.to_owned(),
        transient: false,
    };
    let state: State = serde_json::from_slice(text)
        .map_err(|e| fault(format!("it is no position of this sink: {e}"), "write to another folder"))?;
    if state.form != FORM {
        return Err(fault(format!("its form is {}, not {FORM}", state.form), "use the version that wrote it"));
    }
    if state.tables != tables {
        let before = state.tables.join(",");
        return Err(fault(
            format!("the files are of the tables {before}, which are not those of now"),
            "set `tables` as it was, or write to another folder under another --name",
        ));
    }
    Ok(state)
}

fn lost(dir: &Path) -> TailerError {
    TailerError {
        what: format!("{}: it has no position of this run, but the follower has one: rows are in another folder", dir.display()),
        next: "for all rows that journals have, name another follower with --name, or run `tidegate journal forget` first; to go \
               on, set `dir` as it was"
            .to_owned(),
        transient: false,
    }
}

pub(super) fn lock(work: &Path) -> Result<File, TailerError> {
    let path = work.join(LOCK);
    let file = step(&path, "opening", || open_file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TailerError {
            what: format!("{}: another process writes files of this run", work.display()),
            next: "end it, or write to another folder".to_owned(),
            transient: false,
        }),
        Err(TryLockError::Error(e)) => Err(failed(&path, "locking", e)),
    }
}

/// Makes the folder of the files, with those above it.
fn make_folders(dir: &Path) -> Result<(), TailerError> {
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above.filter(|above| !above.exists()) {
        make_folders(above)?;
    }
    make(dir, above.unwrap_or(Path::new(".")))
}

/// Makes folders in one that is there, each in the one before.
fn make_below(dir: &Path, names: &[String]) -> Result<(), TailerError> {
    let mut above = dir.to_owned();
    for name in names {
        let folder = above.join(name);
        make(&folder, &above)?;
        above = folder;
    }
    Ok(())
}

fn make(folder: &Path, above: &Path) -> Result<(), TailerError> {
    if folder.is_dir() {
        return Ok(());
    }
    step(folder, "making", || make_folder(folder).and_then(|()| sync_folder(above)))
}

pub(super) fn unless_missing<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

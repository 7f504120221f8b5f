//! Removes the files of a run, and of no other that shares the folder.
//!
//! The position goes first: a sink that the follower would let go on from it is refused from then on, so a kill in between leaves
//! nothing that rows could be missing behind. The folder of the drafts goes last, and as long as it is there a reset finds the rest.
//!
//! Bound: one look at each file of the folder.

use super::folder::{DEAD_LETTERS, POSITION, WORK, lock, unless_missing};
use super::step::{failed, step};
use crate::journal::private::{remove_if_there, sync_folder};
use crate::tables::{TABLES, id_of};
use crate::tailer::TailerError;
use std::fs;
use std::path::{Path, PathBuf};

/// Removes the files of the run in `dir`, or only looks; says what there is.
pub(super) fn reset(dir: &Path, run: u64, removes: bool) -> Result<String, TailerError> {
    let work = dir.join(WORK).join(id_of(run));
    if !work.is_dir() {
        return Ok(format!("{}: no file of this run", dir.display()));
    }
    let _lock = lock(&work)?;
    let mut found = Vec::new();
    for name in TABLES.iter().map(|spec| spec.name).chain([DEAD_LETTERS]) {
        of_run(&dir.join(name), &id_of(run), &mut found)?;
    }
    let said = format!("{}: {} files of this run", dir.display(), found.len());
    if removes {
        let position = work.join(POSITION);
        step(&position, "removing", || remove_if_there(&position).and_then(|()| sync_folder(&work)))?;
        for file in &found {
            step(file, "removing", || remove_if_there(file))?;
        }
        step(&work, "removing", || fs::remove_dir_all(&work))?;
    }
    Ok(said)
}

/// The files of a run in a folder and in those below it.
fn of_run(folder: &Path, run: &str, found: &mut Vec<PathBuf>) -> Result<(), TailerError> {
    let entries = step(folder, "reading", || unless_missing(fs::read_dir(folder)))?;
    for entry in entries.into_iter().flatten() {
        let path = entry.map_err(|e| failed(folder, "reading", e))?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if path.is_dir() {
            of_run(&path, run, found)?;
        } else if name.split('-').any(|part| part == run) {
            found.push(path);
        }
    }
    Ok(())
}

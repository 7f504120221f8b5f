//! Writes what checks found wanting, and takes it back.
//!
//! **Idea.** What was there is noted on the disk before anything is written, so that nothing is lost if this is killed between two
//! writes. A second `apply` keeps the first note of each file: `undo` brings back what was there before any of it. A file that
//! says something else than what was written is left alone by `undo`: somebody else has changed it since.
//!
//! Bound: one write a setting. Worst case: the system refuses some; the others are written, and those are said.

use crate::checks::Setting;
use crate::root::Root;
use serde::{Deserialize, Serialize};
use std::io;

/// Where it is noted what was there.
const NOTE: &str = "/var/lib/tidegate/doctor.json";

/// A value that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Noted {
    path: String,
    was: String,
    now: String,
}

/// What became of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It has this value now.
    Written {
        /// The file.
        path: String,
        /// Before.
        from: String,
        /// Now.
        to: String,
    },
    /// Somebody else has changed it since; it stays.
    Left {
        /// The file.
        path: String,
        /// What it says.
        found: String,
    },
    /// The system refused it.
    Refused {
        /// The file.
        path: String,
        /// The error.
        error: String,
    },
}

/// The note cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}; {next}", path.display())]
pub struct NoteError {
    path: std::path::PathBuf,
    error: String,
    next: &'static str,
}

fn noted(root: &Root) -> Result<Vec<Noted>, NoteError> {
    let failed = |error: String, next| NoteError { path: root.path(NOTE), error, next };
    match std::fs::read_to_string(root.path(NOTE)) {
        Ok(text) => serde_json::from_str(&text)
            .map_err(|e| failed(e.to_string(), "it says what was there before: mend it, or move it away")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(failed(e.to_string(), "run it as root")),
    }
}

/// Writes the note anew, or removes it if nothing is left to take back. It is durable when this returns.
fn note(root: &Root, all: &[Noted]) -> Result<(), NoteError> {
    let path = root.path(NOTE);
    let failed = |e: io::Error| NoteError { path: path.clone(), error: e.to_string(), next: "run it as root" };
    if all.is_empty() {
        return std::fs::remove_file(&path).or_else(|e| match e.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(failed(e)),
        });
    }
    let folder = path.parent().expect("a note stands in a folder");
    std::fs::create_dir_all(folder).map_err(failed)?;
    let draft = path.with_extension("draft");
    let text = serde_json::to_vec_pretty(all).expect("a note is plain text");
    std::fs::write(&draft, text).map_err(failed)?;
    std::fs::File::open(&draft).and_then(|file| file.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, &path).map_err(failed)?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Writes settings, each noted before.
///
/// # Errors
/// When it cannot be noted: then nothing is written.
pub fn apply(root: &Root, settings: &[Setting]) -> Result<Vec<Done>, NoteError> {
    let earlier = noted(root)?;
    let mut all = earlier.clone();
    for Setting { path, value, was } in settings {
        match all.iter_mut().find(|one| one.path == *path) {
            Some(one) => value.clone_into(&mut one.now),
            None => all.push(Noted { path: path.clone(), was: was.clone(), now: value.clone() }),
        }
    }
    note(root, &all)?;
    let mut done = Vec::new();
    for Setting { path, value, was } in settings {
        done.push(match root.write(path, value) {
            Ok(()) => Done::Written { path: path.clone(), from: was.clone(), to: value.clone() },
            Err(e) => Done::Refused { path: path.clone(), error: e.to_string() },
        });
    }
    // What was refused has the way back that it had, if any.
    let is_refused = |one: &Noted| done.iter().any(|d| matches!(d, Done::Refused { path, .. } if *path == one.path));
    all.retain(|one| !is_refused(one));
    all.extend(earlier.into_iter().filter(is_refused));
    note(root, &all)?;
    Ok(done)
}

/// What a file says, as it is written back: of several choices the one in brackets.
fn says(root: &Root, path: &str) -> Option<String> {
    let text = root.read(path)?;
    let chosen = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(chosen, _)| chosen.to_owned());
    Some(chosen.unwrap_or(text))
}

/// Writes back what was there before, the last first.
///
/// # Errors
/// When the note cannot be read or written.
pub fn undo(root: &Root) -> Result<Vec<Done>, NoteError> {
    let all = noted(root)?;
    let (mut done, mut kept) = (Vec::new(), Vec::new());
    for one in all.into_iter().rev() {
        let Noted { path, was, now } = one.clone();
        let found = says(root, &path).unwrap_or_default();
        if found != now && found != was {
            done.push(Done::Left { path, found });
            continue;
        }
        match root.write(&path, &was) {
            Ok(()) => done.push(Done::Written { path, from: now, to: was }),
            Err(e) => {
                done.push(Done::Refused { path, error: e.to_string() });
                kept.push(one);
            }
        }
    }
    kept.reverse();
    note(root, &kept)?;
    Ok(done)
}

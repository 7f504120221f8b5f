//! Where a journal begins that follows another.
//!
//! A run rolls its journal: it goes on in a new one, which begins with the state that the inputs before it left. Its files
//! were prepared ahead and say whom they follow; `begin.toml` says after which input, and names the file with the state. The
//! two are written to the memory of the active segments first, so that a roll waits for no disk, and the text comes last:
//! with it the journal has begun, and without it nothing was ever stored there. The helper copies both to the disk, the
//! state first.
//!
//! Bound: a small text, and the state once in memory until the disk has it. Worst case: the system stops before the
//! disk has them; then the journal before is the last one, and what this one has on the disk is of no use.

use super::error::JournalError;
use super::format::hex;
use super::memory::{Found, Memory, find};
use super::private::{make_folder, open_file, sync_folder, write_whole};
use flow::Ns;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// The file that says where a journal begins.
const BEGIN: &str = "begin.toml";

/// Where a journal begins that follows another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// The last input before it.
    pub after: u64,
    /// When the journal rolled, by the clock of the run.
    pub at: Ns,
    /// The file with the state that it begins with, relative to its folder.
    pub state: String,
}

/// A text with the BLAKE3 of its content.
#[derive(Serialize, Deserialize)]
struct Checked<T> {
    check: String,
    #[serde(flatten)]
    content: T,
}

/// The text with its check.
pub(super) fn text_of<T: Serialize>(content: &T) -> String {
    let text = toml::to_string(content).expect("plain values are TOML");
    format!("check = \"{}\"\n{text}", hex(blake3::hash(text.as_bytes()).as_bytes()))
}

/// The content of a text that [`text_of`] gives, if the file is there.
pub(super) fn read<T: Serialize + DeserializeOwned>(folder: &Path, name: &str) -> Result<Option<T>, JournalError> {
    let path = folder.join(name);
    let bad = |what: &str| JournalError::BadManifest { path: path.clone(), what: what.to_owned() };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => return Err(bad("it is not UTF-8 text")),
        Err(e) => return Err(JournalError::io(&path, "reading", e)),
    };
    let Checked { content, .. } = toml::from_str::<Checked<T>>(&text).map_err(|e| bad(e.message()))?;
    // Another text of the same meaning was not written by us.
    if text_of(&content) == text { Ok(Some(content)) } else { Err(bad("it was altered")) }
}

impl Begin {
    /// Where the journal in `dir` begins, if it has begun and follows another.
    pub(super) fn read(dir: &Path, memory: Option<&Path>) -> Result<Option<Begin>, JournalError> {
        match (read(dir, BEGIN)?, memory) {
            (None, Some(memory)) => read(memory, BEGIN),
            (found, _) => Ok(found),
        }
    }

    /// Whether the journal in `dir` has begun, which follows another; a look without reading its texts.
    pub(super) fn is_there(dir: &Path, segment_records: u64) -> bool {
        let in_memory = || matches!(find(dir, segment_records), Ok(Found::Here(memory)) if memory.join(BEGIN).exists());
        dir.join(BEGIN).exists() || in_memory()
    }

    /// Begins, in memory: from here on the journal is the one that goes on.
    pub(super) fn write(&self, memory: &Path, state: &[u8]) -> Result<(), JournalError> {
        let file = memory.join(&self.state);
        let folder = file.parent().unwrap_or(memory);
        let written = fs::create_dir_all(folder).and_then(|()| whole(&file, state));
        let written = written.and_then(|()| whole(&memory.join(BEGIN), text_of(self).as_bytes()));
        written.map_err(|e| JournalError::io(memory, "beginning", e))
    }

    /// Copies what begins the journal from memory to the disk, unless it is there.
    pub(super) fn copy(dir: &Path, memory: &Memory) -> io::Result<()> {
        if dir.join(BEGIN).exists() {
            return Ok(());
        }
        let Some(begin) = read::<Begin>(&memory.folder, BEGIN).map_err(io::Error::other)? else { return Ok(()) };
        let to = dir.join(&begin.state);
        let folder = to.parent().unwrap_or(dir);
        let draft = to.with_extension("copy.draft");
        let state = fs::read(memory.folder.join(&begin.state))?;
        if !folder.is_dir() {
            make_folder(folder)?;
        }
        let mut file = open_file(&draft)?;
        file.set_len(0)?;
        file.write_all(&state)?;
        file.sync_all()?;
        fs::rename(&draft, &to)?;
        sync_folder(folder)?;
        write_whole(dir, BEGIN, &text_of(&begin)).map_err(io::Error::other)
    }
}

/// Writes a file of a tmpfs so that it is there as a whole or not at all.
fn whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = open_file(&draft)?;
    file.set_len(0)?;
    file.write_all(bytes)?;
    fs::rename(&draft, path)
}

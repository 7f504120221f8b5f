//! Where the active segments lie: in shared memory, which outlives the process and knows no disk.
//!
//! **Idea.** The page cache outlives a `kill -9`, and so does a file of a tmpfs; but a page of a tmpfs is never written back,
//! so nothing that happens to the disk can hold up a store to it. A journal that is being written has a folder of its own
//! there, laid out as the journal is. `memory.toml` in the journal says where: on which boot, at which path. It is written
//! once the folder holds all that is not on the disk, and removed once everything is. The folder in turn names the journal's
//! place, so that a copy of a journal does not take the records of its original, and so that a later journal at the same
//! place removes what an earlier one left.
//!
//! Bound: [`bytes_needed`], asked for before a run begins. Worst case: the system stops, and with it goes all that was not
//! on the disk yet; the note is still there and says so. Where there is no room, the folder lies in the journal itself:
//! then a store may wait for the disk, and [`Memory::word`] says that.

use super::error::JournalError;
use super::format::{LogKind, MANIFEST, SEALED_SLOT, listed, segment_bytes};
use super::gaps;
use super::mapping::SLOT_BYTES;
use super::private::{free_bytes, make_folder, open_file, remove_folder_if_there, remove_text, write_whole};
use rustix::fs::statfs;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Segments prepared ahead of the active one.
pub(super) const AHEAD: usize = 2;

/// The file in a journal's folder that says where the active segments lie; there only while the journal is written.
pub(super) const NOTE: &str = "memory.toml";
/// The folder in the journal where there is no shared memory.
pub(super) const ON_DISK: &str = "memory";
/// The file in the folder of the active segments that names the journal's folder.
const PLACE: &str = "journal";
/// What the names of these folders begin with.
const PREFIX: &str = "tidegate-";
/// Where shared memory is mounted.
const SHARED: &str = "/dev/shm";
/// The type of a tmpfs, as `statfs` names it.
const TMPFS: i64 = 0x0102_1994;

/// The folder of the active segments of a journal that is being written.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) folder: PathBuf,
    /// Why it is not shared memory, in words.
    pub(super) word: Option<String>,
}

/// What became of the active segments.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There are none: everything is on the disk.
    Nothing,
    /// They lie in this folder.
    Here(PathBuf),
    /// They are gone, or belong to another journal; in words.
    Gone(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    boot: String,
    folder: PathBuf,
    /// CRC32C of the two: a note that was altered must not look like one of another boot.
    check: String,
}

impl Note {
    fn text(&self) -> String {
        toml::to_string(self).expect("a flat table is TOML")
    }

    fn check(boot: &str, folder: &Path) -> String {
        let crc = crc32c::crc32c(boot.as_bytes());
        format!("{:08x}", crc32c::crc32c_append(crc, folder.as_os_str().as_encoded_bytes()))
    }
}

/// Bytes of memory that a journal takes when its disk is as far behind as it may be.
pub(super) const fn bytes_needed(segment_records: u64, behind: u64) -> u64 {
    2 * behind * segment_bytes(segment_records)
}

impl Memory {
    /// Makes an empty folder for a run of the journal in `dir`. `wanted` is the parameter: `auto`, `disk` or a folder.
    pub(super) fn make(dir: &Path, journal_id: u64, wanted: &str, needed: u64) -> Result<Memory, JournalError> {
        let place = place_of(dir)?;
        let (root, word) = root(dir, wanted, needed)?;
        remove_leftovers(dir, &root, &place)?;
        let folder = match root == dir {
            true => place.join(ON_DISK),
            false => free_name(&root, journal_id),
        };
        let memory = Memory { folder, word };
        let made = make_folder(&memory.folder).and_then(|()| {
            memory.claim(&place)?;
            LogKind::BOTH.iter().try_for_each(|log| make_folder(&log.folder(&memory.folder)))
        });
        made.map_err(|e| JournalError::io(&memory.folder, "creating", e))?;
        Ok(memory)
    }

    /// Takes over the folder that an earlier run of the journal in `dir` left.
    pub(super) fn adopt(dir: &Path, folder: PathBuf) -> Result<Memory, JournalError> {
        let memory = Memory { folder, word: None };
        // The journal may have been moved since.
        memory.claim(&place_of(dir)?).map_err(|e| JournalError::io(&memory.folder, "writing", e))?;
        Ok(memory)
    }

    fn claim(&self, place: &Path) -> io::Result<()> {
        let file = open_file(&self.folder.join(PLACE))?;
        file.set_len(0)?;
        file.write_all_at(place.as_os_str().as_encoded_bytes(), 0)
    }

    /// Notes in the journal that its active segments lie here.
    pub(super) fn note(&self, dir: &Path) -> Result<(), JournalError> {
        let boot = boot();
        let check = Note::check(&boot, &self.folder);
        let note = Note { boot, folder: self.folder.clone(), check };
        write_whole(dir, NOTE, &note.text())
    }

    /// Removes note and folder: everything is on the disk.
    pub(super) fn end(&self, dir: &Path) -> Result<(), JournalError> {
        remove_text(dir, NOTE)?;
        remove_folder_if_there(&self.folder).map_err(|e| JournalError::io(&self.folder, "removing", e))
    }
}

/// Where the active segments of the journal in `dir` lie. All of them must be there: what lies in memory of one log is of no
/// use without what lies there of the other.
pub(super) fn find(dir: &Path, journal_id: u64, segment_records: u64) -> Result<Found, JournalError> {
    let path = dir.join(NOTE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(e) => return Err(JournalError::io(&path, "reading", e)),
    };
    let bad = |what: &str| JournalError::BadManifest { path: path.clone(), what: what.to_owned() };
    let note: Note = toml::from_str(&text).map_err(|e| bad(e.message()))?;
    // Another text of the same meaning was not written by us.
    if note.check != Note::check(&note.boot, &note.folder) || note.text() != text {
        return Err(bad("it does not match its check"));
    }
    let lay = |what: String| {
        Ok(Found::Gone(format!("its newest records lay in memory at {}, {what}", note.folder.display())))
    };
    if note.boot != boot() {
        return lay("and the system was started anew since".to_owned());
    }
    let Ok(there) = fs::symlink_metadata(&note.folder) else { return lay("which is gone".to_owned()) };
    let owner = fs::metadata(dir.join(MANIFEST)).map(|m| m.uid());
    if !there.is_dir() || owner.is_ok_and(|owner| owner != there.uid()) {
        return lay("which belongs to someone else".to_owned());
    }
    let place = named_place(&note.folder);
    let manifest = |dir: &Path| fs::read(dir.join(MANIFEST)).ok();
    if place != place_of(dir)? && manifest(&place) == manifest(dir) {
        return lay(format!("and belong to {}, of which this is a copy", place.display()));
    }
    // A journal that is being written changes while this looks at it.
    let whole = (0..3).any(|turn| {
        std::thread::sleep(Duration::from_millis(turn));
        // Outcomes that gave way to a full disk are not missing. Gaps that cannot be read are a fault of their own.
        let dropped = gaps::read(dir, journal_id).map_or(0, |(gaps, _)| gaps.dropped.through_segment);
        let whole = |(log, dropped)| is_whole(dir, &note.folder, log, dropped, segment_records);
        [(LogKind::Inputs, 0), (LogKind::Outcomes, dropped)].into_iter().all(whole)
    });
    if whole {
        return Ok(Found::Here(note.folder));
    }
    // If the note was removed meanwhile, everything is on the disk.
    if dir.join(NOTE).exists() { lay("and a part of them is gone".to_owned()) } else { Ok(Found::Nothing) }
}

/// Whether the segments of a log in memory follow each other, and all before them are finished on the disk, or were dropped:
/// those up to number `dropped`.
fn is_whole(dir: &Path, folder: &Path, log: LogKind, dropped: u64, segment_records: u64) -> bool {
    let Ok(mut here) = listed(&log.folder(folder)) else { return false };
    here.sort_unstable();
    let Some(first) = here.first().copied() else { return false };
    let follows = here.iter().zip(first..).all(|(number, expected)| *number == expected);
    let Ok(on_disk) = listed(&log.folder(dir)) else { return false };
    // A segment that is missing below another one on the disk is no matter of the memory.
    let before = first - 1;
    let finished = before <= dropped
        || match File::open(dir.join(log.segment_name(before))) {
            Ok(file) => sealed_word(&file).is_ok_and(|sealed| sealed == segment_records),
            Err(_) => on_disk.iter().any(|number| *number > before),
        };
    follows && finished
}

fn sealed_word(file: &File) -> io::Result<u64> {
    let mut word = [0; 8];
    file.read_exact_at(&mut word, (SEALED_SLOT * SLOT_BYTES) as u64)?;
    Ok(u64::from_le_bytes(word))
}

/// The folder to look in, and why it is not shared memory.
fn root(dir: &Path, wanted: &str, needed: u64) -> Result<(PathBuf, Option<String>), JournalError> {
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    let disk = |why: String| {
        let word = "the journal's active segments lie on its disk, and a slow disk can delay inputs";
        (dir.to_owned(), Some(format!("{word}: {why}")))
    };
    let shared = Path::new(SHARED);
    match wanted {
        "disk" => Ok(disk("journal.memory is \"disk\"".to_owned())),
        "auto" => Ok(match (is_tmpfs(shared), free_bytes(shared)) {
            (false, _) => disk(format!("{SHARED} is no tmpfs")),
            (true, free) if free < needed => disk(format!(
                "{} MiB are needed in {SHARED}, {} are free; lower journal.behind or journal.segment_records",
                mib(needed),
                mib(free)
            )),
            (true, _) => (shared.to_owned(), None),
        }),
        folder => {
            let free = free_bytes(Path::new(folder));
            let root = fs::canonicalize(folder).ok().filter(|root| root.is_dir() && free >= needed);
            let root = root.ok_or_else(|| JournalError::Setting {
                key: "memory",
                found: format!("{folder:?} ({} MiB free)", mib(free)),
                valid: format!("valid: auto, disk, or a folder with {} MiB free, best of a tmpfs", mib(needed)),
            })?;
            let word = "is no tmpfs, and a slow disk there can delay inputs";
            let word = (!is_tmpfs(&root)).then(|| format!("journal.memory: {folder} {word}"));
            Ok((root, word))
        }
    }
}

fn is_tmpfs(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|s| s.f_type == TMPFS)
}

/// A name that no other journal's folder has: that of a copy of this one would be the same.
fn free_name(root: &Path, journal_id: u64) -> PathBuf {
    let name = |n: u64| match n {
        0 => root.join(format!("{PREFIX}{journal_id:016x}")),
        n => root.join(format!("{PREFIX}{journal_id:016x}-{n}")),
    };
    (0..).map(name).find(|path| !path.exists()).expect("one of these names is free")
}

/// Removes the folders that a journal at `place` left: one that was deleted, or the one that is here and whose records are
/// all on the disk. Nothing of another place is touched.
fn remove_leftovers(dir: &Path, root: &Path, place: &Path) -> Result<(), JournalError> {
    let entries = fs::read_dir(root).into_iter().flatten().filter_map(Result::ok);
    let left = entries.filter(|e| e.file_name().to_string_lossy().starts_with(PREFIX)).map(|e| e.path());
    let on_disk = Some(dir.join(ON_DISK)).filter(|path| path.exists());
    for folder in left.filter(|path| named_place(path) == place).chain(on_disk) {
        fs::remove_dir_all(&folder).map_err(|e| JournalError::io(&folder, "removing", e))?;
    }
    Ok(())
}

/// The place of the journal whose active segments lie in `folder`; empty if it cannot be read.
fn named_place(folder: &Path) -> PathBuf {
    PathBuf::from(OsString::from_vec(fs::read(folder.join(PLACE)).unwrap_or_default()))
}

fn place_of(dir: &Path) -> Result<PathBuf, JournalError> {
    fs::canonicalize(dir).map_err(|e| JournalError::io(dir, "reading", e))
}

/// Names this boot of this system; empty if unknown.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

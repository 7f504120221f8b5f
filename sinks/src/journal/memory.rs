//! Where the active segments lie: in shared memory, which outlives the process and knows no disk.
//!
//! **Idea.** The page cache outlives a `kill -9`, and so does a file of a tmpfs; but a page of a tmpfs is never written back,
//! so nothing that happens to the disk can hold up a store to it. A journal that is being written has a folder of its own
//! there, laid out as the journal is. `memory.toml` in the journal says where: on which boot, at which path. It is written
//! once the folder holds all that is not on the disk, and removed once everything is. The folder in turn names the journal's
//! place, so that a copy of a journal does not take the records of its original, and so that a later journal at the same
//! place removes what an earlier one left. Inputs in memory are whole or the journal goes on without them, and then they are
//! set aside; what is gone of the outcomes is derived again.
//!
//! Bound: [`bytes_needed`], asked for before a run begins. Worst case: the system stops, and with it goes all that was not
//! on the disk yet; the note is still there and says so. Where there is no room, the folder lies in the journal itself:
//! then a store may wait for the disk, and [`Memory::warning`] says that.

use super::error::JournalError;
use super::format::{DRAFT, LogKind, MANIFEST, listed, record_offset, segment_bytes};
use super::private::{
    free_bytes, make_folder, open_file, remove_folder_if_there, remove_if_there, remove_text, write_whole,
};
use rustix::fs::statfs;
use rustix::process::geteuid;
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
/// What the names of those begin with that a journal went on without.
const ASIDE: &str = "set-aside-";
/// Where shared memory is mounted.
const SHARED: &str = "/dev/shm";
/// The type of a tmpfs, as `statfs` names it.
const TMPFS: i64 = 0x0102_1994;

/// The folder of the active segments of a journal that is being written.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) folder: PathBuf,
    /// What follows from its being no shared memory, in words.
    pub(super) warning: Option<String>,
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
    /// The note of the journal in `dir`, if there is one.
    fn read(dir: &Path) -> Result<Option<Note>, JournalError> {
        let path = dir.join(NOTE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(JournalError::io(&path, "reading", e)),
        };
        let bad = |what: &str| JournalError::BadManifest { path: path.clone(), what: what.to_owned() };
        let note: Note = toml::from_str(&text).map_err(|e| bad(e.message()))?;
        // Another text of the same meaning was not written by us.
        match note.check == Note::check(&note.boot, &note.folder) && note.text() == text {
            true => Ok(Some(note)),
            false => Err(bad("it does not match its check")),
        }
    }

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
        let (root, warning) = root(dir, wanted, needed)?;
        remove_leftovers(dir, &root, &place)?;
        let folder = match root == dir {
            true => place.join(ON_DISK),
            false => free_name(&root.join(format!("{PREFIX}{journal_id:016x}"))),
        };
        let memory = Memory { folder, warning };
        let made = make_folder(&memory.folder).and_then(|()| {
            memory.claim(&place)?;
            LogKind::BOTH.iter().try_for_each(|log| make_folder(&log.folder(&memory.folder)))
        });
        made.map_err(|e| JournalError::io(&memory.folder, "creating", e))?;
        Ok(memory)
    }

    /// Takes over the folder that an earlier run of the journal in `dir` left.
    pub(super) fn adopt(dir: &Path, folder: PathBuf) -> Result<Memory, JournalError> {
        let warning = (!is_tmpfs(&folder)).then(|| delays(&format!("they lie in {}", folder.display())));
        let memory = Memory { folder, warning };
        // The journal may have been moved since, outcomes may be gone, and drafts may be left.
        let claimed = memory.claim(&place_of(dir)?).and_then(|()| {
            let outcomes = LogKind::Outcomes.folder(&memory.folder);
            if outcomes.is_dir() { Ok(()) } else { make_folder(&outcomes) }?;
            LogKind::BOTH.iter().try_for_each(|log| remove_drafts(&log.folder(&memory.folder)))
        });
        claimed.map_err(|e| JournalError::io(&memory.folder, "writing", e))?;
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

/// Where the active segments of the journal in `dir` lie. All of the inputs must be there: without them the outcomes are of
/// no use. What is gone of the outcomes is derived again.
pub(super) fn find(dir: &Path, segment_records: u64) -> Result<Found, JournalError> {
    let Some(note) = Note::read(dir)? else { return Ok(Found::Nothing) };
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
    if let Some(original) = original(dir, &note.folder)? {
        return lay(format!("and belong to {}, of which this is a copy", original.display()));
    }
    // A journal that is being written changes while this looks at it.
    let whole = (0..3).any(|turn| {
        std::thread::sleep(Duration::from_millis(turn));
        has_all_inputs(dir, &note.folder, segment_records)
    });
    if whole {
        return Ok(Found::Here(note.folder));
    }
    // If the note was removed meanwhile, everything is on the disk.
    match dir.join(NOTE).exists() {
        true => lay(format!("and a part of them is gone; a start keeps what is left in a folder {ASIDE}… beside it")),
        false => Ok(Found::Nothing),
    }
}

/// Whether the journal in `dir` says that its active segments lie in memory.
pub(super) fn is_noted(dir: &Path) -> bool {
    dir.join(NOTE).exists()
}

/// Whether the input segments in memory follow each other, and all before them are full on the disk.
fn has_all_inputs(dir: &Path, folder: &Path, segment_records: u64) -> bool {
    let log = LogKind::Inputs;
    let Ok(mut here) = listed(&log.folder(folder)) else { return false };
    here.sort_unstable();
    let Some(first) = here.first().copied() else { return false };
    let follows = here.iter().zip(first..).all(|(number, expected)| *number == expected);
    let before = first - 1;
    follows
        && (before == 0
            || match File::open(dir.join(log.segment_name(before))) {
                Ok(file) => has_record(&file, segment_records - 1),
                // A segment that is missing below another one on the disk is no matter of the memory.
                Err(_) => listed(&log.folder(dir)).is_ok_and(|there| there.iter().any(|number| *number > before)),
            })
}

/// Whether the record at `index` is written.
fn has_record(file: &File, index: u64) -> bool {
    let mut id = [0; 8];
    file.read_exact_at(&mut id, record_offset(index)).is_ok() && id != [0; 8]
}

/// Before the journal in `dir` goes on without its active segments: sets aside what is left of them, since it may be all that
/// there is of some records, and removes the note, which must not name the folder that is made next.
pub(super) fn set_aside(dir: &Path) -> Result<(), JournalError> {
    let Some(Note { folder, .. }) = Note::read(dir)? else { return Ok(()) };
    if is_own_folder(&folder) && original(dir, &folder)?.is_none() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let aside = free_name(&folder.with_file_name(format!("{ASIDE}{name}")));
        fs::rename(&folder, &aside).map_err(|e| JournalError::io(&folder, "setting aside", e))?;
    }
    remove_text(dir, NOTE)
}

/// Before the journal in `dir` is removed: removes what memory has of it.
pub(super) fn forget(dir: &Path) -> Result<(), JournalError> {
    let Some(Note { folder, .. }) = Note::read(dir)? else { return Ok(()) };
    if is_own_folder(&folder) && original(dir, &folder)?.is_none() {
        remove_folder_if_there(&folder).map_err(|e| JournalError::io(&folder, "removing", e))?;
    }
    Ok(())
}

/// The folder to look in, and why it is not shared memory.
fn root(dir: &Path, wanted: &str, needed: u64) -> Result<(PathBuf, Option<String>), JournalError> {
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    let disk = |why: String| (dir.to_owned(), Some(delays(&why)));
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
            let warning = (!is_tmpfs(&root)).then(|| delays(&format!("journal.memory is {folder}")));
            Ok((root, warning))
        }
    }
}

/// The warning that the active segments do not lie in shared memory.
fn delays(why: &str) -> String {
    format!("the journal's active segments lie on a disk, and a slow disk can delay inputs: {why}")
}

fn is_tmpfs(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|s| s.f_type == TMPFS)
}

/// `path`, or with a number behind it if there is one of that name: a copy of a journal has the same id.
fn free_name(path: &Path) -> PathBuf {
    let name = |n: u64| match n {
        0 => path.to_owned(),
        n => PathBuf::from(format!("{}-{n}", path.display())),
    };
    (0..).map(name).find(|path| !path.exists()).expect("one of these names is free")
}

/// Removes the segments of a folder that have no name yet, or none any more.
fn remove_drafts(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == DRAFT) {
            remove_if_there(&path)?;
        }
    }
    Ok(())
}

/// Removes the folders that a journal at `place` left: one that was deleted, or the one that is here and whose records are
/// all on the disk. Nothing of another place is touched.
fn remove_leftovers(dir: &Path, root: &Path, place: &Path) -> Result<(), JournalError> {
    let entries = fs::read_dir(root).into_iter().flatten().filter_map(Result::ok);
    let left = entries.filter(|e| e.file_name().to_string_lossy().starts_with(PREFIX)).map(|e| e.path());
    let left = left.filter(|path| is_own_folder(path) && named_place(path) == place);
    left.chain([dir.join(ON_DISK)])
        .try_for_each(|folder| remove_folder_if_there(&folder).map_err(|e| JournalError::io(&folder, "removing", e)))
}

/// Whether this is a folder that belongs to the user who runs this: anybody may put something into shared memory.
fn is_own_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == geteuid().as_raw())
}

/// The place of the journal whose active segments lie in `folder`; empty if no plain file says so.
fn named_place(folder: &Path) -> PathBuf {
    let file = folder.join(PLACE);
    let is_plain = fs::symlink_metadata(&file).is_ok_and(|found| found.is_file());
    PathBuf::from(OsString::from_vec(if is_plain { fs::read(file).unwrap_or_default() } else { Vec::new() }))
}

/// The journal whose active segments lie in `folder`, if the one in `dir` is a copy of it.
fn original(dir: &Path, folder: &Path) -> Result<Option<PathBuf>, JournalError> {
    let (named, place) = (named_place(folder), place_of(dir)?);
    let manifest = |dir: &Path| fs::read(dir.join(MANIFEST)).ok();
    Ok(Some(named).filter(|named| *named != place && manifest(named) == manifest(dir)))
}

fn place_of(dir: &Path) -> Result<PathBuf, JournalError> {
    fs::canonicalize(dir).map_err(|e| JournalError::io(dir, "reading", e))
}

/// Names this boot of this system; empty if unknown.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

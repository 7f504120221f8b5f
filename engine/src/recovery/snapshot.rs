//! A snapshot: everything that a run needs to resume after a `seq` without the inputs before it.
//!
//! One file per snapshot in the folder `snapshots` of the journal, named by its `seq`: the listings, the state of the
//! ingress (merge, ticks, returns, simulated venue), of every stage and of the tail, protected by one BLAKE3 hash. It bears
//! the id of its journal and commits to the inputs that it includes, so it serves no other journal, and no other history of
//! its own. It is written under another name and renamed, so a snapshot is either complete or absent. One that cannot be
//! used is passed over, with a notice: an older one, or none, only means a longer replay.

use super::notices::Notices;
use crate::assembly::Assembly;
use crate::ingress::Ingress;
use flow::{Event, Listings, StateError, StateReader};
use serde::{Deserialize, Serialize};
use sinks::journal::{Commitment, JournalError, JournalReader};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folder of snapshots inside the journal's folder.
const FOLDER: &str = "snapshots";
/// Version of the file format.
const FORMAT: u32 = 5;
const HASH: usize = blake3::OUT_LEN;

/// Why a snapshot cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read or written.
    #[error("{}: {error}; check the folder and the space on its disk", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// The journal cannot be read.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The file does not match its hash.
    #[error("{}: the snapshot is damaged; delete it", .0.display())]
    Damaged(PathBuf),
    /// The file has another format version.
    #[error("{}: the snapshot has format {found}, and this build reads format {FORMAT} only; delete it", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It was taken of another journal.
    #[error("{}: the snapshot belongs to the journal {theirs:016x}, this one is {ours:016x}; delete it", path.display())]
    OtherJournal {
        /// The file.
        path: PathBuf,
        /// Id of its journal.
        theirs: u64,
        /// Id of the journal in whose folder it lies.
        ours: u64,
    },
    /// Its name, its build or its configuration is not that of its journal.
    #[error("{}: the snapshot is not what its name and its journal say ({what}); delete it", path.display())]
    Misplaced {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// The inputs that it includes are not those of the journal.
    #[error("{}: the journal's inputs are not those that the snapshot includes; delete it", .0.display())]
    OtherInputs(PathBuf),
}

/// The state of an idle pipeline after the input `seq`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Snapshot {
    format: u32,
    /// The journal that it belongs to.
    journal_id: u64,
    /// Build that wrote it.
    build_id: String,
    /// BLAKE3 of the configuration's text.
    config_hash: String,
    /// The last input that it includes.
    pub seq: u64,
    /// Commits to the inputs up to that one.
    inputs: Commitment,
    /// Names and listings so far, 64 bytes each.
    pub definitions: Vec<u8>,
    /// State of the ingress.
    pub ingress: Vec<u8>,
    /// State of the stages in pipeline order, then of the tail.
    pub stages: Vec<u8>,
}

impl Snapshot {
    /// A snapshot of a journal after its input `seq`, whose states are still empty.
    ///
    /// # Errors
    /// When the inputs cannot be read.
    pub fn new(journal: &JournalReader, seq: u64, definitions: Vec<u8>) -> Result<Snapshot, JournalError> {
        let info = journal.info();
        Ok(Snapshot {
            format: FORMAT,
            journal_id: info.journal_id,
            build_id: info.build_id.clone(),
            config_hash: info.config_hash.clone(),
            seq,
            inputs: journal.commitment(seq)?,
            definitions,
            ingress: Vec::new(),
            stages: Vec::new(),
        })
    }

    /// The names and listings.
    fn defined(&self) -> impl Iterator<Item = Event> {
        self.definitions.chunks_exact(size_of::<Event>()).map(bytemuck::pod_read_unaligned)
    }

    /// The listings known at `seq`.
    pub fn listings(&self) -> Listings {
        let mut listings = Listings::default();
        self.defined().for_each(|event: Event| listings.observe(&event));
        listings
    }

    /// Loads head, stages and tail from the snapshot.
    ///
    /// # Errors
    /// When it belongs to a different pipeline.
    pub fn restore(&self, into: &mut Assembly<Ingress>) -> Result<(), StateError> {
        let listings = self.listings();
        let mut stages = StateReader::new(&listings, &self.stages);
        for planned in &mut into.plan.stages {
            planned.stage.load(&mut stages)?;
        }
        into.tail.load(&mut stages)?;
        stages.finish()?;
        let mut head = StateReader::new(&listings, &self.ingress);
        into.head.load(&mut head)?;
        head.finish()?;
        into.tail.know(listings);
        self.defined().for_each(|event| into.define(&event));
        into.tail.begin_at(self.seq);
        Ok(())
    }

    /// Writes it into the journal's folder; returns the path.
    ///
    /// # Errors
    /// When it cannot be written completely.
    pub fn write(&self, journal: &Path) -> Result<PathBuf, SnapshotError> {
        let folder = journal.join(FOLDER);
        let path = folder.join(format!("{:013}.snap", self.seq));
        let failed = |error| SnapshotError::Io { path: path.clone(), error };
        let mut bytes = postcard::to_stdvec(self).expect("a snapshot is plain values");
        bytes.extend_from_slice(blake3::hash(&bytes).as_bytes());
        fs::create_dir_all(&folder).map_err(failed)?;
        let draft = path.with_extension("draft");
        fs::write(&draft, bytes).map_err(failed)?;
        fs::File::open(&draft).and_then(|f| f.sync_all()).map_err(failed)?;
        fs::rename(&draft, &path).map_err(failed)?;
        fs::File::open(&folder).and_then(|f| f.sync_all()).map_err(failed)?;
        Ok(path)
    }

    /// The latest snapshot in the folder of `journal` up to `through_seq` that fits it, if there is one. The later ones that
    /// do not fit are passed over, each with a notice.
    ///
    /// # Errors
    /// When the folder or the journal cannot be read.
    pub fn latest(
        journal: &JournalReader,
        dir: &Path,
        through_seq: u64,
        notices: Notices,
    ) -> Result<Option<Snapshot>, SnapshotError> {
        for (seq, path) in listed(dir)?.into_iter().rev().filter(|(seq, _)| *seq <= through_seq) {
            match Snapshot::fitting(journal, seq, &path)? {
                Ok(snapshot) => return Ok(Some(snapshot)),
                Err(why) => notices.say(format!("{why}; it is passed over, and the replay begins earlier")),
            }
        }
        Ok(None)
    }

    /// Reads a snapshot and checks that it belongs to the journal.
    fn fitting(
        journal: &JournalReader,
        seq: u64,
        path: &Path,
    ) -> Result<Result<Snapshot, SnapshotError>, JournalError> {
        let snapshot = match Snapshot::read(path) {
            Ok(snapshot) => snapshot,
            Err(why) => return Ok(Err(why)),
        };
        let (info, path) = (journal.info(), path.to_owned());
        let misplaced = |what| SnapshotError::Misplaced { path: path.clone(), what };
        let differs = [
            (snapshot.seq != seq, "seq"),
            (snapshot.build_id != info.build_id, "build"),
            (snapshot.config_hash != info.config_hash, "configuration"),
        ];
        Ok(match differs.into_iter().find(|(differs, _)| *differs) {
            _ if snapshot.journal_id != info.journal_id => {
                Err(SnapshotError::OtherJournal { path, theirs: snapshot.journal_id, ours: info.journal_id })
            }
            Some((_, what)) => Err(misplaced(what)),
            None if !journal.keeps(seq, &snapshot.inputs)? => Err(SnapshotError::OtherInputs(path)),
            None => Ok(snapshot),
        })
    }

    /// Reads a snapshot file.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or has another format.
    pub fn read(path: &Path) -> Result<Snapshot, SnapshotError> {
        let bytes = fs::read(path).map_err(|error| SnapshotError::Io { path: path.to_owned(), error })?;
        let damaged = || SnapshotError::Damaged(path.to_owned());
        let (content, hash) = bytes.split_at_checked(bytes.len().wrapping_sub(HASH)).ok_or_else(damaged)?;
        if blake3::hash(content).as_bytes() != hash {
            return Err(damaged());
        }
        let (found, _) = postcard::take_from_bytes::<u32>(content).map_err(|_| damaged())?;
        if found != FORMAT {
            return Err(SnapshotError::OtherFormat { path: path.to_owned(), found });
        }
        postcard::from_bytes(content).map_err(|_| damaged())
    }
}

/// The snapshots in the folder of a journal, by seq.
fn listed(journal: &Path) -> Result<Vec<(u64, PathBuf)>, SnapshotError> {
    let folder = journal.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| SnapshotError::Io { path: folder, error })?,
    };
    let seq = |path: &Path| -> Option<u64> {
        let complete = path.extension().is_some_and(|e| e == "snap");
        path.file_stem().filter(|_| complete)?.to_str()?.parse().ok()
    };
    let found = entries.filter_map(Result::ok).map(|e| e.path());
    let mut found: Vec<_> = found.filter_map(|p| Some((seq(&p)?, p))).collect();
    found.sort_unstable();
    Ok(found)
}

/// What is wrong with the snapshots in the folder of a journal.
///
/// # Errors
/// When the folder or the journal cannot be read.
pub fn wrong_snapshots(dir: &Path) -> Result<Vec<SnapshotError>, SnapshotError> {
    let journal = JournalReader::open(dir)?;
    let mut wrong = Vec::new();
    for (seq, path) in listed(dir)? {
        wrong.extend(Snapshot::fitting(&journal, seq, &path)?.err());
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Snapshot {
        let (inputs, text) = (Commitment::default(), || "one".to_owned());
        let none = Vec::new;
        Snapshot {
            format: FORMAT,
            journal_id: 1,
            build_id: text(),
            config_hash: text(),
            seq: 7,
            inputs,
            definitions: none(),
            ingress: none(),
            stages: none(),
        }
    }

    #[test]
    fn another_format_is_told_from_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = empty().write(folder.path()).unwrap();
        assert_eq!(Snapshot::read(&path).unwrap(), empty());
        let old = Snapshot { format: 2, ..empty() }.write(folder.path()).unwrap();
        let error = Snapshot::read(&old).unwrap_err();
        assert!(matches!(error, SnapshotError::OtherFormat { found: 2, .. }), "{error}");
        assert!(error.to_string().contains("has format 2, and this build reads format 5 only"), "{error}");
        let mut bytes = fs::read(&old).unwrap();
        bytes[3] ^= 1;
        fs::write(&old, bytes).unwrap();
        assert!(matches!(Snapshot::read(&old), Err(SnapshotError::Damaged(_))));
    }
}

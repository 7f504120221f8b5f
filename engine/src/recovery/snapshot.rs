//! A snapshot: everything that a run needs to resume after a `seq` without the inputs before it.
//!
//! One file per snapshot in the folder `snapshots` of the journal, named by its `seq`: the listings, the state of the
//! ingress (merge, ticks, returns, simulated venue), of every stage and of the tail, protected by one BLAKE3 hash. It bears
//! the id of its journal and commits to the inputs that it includes, so it serves no other journal, and no other history of
//! its own. It is written under another name and renamed, so a snapshot is either complete or absent. One that cannot be
//! used is passed over, with a notice: an older one, or none, only means a longer replay.

use super::notices::Notices;
use super::sealed;
use super::snapshot_error::SnapshotError;
use crate::assembly::Assembly;
use crate::ingress::Ingress;
use flow::{Event, Listings, StateError, StateReader};
use serde::{Deserialize, Serialize};
use sinks::journal::{Commitment, JournalError, JournalInfo, JournalReader, Member};
use std::path::{Path, PathBuf};

/// Version of the file format.
const FORMAT: u32 = 6;
const EXTENSION: &str = "snap";

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
    #[serde(with = "sealed::bytes_at_once")]
    pub ingress: Vec<u8>,
    /// State of the stages in pipeline order, then of the tail.
    #[serde(with = "sealed::bytes_at_once")]
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

    /// The state with which a journal begins that follows another: after the input `seq`, none of which is in it. `parts` are
    /// the definitions, the state of the ingress, and that of stages and tail.
    pub(super) fn at_roll(info: &JournalInfo, seq: u64, nothing: Commitment, parts: [Vec<u8>; 3]) -> Snapshot {
        let [definitions, ingress, stages] = parts;
        Snapshot {
            format: FORMAT,
            journal_id: info.journal_id,
            build_id: info.build_id.clone(),
            config_hash: info.config_hash.clone(),
            seq,
            inputs: nothing.begun_after(seq),
            definitions,
            ingress,
            stages,
        }
    }

    /// The file of a snapshot, relative to the journal's folder.
    pub fn file_name(seq: u64) -> String {
        sealed::name(seq, EXTENSION)
    }

    /// The bytes of its file.
    pub(super) fn bytes(&self) -> Vec<u8> {
        sealed::bytes(self)
    }

    /// The names and listings.
    pub fn defined(&self) -> impl Iterator<Item = Event> {
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
        self.restore_pipeline(into)?;
        let listings = self.listings();
        let mut head = StateReader::new(&listings, &self.ingress);
        into.head.load(&mut head)?;
        head.finish()?;
        self.defined().for_each(|event| into.define(&event));
        Ok(())
    }

    /// Loads stages and tail from the snapshot.
    ///
    /// # Errors
    /// When it belongs to a different pipeline.
    pub fn restore_pipeline<H>(&self, into: &mut Assembly<H>) -> Result<(), StateError> {
        let listings = self.listings();
        let mut stages = StateReader::new(&listings, &self.stages);
        for planned in &mut into.plan.stages {
            planned.stage.load(&mut stages)?;
        }
        into.tail.load(&mut stages)?;
        stages.finish()?;
        into.tail.know(listings);
        into.tail.begin_at(self.seq);
        Ok(())
    }

    /// Writes it into the journal's folder; returns the path.
    ///
    /// # Errors
    /// When it cannot be written completely.
    pub fn write(&self, journal: &Path) -> Result<PathBuf, SnapshotError> {
        let path = sealed::path(journal, self.seq, EXTENSION);
        sealed::write(&path, self)?;
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
        for (seq, path) in listed(dir, journal.memory())?.into_iter().rev().filter(|(seq, _)| *seq <= through_seq) {
            match Snapshot::fitting(journal, seq, &path)? {
                Ok(snapshot) => return Ok(Some(snapshot)),
                Err(why) => notices.say(format!("{why}; it is passed over, and the replay begins earlier")),
            }
        }
        Ok(None)
    }

    /// The state that a journal begins with, if it follows another.
    ///
    /// # Errors
    /// When it is damaged or gone, or the journal cannot be read.
    pub fn start(member: &Member, notices: Notices) -> Result<Option<Snapshot>, SnapshotError> {
        if member.info.follows.is_none() {
            return Ok(None);
        }
        let start = Snapshot::latest(&member.reader(), &member.dir, member.info.after(), notices)?;
        start.map(Some).ok_or_else(|| SnapshotError::NoStart(member.dir.clone()))
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
        sealed::read(path, FORMAT)
    }
}

/// The snapshots of a journal by seq, those that only memory has yet among them.
fn listed(journal: &Path, memory: Option<&Path>) -> Result<Vec<(u64, PathBuf)>, SnapshotError> {
    let mut found = sealed::listed(journal, EXTENSION)?;
    if let Some(memory) = memory {
        found.extend(sealed::listed(memory, EXTENSION)?);
    }
    found.sort_by_key(|(seq, _)| *seq);
    Ok(found)
}

/// Removes the snapshots of a journal but for the last two and the one that it begins with.
///
/// # Errors
/// When the folder cannot be read, or one cannot be removed.
pub(super) fn forget_older(member: &Member) -> Result<(), SnapshotError> {
    let mut later = sealed::listed(&member.dir, EXTENSION)?;
    later.retain(|(seq, _)| *seq > member.info.after());
    for (_, path) in later.iter().rev().skip(2) {
        std::fs::remove_file(path).map_err(|error| SnapshotError::Io { path: path.clone(), error })?;
    }
    Ok(())
}

/// What is wrong with the snapshots in the folder of a journal.
///
/// # Errors
/// When the folder or the journal cannot be read.
pub(super) fn wrong_snapshots(dir: &Path, journal: &JournalReader) -> Result<Vec<SnapshotError>, SnapshotError> {
    let mut wrong = Vec::new();
    for (seq, path) in listed(dir, journal.memory())? {
        wrong.extend(Snapshot::fitting(journal, seq, &path)?.err());
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
        assert!(error.to_string().contains("has format 2, and this build reads format 6 only"), "{error}");
        let mut bytes = std::fs::read(&old).unwrap();
        bytes[3] ^= 1;
        std::fs::write(&old, bytes).unwrap();
        assert!(matches!(Snapshot::read(&old), Err(SnapshotError::Damaged(_))));
    }
}

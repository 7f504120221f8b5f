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
use sinks::journal::{Commitment, JournalError, JournalReader};
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
        for (seq, path) in sealed::listed(dir, EXTENSION)?.into_iter().rev().filter(|(seq, _)| *seq <= through_seq) {
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
        sealed::read(path, FORMAT)
    }
}

/// What is wrong with the snapshots in the folder of a journal.
///
/// # Errors
/// When the folder or the journal cannot be read.
pub(super) fn wrong_snapshots(dir: &Path) -> Result<Vec<SnapshotError>, SnapshotError> {
    let journal = JournalReader::open(dir)?;
    let mut wrong = Vec::new();
    for (seq, path) in sealed::listed(dir, EXTENSION)? {
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
        assert!(error.to_string().contains("has format 2, and this build reads format 6 only"), "{error}");
        let mut bytes = std::fs::read(&old).unwrap();
        bytes[3] ^= 1;
        std::fs::write(&old, bytes).unwrap();
        assert!(matches!(Snapshot::read(&old), Err(SnapshotError::Damaged(_))));
    }
}

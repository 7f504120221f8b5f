//! A snapshot: everything that a run needs to resume after a `seq` without the inputs before it.
//!
//! One file per snapshot in the folder `snapshots` of the journal, named by its `seq`: the listings, the state of the
//! ingress (merge, ticks, returns, simulated venue) and of every stage, protected by one BLAKE3 hash. It is written under
//! another name and renamed, so a snapshot is either complete or absent.

use crate::assembly::Assembly;
use crate::ingress::Ingress;
use flow::{Event, Listings, StateError, StateReader};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folder of snapshots inside the journal's folder.
const FOLDER: &str = "snapshots";
/// Version of the file format.
const FORMAT: u32 = 2;
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
    /// The file does not match its hash.
    #[error("{}: the snapshot is damaged; delete it, and the run starts from an older one or from the first input", .0.display())]
    Damaged(PathBuf),
    /// The file has another format version.
    #[error(
        "{}: the snapshot has format {found}, and this build reads format {FORMAT} only; delete it, and the run starts from an older one or from the first input",
        path.display()
    )]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

/// The state of an idle pipeline after the input `seq`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Snapshot {
    format: u32,
    /// Build that wrote it.
    pub build_id: String,
    /// BLAKE3 of the configuration's text.
    pub config_hash: String,
    /// The last input that it includes.
    pub seq: u64,
    /// Names and listings so far, 64 bytes each.
    pub definitions: Vec<u8>,
    /// State of the ingress.
    pub ingress: Vec<u8>,
    /// State of the stages in pipeline order, then of the tail.
    pub stages: Vec<u8>,
}

impl Snapshot {
    /// A snapshot whose states are still empty.
    pub fn new(build_id: String, config_hash: String, seq: u64, definitions: Vec<u8>) -> Snapshot {
        Snapshot { format: FORMAT, build_id, config_hash, seq, definitions, ingress: Vec::new(), stages: Vec::new() }
    }

    /// The listings known at `seq`.
    pub fn listings(&self) -> Listings {
        let mut listings = Listings::default();
        for bytes in self.definitions.chunks_exact(size_of::<Event>()) {
            listings.observe(&bytemuck::pod_read_unaligned(bytes));
        }
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

    /// The latest snapshot in the journal's folder up to `through_seq`, if there is one.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or has another format.
    pub fn latest(journal: &Path, through_seq: u64) -> Result<Option<Snapshot>, SnapshotError> {
        let folder = journal.join(FOLDER);
        let entries = match fs::read_dir(&folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| SnapshotError::Io { path: folder.clone(), error })?,
        };
        let seq = |path: &Path| -> Option<u64> {
            let complete = path.extension().is_some_and(|e| e == "snap");
            path.file_stem().filter(|_| complete)?.to_str()?.parse().ok()
        };
        let found = entries.filter_map(Result::ok).map(|e| e.path());
        let latest = found.filter_map(|p| Some((seq(&p)?, p))).filter(|(seq, _)| *seq <= through_seq).max();
        latest.map(|(_, path)| Snapshot::read(&path)).transpose()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_told_from_damage() {
        let folder = tempfile::tempdir().unwrap();
        let written = Snapshot::new("a build".to_owned(), "a hash".to_owned(), 7, Vec::new());
        let path = written.write(folder.path()).unwrap();
        assert_eq!(Snapshot::read(&path).unwrap(), written);
        let old = Snapshot { format: 1, ..written }.write(folder.path()).unwrap();
        let error = Snapshot::read(&old).unwrap_err();
        assert!(matches!(error, SnapshotError::OtherFormat { found: 1, .. }), "{error}");
        assert!(error.to_string().contains("has format 1, and this build reads format 2 only"), "{error}");
        let mut bytes = fs::read(&old).unwrap();
        bytes[3] ^= 1;
        fs::write(&old, bytes).unwrap();
        assert!(matches!(Snapshot::read(&old), Err(SnapshotError::Damaged(_))));
    }
}

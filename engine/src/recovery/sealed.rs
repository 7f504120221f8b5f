//! Files beside a journal that are complete or absent: plain values behind their format number, before their hash.
//!
//! A file is written under another name, synced and renamed. Bound: it is held in memory.

use super::snapshot_error::SnapshotError;
use serde::{Serialize, de::DeserializeOwned};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folder of such files inside the journal's folder.
const FOLDER: &str = "snapshots";
const HASH: usize = blake3::OUT_LEN;

/// The file of the state after `seq`, with that extension, relative to the journal's folder.
pub(super) fn name(seq: u64, extension: &str) -> String {
    format!("{FOLDER}/{seq:013}.{extension}")
}

/// The file of the state after `seq`, with that extension.
pub(super) fn path(journal: &Path, seq: u64, extension: &str) -> PathBuf {
    journal.join(name(seq, extension))
}

/// The bytes of a file with that value, of which the first field is the number of its format.
pub(super) fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = postcard::to_stdvec(value).expect("they are plain values");
    bytes.extend_from_slice(blake3::hash(&bytes).as_bytes());
    bytes
}

/// Writes a value, of which the first field is the number of its format.
pub(super) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), SnapshotError> {
    let failed = |error| SnapshotError::Io { path: path.to_owned(), error };
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).map_err(failed)?;
    let draft = path.with_extension("draft");
    fs::write(&draft, bytes(value)).map_err(failed)?;
    fs::File::open(&draft).and_then(|f| f.sync_all()).map_err(failed)?;
    fs::rename(&draft, path).map_err(failed)?;
    fs::File::open(folder).and_then(|f| f.sync_all()).map_err(failed)
}

/// Reads a value of that format.
pub(super) fn read<T: DeserializeOwned>(path: &Path, format: u32) -> Result<T, SnapshotError> {
    let bytes = fs::read(path).map_err(|error| SnapshotError::Io { path: path.to_owned(), error })?;
    let damaged = || SnapshotError::Damaged(path.to_owned());
    let (content, hash) = bytes.split_at_checked(bytes.len().wrapping_sub(HASH)).ok_or_else(damaged)?;
    if blake3::hash(content).as_bytes() != hash {
        return Err(damaged());
    }
    let (found, _) = postcard::take_from_bytes::<u32>(content).map_err(|_| damaged())?;
    if found != format {
        return Err(SnapshotError::OtherFormat { path: path.to_owned(), found, format });
    }
    postcard::from_bytes(content).map_err(|_| damaged())
}

/// The files with that extension in the folder of a journal, by seq.
pub(super) fn listed(journal: &Path, extension: &str) -> Result<Vec<(u64, PathBuf)>, SnapshotError> {
    let folder = journal.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| SnapshotError::Io { path: folder, error })?,
    };
    let seq = |path: &Path| -> Option<u64> {
        let complete = path.extension().is_some_and(|e| e == extension);
        path.file_stem().filter(|_| complete)?.to_str()?.parse().ok()
    };
    let found = entries.filter_map(Result::ok).map(|e| e.path());
    let mut found: Vec<_> = found.filter_map(|p| Some((seq(&p)?, p))).collect();
    found.sort_unstable();
    Ok(found)
}

/// Bytes as a whole: read one by one, as those of any list, the state of a large market takes longer than its hash. What is
/// written is the same.
pub(super) mod bytes_at_once {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};
    use std::fmt;

    /// Writes them.
    pub(in crate::recovery) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    /// Reads them.
    pub(in crate::recovery) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        from.deserialize_bytes(Bytes)
    }
}

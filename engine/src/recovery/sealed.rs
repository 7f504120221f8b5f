//! Files beside a journal that are complete or absent: plain values behind their format number, before their hash.
//!
//! A file is written under another name, synced and renamed. A value can have a **rest** behind its hash, of which it says
//! length and hash ([`Rest`]): whoever does not need it does not read it, and checks the value all the same. The file then
//! ends with the number of the rest's bytes; if that is wrong, the value is not found, or is not the one that was sealed. Bound:
//! what is read is held in memory.

use super::snapshot_error::SnapshotError;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Folder of such files inside the journal's folder.
const FOLDER: &str = "snapshots";
const HASH: usize = blake3::OUT_LEN;
/// Bytes of a rest that are read at once.
const PART: u64 = 256 << 10;
/// Bytes of the length of a rest.
const LENGTH: usize = size_of::<u64>();

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

/// What lies behind a value in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rest {
    bytes: u64,
    hash: [u8; HASH],
}

impl Rest {
    /// Of these bytes.
    pub(super) fn of(rest: &[u8]) -> Rest {
        Rest { bytes: rest.len() as u64, hash: *blake3::hash(rest).as_bytes() }
    }
}

/// The bytes of a file with that value, which describes `rest`.
pub(super) fn bytes_with_rest<T: Serialize>(value: &T, rest: &[u8]) -> Vec<u8> {
    let mut bytes = bytes(value);
    bytes.reserve_exact(rest.len() + LENGTH);
    bytes.extend_from_slice(rest);
    bytes.extend_from_slice(&(rest.len() as u64).to_le_bytes());
    bytes
}

/// Writes the bytes of a file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), SnapshotError> {
    let failed = |error| SnapshotError::Io { path: path.to_owned(), error };
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).map_err(failed)?;
    let draft = path.with_extension("draft");
    fs::write(&draft, bytes).map_err(failed)?;
    fs::File::open(&draft).and_then(|f| f.sync_all()).map_err(failed)?;
    fs::rename(&draft, path).map_err(failed)?;
    fs::File::open(folder).and_then(|f| f.sync_all()).map_err(failed)
}

/// Reads a value of that format.
pub(super) fn read<T: DeserializeOwned>(path: &Path, format: u32) -> Result<T, SnapshotError> {
    let bytes = fs::read(path).map_err(|error| SnapshotError::Io { path: path.to_owned(), error })?;
    value(&bytes, path, format)
}

/// The value of that format that these bytes of a file seal.
fn value<T: DeserializeOwned>(bytes: &[u8], path: &Path, format: u32) -> Result<T, SnapshotError> {
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

/// A file with a rest, open for reading.
pub(super) struct WithRest<'a> {
    path: &'a Path,
    file: File,
    /// Where the rest begins, and where it ends.
    rest: Range<u64>,
}

impl<'a> WithRest<'a> {
    /// Opens a file, and reads the value before the rest.
    pub(super) fn open<T: DeserializeOwned>(path: &'a Path, format: u32) -> Result<(T, Self), SnapshotError> {
        let failed = |error| SnapshotError::Io { path: path.to_owned(), error };
        let file = File::open(path).map_err(failed)?;
        let mut length = [0; LENGTH];
        let end = file.metadata().map_err(failed)?.len().checked_sub(LENGTH as u64);
        let end = end.ok_or_else(|| SnapshotError::Damaged(path.to_owned()))?;
        file.read_exact_at(&mut length, end).map_err(failed)?;
        let found = match end.checked_sub(u64::from_le_bytes(length)) {
            Some(begin) => {
                let mut bytes = vec![0; begin as usize];
                file.read_exact_at(&mut bytes, 0).map_err(failed)?;
                value(&bytes, path, format).map(|value| (value, begin))
            }
            None => Err(SnapshotError::Damaged(path.to_owned())),
        };
        // Of another format a file may have no rest.
        let (value, begin) = found.map_err(|error| match read::<u32>(path, format) {
            Err(other @ SnapshotError::OtherFormat { .. }) => other,
            _ => error,
        })?;
        Ok((value, WithRest { path, file, rest: begin..end }))
    }

    /// Reads the rest, which the value describes.
    pub(super) fn rest(&self, told: &Rest) -> Result<Vec<u8>, SnapshotError> {
        let damaged = || SnapshotError::Damaged(self.path.to_owned());
        if told.bytes != self.rest.end - self.rest.start {
            return Err(damaged());
        }
        let failed = |error| SnapshotError::Io { path: self.path.to_owned(), error };
        let (mut rest, mut hash) = (Vec::with_capacity(told.bytes as usize), blake3::Hasher::new());
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.rest.start)).map_err(failed)?;
        while (rest.len() as u64) < told.bytes {
            // A part is hashed while the cache has it.
            let from = rest.len();
            let part = PART.min(told.bytes - from as u64);
            if file.take(part).read_to_end(&mut rest).map_err(failed)? == 0 {
                return Err(damaged());
            }
            hash.update(&rest[from..]);
        }
        if *hash.finalize().as_bytes() == told.hash { Ok(rest) } else { Err(damaged()) }
    }
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

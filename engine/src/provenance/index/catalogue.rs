//! The list of what is indexed of a journal, in one small file behind its hash.
//!
//! It says which segments have an index, by what each is known again, and which orders each has. So a look opens the few
//! indexes that matter. Bound: some hundred bytes a segment.

use super::part::PartInfo;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::Path;

/// Version of the files of an index.
const FORMAT: u32 = 1;
const FILE: &str = "catalogue";
const HASH: usize = blake3::OUT_LEN;

/// What is indexed of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Catalogue {
    format: u32,
    layout: u64,
    journal: u64,
    /// The hash chains of both logs at their ends, if the journal was closed when it was indexed to its end: it stays so.
    pub(super) closed: Option<[String; 2]>,
    /// The segments, inputs first, each log in its order.
    pub(super) parts: Vec<PartInfo>,
    /// Names and listings with which the journal begins, 64 bytes each; absent until they were looked up.
    pub(super) begins_with: Option<Vec<u8>>,
}

impl Catalogue {
    /// Of a journal of which nothing is indexed.
    pub(super) fn empty(layout: u64, journal: u64) -> Catalogue {
        Catalogue { format: FORMAT, layout, journal, closed: None, parts: Vec::new(), begins_with: None }
    }

    /// Reads it from a folder; an empty one if it is absent, damaged, or of something else.
    pub(super) fn read(folder: &Path, layout: u64, journal: u64) -> Catalogue {
        let empty = Catalogue::empty(layout, journal);
        let Ok(bytes) = fs::read(folder.join(FILE)) else { return empty };
        let Some((content, hash)) = bytes.split_at_checked(bytes.len().wrapping_sub(HASH)) else { return empty };
        if blake3::hash(content).as_bytes() != hash {
            return empty;
        }
        let of = |found: &Catalogue| (found.format, found.layout, found.journal);
        postcard::from_bytes(content).ok().filter(|found| of(found) == of(&empty)).unwrap_or(empty)
    }

    /// Writes it, complete or not at all.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut bytes = postcard::to_stdvec(self).expect("they are plain values");
        bytes.extend_from_slice(blake3::hash(&bytes).as_bytes());
        publish(&folder.join(FILE), &bytes)
    }

    /// The part of that log that has a record.
    pub(super) fn with(&self, outcomes: bool, record: u64) -> Option<&PartInfo> {
        let has = |part: &&PartInfo| (part.first_record..part.first_record + part.records).contains(&record);
        self.parts.iter().filter(|part| part.outcomes == outcomes).find(has)
    }
}

/// Writes a file under a name of its own and renames it: whoever reads it meanwhile has the old one or the new one.
pub(super) fn publish(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("draft{}", std::process::id()));
    fs::write(&draft, bytes)?;
    fs::rename(&draft, path)
}

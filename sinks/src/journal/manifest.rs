//! The text files that start and end a journal.
//!
//! `journal.toml` is written once, before anything else: which build wrote the journal, with which configuration, in
//! which format. Its text is the start of both hash chains. `closed.toml` is written when a journal is closed in order
//! and records where each log ends, so that a missing end is detected; a resume removes it.

use super::begin::Begin;
use super::error::JournalError;
use super::format::{CLOSED, LogKind, MANIFEST, VERSION, hex, id_text};
use super::memory::{Found, find};
use super::private::{publish, write_draft, write_whole};
use super::spec::{Follows, JournalSpec};
use flow::Kinds;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The words of a set of kinds in hexadecimal, the highest word first.
fn kinds_text(kinds: Kinds) -> String {
    kinds.words().iter().rev().map(|word| format!("{word:016x}")).collect()
}

fn kinds_of_text(text: &str) -> Option<Kinds> {
    let mut words = [0; 4];
    for (at, word) in words.iter_mut().rev().enumerate() {
        *word = u64::from_str_radix(text.get(at * 16..at * 16 + 16)?, 16).ok()?;
    }
    (text.len() == 64).then(|| Kinds::from_words(words))
}

const NOT_TEXT: &str = "it is not UTF-8 text";

/// The identity and settings of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalInfo {
    /// Random; keys the rows of all consumers of the journal.
    pub journal_id: u64,
    /// Id of the build that wrote it.
    pub build_id: String,
    /// The full effective configuration.
    pub config_text: String,
    /// BLAKE3 of the configuration's text, in hexadecimal.
    pub config_hash: String,
    /// Records per segment.
    pub segment_records: u64,
    /// Instrument numbers of the run are below this.
    pub instruments: u32,
    /// Kinds in the outcome log.
    pub outcome_kinds: Kinds,
    /// Number of the journal within the run, from 1: it grows with every roll.
    pub number: u64,
    /// The journals that it follows, if it does.
    pub follows: Option<Follows>,
    /// Where it begins; absent for the first journal of a run, and until one that follows has begun.
    pub begin: Option<Begin>,
    /// BLAKE3 of the text of `journal.toml`, which every segment bears.
    pub manifest_hash: [u8; 32],
    /// The folder of the active segments, if they do not lie in the journal.
    pub(super) memory: Option<PathBuf>,
    /// Why they are gone, if they are; in words.
    pub(super) lost_memory: Option<String>,
}

impl JournalInfo {
    /// Whether inputs may be in it: one that was prepared and that nothing went on in holds nothing.
    pub fn has_begun(&self) -> bool {
        self.follows.is_none() || self.begin.is_some()
    }

    /// The last input before it; 0 for the first journal of a run.
    pub fn after(&self) -> u64 {
        self.begin.as_ref().map_or(0, |begin| begin.after)
    }

    /// Id of the run: of its first journal.
    pub fn run_id(&self) -> u64 {
        self.follows.map_or(self.journal_id, |follows| follows.first_id)
    }

    /// Looks again where the active segments lie.
    pub(super) fn find_memory(&mut self, dir: &Path) -> Result<(), JournalError> {
        (self.memory, self.lost_memory) = match find(dir, self.segment_records)? {
            Found::Nothing => (None, None),
            Found::Here(folder) => (Some(folder), None),
            Found::Gone(why) => (None, Some(why)),
        };
        Ok(())
    }
}

/// Where a log ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEnd {
    /// Records ever written to the log.
    pub records: u64,
    /// Seq of the last record; 0 without one.
    pub last_seq: u64,
    /// The hash chain after the last record, in hexadecimal.
    pub chain: String,
}

/// Where both logs ended: the content of `closed.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// All sources came to their true end: nothing can follow.
    pub ended: bool,
    /// All inputs up to this seq are finished, and their outcomes are in the log.
    pub completed_through: u64,
    /// The input log.
    pub inputs: LogEnd,
    /// The outcome log.
    pub outcomes: LogEnd,
}

impl Closed {
    /// The end of one log.
    pub fn end(&self, log: LogKind) -> &LogEnd {
        match log {
            LogKind::Inputs => &self.inputs,
            LogKind::Outcomes => &self.outcomes,
        }
    }

    /// Writes `closed.toml` atomically.
    pub(super) fn write(&self, dir: &Path) -> Result<(), JournalError> {
        write_whole(dir, CLOSED, &self.text())
    }

    fn text(&self) -> String {
        toml::to_string(self).expect("plain values are TOML")
    }

    /// Reads `closed.toml`; `None` if the journal was not closed in order.
    pub(super) fn read(dir: &Path) -> Result<Option<Closed>, JournalError> {
        let path = dir.join(CLOSED);
        match fs::read_to_string(&path) {
            Ok(text) => match toml::from_str::<Closed>(&text) {
                // Another text of the same meaning was not written by us.
                Ok(closed) if closed.text() != text => {
                    Err(JournalError::BadManifest { path, what: "it was altered".to_owned() })
                }
                Ok(closed) => Ok(Some(closed)),
                Err(e) => Err(JournalError::BadManifest { path, what: e.message().to_owned() }),
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                Err(JournalError::BadManifest { path, what: NOT_TEXT.to_owned() })
            }
            Err(e) => Err(JournalError::io(&path, "reading", e)),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    journal_id: String,
    build_id: String,
    segment_records: u64,
    instruments: u32,
    outcome_kinds: String,
    number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    follows: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    config_hash: String,
    config: String,
}

/// Name of `journal.toml` until the journal is complete: a folder with only the draft holds a journal that never
/// started.
pub(super) const MANIFEST_DRAFT: &str = "journal.toml.draft";

/// Writes the draft of `journal.toml`; returns its content and its text.
pub(super) fn draft_manifest(dir: &Path, spec: &JournalSpec) -> Result<(JournalInfo, String), JournalError> {
    let journal_id = random_id().map_err(|e| JournalError::io(dir, "drawing a journal id", e))?;
    let config_hash = hex(blake3::hash(spec.config_text.as_bytes()).as_bytes());
    let manifest = Manifest {
        format: VERSION,
        journal_id: id_text(journal_id),
        build_id: spec.build_id.clone(),
        segment_records: spec.segment_records,
        instruments: spec.instruments,
        outcome_kinds: kinds_text(spec.outcome_kinds),
        number: spec.number,
        follows: spec.follows.map(|f| id_text(f.journal_id)),
        first: spec.follows.map(|f| id_text(f.first_id)),
        config_hash,
        config: spec.config_text.clone(),
    };
    let text = toml::to_string(&manifest).expect("a flat table is TOML");
    write_draft(dir, MANIFEST, &text)?;
    let info = info_of(manifest, &text).map_err(|what| JournalError::BadManifest { path: dir.join(MANIFEST), what })?;
    Ok((info, text))
}

/// Renames the draft to `journal.toml`: from here on the journal exists.
pub(super) fn publish_manifest(dir: &Path) -> Result<(), JournalError> {
    publish(dir, MANIFEST)
}

/// Reads `journal.toml`: its content and its text.
pub(super) fn read_manifest(dir: &Path) -> Result<(JournalInfo, String), JournalError> {
    let path = dir.join(MANIFEST);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Err(JournalError::NotAJournal { dir: dir.to_owned() });
        }
        Err(e) if e.kind() == io::ErrorKind::InvalidData => {
            return Err(JournalError::BadManifest { path, what: NOT_TEXT.to_owned() });
        }
        Err(e) => return Err(JournalError::io(&path, "reading", e)),
    };
    match parsed(&text) {
        Ok(mut info) => {
            info.find_memory(dir)?;
            info.begin = Begin::read(dir, info.memory.as_deref())?;
            Ok((info, text))
        }
        Err(Unread::Other { found, build_id }) => Err(JournalError::OtherFormat { path, found, build_id }),
        Err(Unread::Bad(what)) => Err(JournalError::BadManifest { path, what }),
    }
}

/// Why this build cannot use a manifest.
enum Unread {
    /// It has another format.
    Other { found: u32, build_id: String },
    /// It is damaged.
    Bad(String),
}

/// The fields that every format has.
#[derive(Deserialize)]
struct Stamp {
    format: u32,
    #[serde(default)]
    build_id: String,
}

/// Checks the format first, because the other fields of another format are unknown here.
fn parsed(text: &str) -> Result<JournalInfo, Unread> {
    let bad = |e: toml::de::Error| Unread::Bad(e.message().to_owned());
    let Stamp { format, build_id } = toml::from_str(text).map_err(bad)?;
    if format != VERSION {
        return Err(Unread::Other { found: format, build_id });
    }
    info_of(toml::from_str(text).map_err(bad)?, text).map_err(Unread::Bad)
}

fn info_of(manifest: Manifest, text: &str) -> Result<JournalInfo, String> {
    if hex(blake3::hash(manifest.config.as_bytes()).as_bytes()) != manifest.config_hash {
        return Err("the configuration does not match config_hash".to_owned());
    }
    super::spec::check_segment_records(manifest.segment_records).map_err(|e| e.to_string())?;
    super::spec::check_instruments(manifest.instruments).map_err(|e| e.to_string())?;
    let id = |text: &str, key: &str| u64::from_str_radix(text, 16).map_err(|_| format!("{key} is not 16 hex digits"));
    let journal_id = id(&manifest.journal_id, "journal_id")?;
    let follows = match (&manifest.follows, &manifest.first) {
        (Some(follows), Some(first)) => {
            Some(Follows { journal_id: id(follows, "follows")?, first_id: id(first, "first")? })
        }
        (None, None) => None,
        _ => return Err("follows and first come together".to_owned()),
    };
    let outcome_kinds =
        kinds_of_text(&manifest.outcome_kinds).ok_or_else(|| "outcome_kinds is not 64 hex digits".to_owned())?;
    Ok(JournalInfo {
        journal_id,
        build_id: manifest.build_id,
        config_text: manifest.config,
        config_hash: manifest.config_hash,
        segment_records: manifest.segment_records,
        instruments: manifest.instruments,
        outcome_kinds,
        number: manifest.number,
        follows,
        begin: None,
        manifest_hash: *blake3::hash(text.as_bytes()).as_bytes(),
        memory: None,
        lost_memory: None,
    })
}

fn random_id() -> io::Result<u64> {
    let mut bytes = [0; 8];
    let n = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
    assert!(n == bytes.len(), "the system gives eight random bytes at once");
    Ok(u64::from_le_bytes(bytes))
}

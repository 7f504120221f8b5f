//! A snapshot: everything that a run needs to resume after a `seq` without the inputs before it.
//!
//! One file per snapshot in the folder `snapshots` of the journal, named by its `seq`: the listings, the state of the
//! ingress (merge, ticks, returns, simulated venue), of every stage and of the tail, protected by one BLAKE3 hash. It bears
//! the id of its journal and commits to the inputs that it includes, so it serves no other journal, and no other history of
//! its own. It commits to their outcomes too as far as they were not sealed yet: a run that goes on behind it does not compare them
//! any more. It is written under another name and renamed, so a snapshot is either complete or absent. One that cannot be used is
//! passed over, with a notice: an older one, or none, only means a longer replay.
//!
//! The **past** of the stages, the trades that are remembered in case one is broken, is nearly all of a large one. It lies behind
//! the rest under a hash of its own, and whoever repeats inputs of which none breaks a trade leaves it unread, or loads that of the
//! instruments whose trades are broken: no byte that was not checked is used, and `journal verify` checks both.

use super::notices::Notices;
use super::sealed::{self, Rest, WithRest};
use super::snapshot_error::SnapshotError;
use crate::assembly::Assembly;
use crate::ingress::Ingress;
use flow::{Event, Listings, SavedState, StateError, StateReader};
use serde::{Deserialize, Serialize};
use sinks::journal::{Commitment, JournalError, JournalInfo, JournalReader, Member, OutcomeCommitment};
use std::path::{Path, PathBuf};

/// Version of the file format.
const FORMAT: u32 = 9;
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
    /// Commits to their outcomes, if these are all in the log.
    outcomes: Option<OutcomeCommitment>,
    /// Names and listings so far, 64 bytes each.
    pub definitions: Vec<u8>,
    /// State of the ingress.
    #[serde(with = "sealed::bytes_at_once")]
    pub ingress: Vec<u8>,
    /// State of the stages in pipeline order, then of the tail, without their past.
    #[serde(with = "sealed::bytes_at_once")]
    stages: Vec<u8>,
    /// How many bytes at the end of that are the tail's.
    tail: u64,
    /// What their past is.
    told: Rest,
    /// The past; `None` if it was left unread.
    #[serde(skip)]
    past: Option<Vec<u8>>,
}

/// Whether the past of a snapshot is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// Read and checked: the stages get all that they had.
    Read,
    /// Left unread: no input that is repeated breaks a trade, and no state is saved afterwards.
    Left,
}

/// The definitions, the state of the ingress, and that of stages and tail.
type Parts = (Vec<u8>, Vec<u8>, SavedState);

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
            outcomes: None,
            definitions,
            ingress: Vec::new(),
            stages: Vec::new(),
            tail: 0,
            told: Rest::of(&[]),
            past: Some(Vec::new()),
        })
    }

    /// Whether its past was left unread.
    pub fn lacks_past(&self) -> bool {
        self.past.is_none()
    }

    /// Gives it the states of the ingress and of the pipeline.
    pub fn take(&mut self, ingress: Vec<u8>, SavedState { now, past, tail }: SavedState) {
        (self.ingress, self.stages, self.told, self.past) = (ingress, now, Rest::of(&past), Some(past));
        self.tail = tail as u64;
    }

    /// Has it commit to the outcomes of its inputs as they are in the log, where each one was found to be right.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn commit_to_outcomes(&mut self, journal: &JournalReader) -> Result<(), JournalError> {
        self.outcomes = Some(journal.outcome_commitment(self.seq)?);
        Ok(())
    }

    /// The state with which a journal begins that follows another: after the input `seq`, none of which is in it. `parts` are
    /// the definitions, the state of the ingress, and that of stages and tail.
    pub(super) fn at_roll(info: &JournalInfo, seq: u64, nothing: Commitment, parts: Parts) -> Snapshot {
        let (definitions, ingress, stages) = parts;
        let mut begun = Snapshot {
            format: FORMAT,
            journal_id: info.journal_id,
            build_id: info.build_id.clone(),
            config_hash: info.config_hash.clone(),
            seq,
            inputs: nothing.begun_after(seq),
            outcomes: None,
            definitions,
            ingress: Vec::new(),
            stages: Vec::new(),
            tail: 0,
            told: Rest::of(&[]),
            past: None,
        };
        begun.take(ingress, stages);
        begun
    }

    /// The file of a snapshot, relative to the journal's folder.
    pub fn file_name(seq: u64) -> String {
        sealed::name(seq, EXTENSION)
    }

    /// The bytes of its file.
    ///
    /// # Panics
    /// If its past was left unread.
    pub(super) fn bytes(&self) -> Vec<u8> {
        sealed::bytes_with_rest(self, self.past.as_ref().expect("what is written is whole"))
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
        self.restore_pipeline(into, None)?;
        let listings = self.listings();
        let mut head = StateReader::new(&listings, &self.ingress);
        into.head.load(&mut head)?;
        head.finish()?;
        self.defined().for_each(|event| into.define(&event));
        Ok(())
    }

    /// Loads stages and tail from the snapshot; of the past that of the instruments `whose`, `None` = everybody's.
    ///
    /// # Errors
    /// When it belongs to a different pipeline.
    pub fn restore_pipeline<H>(&self, into: &mut Assembly<H>, whose: Option<&[u32]>) -> Result<(), StateError> {
        let listings = self.listings();
        let mut stages = StateReader::apart(&listings, &self.stages, self.past.as_deref());
        if let Some(whose) = whose {
            stages = stages.whose_past(whose);
        }
        for planned in &mut into.plan.stages {
            planned.stage.load(&mut stages)?;
        }
        into.tail.load(&mut stages)?;
        stages.finish()?;
        into.tail.know(listings);
        into.tail.begin_at(self.seq);
        Ok(())
    }

    /// The state of the tail alone, to be read after [`Snapshot::defined`].
    ///
    /// # Errors
    /// When its length is wrong.
    pub fn tail(&self) -> Result<&[u8], StateError> {
        let tail = usize::try_from(self.tail).ok().filter(|tail| *tail > 0);
        let from = tail.and_then(|tail| self.stages.len().checked_sub(tail));
        from.map(|from| &self.stages[from..]).ok_or(StateError::Inconsistent("no state of the tail"))
    }

    /// Writes it into the journal's folder; returns the path.
    ///
    /// # Errors
    /// When it cannot be written completely.
    pub fn write(&self, journal: &Path) -> Result<PathBuf, SnapshotError> {
        let path = sealed::path(journal, self.seq, EXTENSION);
        sealed::write(&path, &self.bytes())?;
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
        past: Past,
        notices: Notices,
    ) -> Result<Option<Snapshot>, SnapshotError> {
        for (seq, path) in listed(dir, journal.memory())?.into_iter().rev().filter(|(seq, _)| *seq <= through_seq) {
            match Snapshot::fitting(journal, seq, &path, past)? {
                Ok(snapshot) => return Ok(Some(snapshot)),
                Err(why) => notices.say(format!("{why}; it is passed over, and the replay begins earlier")),
            }
        }
        Ok(None)
    }

    /// The latest snapshot up to `through_seq` behind which it is enough to compare the outcomes with the record: each one before it
    /// is proved, by a seal or by what the snapshot commits to.
    ///
    /// # Errors
    /// When the folder or the journal cannot be read.
    pub(super) fn latest_proved(
        journal: &JournalReader,
        dir: &Path,
        through_seq: u64,
        notices: Notices,
    ) -> Result<Option<Snapshot>, SnapshotError> {
        let mut through = through_seq;
        loop {
            let Some(snapshot) = Snapshot::latest(journal, dir, through, Past::Read, notices)? else { return Ok(None) };
            let Snapshot { seq, outcomes, .. } = &snapshot;
            let is_kept = || outcomes.as_ref().map_or(Ok(false), |outcomes| journal.keeps_outcomes(*seq, outcomes));
            if *seq <= journal.proved_through()? || is_kept()? {
                return Ok(Some(snapshot));
            }
            let why = SnapshotError::OtherOutcomes(sealed::path(dir, *seq, EXTENSION));
            notices.say(format!("{why}; it is passed over, and the replay begins earlier"));
            through = seq - 1;
        }
    }

    /// How many a journal has.
    ///
    /// # Errors
    /// When their folder cannot be read.
    pub fn count(member: &Member) -> Result<usize, SnapshotError> {
        Ok(listed(&member.dir, member.reader().memory())?.len())
    }

    /// The state that a journal begins with, if it follows another.
    ///
    /// # Errors
    /// When it is damaged or gone, or the journal cannot be read.
    pub fn start(member: &Member, past: Past, notices: Notices) -> Result<Option<Snapshot>, SnapshotError> {
        if member.info.follows.is_none() {
            return Ok(None);
        }
        let start = Snapshot::latest(&member.reader(), &member.dir, member.info.after(), past, notices)?;
        start.map(Some).ok_or_else(|| SnapshotError::NoStart(member.dir.clone()))
    }

    /// Reads a snapshot and checks that it belongs to the journal.
    fn fitting(
        journal: &JournalReader,
        seq: u64,
        path: &Path,
        past: Past,
    ) -> Result<Result<Snapshot, SnapshotError>, JournalError> {
        let snapshot = match Snapshot::read(path, past) {
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
    /// When it cannot be read, what is read of it is damaged, or it has another format.
    pub fn read(path: &Path, past: Past) -> Result<Snapshot, SnapshotError> {
        let (mut snapshot, file) = WithRest::open::<Snapshot>(path, FORMAT)?;
        if past == Past::Read {
            snapshot.past = Some(file.rest(&snapshot.told)?);
        }
        Ok(snapshot)
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
        wrong.extend(Snapshot::fitting(journal, seq, &path, Past::Read)?.err());
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
            outcomes: None,
            definitions: none(),
            ingress: none(),
            stages: none(),
            tail: 0,
            told: Rest::of(&[]),
            past: Some(none()),
        }
    }

    #[test]
    fn another_format_is_told_from_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = empty().write(folder.path()).unwrap();
        assert_eq!(Snapshot::read(&path, Past::Read).unwrap(), empty());
        // Up to format 6 there was nothing behind the hash.
        let old = sealed::path(folder.path(), 2, EXTENSION);
        sealed::write(&old, &sealed::bytes(&Snapshot { format: 2, ..empty() })).unwrap();
        let error = Snapshot::read(&old, Past::Left).unwrap_err();
        assert!(matches!(error, SnapshotError::OtherFormat { found: 2, .. }), "{error}");
        assert!(error.to_string().contains("has format 2, and this build reads format 9 only"), "{error}");
        let mut bytes = std::fs::read(&old).unwrap();
        bytes[3] ^= 1;
        std::fs::write(&old, bytes).unwrap();
        assert!(matches!(Snapshot::read(&old, Past::Left), Err(SnapshotError::Damaged(_))));
    }

    /// Of each byte: what is read is not used if it is not what was written, and what is left unread is not looked at.
    #[test]
    fn every_byte_that_is_read_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        let mut whole = empty();
        whole.take(vec![1; 5], SavedState { now: vec![2; 7], past: vec![3; 9], tail: 3 });
        let path = whole.write(folder.path()).unwrap();
        let left = Snapshot { past: None, ..whole.clone() };
        assert_eq!(Snapshot::read(&path, Past::Read).unwrap(), whole);
        assert_eq!(Snapshot::read(&path, Past::Left).unwrap(), left);
        let written = std::fs::read(&path).unwrap();
        let past = written.len() - 8 - 9..written.len() - 8;
        let read = |bytes: &[u8], past| {
            std::fs::write(&path, bytes).unwrap();
            Snapshot::read(&path, past)
        };
        for at in 0..written.len() {
            let mut bytes = written.clone();
            bytes[at] ^= 0x41;
            let found = read(&bytes, Past::Read);
            assert!(matches!(found, Err(SnapshotError::Damaged(_))), "byte {at}: {found:?}");
            let found = read(&bytes, Past::Left);
            assert_eq!(found.ok().as_ref(), past.contains(&at).then_some(&left), "byte {at}");
            let found = read(&written[..at], Past::Left);
            assert!(found.is_err(), "the first {at} bytes: {found:?}");
        }
        let longer = [&written[..], &[0]].concat();
        assert!(read(&longer, Past::Left).is_err());
    }
}

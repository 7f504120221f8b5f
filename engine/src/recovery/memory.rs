//! What outlives a journal, in a file that any later build can read.
//!
//! When a run ends or is stopped in order, and when a snapshot is taken, the stages say what they have learned that must
//! last ([`Lasting`]). It is written beside the snapshots, under the names of the owners and the keys of the instruments, so that
//! it depends neither on a build nor on a configuration nor on numbers. The journal that carries over begins with it, as
//! `memory` inputs behind the names of their owners; whoever has other parameters leaves its rows out.
//!
//! It is written where a state is at hand, not event by event: so it costs the pipeline nothing, no table is too wide, and it
//! holds as of the last input and not as of some boundary before. After a kill there is none; the build that wrote the
//! journal derives it again (`tidegate snapshot`). Bound: one file, of all rows.

use super::notices::Notices;
use super::past;
use super::sealed;
use super::snapshot::{Past, Snapshot, wrong_snapshots};
use super::snapshot_error::SnapshotError;
use crate::drive::Finished;
use crate::ingress::{Head, Ingress, names};
use crate::pipeline::Group;
use crate::plan::Planned;
use flow::records::Memory;
use flow::{Event, Flags, Kind, Lasting, Listings, NameSpace, Ns};
use serde::{Deserialize, Serialize};
use sinks::journal::{Commitment, Home, Member};
use std::fs;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// Version of the file format.
const FORMAT: u32 = 1;
const EXTENSION: &str = "memory";

/// A row: whose it is, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Name of the stage, measure or strategy.
    pub owner: String,
    /// Key of the instrument, `symbol@venue`; empty = none.
    pub instrument: String,
    /// Which of the owner's tables.
    pub key: u16,
    /// Row of the table.
    pub index: u32,
    /// Its values.
    pub values: [i64; 3],
}

/// All rows of a pipeline after an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    format: u32,
    journal_id: u64,
    /// The last input that they follow from.
    pub seq: u64,
    /// Its time.
    pub as_of: Ns,
    /// Commits to the inputs up to that one.
    inputs: Commitment,
    /// The rows, in the order in which they are told again.
    pub rows: Vec<Row>,
}

/// Where what is carried over is told: the owners by number.
pub(crate) type Owners = Vec<(u16, String)>;

/// The owners of a plan.
pub(crate) fn owners(stages: &[Planned]) -> Owners {
    let lasting = stages.iter().filter(|planned| planned.stage.reads().has(Kind::Memory));
    let of = |planned: &Planned| {
        let position = planned.position;
        let names = planned.name.split('+').map(str::to_owned).collect::<Vec<_>>();
        (0..).zip(names).map(move |(ordinal, name)| (Memory::owner(position, ordinal), name))
    };
    lasting.flat_map(of).collect()
}

/// The rows of the stages of an idle pipeline; `None` if none of them has anything that lasts.
pub(crate) fn rows<'a>(groups: impl Iterator<Item = &'a Group>, listings: &Listings, as_of: Ns) -> Option<Vec<Row>> {
    let (mut rows, mut any) = (Vec::new(), false);
    for (name, position, stage) in groups.flat_map(Group::named) {
        if !stage.reads().has(Kind::Memory) {
            continue;
        }
        any = true;
        let names: Vec<_> = name.split('+').collect();
        let mut lasting = Lasting::new(as_of);
        lasting.begin_stage(position);
        stage.remember(&mut lasting);
        rows.extend(lasting.into_rows().into_iter().map(|(instrument, row)| Row {
            owner: names[row.ordinal()].to_owned(),
            instrument: if instrument == 0 { String::new() } else { listings.key(instrument) },
            key: row.key,
            index: row.index,
            values: row.values(),
        }));
    }
    any.then_some(rows)
}

/// What is wrong with the files beside the logs of a journal: its snapshots, and what it leaves to the next one.
///
/// # Errors
/// When the folder or the journal cannot be read.
pub fn wrong_files(member: &Member) -> Result<Vec<SnapshotError>, SnapshotError> {
    let mut wrong = wrong_snapshots(&member.dir, &member.reader())?;
    if wrong.is_empty() {
        wrong.extend(Snapshot::start(member, Past::Read, Notices::default()).err());
    }
    wrong.extend(Remembered::of_journal(member).err());
    wrong.extend(past::fault(member));
    Ok(wrong)
}

/// What the stages of a run have learned by its end.
pub(crate) struct Learned {
    seq: u64,
    as_of: Ns,
    rows: Vec<Row>,
}

impl Learned {
    /// What a run leaves that came to its end or was stopped in order; `None` if nothing of it lasts.
    pub(crate) fn of(finished: &Finished<Ingress>) -> Option<Learned> {
        if finished.error.is_some() || finished.tail.has_failed() {
            return None;
        }
        let (seq, as_of) = (finished.head.seq(), finished.head.now());
        let rows = rows(finished.groups.iter(), finished.tail.listings(), as_of)?;
        Some(Learned { seq, as_of, rows })
    }

    /// Writes it beside the journal, which is closed. A disk that does not answer is not waited for: a snapshot can derive it
    /// again. Returns why it was not written.
    pub(crate) fn write_within(self, patience: Duration, dir: &Path) -> Option<String> {
        let (sender, done) = sync_channel(1);
        let (dir, Learned { seq, as_of, rows }) = (dir.to_owned(), self);
        // Nobody may listen any more once it is written.
        std::thread::spawn(move || drop(sender.send(Remembered::write(&dir, seq, as_of, rows))));
        match done.recv_timeout(patience) {
            Ok(written) => written.err().map(|e| e.to_string()),
            Err(_) => Some("the disk did not answer".to_owned()),
        }
    }
}

impl Remembered {
    /// Writes the rows beside a journal, as of its input `seq`, in place of those of before.
    ///
    /// # Errors
    /// When the journal cannot be read, or the file cannot be written completely.
    pub(crate) fn write(dir: &Path, seq: u64, as_of: Ns, rows: Vec<Row>) -> Result<(), SnapshotError> {
        let home = Home::open(dir)?;
        let (dir, journal) = (home.current().dir.as_path(), home.current().reader());
        let (journal_id, inputs) = (journal.info().journal_id, journal.commitment(seq)?);
        let path = sealed::path(dir, seq, EXTENSION);
        sealed::write(&path, &sealed::bytes(&Remembered { format: FORMAT, journal_id, seq, as_of, inputs, rows }))?;
        for (_, old) in sealed::listed(dir, EXTENSION)?.into_iter().filter(|(of, _)| *of < seq) {
            fs::remove_file(&old).map_err(|error| SnapshotError::Io { path: old, error })?;
        }
        Ok(())
    }

    /// The latest rows of a run, beside its current journal.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or belongs to another journal or another history of it.
    pub fn latest(dir: &Path) -> Result<Option<Remembered>, SnapshotError> {
        Remembered::of_journal(Home::open(dir)?.current())
    }

    /// The latest rows beside a journal.
    fn of_journal(member: &Member) -> Result<Option<Remembered>, SnapshotError> {
        let Some((seq, path)) = sealed::listed(&member.dir, EXTENSION)?.pop() else { return Ok(None) };
        let found: Remembered = sealed::read(&path, FORMAT)?;
        let journal = member.reader();
        let ours = journal.info().journal_id;
        if found.journal_id != ours {
            return Err(SnapshotError::OtherJournal { path, theirs: found.journal_id, ours });
        }
        if found.seq != seq {
            return Err(SnapshotError::Misplaced { path, what: "seq" });
        }
        if journal.keeps(seq, &found.inputs)? { Ok(Some(found)) } else { Err(SnapshotError::OtherInputs(path)) }
    }

    /// The rows of these owners.
    pub(super) fn of<'a>(&'a self, owners: &'a Owners) -> impl Iterator<Item = (u16, &'a Row)> {
        let number = |name: &str| owners.iter().find(|(_, owner)| owner == name).map(|(number, _)| *number);
        self.rows.iter().filter_map(move |row| Some((number(&row.owner)?, row)))
    }

    /// The inputs that tell it again to these owners; `instrument` has the number of a key.
    pub(super) fn inputs(&self, owners: &Owners, instrument: impl Fn(&str) -> Option<u32>) -> Vec<Event> {
        let mut inputs = Vec::new();
        for (number, name) in owners.iter().filter(|(_, name)| self.rows.iter().any(|row| row.owner == *name)) {
            inputs.extend(names(name, NameSpace::Owner, u64::from(*number)));
        }
        inputs.extend(self.of(owners).filter_map(|(owner, row)| {
            let at = if row.instrument.is_empty() { 0 } else { instrument(&row.instrument)? };
            let ([first, second, third], as_of) = (row.values, self.as_of);
            let memory = Memory { owner, key: row.key, index: row.index, first, second, third, as_of };
            Some(Event::new(Ns(0), at, Flags::SNAPSHOT, &memory))
        }));
        inputs
    }
}

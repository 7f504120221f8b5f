//! One log over all journals of a run, as if it had never rolled.
//!
//! Like a [`LogReader`] it yields `None` at the end of what is written, and goes on when called later: in the journal that
//! follows, once one has begun. Bound: one journal is open at a time, and at its end one look for the next.

use super::error::JournalError;
use super::format::LogKind;
use super::gaps::Gaps;
use super::home::{Home, Member};
use super::manifest::read_manifest;
use super::reader::LogReader;
use flow::Event;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Reads one log of the journals of a run, record by record.
#[derive(Debug)]
pub struct HomeLog {
    home: PathBuf,
    log: LogKind,
    /// The journal that is read; the later ones stand behind it.
    member: Member,
    later: VecDeque<Member>,
    reader: LogReader,
}

impl HomeLog {
    /// The log of these journals in `home`, the oldest first; there must be one.
    pub fn of(home: &Path, members: &[Member], log: LogKind) -> HomeLog {
        let mut later: VecDeque<Member> = members.iter().cloned().collect();
        let member = later.pop_front().expect("a run has a journal");
        let reader = member.reader().log(log);
        HomeLog { home: home.to_owned(), log, member, later, reader }
    }

    /// Seeks to the first record whose seq is at least `seq`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn seek_seq(&mut self, seq: u64) -> Result<(), JournalError> {
        while self.later.front().is_some_and(|next| next.info.after() < seq) {
            self.go_on();
        }
        self.reader.seek_seq(seq)
    }

    /// Seeks to the record with this number in the first of the journals.
    pub fn seek_record(&mut self, record: u64) {
        self.reader.seek_record(record);
    }

    /// Goes on in the next journal; `false` if none has begun.
    fn go_on(&mut self) -> bool {
        let next = self.later.pop_front().or_else(|| self.begun_since());
        let Some(next) = next else { return false };
        self.reader = next.reader().log(self.log);
        self.member = next;
        true
    }

    /// The journal that follows and has begun since.
    fn begun_since(&self) -> Option<Member> {
        let dir = Home::place(&self.home, self.member.info.number + 1);
        let (info, _) = read_manifest(&dir).ok()?;
        let follows = info.follows.is_some_and(|follows| follows.journal_id == self.member.info.journal_id);
        (follows && info.has_begun()).then_some(Member { dir, info })
    }
}

impl Iterator for HomeLog {
    type Item = Result<Event, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(next) = self.reader.next() {
                return Some(next);
            }
            // What came last in this journal was written before the next one began.
            let is_later = !self.later.is_empty() || self.begun_since().is_some();
            if !is_later {
                return None;
            }
            if let Some(next) = self.reader.next() {
                return Some(next);
            }
            self.go_on();
        }
    }
}

/// The gaps of the outcomes of some journals.
#[derive(Clone, Debug)]
pub struct HomeGaps(Vec<(u64, Gaps)>);

impl HomeGaps {
    /// Those of these journals, the oldest first.
    ///
    /// # Errors
    /// When a gap file cannot be read.
    pub fn of(members: &[Member]) -> Result<HomeGaps, JournalError> {
        let gaps = members.iter().map(|member| Ok((member.info.after(), member.reader().gaps()?)));
        gaps.collect::<Result<_, _>>().map(HomeGaps)
    }

    /// Which of the journals has the outcomes of this seq, from 1; 0 = none of them.
    pub fn place(&self, seq: u64) -> usize {
        self.0.iter().rposition(|(after, _)| *after < seq).map_or(0, |at| at + 1)
    }

    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, gaps)| gaps.is_empty())
    }

    /// Whether outcomes of this seq may be missing.
    pub fn has(&self, seq: u64) -> bool {
        let within = self.place(seq).checked_sub(1).map(|at| &self.0[at]);
        within.is_some_and(|(_, gaps)| {
            let lost = gaps.lost.iter().any(|l| (l.from_seq..=l.through_seq).contains(&seq));
            lost || seq <= gaps.dropped.through_seq
        })
    }
}

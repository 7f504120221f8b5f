//! Reads the journals of a run in the one order of events, from any process, while they are written or later.
//!
//! **Idea.** A [`Follow`] yields each input and then its outcomes, as the pipeline made them, over all journals of a run, up to
//! what is complete in both logs. The newest records come from the shared memory of the writer, which knows nothing of its
//! readers. What is not wanted is passed over before it is copied. A [`Position`] says how far it has come; saved together with
//! what was made of the events, it makes a reader that has each event once, whatever is killed. A [`Follower`] is a reader
//! with a name and a saved position in the folder of the run: closed journals that it has not read stay there, up to a
//! stated size.
//!
//! **Guarantee.** Every event of the wanted kinds up to the watermark, once and in order from the position on; what is
//! missing is a [`Gap`], told once, before anything behind it. `docs/follow.md` says more.
//!
//! Bound: the buffers of two logs. Worst case: a reader slower than the writer for so long that what it needs is removed.

mod found;
mod lag;
mod merged;

mod position;
mod progress;
mod registered;

pub use found::{Followed, Gap, Missing};
pub use lag::Lag;
pub use position::Position;
pub use registered::{Follower, OpenedSink, Registered, Saved, holders};

use super::error::JournalError;
use super::format::id_text;
use super::home::{Home, Member};
use super::previous::Previous;
use flow::Kinds;
use merged::Merged;
use std::path::{Path, PathBuf};

/// A reader of the journals of a run.
///
/// `next` yields `None` at the end of what is complete so far and continues when there is more, also in the journals that
/// follow. After an error it yields nothing more: open it again at its position.
#[derive(Debug)]
pub struct Follow {
    home: PathBuf,
    kinds: Kinds,
    logs: Merged,
    position: Position,
    /// A gap before the journal, to be told first.
    gap: Option<Gap>,
}

/// What the journal gave.
enum Step {
    Found(Followed),
    Nothing,
    /// It has been removed.
    Gone,
}

impl Follow {
    /// Follows the journals in `dir` from the beginning of what is there.
    ///
    /// # Errors
    /// When there is no journal, or it cannot be read.
    pub fn open(dir: &Path, kinds: Kinds) -> Result<Follow, JournalError> {
        let home = Home::open(dir)?;
        Follow::begin(dir, kinds, &home.journals()[0], None)
    }

    /// Follows them from the beginning of the current one.
    ///
    /// # Errors
    /// When there is no journal, or it cannot be read.
    pub fn open_current(dir: &Path, kinds: Kinds) -> Result<Follow, JournalError> {
        let home = Home::open(dir)?;
        Follow::begin(dir, kinds, home.current(), None)
    }

    /// Follows them from the end of what is complete now.
    ///
    /// # Errors
    /// When there is no journal, or it cannot be read.
    pub fn open_newest(dir: &Path, kinds: Kinds) -> Result<Follow, JournalError> {
        let home = Home::open(dir)?;
        Follow::open_at(dir, kinds, &Merged::newest(home.current())?)
    }

    /// Goes on behind a position. Where its journal is gone, the reader goes on in the next one, and a gap says so.
    ///
    /// # Errors
    /// When there is no journal, it cannot be read, or the position is of another run or of inputs that the run lost.
    pub fn open_at(dir: &Path, kinds: Kinds, position: &Position) -> Result<Follow, JournalError> {
        let home = Home::open(dir)?;
        let elsewhere = |what: &str| JournalError::Elsewhere { dir: dir.to_owned(), what: what.to_owned() };
        if home.current().info.run_id() != position.run {
            return Err(elsewhere("it is of another run"));
        }
        if let Some(member) = home.journals().iter().find(|m| m.info.journal_id == position.journal) {
            let (logs, home) = (Merged::at(member, position)?, dir.to_owned());
            return Ok(Follow { home, kinds, logs, position: *position, gap: None });
        }
        let next = home.journals().iter().find(|m| m.info.after() >= position.seq);
        let next = next.ok_or_else(|| elsewhere("its journal is gone, and none that follows begins behind it"))?;
        Follow::begin(dir, kinds, next, Some(position))
    }

    /// At the beginning of a journal, coming from a position in an earlier one.
    fn begin(dir: &Path, kinds: Kinds, member: &Member, from: Option<&Position>) -> Result<Follow, JournalError> {
        let gap = from.map_or(Ok(None), |from| gap_before(member, from))?;
        let start = Position::before(member);
        let logs = Merged::at(member, &start)?;
        // Until the gap is told, the position is before it.
        let position = from.filter(|_| gap.is_some()).copied().unwrap_or(start);
        Ok(Follow { home: dir.to_owned(), kinds, logs, position, gap })
    }

    /// The journal that is read.
    pub fn journal(&self) -> &Member {
        &self.logs.member
    }

    /// Behind what was yielded last; reading goes on from there.
    pub fn reached(&self) -> Position {
        self.position
    }

    /// Whether all sources have come to their end and everything was read: nothing can follow.
    ///
    /// # Errors
    /// When `closed.toml` cannot be read.
    pub fn is_over(&self) -> Result<bool, JournalError> {
        self.logs.is_over()
    }

    /// What the journal has next.
    fn step(&mut self) -> Result<Step, JournalError> {
        let found = loop {
            match self.logs.step(&mut self.position, self.kinds) {
                Ok(None) => match self.logs.look() {
                    Ok(true) => {}
                    other => break other.map(|_| None),
                },
                other => break other,
            }
        };
        match found {
            Ok(found) => Ok(found.map_or(Step::Nothing, Step::Found)),
            // A file that is not there is no fault if the journal is not there.
            Err(error) if self.logs.is_there() => Err(error),
            Err(_) => Ok(Step::Gone),
        }
    }

    fn advance(&mut self) -> Result<Option<Followed>, JournalError> {
        if let Some(gap) = self.gap.take() {
            self.position = Position::before(&self.logs.member);
            return Ok(Some(Followed::Gap(gap)));
        }
        loop {
            match self.step()? {
                Step::Found(found) => return Ok(Some(found)),
                Step::Gone => {
                    let home = Home::open(&self.home)?;
                    *self = Follow::open_at(home.dir(), self.kinds, &self.position)?;
                    return self.advance();
                }
                Step::Nothing => {}
            }
            let Some(next) = Home::after(&self.home, &self.logs.member)? else { return Ok(None) };
            // What came last in this journal was written before the next one began.
            if let Step::Found(found) = self.step()? {
                return Ok(Some(found));
            }
            if !self.logs.end_at(next.info.after())? {
                let gap = self.enter(&next)?;
                if gap.is_some() {
                    return Ok(gap);
                }
            }
        }
    }

    /// Goes on in the next journal; the gap, if the end of this one is missing.
    fn enter(&mut self, next: &Member) -> Result<Option<Followed>, JournalError> {
        let follows = next.info.follows.is_some_and(|f| f.journal_id == self.position.journal);
        let gap = match follows && self.position.seq >= next.info.after() {
            true => None,
            false => gap_before(next, &self.position)?,
        };
        self.position = Position::before(next);
        self.logs = Merged::at(next, &self.position)?;
        Ok(gap.map(Followed::Gap))
    }
}

/// What is missing between a position in an earlier journal and the beginning of this one.
fn gap_before(member: &Member, from: &Position) -> Result<Option<Gap>, JournalError> {
    let previous = Previous::read(&member.dir)?;
    let was_read = |p: &Previous| p.journal_id == id_text(from.journal) && from.is_end_of(&p.closed);
    let (first, to) = (from.unsure_from(), member.info.after());
    let gap = Gap { from: first, to: to.max(first), missing: Missing::Both };
    Ok((!previous.as_ref().is_some_and(was_read)).then_some(gap))
}

impl Iterator for Follow {
    type Item = Result<Followed, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

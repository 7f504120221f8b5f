//! Sinks that work beside a run: each gets the events of its journals, in a process of its own.
//!
//! **Idea.** A [`Tailer`] says which kinds it wants, takes events in their one order, and commits them now and then; [`deliver`]
//! reads the journals for it, saves behind each commit how far it came, and goes on there after a kill of either side. What
//! fails for a while is tried again from the last commit, after a pause that doubles. A [`Runner`] is that in a thread of its own,
//! with counters for whoever watches it. The run knows nothing of it: a sink that is slow, or whose database is away, holds closed
//! journals up to the stated size and nothing else. A sink may make durable in larger steps than it is asked to: the journals
//! are held behind what it says is durable.
//!
//! **Guarantee.** Each event at least once and in order. A tailer that saves the position together with its data, and returns
//! it from [`Tailer::position`], has each exactly once; others drop repetitions by the key of an event: journal and id. A sink
//! that shows symbols [learns](Tailer::learn) the listings from before its first event.
//!
//! Bound: the buffers of two logs, and what the tailer keeps between two commits. Worst case: a sink that never comes back.

mod counters;
mod deliver;
mod runner;

pub use counters::{Counters, Counts};
pub use deliver::{Delivery, DeliveryError, Following, deliver};
pub use runner::Runner;

use crate::journal::{Gap, Member, Position};
use flow::{Event, FieldType, Kind, Kinds, Ns};
use std::path::Path;
use std::sync::Arc;

/// Why a sink cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {next}")]
pub struct TailerError {
    /// What went wrong, and where.
    pub what: String,
    /// What the user can do.
    pub next: String,
    /// Whether it may work later: it is tried again from the last commit.
    pub transient: bool,
}

/// The names of the numbers in events that no event defines: of strategies, checks, tables of limits, instances of measures.
pub trait Names: Send + Sync {
    /// The name of a number in a field of this type, in an event of this kind.
    fn name(&self, ty: FieldType, kind: Kind, number: u64) -> Option<&str>;
}

/// What the journals of a run do not say by themselves.
pub trait Reference: Sync {
    /// The names that the run gave.
    fn names(&self) -> Arc<dyn Names>;

    /// The names and listings that a journal which follows another begins with.
    ///
    /// # Errors
    /// What is wrong, in words.
    fn begins_with(&self, member: &Member) -> Result<Vec<Event>, String>;
}

/// Why a commit is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Some time has passed, or the sink [was due](Tailer::is_due).
    Between,
    /// This process takes nothing behind it: what is not durable now comes again at the next start.
    Stop,
    /// Nothing will ever follow: all of it must be durable, also what is half of something.
    Over,
}

/// Where a sink works, before its first event.
pub struct Place<'a> {
    /// Folder of the journals.
    pub dir: &'a Path,
    /// The name of the follower.
    pub follower: &'a str,
    /// The names that the run gave.
    pub names: Arc<dyn Names>,
    /// The kinds of outcomes that the run records.
    pub recorded: Kinds,
    /// Whether the follower has saved a position before.
    pub resumes: bool,
    /// Takes what an operator must know.
    pub say: &'a mut dyn FnMut(String),
}

/// What a sink is to remove: all that it wrote of a run. The journals of the run are all there and whole, so it can be written again.
#[derive(Clone, Copy, Debug)]
pub struct Reset<'a> {
    /// Folder of the journals.
    pub dir: &'a Path,
    /// The name of the follower.
    pub follower: &'a str,
    /// Id of the run.
    pub run: u64,
    /// Ids of its journals.
    pub journals: &'a [u64],
    /// Whether it is removed; else it is only said what would be.
    pub removes: bool,
}

/// A sink beside the run. No method is called after an error until [`Tailer::position`] is.
pub trait Tailer: Send {
    /// Called once, before anything else.
    ///
    /// # Errors
    /// When it cannot work there.
    fn begin(&mut self, place: &mut Place<'_>) -> Result<(), TailerError> {
        let _ = place;
        Ok(())
    }

    /// The kinds that it wants; others are passed over before they are copied.
    fn kinds(&self) -> Kinds;

    /// A name or a listing from before the first event that it takes, if it wants these kinds.
    fn learn(&mut self, event: &Event) {
        let _ = event;
    }

    /// Called before the first event and after each error: drops what was not committed. Returns how far the committed data
    /// reach, if that is saved with them; `None`: behind the last commit that the folder of the run knows.
    ///
    /// # Errors
    /// When it cannot be reached.
    fn position(&mut self) -> Result<Option<Position>, TailerError> {
        Ok(None)
    }

    /// Takes an event of a journal: an input, or an outcome of the last one.
    ///
    /// # Errors
    /// When it takes no more.
    fn take(&mut self, journal: u64, event: &Event) -> Result<(), TailerError>;

    /// Something is missing from here on.
    ///
    /// # Errors
    /// When that cannot be noted.
    fn gap(&mut self, gap: &Gap) -> Result<(), TailerError> {
        let _ = gap;
        Ok(())
    }

    /// Everything was committed, and nothing follows: waits for what readers do not see yet, for a while.
    ///
    /// # Errors
    /// When that cannot be known.
    fn finish(&mut self) -> Result<(), TailerError> {
        Ok(())
    }

    /// What is taken from here on was derived again, under the tag of `rebuild`: nobody sees it until [`Tailer::rebuilt`].
    ///
    /// # Errors
    /// When the sink cannot do that, or not now.
    fn rebuild(&mut self, rebuild: u64) -> Result<(), TailerError> {
        let _ = rebuild;
        Err(TailerError {
            what: "the sink cannot write a journal again beside the old rows".to_owned(),
            next: "forget the follower, and let it begin anew".to_owned(),
            transient: false,
        })
    }

    /// All of it is there: it is seen from now on in place of those journals and of what replaced them before, in one step.
    ///
    /// # Errors
    /// When it is not; all is as before then.
    fn rebuilt(&mut self, rebuild: u64, instead_of: &[u64]) -> Result<(), TailerError> {
        let _ = instead_of;
        self.rebuild(rebuild)
    }

    /// Removes what it wrote of a run, and says in words what that is. It is called in place of all others. What is removed first must
    /// keep the sink from going on at the position that it has, for that is forgotten afterwards. `None`: the sink cannot do it.
    ///
    /// # Errors
    /// When it cannot be reached, or more would go than what is of this run.
    fn reset(&mut self, what: &Reset<'_>) -> Result<Option<String>, TailerError> {
        let _ = what;
        Ok(None)
    }

    /// What an operator must know, since it was asked last; it is asked after each commit.
    fn said(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// Whether what was taken last is half of something: a commit here would cut it. It is asked between two inputs; a commit waits for
    /// [some seconds](deliver) at most.
    fn is_amid(&self) -> bool {
        false
    }

    /// Whether a commit must come before an input of this time, whatever has passed since the last one.
    fn is_due(&mut self, next: Ns) -> bool {
        let _ = next;
        false
    }

    /// Makes durable what was taken; `position` is behind it, between two inputs. Returns how far the durable data reach:
    /// `position`, or that of an earlier commit, if the sink makes much durable at once and now was not the time; `None`:
    /// nothing is durable yet. Closed journals are held behind what it returns, and from there events come again.
    ///
    /// # Errors
    /// When it is not durable.
    fn commit(&mut self, position: &Position, occasion: Occasion) -> Result<Option<Position>, TailerError>;
}

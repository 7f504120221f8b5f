//! What a run has said last, for whoever asks: totals for the metrics, and by key quotes, trades, bars, books, positions, halts.
//!
//! **Idea.** A thread reads the journal along like any other follower, and keeps what it finds; readers look at that. It never
//! reads a stage's memory and asks the pipeline nothing, so the pipeline does the same work whether nobody looks or everybody
//! does. What is shown is what is recorded: it is complete up to a `seq`, and how far that is behind the run is shown too.
//!
//! Bound: events are read without the lock, `TURN` at a time, and taken in under it, which takes some 0.1 ms. Worst case: a
//! start beside a long journal; until that is read, the values are those of an earlier moment, and say so.

mod answer;
mod books;
mod follower_lag;
mod kept;
mod lines;
mod silence;
mod values;
mod words;

pub use answer::{LastAnswer, NoSuchKey, SYSTEM, keys};
pub use follower_lag::FollowerLag;
pub use kept::{Amounts, Keeping};
pub use values::{SourceTally, Values};

use crate::recovery::{Notices, RecoveryError};
use flow::Kinds;
use sinks::journal::{Follow, Followed, Home, JournalError};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Most events that are read before readers may look again.
const TURN: usize = 4_096;
/// Pause between two looks at a journal: who asks is a person or a page that is read every some seconds.
const LOOK: Duration = Duration::from_millis(50);
/// The longest one, when nothing new came for a while: a look costs what a wake-up does.
const LONGEST_LOOK: Duration = Duration::from_millis(100);
/// Time between two looks at the followers of the run.
const FOLLOWERS: Duration = Duration::from_secs(1);
/// Pause after the journal could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// The last values of a run; empty until it is followed.
#[derive(Clone, Default)]
pub struct LastValues(Arc<Mutex<Option<Values>>>);

impl LastValues {
    /// What they are now; `None` until the journal is followed.
    pub fn read<T>(&self, look: impl FnOnce(&Values) -> T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    fn change(&self, change: impl FnOnce(&mut Values)) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(change);
    }

    /// Follows the journal in `dir` from the beginning of the current one until the returned guard is dropped.
    ///
    /// # Errors
    /// When the journal cannot be read, or the system gives no thread.
    pub fn follow(&self, dir: &Path, keeping: &Keeping, notices: Notices) -> Result<Following, FollowError> {
        let home = Home::open(dir)?;
        let (values, stop) = (self.clone(), Arc::<AtomicBool>::default());
        let mut begun = Values::begin(&home, keeping, notices)?;
        begun.reached = Some(Follow::open_current(dir, Kinds::ALL)?.reached());
        *values.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
        let (dir, stops) = (dir.to_owned(), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("last-values".to_owned()).spawn(move || {
            let mut said = String::new();
            while !stops.load(Ordering::Relaxed) {
                if let Err(error) = values.read_along(&dir, &stops) {
                    let error = error.to_string();
                    if said != error {
                        notices.say(format!("the metrics of trading stand still: {error}"));
                        said = error;
                    }
                    pause(PAUSE, &stops);
                }
            }
        })?;
        Ok(Following { stop, thread: Some(thread) })
    }

    /// Reads along until a stop or an error, from where it was.
    fn read_along(&self, dir: &Path, stops: &AtomicBool) -> Result<(), JournalError> {
        let Some(position) = self.read(|values| values.reached).flatten() else { return Ok(()) };
        let mut follow = Follow::open_at(dir, Kinds::ALL, &position)?;
        let (mut batch, mut looked): (Vec<Followed>, Option<Instant>) = (Vec::with_capacity(TURN), None);
        let mut rest = LOOK;
        while !stops.load(Ordering::Relaxed) {
            while batch.len() < TURN
                && let Some(found) = follow.next().transpose()?
            {
                batch.push(found);
            }
            let (is_level, reached) = (batch.len() < TURN, follow.reached());
            rest = if batch.is_empty() { (2 * rest).min(LONGEST_LOOK) } else { LOOK };
            self.change(|values| {
                batch.iter().for_each(|found| values.take(found));
                values.reached = Some(reached);
            });
            batch.clear();
            if is_level {
                if looked.is_none_or(|at| at.elapsed() >= FOLLOWERS) {
                    looked = Some(Instant::now());
                    let followers = FollowerLag::of_all(dir);
                    self.change(|values| values.followers = followers);
                }
                pause(rest, stops);
            }
        }
        Ok(())
    }
}

fn pause(time: Duration, stops: &AtomicBool) {
    let begun = Instant::now();
    while begun.elapsed() < time && !stops.load(Ordering::Relaxed) {
        std::thread::sleep(LONGEST_LOOK.min(time));
    }
}

/// Why the journal of a run cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// It cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What it begins with cannot be read.
    #[error(transparent)]
    Beginning(#[from] RecoveryError),
    /// There is no thread.
    #[error("the last values have no thread: {0}")]
    Thread(#[from] io::Error),
}

/// The thread that follows; it ends when this is dropped.
pub struct Following {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It is not waited for: a disk that does not answer must not hold up the end of a run.
        drop(self.thread.take());
    }
}

//! Brings the events of a run to a [`Tailer`].
//!
//! A commit follows each second and the end of what is there, always between two inputs. Bound: one look at the journal each
//! millisecond without an event. Worst case: an error just before a commit, after which a second of events comes again.

use super::{Tailer, TailerError};
use crate::journal::{Follow, Followed, Follower, JournalError, Position, Saved};
use std::path::Path;
use std::time::{Duration, Instant};

/// Pause between two looks at a journal that had nothing new.
const LOOK: Duration = Duration::from_millis(1);
/// The longest time between two commits of what has come.
const COMMIT: Duration = Duration::from_secs(1);
/// The first pause after an error that may pass, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is brought to whom.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Folder of the journals.
    pub dir: &'a Path,
    /// Name of the follower, under which positions are saved.
    pub name: &'a str,
    /// Whether a new follower leaves out what was.
    pub newest: bool,
    /// Whether to end once everything that is complete has been committed.
    pub once: bool,
}

/// What was brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Events, repetitions included.
    pub events: u64,
    /// Gaps.
    pub gaps: u64,
    /// Errors after which it went on.
    pub retries: u64,
}

/// Why it ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The journal cannot be read, or the position not be saved.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The sink cannot go on.
    #[error(transparent)]
    Tailer(#[from] TailerError),
}

/// Brings events to `tailer` until `stops` says so, nothing can follow, or an error is not transient. `say` takes what an operator
/// must know.
///
/// # Errors
/// See [`DeliveryError`].
pub fn deliver(
    what: &Delivery<'_>,
    tailer: &mut dyn Tailer,
    stops: &dyn Fn() -> bool,
    say: &mut dyn FnMut(String),
) -> Result<Delivered, DeliveryError> {
    let mut follower = Follower::take(what.dir, what.name)?;
    let (mut delivered, mut pause) = (Delivered::default(), FIRST_PAUSE);
    loop {
        let before = delivered;
        let mut turn = Turn { what, follower: &mut follower, delivered: &mut delivered };
        let error = match turn.run(tailer, stops, say) {
            Ok(()) => return Ok(delivered),
            Err(DeliveryError::Tailer(error)) if error.transient => error,
            Err(error) => return Err(error),
        };
        // It went well for a while.
        pause = if delivered.events > before.events { FIRST_PAUSE } else { pause };
        delivered.retries += 1;
        say(format!("{error}; it is tried again in {pause:.1?}"));
        if !waits(pause, stops) {
            return Ok(delivered);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether the whole pause passed without a stop.
fn waits(pause: Duration, stops: &dyn Fn() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < pause {
        if stops() {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    true
}

/// From a position to an error or the end.
struct Turn<'a> {
    what: &'a Delivery<'a>,
    follower: &'a mut Follower,
    delivered: &'a mut Delivered,
}

impl Turn<'_> {
    fn open(&self, tailer: &mut dyn Tailer) -> Result<Follow, DeliveryError> {
        let (dir, kinds) = (self.what.dir, tailer.kinds());
        let saved = || self.follower.saved().map(|saved| saved.position);
        Ok(match tailer.position()?.or_else(saved) {
            Some(position) => Follow::open_at(dir, kinds, &position)?,
            None if self.what.newest => Follow::open_newest(dir, kinds)?,
            None => Follow::open(dir, kinds)?,
        })
    }

    fn run(
        &mut self,
        tailer: &mut dyn Tailer,
        stops: &dyn Fn() -> bool,
        say: &mut dyn FnMut(String),
    ) -> Result<(), DeliveryError> {
        let mut follow = self.open(tailer)?;
        let mut last = follow.reached();
        let (mut seq, mut committed) = (last.seq, Instant::now());
        // From now on closed journals that it has not read stay.
        self.save(last)?;
        loop {
            match follow.next().transpose()? {
                Some(Followed::Event(event)) => {
                    if event.id.seq() > seq && (stops() || committed.elapsed() >= COMMIT) {
                        // All of the input before this one has been taken, and nothing of this one.
                        self.commit(tailer, last)?;
                        committed = Instant::now();
                        if stops() {
                            return Ok(());
                        }
                    }
                    seq = event.id.seq();
                    tailer.take(follow.reached().journal, &event)?;
                    self.delivered.events += 1;
                }
                Some(Followed::Gap(gap)) => {
                    say(format!("GAP: {gap}"));
                    tailer.gap(&gap)?;
                    self.delivered.gaps += 1;
                }
                None => {
                    let is_last = self.what.once || stops() || follow.is_over()?;
                    if is_last || committed.elapsed() >= COMMIT {
                        self.commit(tailer, follow.reached())?;
                        committed = Instant::now();
                    }
                    if is_last {
                        return Ok(());
                    }
                    std::thread::sleep(LOOK);
                }
            }
            last = follow.reached();
        }
    }

    /// Makes durable what was taken, and only then says so.
    fn commit(&mut self, tailer: &mut dyn Tailer, position: Position) -> Result<(), DeliveryError> {
        if self.follower.saved().is_none_or(|saved| saved.position != position) {
            tailer.commit(&position)?;
            self.save(position)?;
        }
        Ok(())
    }

    fn save(&mut self, position: Position) -> Result<(), DeliveryError> {
        Ok(self.follower.save(Saved { output_bytes: None, position })?)
    }
}

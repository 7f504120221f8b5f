//! What the head asks of an idle pipeline when the journal rolls: its state first, then to go on with another log.
//!
//! **Idea.** The head lets nothing in and waits until the pipeline has finished everything. Then it raises a number, at which
//! every group looks once a turn, which is one relaxed load. Each group writes the state of its stages into its own part, the
//! last one that of the tail too, and changes the log there. No group is in the middle of anything, so the parts fit.
//!
//! **Bound.** The state once, in bytes. **Worst case.** A group that sleeps looks when it wakes, some milliseconds later; the
//! inputs wait for the slowest.

use super::exit::Exit;
use super::station::Group;
use flow::{Listings, SavedState, Sink, StateWriter};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is asked.
enum Asked {
    Nothing,
    /// The state, with the keys of these listings; a part for each group.
    State(Arc<Listings>, Vec<Option<SavedState>>),
    /// To go on with this log.
    Log(Option<Box<dyn Sink>>),
    /// The logs before it.
    Left(Vec<Box<dyn Sink>>),
}

/// What the head and the groups share.
pub struct Handover {
    asked: AtomicU64,
    answered: AtomicU64,
    slot: Mutex<Asked>,
}

impl Default for Handover {
    fn default() -> Handover {
        Handover { asked: AtomicU64::new(0), answered: AtomicU64::new(0), slot: Mutex::new(Asked::Nothing) }
    }
}

impl Handover {
    fn slot(&self) -> MutexGuard<'_, Asked> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, what: Asked) {
        *self.slot() = what;
        self.asked.fetch_add(1, Ordering::Release);
    }

    /// Asks an idle pipeline for its state.
    pub fn ask_state(&self, listings: Arc<Listings>) {
        self.ask(Asked::State(listings, Vec::new()));
    }

    /// Asks an idle pipeline to go on with another log.
    pub fn ask_log(&self, log: Box<dyn Sink>) {
        self.ask(Asked::Log(Some(log)));
    }

    fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire) == self.asked.load(Ordering::Relaxed)
    }

    /// The state of the stages in the order of the pipeline, then of the tail, once it is whole.
    pub fn state(&self) -> Option<SavedState> {
        if !self.is_answered() {
            return None;
        }
        match std::mem::replace(&mut *self.slot(), Asked::Nothing) {
            Asked::State(_, parts) => Some(parts.into_iter().flatten().fold(SavedState::default(), |mut all, part| {
                all.now.extend(part.now);
                all.past.extend(part.past);
                all.tail = part.tail;
                all
            })),
            _ => unreachable!("the head asked for the state"),
        }
    }

    /// The logs that the pipeline had before, once it has the other one.
    pub fn left(&self) -> Option<Vec<Box<dyn Sink>>> {
        if !self.is_answered() {
            return None;
        }
        match std::mem::replace(&mut *self.slot(), Asked::Nothing) {
            Asked::Left(logs) => Some(logs),
            _ => unreachable!("the head asked to change the log"),
        }
    }
}

/// A group's end of a [`Handover`].
pub struct HandoverPart {
    handover: Arc<Handover>,
    group: usize,
    groups: usize,
    /// The last question that it is done with.
    done: u64,
}

impl HandoverPart {
    /// The end of the group with this number, of so many.
    pub fn new(handover: Arc<Handover>, group: usize, groups: usize) -> HandoverPart {
        HandoverPart { handover, group, groups, done: 0 }
    }

    /// Looks once a turn.
    #[inline(always)]
    pub fn look<E: Exit>(&mut self, group: &Group, exit: &mut E) {
        if self.handover.asked.load(Ordering::Relaxed) != self.done {
            self.answer(group, exit);
        }
    }

    #[cold]
    #[inline(never)]
    fn answer<E: Exit>(&mut self, group: &Group, exit: &mut E) {
        let handover = Arc::clone(&self.handover);
        let mut slot = handover.slot();
        self.done = handover.asked.load(Ordering::Acquire);
        let is_whole = match &mut *slot {
            Asked::State(listings, parts) => {
                let mut state = StateWriter::new(listings);
                group.stages().for_each(|stage| stage.save(&mut state));
                exit.save(&mut state);
                parts.resize(self.groups, None);
                parts[self.group] = Some(state.into_parts());
                parts.iter().all(Option::is_some)
            }
            Asked::Log(log) if exit.ends_the_pipeline() => {
                let log = log.take().expect("one group ends the pipeline");
                *slot = Asked::Left(exit.change_log(log));
                true
            }
            _ => false,
        };
        if is_whole {
            handover.answered.store(self.done, Ordering::Release);
        }
    }
}

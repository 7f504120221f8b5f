//! The roll of the journal, as the head sees it: at a set time of day, or when an operator asks for it.
//!
//! Inputs of a run go into one journal after another, and nothing else changes: the pipeline keeps its state, numbers go on,
//! and no stage sees the roll. The head holds its inputs back until the pipeline has finished everything; it asks for the
//! state ([`Handover`]), begins the next journal with it, has the tail log there, and goes on. The files of the next journal
//! are made beside the pipeline, and asked for [`AHEAD`] of the time; the one before is closed there too. Under wall time no
//! input waits for them: the journal rolls when they are ready. Under event time the first input of a new day waits, so the
//! same inputs give the same journals. With a venue outside the process every route must be settled, so that no order is in
//! doubt where a journal ends; if that takes longer than [`HELD`], the inputs go on and the roll is tried again.
//!
//! Bound: one state in memory. Worst case: inputs wait for [`HELD`], and for as long as the state takes to be written to memory.

use crate::pipeline::Handover;
use flow::{Listings, Ns, SavedState, Sink};
use sinks::journal::InputLog;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long before its time the next journal is asked for.
const AHEAD: u64 = 60 * Ns::SECOND;
/// How long inputs are held back at most until every route is settled.
const HELD: Duration = Duration::from_millis(50);
/// How long inputs go on until it is tried again.
const APART: Duration = Duration::from_secs(1);

/// The journals to come.
pub trait NextJournal: Send {
    /// The time of the next roll after `now`, if there is one.
    fn due_after(&self, now: Ns) -> Option<Ns>;
    /// The current journal was accepted: those before it may be settled.
    fn accepted(&mut self);
    /// Whether the next journal is there; it is made beside the pipeline once this is asked. An error says that it cannot be
    /// made, and for now the run goes on in the journal that it has.
    ///
    /// # Errors
    /// Why it cannot be made.
    fn is_ready(&mut self) -> Result<bool, NoJournal>;
    /// The listings so far.
    fn listings(&self) -> Arc<Listings>;
    /// Begins it after the input `seq`, at `at`, with the state of the head and of the pipeline; returns the log for the tail.
    ///
    /// # Errors
    /// Why there is no room for the state.
    fn begin(&mut self, seq: u64, at: Ns, head: Vec<u8>, pipeline: SavedState) -> Result<Box<dyn Sink>, NoJournal>;
    /// Its input log. Takes over the logs of the journal before, which end.
    fn change(&mut self, inputs: Option<InputLog>, outcomes: Vec<Box<dyn Sink>>) -> InputLog;
}

/// Why the next journal cannot be begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoJournal(pub String);

/// What operators ask of the roll, and what became of it.
#[derive(Debug, Default)]
pub struct RollRequests {
    asked: AtomicU64,
    done: AtomicU64,
    last: Mutex<Option<Result<u64, String>>>,
}

impl RollRequests {
    /// Asks for a roll; returns the number of the request.
    pub fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// What became of a request: the last input of the journal before, or why there was no roll.
    pub fn answer(&self, number: u64) -> Option<Result<u64, String>> {
        let is_done = self.done.load(Ordering::Acquire) >= number;
        is_done.then(|| self.last.lock().unwrap_or_else(PoisonError::into_inner).clone())?
    }

    fn is_open(&self) -> bool {
        self.asked.load(Ordering::Relaxed) != self.done.load(Ordering::Relaxed)
    }

    /// The roll that was begun with `asked` requests is over.
    fn settle(&self, asked: u64, what: Result<u64, String>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
        self.done.store(asked, Ordering::Release);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing goes on.
    Waiting,
    /// The pipeline saves its state.
    Saving,
    /// The tail changes its log.
    Changing,
}

/// What is to be done about a roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roll {
    /// Nothing: inputs go on.
    Nothing,
    /// Nothing may enter.
    Hold,
    /// Only what settles the routes may enter.
    Settle,
    /// The head is to hand over its state.
    Save,
}

/// Rolls the journal.
pub(super) struct Rolling {
    next: Box<dyn NextJournal>,
    handover: Arc<Handover>,
    requests: Arc<RollRequests>,
    /// When it is due; absent if it never is by itself.
    due: Option<Ns>,
    /// When the journal began, if an input was in it.
    begun: Option<Ns>,
    /// An input has entered since the run began.
    is_open: bool,
    step: Step,
    /// The last input of the journal before, and how many requests there were, while the tail changes its log.
    rolled: (u64, u64),
    /// Since when inputs are held back.
    held: Option<Instant>,
    /// Not before this.
    not_before: Option<Instant>,
    /// The state of the pipeline.
    pipeline: SavedState,
}

impl Rolling {
    /// Of a run in a journal that began at `begun`, if it has begun.
    pub(super) fn new(
        next: Box<dyn NextJournal>,
        handover: Arc<Handover>,
        requests: Arc<RollRequests>,
        begun: Option<Ns>,
    ) -> Rolling {
        Rolling {
            due: None,
            begun,
            is_open: false,
            next,
            handover,
            requests,
            step: Step::Waiting,
            rolled: (0, 0),
            held: None,
            not_before: None,
            pipeline: SavedState::default(),
        }
    }

    /// The journal is accepted, and an input has entered at `now`: when the next roll is due follows from it, if it is the
    /// first of the journal.
    #[inline]
    pub(super) fn open(&mut self, now: Ns) {
        if !std::mem::replace(&mut self.is_open, true) {
            self.due = self.next.due_after(self.begun.unwrap_or(now));
            self.next.accepted();
        }
    }

    /// Whether inputs are held back for a roll, so that it matters what is in doubt.
    pub(super) fn is_near(&self) -> bool {
        self.held.is_some()
    }

    /// Whether a roll has begun: it goes on to its end, and nothing enters before.
    pub(super) fn goes_on(&self) -> bool {
        self.step != Step::Waiting
    }

    /// The listings so far.
    pub(super) fn listings(&self) -> Arc<Listings> {
        self.next.listings()
    }

    /// What is to be done before the input that is due at `at` enters, if there is one. `is_wall` is the clock, `idle` whether
    /// the pipeline has finished everything, and `settled` whether no route is in doubt.
    #[inline]
    pub(super) fn look(&mut self, at: Option<Ns>, is_wall: bool, idle: bool, settled: bool) -> Roll {
        let is_due = self.due.zip(at).is_some_and(|(due, at)| at >= due);
        if self.step == Step::Waiting && !is_due && !self.requests.is_open() {
            if self.due.zip(at).is_some_and(|(due, at)| at.0 + AHEAD >= due.0) {
                let _ = self.next.is_ready();
            }
            return Roll::Nothing;
        }
        self.advance(is_wall, idle, settled)
    }

    #[cold]
    fn advance(&mut self, is_wall: bool, idle: bool, settled: bool) -> Roll {
        match self.step {
            Step::Saving => match self.handover.state() {
                Some(state) => {
                    self.pipeline = state;
                    Roll::Save
                }
                None => Roll::Hold,
            },
            Step::Changing => Roll::Hold,
            Step::Waiting => self.wait(is_wall, idle, settled),
        }
    }

    fn wait(&mut self, is_wall: bool, idle: bool, settled: bool) -> Roll {
        if self.not_before.is_some_and(|at| Instant::now() < at) {
            return Roll::Nothing;
        }
        match self.next.is_ready() {
            Ok(true) => {}
            Ok(false) if is_wall => return Roll::Nothing,
            Ok(false) => return Roll::Hold,
            Err(NoJournal(why)) => return self.give_up(why),
        }
        if idle && settled {
            self.held = None;
            self.step = Step::Saving;
            self.handover.ask_state(self.next.listings());
            return Roll::Hold;
        }
        let held = *self.held.get_or_insert_with(Instant::now);
        match idle {
            _ if held.elapsed() >= HELD && !settled => self.put_off(),
            false => Roll::Hold,
            true => Roll::Settle,
        }
    }

    /// Inputs go on, and it is tried again.
    fn put_off(&mut self) -> Roll {
        (self.held, self.step) = (None, Step::Waiting);
        self.not_before = Some(Instant::now() + APART);
        Roll::Nothing
    }

    /// The run goes on in the journal that it has, and it is tried again.
    fn give_up(&mut self, why: String) -> Roll {
        self.requests.settle(self.requests.asked.load(Ordering::Acquire), Err(why));
        self.put_off()
    }

    /// Begins the next journal after the input `seq`, at `at`, with the head's state.
    pub(super) fn begin_next(&mut self, seq: u64, at: Ns, head: Vec<u8>) {
        let begun = self.next.begin(seq, at, head, std::mem::take(&mut self.pipeline));
        match begun {
            Ok(log) => {
                self.handover.ask_log(log);
                (self.step, self.rolled) = (Step::Changing, (seq, self.requests.asked.load(Ordering::Acquire)));
                self.due = self.next.due_after(at);
            }
            Err(NoJournal(why)) => drop(self.give_up(why)),
        }
    }

    /// Changes the log of the inputs, once the tail has changed its own.
    pub(super) fn change(&mut self, log: &mut Option<InputLog>) {
        if self.step == Step::Changing
            && let Some(left) = self.handover.left()
        {
            *log = Some(self.next.change(log.take(), left));
            self.step = Step::Waiting;
            let (seq, asked) = self.rolled;
            self.requests.settle(asked, Ok(seq));
        }
    }
}

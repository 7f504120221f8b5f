//! An operator's question to a running pipeline, and its answer.
//!
//! **Idea.** Whoever asks raises a number. Every group looks at it once a turn, which is one relaxed load. A group that finds
//! it raised lets its stages say where they stand; the tail waits for the others and then adds positions, prices and names.
//! Nobody waits for anybody: the answer lies in a slot that a pipeline's thread only tries to lock, and tries again in its next
//! turn. A pipeline that hangs does not answer, and the asker shows the age of the last answer.
//!
//! **Bound.** One answer: [`flow::TradingState::ROWS`] orders, [`super::trading_state::MOST`] positions, one limit a
//! check and table, [`flow::TradingState::PARAMS`] parameters, [`flow::Valuation::MOST`] rates. **Worst case.** A question
//! costs the stage `orders` one pass over its table, a strategy one over its values, and with currencies the stage `risk` one
//! over the instruments, so nobody is answered more often than every [`APART`].

use super::exit::Exit;
use super::station::Group;
use super::trading_state::{HeadState, TailState};
use flow::TradingState;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, Instant};

/// The least time between two questions that reach the pipeline.
const APART: Duration = Duration::from_millis(100);

/// A whole answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The question that it answers.
    number: u64,
    /// The groups that have said their part, a bit each.
    groups: u64,
    /// The head's part.
    pub head: HeadState,
    /// The stages' part.
    pub stages: TradingState,
    /// The tail's part.
    pub tail: TailState,
}

/// Questions and answers; one for a pipeline.
#[derive(Debug)]
pub struct Inquiry {
    asked: AtomicU64,
    answered: AtomicU64,
    slot: Mutex<Answer>,
    last: Mutex<Last>,
}

/// For the askers alone.
#[derive(Debug, Default)]
struct Last {
    /// When the last question was asked.
    asked: Option<Instant>,
    /// The last whole answer, and when it came.
    answer: Option<(Instant, Answer)>,
}

impl Default for Inquiry {
    fn default() -> Inquiry {
        let (asked, answered) = (AtomicU64::new(0), AtomicU64::new(0));
        Inquiry { asked, answered, slot: Mutex::default(), last: Mutex::default() }
    }
}

impl Answer {
    /// What a pipeline at rest says.
    pub fn of(head: HeadState, stages: TradingState, tail: TailState) -> Answer {
        Answer { head, stages, tail, ..Answer::default() }
    }
}

impl Inquiry {
    /// Whether a question of `since` or later is answered. If there is none, it is asked as soon as no other is open and the
    /// last one is long enough ago; so ask again until it is. An earlier answer would not know of a command just carried out.
    pub fn is_answered_since(&self, since: Instant) -> bool {
        let mut last = self.last.lock().expect("nothing panics while it holds the lock");
        let is_answered = self.is_answered();
        if last.asked.is_some_and(|at| at >= since) {
            return is_answered;
        }
        if is_answered && last.asked.is_none_or(|at| at.elapsed() >= APART) {
            last.asked = Some(Instant::now());
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
        false
    }

    /// Whether the last question is answered.
    fn is_answered(&self) -> bool {
        self.asked.load(Ordering::Relaxed) == self.answered.load(Ordering::Acquire)
    }

    /// The last whole answer and its age; `None` before the first.
    pub fn answer(&self) -> Option<(Duration, Answer)> {
        let mut last = self.last.lock().expect("nothing panics while it holds the lock");
        if self.is_answered()
            && last.answer.as_ref().is_none_or(|(_, a)| a.number != self.answered.load(Ordering::Relaxed))
        {
            let answer = self.slot.lock().expect("nothing panics while it holds the lock").clone();
            last.answer = last.asked.filter(|_| answer.number > 0).map(|asked| (asked, answer));
        }
        last.answer.as_ref().map(|(at, answer)| (at.elapsed(), answer.clone()))
    }
}

/// A group's end of an [`Inquiry`].
pub struct Inquired {
    inquiry: Arc<Inquiry>,
    /// Its bit, and those of all groups.
    bit: u64,
    all: u64,
    /// The last question that it is done with, and the last to which its stages have said their part.
    done: u64,
    said: u64,
}

impl Inquired {
    /// The end of the group with this number, of so many.
    pub fn new(inquiry: Arc<Inquiry>, group: usize, groups: usize) -> Inquired {
        Inquired { inquiry, bit: 1 << (group % 64), all: u64::MAX >> (64 - groups.clamp(1, 64)), done: 0, said: 0 }
    }

    /// Looks once a turn.
    #[inline(always)]
    pub fn look<E: Exit>(&mut self, head: impl FnOnce(&mut HeadState), group: &Group, exit: &E) {
        if self.inquiry.asked.load(Ordering::Relaxed) != self.done {
            self.say(head, group, exit);
        }
    }

    #[cold]
    #[inline(never)]
    fn say<E: Exit>(&mut self, head: impl FnOnce(&mut HeadState), group: &Group, exit: &E) {
        let number = self.inquiry.asked.load(Ordering::Relaxed);
        let mut slot = match self.inquiry.slot.try_lock() {
            Ok(slot) => slot,
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => return,
        };
        if slot.number != number {
            *slot = Answer { number, ..Answer::default() };
        }
        if self.said != number {
            head(&mut slot.head);
            group.stages().for_each(|stage| stage.trading_state(&mut slot.stages));
            slot.groups |= self.bit;
            self.said = number;
        }
        if !exit.ends_the_pipeline() {
            self.done = number;
        } else if slot.groups == self.all {
            let Answer { stages, tail, .. } = &mut *slot;
            exit.trading_state(stages, tail);
            self.done = number;
            drop(slot);
            self.inquiry.answered.store(number, Ordering::Release);
        }
    }
}

//! One side of the comparison: its outcomes in order, and which of its inputs are answers.
//!
//! Between two recorded inputs that enter again there are only answers, so a slot is known by the number of its input and of the
//! answers behind it. Bound: what the other side is ahead.

use flow::{Event, Kinds};
use sinks::journal::{HomeLog, JournalError};
use std::collections::VecDeque;

/// An event of a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) event: Event,
    /// What it follows from: 0 = the recorded input of the slot, else the answer of that place behind it, from 1.
    pub(super) turn: u16,
}

impl Item {
    /// Whether it is the answer itself.
    pub(super) fn is_input(&self) -> bool {
        self.event.id.position() == 0
    }
}

/// Where outcomes come from.
pub(super) enum From {
    /// The record; only these kinds, up to an input.
    Record { log: Box<HomeLog>, kinds: Kinds, through: u64 },
    /// The run, as far as it came.
    Run { events: VecDeque<Event>, kinds: Kinds, through: u64 },
}

/// A side.
pub(super) struct Side {
    from: From,
    next: Option<Event>,
    answers: VecDeque<Event>,
    /// Up to this input all answers are known; it is the last one if `ended`.
    told: u64,
    ended: bool,
    /// The input of the slot; that before the first one at the beginning.
    seq: u64,
}

impl Side {
    /// Begins behind the input `after`.
    pub(super) fn new(from: From, after: u64) -> Side {
        Side { from, next: None, answers: VecDeque::new(), told: after, ended: false, seq: after }
    }

    /// Takes answers; all up to `through` are told now.
    pub(super) fn tell(&mut self, answers: Vec<Event>, through: u64) {
        self.answers.extend(answers);
        self.told = through;
    }

    /// Takes outcomes of the run, all up to `through`; the memory is left empty.
    pub(super) fn take(&mut self, outcomes: &mut Vec<Event>, up_to: u64) {
        if let From::Run { events, kinds, through } = &mut self.from {
            events.extend(outcomes.drain(..).filter(|event| kinds.has(event.kind)));
            *through = up_to;
        }
    }

    /// Nothing follows. Of a record that is not `whole` the answers of its last instant are left out: others of that instant may
    /// have been on their way.
    pub(super) fn end(&mut self, whole: bool) {
        self.ended = true;
        let Some(last) = self.answers.back().filter(|_| !whole).map(|answer| answer.ts) else { return };
        while self.answers.back().is_some_and(|answer| answer.id.seq() == self.told && answer.ts == last) {
            self.answers.pop_back();
            self.told -= 1;
        }
    }

    /// The input of the slot.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether no slot is left.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.seq > self.told
    }

    /// Up to which input everything has come.
    fn complete(&self) -> u64 {
        match self.from {
            From::Record { .. } => self.told,
            From::Run { through, .. } => self.told.min(through),
        }
    }

    /// How many slots from this one on are complete and have no answer.
    pub(super) fn plain(&self) -> u64 {
        let known = if self.ended { self.told } else { self.told.saturating_sub(1) };
        let last = self.answers.front().map_or(known, |answer| answer.id.seq().saturating_sub(2));
        (last.min(self.complete()) + 1).saturating_sub(self.seq)
    }

    /// How many answers the slot has; `None` if that is not known yet, or not all that followed from them has come.
    pub(super) fn answered(&self) -> Option<usize> {
        let follows = |(at, answer): &(usize, &Event)| answer.id.seq() == self.seq + 1 + *at as u64;
        let count = self.answers.iter().enumerate().take_while(follows).count();
        let last = self.seq + count as u64;
        let known = self.ended || self.told > last;
        (known && self.complete() >= last).then_some(count)
    }

    /// The next outcome, if it is of an input up to `seq`.
    #[inline]
    pub(super) fn peek(&mut self, seq: u64) -> Result<Option<&Event>, JournalError> {
        if self.next.is_none() {
            self.next = self.from.next()?;
        }
        Ok(self.next.as_ref().filter(|event| event.id.seq() <= seq))
    }

    /// Passes the outcome that `peek` showed.
    #[inline]
    pub(super) fn pass(&mut self) {
        self.next = None;
    }

    /// Takes what is left of the slot whose input has that number, with its first answers.
    pub(super) fn collect(&mut self, seq: u64, answers: usize, to: &mut Vec<Item>) -> Result<(), JournalError> {
        to.clear();
        for turn in 0..=answers {
            if turn > 0 {
                let answer = self.answers.pop_front().expect("it was counted");
                to.push(Item { event: answer, turn: turn as u16 });
            }
            while let Some(event) = self.peek(seq + turn as u64)? {
                to.push(Item { event: *event, turn: turn as u16 });
                self.pass();
            }
        }
        Ok(())
    }

    /// Goes on so many inputs.
    pub(super) fn go_on(&mut self, inputs: u64) {
        self.seq += inputs;
    }
}

impl From {
    #[inline]
    fn next(&mut self) -> Result<Option<Event>, JournalError> {
        match self {
            From::Run { events, .. } => Ok(events.pop_front()),
            From::Record { log, kinds, through } => {
                for event in log.by_ref() {
                    let event = event?;
                    if event.id.seq() > *through {
                        return Ok(None);
                    }
                    if kinds.has(event.kind) {
                        return Ok(Some(event));
                    }
                }
                Ok(None)
            }
        }
    }
}

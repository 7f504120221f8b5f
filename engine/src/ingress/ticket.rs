//! A command on its way to the head, and the ticket that tells its sender what became of it.
//!
//! The ticket settles once whether a command enters: the head takes it for good as it enters, or its sender gives it up,
//! whichever comes first. So a sender that waited too long knows for certain that its command was not carried out. Bound: two
//! atomics a command.

use super::source_queue::SourceQueue;
use crate::gateway::Pull;
use flow::Event;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const GIVEN_UP: u8 = 2;

/// Whether a command has entered, shared by its sender and the head.
#[derive(Debug, Default)]
pub struct Ticket {
    state: AtomicU8,
    /// Number of the stored command; 0 = not stored yet.
    seq: AtomicU64,
}

impl Ticket {
    fn settle(&self, state: u8) -> bool {
        self.state.compare_exchange(WAITING, state, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The sender gives its command up; `true` means that it never enters.
    pub fn give_up(&self) -> bool {
        self.settle(GIVEN_UP) || self.is_given_up()
    }

    /// Whether the command never enters.
    pub fn is_given_up(&self) -> bool {
        self.state.load(Ordering::Acquire) == GIVEN_UP
    }

    /// Whether it has neither been stored nor given up.
    pub fn is_pending(&self) -> bool {
        self.stored().is_none() && !self.is_given_up()
    }

    /// The command's number, once it is stored.
    pub fn stored(&self) -> Option<u64> {
        Some(self.seq.load(Ordering::Acquire)).filter(|seq| *seq > 0)
    }

    /// The head takes the command; `false` if its sender has given it up.
    pub(super) fn take(&self) -> bool {
        self.settle(TAKEN)
    }

    /// The head has stored the command as input `seq`.
    pub(super) fn store(&self, seq: u64) {
        debug_assert!(self.state.load(Ordering::Relaxed) == TAKEN, "a command is taken before it is stored");
        self.seq.store(seq, Ordering::Release);
    }
}

/// A command for the head: its inputs in order, the command itself last.
///
/// Dropping it before the head has taken it gives it up: a command that was queued when the run ended never entered.
pub struct Submission {
    /// Names, then the command.
    pub(super) events: Vec<Event>,
    pub(super) ticket: Arc<Ticket>,
    /// The pull of the kill switch that came before it, if there was one.
    pub(super) pull: Option<Pull>,
    /// The sources that join the run with it, opened by whoever sends it.
    pub(super) sources: Vec<SourceQueue>,
}

impl Submission {
    /// A command that consists of these inputs, at least one.
    pub fn new(events: Vec<Event>, pull: Option<Pull>) -> Submission {
        assert!(!events.is_empty(), "a command is at least one input");
        Submission { events, ticket: Arc::default(), pull, sources: Vec::new() }
    }

    /// Sources join the run with it.
    #[must_use]
    pub fn with_sources(mut self, sources: Vec<SourceQueue>) -> Submission {
        self.sources = sources;
        self
    }

    /// Its ticket.
    pub fn ticket(&self) -> Arc<Ticket> {
        Arc::clone(&self.ticket)
    }
}

impl Drop for Submission {
    fn drop(&mut self) {
        self.ticket.give_up();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    #[test]
    fn a_command_enters_or_is_given_up_and_never_both() {
        let submission = || Submission::new(vec![Event::zeroed()], None);
        let (taken, dropped) = (submission(), submission());
        let (ticket, lost) = (taken.ticket(), dropped.ticket());
        assert!(ticket.take() && !ticket.give_up());
        ticket.store(9);
        drop(taken);
        assert_eq!((ticket.stored(), ticket.is_given_up()), (Some(9), false));
        drop(dropped);
        assert!(lost.is_given_up() && lost.give_up() && !lost.take());
        assert_eq!(lost.stored(), None);
    }
}

//! The way of a command to the head.
//!
//! What stops trading goes beside the pipeline first: the kill switch is pulled, then the command is handed to the head, and a
//! halt is noted in case the head does not store it soon. Operators, the watchdog and the guard of the control thread all halt
//! this way. Whoever halts while a halt still waits for the head pulls the switch again, so the cancels leave again, and
//! waits for the same command; likewise with a cancel-all. After any other command, which may be a resume, a halt is a
//! command of its own again.
//!
//! Bound: [`MOST`] other commands wait for the head, with a halt and a cancel-all before, between and after them. Worst case: a
//! head that stands still; further commands are refused then, and halts never are.

use crate::drive::Control;
use crate::gateway::Pull;
use crate::ingress::{CommandSender, Submission, Ticket};
use crate::recovery::{HaltNote, HaltNotes};
use flow::Event;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Most commands, halts and cancel-alls aside, that wait for the head.
pub(super) const MOST: usize = 256;

/// A command on its way.
#[derive(Debug)]
pub struct Entering {
    /// What becomes of it.
    pub ticket: Arc<Ticket>,
    /// The pull of the kill switch for it.
    pub pull: Option<Pull>,
}

/// Hands commands over; see the module.
pub struct Intake {
    control: Control,
    commands: CommandSender,
    notes: HaltNotes,
    waiting: Mutex<Waiting>,
}

/// What was handed over last. A ticket lives as long as the head or a client has it.
#[derive(Default)]
struct Waiting {
    halt: Weak<Ticket>,
    cancel_all: Weak<Ticket>,
    others: Vec<Weak<Ticket>>,
}

impl Intake {
    /// Hands commands to `commands`, for the run under `control`; notes halts in the folder of its `journal`.
    ///
    /// # Errors
    /// When the thread for the notes cannot be started.
    pub fn new(journal: &Path, commands: CommandSender, control: Control) -> io::Result<Arc<Intake>> {
        let notes = HaltNotes::start(journal, &control.disk)?;
        Ok(Arc::new(Intake { control, commands, notes, waiting: Mutex::default() }))
    }

    /// Halts, by these inputs.
    pub fn halt(&self, events: Vec<Event>) -> Entering {
        let note = HaltNote::of(&events, self.control.admitted.load(Ordering::Relaxed));
        self.kill(events, |waiting| &mut waiting.halt, Some(note))
    }

    /// Cancels all orders, by these inputs.
    pub fn cancel_all(&self, events: Vec<Event>) -> Entering {
        self.kill(events, |waiting| &mut waiting.cancel_all, None)
    }

    /// Halts, by these inputs, a run that has not begun because of what became of the last one; `note` is the note of it, if
    /// that run left one. Nothing has been sent yet, so the switch is not pulled.
    pub fn begin_halted(&self, events: Vec<Event>, note: Option<&HaltNote>) {
        let submission = Submission::new(events, None);
        note.into_iter().for_each(|note| self.notes.keep(note, &submission.ticket()));
        self.send(submission);
    }

    /// Hands over any other command; `None` if too many wait already.
    pub fn command(&self, submission: Submission) -> Option<Entering> {
        let mut waiting = self.waiting();
        waiting.others.retain(|ticket| ticket.strong_count() > 0);
        if waiting.others.len() == MOST {
            return None;
        }
        let ticket = submission.ticket();
        (waiting.halt, waiting.cancel_all) = (Weak::new(), Weak::new());
        waiting.others.push(Arc::downgrade(&ticket));
        self.send(submission);
        Some(Entering { ticket, pull: None })
    }

    fn kill(
        &self,
        events: Vec<Event>,
        last: fn(&mut Waiting) -> &mut Weak<Ticket>,
        note: Option<HaltNote>,
    ) -> Entering {
        let mut waiting = self.waiting();
        let last = last(&mut waiting);
        if let Some(ticket) = last.upgrade().filter(|ticket| ticket.is_pending()) {
            return Entering { ticket, pull: Some(self.control.kill_switch.pull_again()) };
        }
        let pull = Some(self.control.kill_switch.pull());
        let submission = Submission::new(events, pull);
        let ticket = submission.ticket();
        *last = Arc::downgrade(&ticket);
        if let Some(note) = note {
            self.notes.keep(&note, &ticket);
        }
        self.send(submission);
        Entering { ticket, pull }
    }

    fn send(&self, submission: Submission) {
        // Once the receiver is gone the run is over, and what is dropped is given up.
        let _ = self.commands.send(submission);
    }

    /// Also halts in a thread that panics, so a lock that a panic has poisoned is taken all the same.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

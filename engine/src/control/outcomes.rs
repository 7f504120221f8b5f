//! What became of commands, on its way from the tail to the control thread.
//!
//! The tail puts a `command-outcome` here and wakes the control thread. Bound: one entry per command until the control
//! thread's next turn; an event without a command costs nothing. Worst case: one system call of the tail per command.

use crossbeam_queue::SegQueue;
use flow::records::CommandOutcome;
use flow::{Event, Kind, Kinds, Sink, SinkError};
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// Outcomes of commands, and the bell that wakes the control thread.
#[derive(Debug)]
pub struct Outcomes {
    said: SegQueue<(u64, CommandOutcome)>,
    bell: OwnedFd,
}

impl Outcomes {
    /// An empty queue.
    ///
    /// # Errors
    /// When the system has no file descriptor left.
    pub fn new() -> io::Result<Arc<Outcomes>> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Arc::new(Outcomes { said: SegQueue::new(), bell }))
    }

    /// The sink that fills it, at the tail of the pipeline.
    pub fn sink(self: &Arc<Outcomes>) -> Box<dyn Sink> {
        Box::new(OutcomeSink(Arc::clone(self)))
    }

    /// Wakes the control thread.
    pub(super) fn ring(&self) {
        // It fails only when it has rung so often that the thread is awake for certain.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// The next outcome, with the number of its command.
    pub(super) fn next(&self) -> Option<(u64, CommandOutcome)> {
        self.said.pop()
    }

    /// What to wait for; [`Outcomes::quiet`] makes it silent again.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    pub(super) fn quiet(&self) {
        // It fails only when it has not rung.
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
    }
}

/// Puts every outcome of a command into [`Outcomes`].
pub struct OutcomeSink(Arc<Outcomes>);

impl Sink for OutcomeSink {
    fn kinds(&self) -> Kinds {
        Kinds::of(&[Kind::CommandOutcome])
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        if let Some(outcome) = event.get::<CommandOutcome>() {
            self.0.said.push((event.id.seq(), *outcome));
            self.0.ring();
        }
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }
}

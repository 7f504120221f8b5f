//! The engine as a process: its life, its output, its end.

use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// The longest wait for anything; a machine that does several things at once is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run of the binary.
pub struct Life {
    /// The process.
    pub child: Child,
    /// File with its standard error.
    pub output: PathBuf,
}

impl Life {
    /// What it said on standard error so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// When the system cannot say.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Waits until `done`.
    ///
    /// # Panics
    /// When the process ends before, or a minute passes.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut done: impl FnMut() -> bool) {
        let since = Instant::now();
        while !done() {
            assert!(self.runs(), "it ended before {what}:\n{}", self.said());
            assert!(since.elapsed() < PATIENCE, "{what} did not happen:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        // It may have ended by itself just now.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Waits for its end, at most a minute.
    ///
    /// # Panics
    /// When it does not come; it is killed then.
    #[track_caller]
    pub fn end(mut self) -> ExitStatus {
        ended_within(&mut self.child, PATIENCE).unwrap_or_else(|| panic!("it does not end:\n{}", self.said()))
    }

    /// Sends it a signal and waits for its end: how it ended, and how long that took.
    ///
    /// # Panics
    /// When the end does not come.
    #[track_caller]
    pub fn stop(self, signal: Signal) -> (ExitStatus, Duration) {
        let since = Instant::now();
        self.signal(signal);
        let status = self.end();
        (status, since.elapsed())
    }

    /// Kills it.
    ///
    /// # Panics
    /// When the system cannot.
    pub fn kill(mut self) -> ExitStatus {
        self.child.kill().expect("a child");
        self.child.wait().expect("a child")
    }
}

/// How the process ended, if it did in time; else it is killed.
///
/// # Panics
/// When the system cannot say.
pub fn ended_within(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return Some(status);
        }
        if since.elapsed() > patience {
            child.kill().expect("a child");
            child.wait().expect("a child");
            return None;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

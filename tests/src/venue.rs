//! The process `test-venue`, from the test's side.

use flow::Event;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The running venue; it ends with its standard input.
pub struct Venue {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    /// Where it listens.
    pub port: u16,
}

impl Venue {
    /// Starts the binary; what becomes of an order is drawn from the seed.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(binary: &str, seed: u64) -> Venue {
        Venue::start_with(binary, seed, None)
    }

    /// [`Venue::start`] with a secret that its client must have.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_with(binary: &str, seed: u64, secret: Option<&str>) -> Venue {
        let mut command = Command::new(binary);
        let command = command.arg(seed.to_string()).args(secret).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the venue starts");
        let to = child.stdin.take();
        let mut from = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut port = String::new();
        from.read_line(&mut port).expect("it prints its port");
        Venue { child, to, from, port: port.trim().parse().expect("a port") }
    }

    /// Stops the process where it stands, or lets it go on.
    ///
    /// # Panics
    /// When it has ended.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_child(&self.child), signal).expect("the venue runs");
    }

    /// A command that has no answer.
    ///
    /// # Panics
    /// When it has ended.
    pub fn send(&mut self, line: &str) {
        writeln!(self.to.as_mut().expect("it runs"), "{line}").expect("the venue listens");
    }

    fn request(&mut self, line: &str) -> String {
        self.send(line);
        let mut answer = String::new();
        self.from.read_line(&mut answer).expect("the venue answers");
        answer
    }

    /// Its ledger.
    ///
    /// # Panics
    /// When it has ended.
    pub fn ledger(&mut self) -> Value {
        serde_json::from_str(&self.request("ledger")).expect("one JSON object")
    }

    /// One count of its ledger.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn count(&mut self, what: &str) -> u64 {
        self.ledger()[what].as_u64().expect("a count")
    }

    /// Every answer that it gave.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn answers(&mut self, to: &Path) -> Vec<Event> {
        assert_eq!(self.request(&format!("answers {}", to.display())).trim(), "written");
        let bytes = std::fs::read(to).expect("it was written");
        bytes.chunks_exact(size_of::<Event>()).map(bytemuck::pod_read_unaligned).collect()
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

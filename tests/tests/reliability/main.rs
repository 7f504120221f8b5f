//! What an operator reaches for when something is wrong: stopped, halted, gone on with, attacked from outside.
//!
//! Each file attacks one promise with the hostile rig ([`tidegate_tests::rig`]): commands that must be carried out or said
//! not to be, venues that greet and fall silent, stops that must not wait, records that must not be doubted,
//! configurations that must be known to be wrong before anything runs.

mod commands;
mod configuration;
mod gateways;
mod log;
mod record;
mod service_manager;
mod sessions;
mod soak;
mod stop;
#[cfg(feature = "deliberate-faults")]
mod stuck;

use flow::records::Command;
use flow::{CommandAction, Event};
use sinks::journal::JournalReader;
use std::path::Path;
use std::time::{Duration, Instant};
use tidegate_tests::ledger::events;

/// Ten times what a stop, or a command, may take: the machine of a test does other things.
const AT_ONCE: Duration = Duration::from_secs(10);

/// The inputs that a journal holds.
fn inputs(journal: &Path) -> Vec<Event> {
    events(JournalReader::open(journal).expect("a journal").inputs())
}

/// The outcomes that a journal holds.
fn outcomes(journal: &Path) -> Vec<Event> {
    events(JournalReader::open(journal).expect("a journal").outcomes())
}

/// How many commands of this action a journal holds.
fn commanded(journal: &Path, action: CommandAction) -> usize {
    let is = |e: &&Event| e.get::<Command>().is_some_and(|c| c.action == action.code());
    inputs(journal).iter().filter(is).count()
}

/// Waits for something that does not depend on a process.
#[track_caller]
fn soon(what: &str, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

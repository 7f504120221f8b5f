//! A halt that is in force and not stored yet, noted beside the journal so that it holds over a kill.
//!
//! A halt is stored as soon as the head takes it. A pipeline that hangs or a disk that does not answer can delay that, and
//! the process may be killed meanwhile. So a halt that is not stored within [`SOON`] is noted in the journal's folder, by a
//! thread of its own, since the disk may not answer. Once it is stored the note goes. A start that finds a note whose halt is
//! not in the record begins with that halt. A note that cannot be read is a halt too.
//!
//! Bound: one note, the last; a thread for each halt until it is stored. Worst case: a kill within [`SOON`] of a halt that
//! was neither stored nor confirmed.

use crate::ingress::{Asker, OperatorCommand, Ticket, actor_handle, actor_names};
use flow::records::{Command, Halt, Name};
use flow::{CommandAction, Event, Ns};
use serde::{Deserialize, Serialize};
use sinks::journal::{JournalError, JournalReader};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FILE: &str = "halt.toml";
/// A halt that is not stored for this long is noted: well before it is answered, and before a stop gives up.
const SOON: Duration = Duration::from_millis(100);
/// How often the thread looks whether the halt is stored.
const GLANCE: Duration = Duration::from_millis(20);

/// A note of a halt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HaltNote {
    /// The last input before it.
    after: u64,
    /// Who commanded it; empty = the engine itself.
    actor: String,
    /// The user's id, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    /// Wall time of the command.
    asked_ns: u64,
}

impl HaltNote {
    /// Of the inputs that make a halt, which came after input `after`.
    pub fn of(events: &[Event], after: u64) -> HaltNote {
        let mut note = HaltNote { after, ..HaltNote::default() };
        let mut actor = Vec::new();
        for event in events {
            if let Some(name) = event.get::<Name>() {
                actor.extend_from_slice(&name.text[..usize::from(name.len).min(name.text.len())]);
            } else if let Some(command) = event.get::<Command>() {
                note.uid = Some(command.uid).filter(|uid| *uid != Command::NO_UID);
                note.asked_ns = command.asked_ts.0;
            } else if let Some(halt) = event.get::<Halt>() {
                note.asked_ns = halt.asked_ts.0;
            }
        }
        note.actor = String::from_utf8_lossy(&actor).into_owned();
        note
    }

    /// Notes the halt in a journal's folder, if it is not stored soon, until it is. Returns at once. With the end of the run
    /// the note stays.
    pub fn keep(self, journal: &Path, ticket: &Arc<Ticket>) {
        let (file, ticket) = (journal.join(FILE), Arc::clone(ticket));
        let text = toml::to_string(&self).expect("plain values");
        let keep = move || {
            let is_open = || ticket.stored().is_none() && !ticket.is_given_up();
            let since = Instant::now();
            while is_open() && since.elapsed() < SOON {
                std::thread::sleep(GLANCE);
            }
            // One that was given up did not happen.
            if ticket.is_given_up() || (ticket.stored().is_some() && !file.exists()) {
                return;
            }
            // Without the note the halt still is what it was: in force, as long as the process lives.
            let is_noted = || std::fs::read_to_string(&file).is_ok_and(|noted| noted == text);
            if !is_noted() && std::fs::write(&file, &text).is_err() {
                return;
            }
            while is_open() {
                std::thread::sleep(GLANCE);
            }
            if ticket.stored().is_some() && is_noted() {
                let _ = std::fs::remove_file(&file);
            }
        };
        let _ = std::thread::Builder::new().name("halt-note".to_owned()).spawn(keep);
    }

    /// The note in a journal's folder, if its halt is not in the record; otherwise the note goes.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn outstanding(journal: &Path) -> Result<Option<HaltNote>, JournalError> {
        let note = match std::fs::read_to_string(journal.join(FILE)) {
            Ok(text) => toml::from_str(&text).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) => HaltNote::default(),
        };
        if !note.is_in(journal)? {
            return Ok(Some(note));
        }
        // If it stays, the next start finds out the same.
        let _ = std::fs::remove_file(journal.join(FILE));
        Ok(None)
    }

    /// The inputs that make the halt.
    pub fn events(&self) -> Vec<Event> {
        let actor = if self.actor.is_empty() { 0 } else { actor_handle(&self.actor) };
        let by = Asker { actor, uid: self.uid.unwrap_or(Command::NO_UID), asked_ts: Ns(self.asked_ns) };
        let mut events = actor_names(&self.actor);
        events.push(OperatorCommand::plain(CommandAction::Halt, by).event());
        events
    }

    /// Whether the record holds the halt.
    fn is_in(&self, journal: &Path) -> Result<bool, JournalError> {
        let mut inputs = JournalReader::open(journal)?.inputs();
        inputs.seek_seq(self.after + 1)?;
        for input in inputs {
            let input = input?;
            let halts = input.get::<Command>().filter(|c| c.action == CommandAction::Halt.code()).map(|c| c.asked_ts);
            if halts.or(input.get::<Halt>().map(|h| h.asked_ts)) == Some(Ns(self.asked_ns)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

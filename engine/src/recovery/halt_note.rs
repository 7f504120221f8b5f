//! A halt that is in force and not stored yet, noted beside the journal so that it holds over a kill.
//!
//! A halt is stored as soon as the head takes it. A pipeline that hangs or a disk that does not answer can delay that,
//! and the process may be killed meanwhile. So a halt that is not stored within [`SOON`], or not by the end of the run,
//! is noted by a thread of its own: where the newest records lie in memory, which a dead disk does not keep from it and a
//! kill does not take away, and then in the journal's folder, where it outlives a reboot. Once it is stored the notes go.
//! A start that finds a note whose halt is not in the record begins with that halt. A note that cannot be read is a halt
//! too.
//!
//! Bound: one thread and one note, of the last halt: the head stores halts in their order, so what holds for the last one holds
//! for those before it. Worst case: a kill within [`SOON`] of a halt that was neither stored nor confirmed, or an end of
//! the run whose disk does not take the note within [`LAST`]. A reboot takes the note that only memory has.

use crate::ingress::{Asker, OperatorCommand, Ticket, actor_handle, actor_names};
use flow::records::{Command, Halt, Name};
use flow::{CommandAction, Event, Ns};
use serde::{Deserialize, Serialize};
use sinks::journal::{CurrentDisk, Home, JournalError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const FILE: &str = "halt.toml";
/// A halt that is not stored for this long is noted: well before it is answered, and before a stop gives up.
const SOON: Duration = Duration::from_millis(100);
/// How often the thread looks whether the halt is stored.
const GLANCE: Duration = Duration::from_millis(20);
/// How long the end of a run waits for the note of a halt that it has not stored.
const LAST: Duration = Duration::from_millis(100);

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

    /// The note beside a journal whose halt is not in the record, if there is one; any other goes.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn outstanding(journal: &Path) -> Result<Option<HaltNote>, JournalError> {
        let home = Home::open(journal)?;
        let reader = home.current().reader();
        for folder in reader.memory().into_iter().chain([journal]) {
            let note = match std::fs::read_to_string(folder.join(FILE)) {
                Ok(text) => toml::from_str(&text).unwrap_or_default(),
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(_) => HaltNote::default(),
            };
            if !note.is_in(&home)? {
                return Ok(Some(note));
            }
            // If it stays, the next start finds out the same.
            let _ = std::fs::remove_file(folder.join(FILE));
        }
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
    fn is_in(&self, home: &Home) -> Result<bool, JournalError> {
        // The journal may have rolled since.
        let from = home.journals().iter().rposition(|member| member.info.after() <= self.after).unwrap_or(0);
        for member in &home.journals()[from..] {
            let mut inputs = member.reader().inputs();
            inputs.seek_seq(self.after + 1)?;
            for input in inputs {
                let input = input?;
                let halts =
                    input.get::<Command>().filter(|c| c.action == CommandAction::Halt.code()).map(|c| c.asked_ts);
                if halts.or(input.get::<Halt>().map(|h| h.asked_ts)) == Some(Ns(self.asked_ns)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Keeps the last halt noted beside a journal for as long as it is not stored. When it is dropped, at the end of the run, a
/// halt that is not stored by then is noted.
pub struct HaltNotes {
    halts: Option<Sender<Kept>>,
    keeper: JoinHandle<()>,
}

impl HaltNotes {
    /// `disk` tells where its newest records lie in memory, once it is open for writing.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(journal: &Path, disk: &CurrentDisk) -> io::Result<HaltNotes> {
        let (halts, from) = channel();
        let places = Places { journal: journal.to_owned(), disk: disk.clone() };
        let keep = move || keep(&places, &from);
        let keeper = std::thread::Builder::new().name("halt-note".to_owned()).spawn(keep)?;
        Ok(HaltNotes { halts: Some(halts), keeper })
    }

    /// Keeps a halt of that ticket noted from now on. Returns at once.
    pub fn keep(&self, note: &HaltNote, ticket: &Arc<Ticket>) {
        let (text, ticket) = (toml::to_string(note).expect("plain values"), Arc::clone(ticket));
        let kept = Kept { text, ticket, since: Instant::now(), is_noted: false };
        if let Some(halts) = &self.halts {
            // A keeper that is gone has panicked. Without a note the halt is in force as long as the process lives.
            let _ = halts.send(kept);
        }
    }
}

impl Drop for HaltNotes {
    fn drop(&mut self) {
        self.halts = None;
        let since = Instant::now();
        while !self.keeper.is_finished() && since.elapsed() < LAST {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Where a halt is noted.
struct Places {
    journal: PathBuf,
    disk: CurrentDisk,
}

impl Places {
    /// The file in memory, if the journal is open for writing, then that on the disk.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let memory = self.disk.get().map(|disk| disk.memory().join(FILE));
        memory.into_iter().chain([self.journal.join(FILE)])
    }
}

/// A halt that the keeper looks after.
struct Kept {
    text: String,
    ticket: Arc<Ticket>,
    since: Instant,
    is_noted: bool,
}

impl Kept {
    /// Notes the halt if it is time to, or removes the notes; returns the halt while there is more to do.
    fn look(mut self, places: &Places, is_over: bool) -> Option<Kept> {
        if self.ticket.stored().is_some() {
            // There is none, unless it took long.
            places.files().for_each(|file| drop(std::fs::remove_file(file)));
            return None;
        }
        let is_over = is_over || self.ticket.is_given_up();
        if !self.is_noted && (is_over || self.since.elapsed() >= SOON) {
            // Memory first: the disk may not answer. That the disk has it counts, since the memory goes when the journal is closed.
            self.is_noted = places.files().fold(false, |_, file| std::fs::write(file, &self.text).is_ok());
        }
        (!is_over).then_some(self)
    }
}

/// Looks after the last halt until the run is over.
fn keep(places: &Places, halts: &Receiver<Kept>) {
    let (mut last, mut is_over) = (None, false);
    while !is_over {
        let next = match last {
            Some(_) => halts.recv_timeout(GLANCE),
            None => halts.recv().map_err(RecvTimeoutError::from),
        };
        match next {
            Ok(later) => last = Some(later),
            Err(e) => is_over = e == RecvTimeoutError::Disconnected,
        }
        last = last.and_then(|halt: Kept| halt.look(places, is_over));
    }
}

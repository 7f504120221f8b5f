//! Reads the configuration of a running engine again: what commands may set, and what was added to it.
//!
//! The configuration stays the truth: an operator changes parameters and limits in it, adds an input at its end, or changes the symbols
//! that are watched of one, and says so (`tidegate ctl JOURNAL reload`). Whatever else has changed in it is refused by its
//! key, all of it at once, and then nothing happens. All of this takes as long as files take to open, on a thread of its own; what
//! comes out is the changes that become commands ([`super::changes`]) and a command with its sources, which the
//! pipeline's head takes at once. Bound: one reload at a time.

use super::changes::{Change, changes};
use super::error::RunError;
use super::execute::queues;
use super::preflight::Preflight;
use crate::config::{Draft, Settings};
use crate::ingress::{Asker, FeedStatuses, Submission, Ticket, WatchList, actor_names, reload};
use crate::pipeline::Answer;
use crate::recovery::differences;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Why a second reader is sent away.
const BUSY: &str = "the configuration, or what is watched, is being changed for somebody else: wait for that answer";

/// Reads the configuration once more, or another file in its place.
type Read = Box<dyn Fn(Option<&Path>) -> Draft + Send + Sync>;

/// Finds out what has changed in the configuration of a run.
pub struct Reloader {
    read: Read,
    running: Mutex<Running>,
}

/// The settings that the run has.
struct Running {
    settings: Settings,
    /// What was read last.
    read: Settings,
    /// Those that it has once a command has entered.
    entering: Option<(Arc<Ticket>, Settings)>,
}

/// What has changed.
#[derive(Default)]
pub struct Reloaded {
    /// The values to set, in this order and before anything joins.
    pub changes: Vec<Change>,
    /// The inputs that are added or of which other symbols are watched, if there are any.
    pub joining: Option<Joining>,
}

/// What was added, ready to enter.
pub struct Joining {
    /// The command, with its sources.
    pub submission: Submission,
    /// Each input that was added: its number and its name.
    pub added: Vec<(u8, String)>,
    /// The inputs of which other symbols are watched: the number of each, and these symbols.
    pub watched: Vec<(u8, WatchList)>,
}

impl Reloader {
    /// For a run that has begun with `settings`; `read` reads its configuration, or a file.
    pub fn new(settings: Settings, read: impl Fn(Option<&Path>) -> Draft + Send + Sync + 'static) -> Reloader {
        Reloader {
            read: Box::new(read),
            running: Mutex::new(Running { read: settings.clone(), settings, entering: None }),
        }
    }

    /// Changes something while nobody reads the configuration, with the settings that the run has.
    ///
    /// # Errors
    /// When somebody does, or what `change` says.
    pub fn alone<T>(&self, change: impl FnOnce(&Settings) -> Result<T, String>) -> Result<T, String> {
        let Ok(mut running) = self.running.try_lock() else { return Err(BUSY.to_owned()) };
        running.settle()?;
        change(&running.settings)
    }

    /// Finds the changes in `file`, or in the configuration of the run, against what the pipeline answers and what is
    /// watched of its `feeds`, and opens what was added, on behalf of `actor`.
    ///
    /// # Errors
    /// Why it is refused, as a sentence.
    pub fn reload(
        &self,
        file: Option<&Path>,
        (actor, by): (&str, Asker),
        answer: &Answer,
        feeds: &FeedStatuses,
    ) -> Result<Reloaded, String> {
        let Ok(mut running) = self.running.try_lock() else {
            return Err(BUSY.to_owned());
        };
        running.settle()?;
        // Operators have others watched than the configuration had.
        for (input, status) in running.settings.inputs.iter_mut().zip(feeds.all()) {
            input.watch = status.watched();
        }
        let mut settings = (self.read)(file).finish().map_err(|faults| faults.to_string())?;
        let read = settings.clone();
        let changes = changes(&running.settings, &running.read, &mut settings, answer);
        running.check(&settings, changes.as_ref().err())?;
        let changes = changes.unwrap_or_default();
        let from = running.settings.inputs.len();
        let both = settings.inputs.iter().zip(&running.settings.inputs);
        let changed = (1..).zip(both).filter(|(_, (now, before))| now.watch != before.watch);
        let changed: Vec<(u8, &WatchList)> = changed.map(|(number, (now, _))| (number, &now.watch)).collect();
        if settings.inputs.len() == from && changed.is_empty() {
            running.read = read;
            return Ok(Reloaded { changes, joining: None });
        }
        let sources = Preflight::added(&settings, from).map_err(|e: RunError| e.to_string())?;
        let sources = queues(sources, &settings, from);
        let added = sources.iter().map(|source| (source.id(), source.name.clone())).collect();
        let watched = changed.iter().map(|(number, watched)| (*number, (*watched).clone())).collect();
        let events = [actor_names(actor), reload(&sources, &changed, by)].concat();
        let submission = Submission::new(events, None).with_sources(sources);
        (running.entering, running.read) = (Some((submission.ticket(), settings)), read);
        Ok(Reloaded { changes, joining: Some(Joining { submission, added, watched }) })
    }
}

impl Running {
    /// Finds out what became of the command of the last reload.
    fn settle(&mut self) -> Result<(), String> {
        match self.entering.take() {
            Some((ticket, settings)) if ticket.stored().is_some() => self.settings = settings,
            Some((ticket, settings)) if ticket.is_pending() => {
                self.entering = Some((ticket, settings));
                return Err("what was added before has not entered yet: ask again".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    /// Beside what commands may set only inputs at the end are new. `more` cannot be set either.
    fn check(&self, now: &Settings, more: Option<&Vec<String>>) -> Result<(), String> {
        const NEXT: &str = "while it runs only parameters and limits that commands may set, new [[input]] entries behind the \
                            others and other symbols in `watch` are taken; put it back, or stop the run and start a new \
                            journal with --carry-over";
        let dir = |settings: &Settings| {
            settings.journal_dir.as_ref().map_or("absent".to_owned(), |d| d.display().to_string())
        };
        let moved = (dir(&self.settings) != dir(now))
            .then(|| format!("journal.dir: was {}, is {}", dir(&self.settings), dir(now)));
        let differ = differences(&self.settings.to_toml(), now).into_iter().map(|changed| changed.to_string());
        let all: Vec<String> = moved.into_iter().chain(differ).chain(more.into_iter().flatten().cloned()).collect();
        match all.is_empty() {
            true => Ok(()),
            false => Err(format!("this needs a restart ({}), and nothing was set: {NEXT}", all.join("; "))),
        }
    }
}

//! What an operator says while the pipeline runs.
//!
//! A command is an input like any other: numbered, timed, stored before the pipeline sees it. It enters at the time of the
//! turn in which it was heard, or, given beforehand, at a set time, so that a test or a replay commands at the same place.
//! Bound: one command an admission.

use flow::records::Command;
use flow::{CommandAction, Event, Flags, HaltReason, Ns, SOURCE_OPERATOR};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Who asked for a command, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Handle of the name that was given; 0 = the engine itself.
    pub actor: u32,
    /// User of the process that asked; [`Command::NO_UID`] = not known.
    pub uid: u32,
    /// Wall time; absent for the engine's own.
    pub asked_ts: Ns,
}

impl Asker {
    /// The engine itself: what it commands depends on its inputs alone, so it names no time.
    pub const ENGINE: Asker = Asker { actor: 0, uid: Command::NO_UID, asked_ts: Ns::NONE };
}

/// A command with its parts in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorCommand {
    /// What to do.
    pub action: CommandAction,
    /// What it addresses: the check whose limit is set.
    pub target: u32,
    /// Who asked.
    pub by: Asker,
    /// Value before.
    pub old: i64,
    /// Value from now on.
    pub new: i64,
}

impl OperatorCommand {
    /// A command without a value.
    pub const fn plain(action: CommandAction, by: Asker) -> OperatorCommand {
        OperatorCommand { action, target: 0, by, old: 0, new: 0 }
    }

    /// As an input.
    pub fn event(self) -> Event {
        let OperatorCommand { action, target, by: Asker { actor, uid, asked_ts }, old, new } = self;
        let command = Command { action: action.code(), target, actor, uid, old, new, asked_ts };
        let mut event = Event::new(Ns(0), 0, Flags::LAST_OF_GROUP, &command);
        event.source = SOURCE_OPERATOR;
        event
    }
}

/// A halt that the engine itself enters.
pub fn halt(reason: HaltReason, detail: u64) -> Event {
    let halt = flow::records::Halt { reason: reason.code(), group: 0, detail, ..flow::records::Halt::default() };
    let mut event = Event::new(Ns(0), 0, Flags::LAST_OF_GROUP, &halt);
    event.source = SOURCE_OPERATOR;
    event
}

/// The operator's end: says commands to a running pipeline.
pub type CommandSender = Sender<Event>;

/// Commands as a source of the merge.
#[derive(Default)]
pub struct Commands {
    live: Option<Receiver<Event>>,
    scheduled: VecDeque<(Ns, Event)>,
    /// Said before anything else.
    first: VecDeque<Event>,
    heard: Option<Event>,
}

impl Commands {
    /// Commands that are heard while the pipeline runs.
    pub fn live() -> (CommandSender, Commands) {
        let (sender, receiver) = channel();
        (sender, Commands { live: Some(receiver), ..Commands::default() })
    }

    /// Adds commands at set times, which must not fall.
    pub fn schedule(&mut self, commands: impl IntoIterator<Item = (Ns, Event)>) {
        self.scheduled.extend(commands);
    }

    /// Adds what is said before anything else enters.
    pub fn begin_with(&mut self, commands: impl IntoIterator<Item = Event>) {
        self.first.extend(commands);
    }

    /// Whether something is still to be said before anything else.
    pub(super) fn begins(&self) -> bool {
        !self.first.is_empty()
    }

    /// Whether none is waiting and none can come.
    pub(super) fn are_none(&self) -> bool {
        self.live.is_none() && self.heard.is_none() && self.scheduled.is_empty() && self.first.is_empty()
    }

    /// When the next is due; `now` for one that was just heard.
    #[inline]
    pub(super) fn due(&mut self, now: Ns) -> Option<Ns> {
        if self.heard.is_none()
            && let Some(live) = &self.live
        {
            self.heard = live.try_recv().ok();
        }
        if self.heard.is_some() {
            return Some(now);
        }
        self.scheduled.front().map(|(at, _)| *at)
    }

    /// Takes the next; call only when one is due.
    pub(super) fn take(&mut self) -> Event {
        let next = self.first.pop_front().or_else(|| self.heard.take());
        let next = next.or_else(|| self.scheduled.pop_front().map(|(_, event)| event));
        next.expect("the merge chose a waiting command")
    }
}

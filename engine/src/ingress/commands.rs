//! Operator commands as a source of the merge.
//!
//! A command is an input like any other: numbered, timed, logged before the pipeline sees it. A live command enters at the
//! time of the turn that receives it; a scheduled one at its set time, so that a test or a replay issues it at the same
//! place. A live command that waits for its turn or for room in the journal is only held here: it is claimed when it enters, so
//! until then its sender may give it up. Bound: one command is held; at most one enters per admission.

use super::source_queue::SourceQueue;
use super::ticket::Submission;
use crate::gateway::KillSwitch;
use flow::records::{Command, Halt, Name};
use flow::{CommandAction, Event, Flags, HaltReason, NameSpace, Ns, SOURCE_OPERATOR};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use xxhash_rust::xxh3::xxh3_64;

/// Who issued a command, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Handle of the operator's name; 0 = the engine itself.
    pub actor: u32,
    /// User id of the requesting process; [`Command::NO_UID`] = unknown.
    pub uid: u32,
    /// Wall time of the request; absent for a command that follows from the inputs before it.
    pub asked_ts: Ns,
}

impl Asker {
    /// The engine itself, by a command that follows from its inputs.
    pub const ENGINE: Asker = Asker { actor: 0, uid: Command::NO_UID, asked_ts: Ns::NONE };
}

/// A command, before it becomes an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorCommand {
    /// What to do.
    pub action: CommandAction,
    /// Number of the check whose limit is set; of a flatten the account, shifted by 16 bits, and the strategy, 0 = all; of added
    /// inputs the number of the first, and how many are the new value.
    pub target: u32,
    /// Who issued it.
    pub by: Asker,
    /// Old value.
    pub old: i64,
    /// New value.
    pub new: i64,
}

impl OperatorCommand {
    /// A command without a value.
    pub const fn plain(action: CommandAction, by: Asker) -> OperatorCommand {
        OperatorCommand { action, target: 0, by, old: 0, new: 0 }
    }

    /// The command as an input event.
    pub fn event(self) -> Event {
        let OperatorCommand { action, target, by: Asker { actor, uid, asked_ts }, old, new } = self;
        let command = Command { action: action.code(), target, actor, uid, old, new, asked_ts };
        let mut event = Event::new(Ns(0), 0, Flags::LAST_OF_GROUP, &command);
        event.source = SOURCE_OPERATOR;
        event
    }
}

/// The handle of an operator's name; never 0, which is the engine.
pub fn actor_handle(actor: &str) -> u32 {
    (xxh3_64(actor.as_bytes()) as u32).max(1)
}

/// The `name` events of an operator.
pub fn actor_names(actor: &str) -> Vec<Event> {
    names(actor, NameSpace::Actor, actor_handle(actor).into())
}

/// The `name` events of the instrument that a command concerns, as the operator wrote it. The head puts its index into the command.
pub fn instrument_names(symbol: &str) -> Vec<Event> {
    names(symbol, NameSpace::Instrument, 0)
}

/// The `name` events of the parameter that a command with that target sets.
pub fn param_names(key: &str, target: u32) -> Vec<Event> {
    names(key, NameSpace::Param, target.into())
}

/// The `name` events of an input with that number, whose settings are `text`.
pub(super) fn input_names(text: &str, number: u8) -> Vec<Event> {
    names(text, NameSpace::Input, number.into())
}

/// The `name` events of the symbols that are watched of an input, as a text in pages, since there may be many. The handle is the
/// number of the page, shifted by 8 bits, and that of the input.
pub(super) fn watched_names(text: &str, number: u8) -> Vec<Event> {
    const PAGE: usize = 5_000;
    let (mut events, mut rest) = (Vec::new(), text);
    for page in 0_u64.. {
        let (now, after) = rest.split_at(rest.floor_char_boundary(PAGE));
        events.extend(names(now, NameSpace::WatchList, page << 8 | u64::from(number)));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    events
}

/// A text in pieces, which end between two characters. One that is longer than 255 pieces is cut.
pub(crate) fn names(text: &str, space: NameSpace, handle: u64) -> Vec<Event> {
    const PIECE: usize = 24;
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() && pieces.len() < usize::from(u8::MAX) {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
        pieces.push(piece);
        rest = after;
    }
    let parts = pieces.len() as u8;
    let name = |(part, piece): (usize, &&str)| {
        let mut text = [0; PIECE];
        text[..piece.len()].copy_from_slice(piece.as_bytes());
        let name = Name {
            text,
            handle,
            space: space.code(),
            part: part as u8,
            parts,
            len: piece.len() as u8,
            reserved: [0; 4],
        };
        Event { source: SOURCE_OPERATOR, ..Event::new(Ns(0), 0, Flags::NONE, &name) }
    };
    pieces.iter().enumerate().map(name).collect()
}

/// The instrument that the next command concerns, as the names before it spell it.
#[derive(Default)]
pub(super) struct Concerned {
    text: Vec<u8>,
}

impl Concerned {
    /// Not an instrument: what an operator names is not known here, or is more than one.
    const NOBODY: u32 = u32::MAX;

    /// Takes an input of an operator; `index` finds the instrument of a text.
    pub(super) fn put_into(&mut self, event: &mut Event, index: impl Fn(&str) -> Option<u32>) {
        if let Some(name) = event.get::<Name>() {
            if name.space == NameSpace::Actor.code() && name.part == 0 {
                // The names of the one before may have entered without it.
                self.text.clear();
            } else if name.space == NameSpace::Instrument.code() {
                self.text.extend_from_slice(&name.text[..usize::from(name.len).min(name.text.len())]);
            }
        } else if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            event.instrument = index(&String::from_utf8_lossy(&text)).unwrap_or(Self::NOBODY);
        }
    }
}

/// A halt issued by the engine itself, at wall time `asked_ts` unless it follows from the inputs before it.
pub fn halt(reason: HaltReason, detail: u64, asked_ts: Ns) -> Event {
    let halt = Halt { reason: reason.code(), group: 0, detail, asked_ts, reserved: [0; 16] };
    let mut event = Event::new(Ns(0), 0, Flags::LAST_OF_GROUP, &halt);
    event.source = SOURCE_OPERATOR;
    event
}

/// The operator's end: sends commands to a running pipeline.
pub type CommandSender = Sender<Submission>;

/// Commands as a source of the merge.
#[derive(Default)]
pub struct Commands {
    live: Option<Receiver<Submission>>,
    scheduled: VecDeque<(Ns, Event)>,
    /// Commands that enter before any other input.
    initial: VecDeque<Event>,
    /// The engine's own command at the end of a run.
    own: Option<Submission>,
    /// The next live command, and how many of its inputs have entered.
    next: Option<(Submission, usize)>,
    kill_switch: Arc<KillSwitch>,
}

impl Commands {
    /// A source of live commands, and the sender that feeds it. `kill_switch` learns where the command of each pull stands in
    /// the sequence.
    pub fn live(kill_switch: Arc<KillSwitch>) -> (CommandSender, Commands) {
        let (sender, receiver) = channel();
        (sender, Commands { live: Some(receiver), kill_switch, ..Commands::default() })
    }

    /// Pulls `kill_switch` and submits the engine's own command for it, before those that wait.
    pub(super) fn submit(&mut self, events: Vec<Event>, kill_switch: Arc<KillSwitch>) {
        self.own = Some(Submission::new(events, Some(kill_switch.pull())));
        self.kill_switch = kill_switch;
    }

    /// Ends the intake: commands that have not entered are given up, and so are all later ones.
    pub(crate) fn close(&mut self) {
        (self.live, self.own, self.next) = (None, None, None);
    }

    /// Adds commands at set times, in non-decreasing order.
    pub fn schedule(&mut self, commands: impl IntoIterator<Item = (Ns, Event)>) {
        self.scheduled.extend(commands);
    }

    /// Adds commands that enter before any other input.
    pub fn begin_with(&mut self, commands: impl IntoIterator<Item = Event>) {
        self.initial.extend(commands);
    }

    /// Whether an initial command has yet to enter.
    pub(super) fn has_initial(&self) -> bool {
        !self.initial.is_empty()
    }

    /// Whether no command is waiting and none can arrive.
    pub(super) fn are_none(&self) -> bool {
        self.live.is_none() && self.next.is_none() && self.scheduled.is_empty() && self.initial.is_empty()
    }

    /// When the next command is due; `now` for a live one.
    #[inline]
    pub(crate) fn due(&mut self, now: Ns) -> Option<Ns> {
        if self.next.as_ref().is_none_or(|(held, _)| held.ticket.is_given_up()) {
            let mut waiting = std::iter::from_fn(|| self.own.take().or_else(|| self.live.as_ref()?.try_recv().ok()));
            self.next = waiting.find(|submission| !submission.ticket.is_given_up()).map(|submission| (submission, 0));
        }
        if self.next.is_some() {
            return Some(now);
        }
        self.scheduled.front().map(|(at, _)| *at)
    }

    /// Takes the next input of a command, which enters at once. Call only when one is due; `None` if the sender has given the
    /// command up since. It is claimed with its last input, the command itself: names without a command say nothing.
    pub(crate) fn take(&mut self) -> Option<Event> {
        if let Some(event) = self.initial.pop_front() {
            return Some(event);
        }
        let Some((submission, taken)) = &mut self.next else {
            return Some(self.scheduled.pop_front().expect("the merge chose a waiting command").1);
        };
        let is_last = *taken + 1 == submission.events.len();
        if is_last && !submission.ticket.take() {
            return None;
        }
        *taken += 1;
        Some(submission.events[*taken - 1])
    }

    /// The input just taken is stored as `seq`. After the last one of a command its sender learns it, and the kill switch if
    /// it was pulled. Returns the sources that join with it.
    pub(crate) fn on_stored(&mut self, seq: u64) -> Vec<SourceQueue> {
        let complete = |(submission, taken): &mut (Submission, usize)| *taken == submission.events.len();
        let Some((mut submission, _)) = self.next.take_if(complete) else { return Vec::new() };
        if let Some(pull) = submission.pull {
            self.kill_switch.store(pull, seq);
        }
        submission.ticket.store(seq);
        std::mem::take(&mut submission.sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submitted(to: &CommandSender) -> Arc<crate::ingress::Ticket> {
        let resume = OperatorCommand::plain(CommandAction::Resume, Asker::ENGINE).event();
        let submission = Submission::new([actor_names("ada"), vec![resume]].concat(), None);
        let ticket = submission.ticket();
        to.send(submission).expect("the receiver is alive");
        ticket
    }

    #[test]
    fn a_command_that_waits_for_room_can_still_be_given_up() {
        let (sender, mut commands) = Commands::live(Arc::default());
        let (first, second) = (submitted(&sender), submitted(&sender));
        assert_eq!(commands.due(Ns(5)), Some(Ns(5)));
        assert!(first.give_up(), "it is held, not taken");
        assert_eq!(commands.due(Ns(6)), Some(Ns(6)), "the second one");
        commands.take().expect("its name");
        commands.on_stored(1);
        assert!(second.give_up(), "its name alone is no command");
        assert_eq!((commands.take(), commands.due(Ns(7))), (None, None));
        let third = submitted(&sender);
        for seq in [2, 3] {
            commands.due(Ns(8)).expect("an input of the third one");
            commands.take().expect("it enters");
            commands.on_stored(seq);
        }
        assert_eq!((third.stored(), third.give_up()), (Some(3), false));
    }

    #[test]
    fn the_instrument_of_a_command_that_was_given_up_is_not_that_of_the_next() {
        let mut concerned = Concerned::default();
        let flatten = || OperatorCommand::plain(CommandAction::Flatten, Asker::ENGINE).event();
        let mut of = |names: Vec<Event>, then: Vec<Event>| {
            let mut last = flatten();
            for mut event in names.into_iter().chain(then) {
                concerned.put_into(&mut event, |symbol| (symbol == "AAPL").then_some(7));
                last = event;
            }
            last.instrument
        };
        assert_eq!(of([actor_names("ada"), instrument_names("AAPL")].concat(), vec![flatten()]), 7);
        of([actor_names("ada"), instrument_names("AAPL")].concat(), Vec::new());
        assert_eq!(of(actor_names("bob"), vec![flatten()]), 0, "it is about all of them");
    }

    #[test]
    fn what_is_held_when_the_run_ends_is_given_up() {
        let (sender, mut commands) = Commands::live(Arc::default());
        let held = submitted(&sender);
        commands.due(Ns(5)).expect("it is held");
        commands.close();
        assert!(held.is_given_up());
        assert_eq!(commands.due(Ns(6)), None);
    }

    #[test]
    fn a_name_of_any_length_is_whole_and_no_piece_cuts_a_character() {
        for actor in ["ada", &"ä".repeat(13), &"漢字".repeat(100), &"x".repeat(24), &"🙂".repeat(700)] {
            let names = actor_names(actor);
            let pieces = names.iter().enumerate().map(|(part, event)| {
                let name: &Name = event.record();
                assert_eq!((usize::from(name.part), usize::from(name.parts)), (part, names.len()));
                assert_eq!(name.handle, u64::from(actor_handle(actor)));
                std::str::from_utf8(&name.text[..usize::from(name.len)]).expect("whole characters").to_owned()
            });
            assert_eq!(pieces.collect::<String>(), *actor);
        }
    }
}

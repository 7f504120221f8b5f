//! An operator has a symbol watched, or watched no more, of a live input while the run goes on.
//!
//! The list in force changes by one symbol and becomes a command of its own, recorded as any other. Where the source asks a
//! venue, the answer waits for the venue's: what the venue refuses, as more symbols than a plan has room for, is taken back by a
//! second command, so that the record never says for long that something is watched which does not come. It waits on a thread of
//! its own. Bound: one change at a time, of the configuration too. Worst case: a venue that does not answer within [`VENUE`]; the
//! command stands then, and that the venue has not confirmed it is said.

use super::intake::{Intake, MOST};
use super::message::{ControlReply, ControlRequest};
use super::reloading::answered;
use crate::config::{InputSettings, Settings};
use crate::drive::Control;
use crate::ingress::{Asker, FeedStanding, FeedStatus, Submission, WatchList, actor_names, wall_now, watch};
use crate::pipeline::Answer;
use crate::run::Reloader;
use flow::Symbols;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the head may take to store the command.
const STORED: Duration = Duration::from_secs(1);
/// How long a venue may take to answer.
const VENUE: Duration = Duration::from_secs(5);
/// How long the whole may take: the pipeline says where it stands, the command is stored and answered, and taken back.
pub(super) const WATCHING: Duration = Duration::from_secs(15);

/// Where the symbols of an input that is not live are chosen.
const CONFIGURED: &str = "its symbols stand in the configuration (`watch`), and reload takes them over";

/// Whether the symbol is to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WatchAction {
    Watch,
    Unwatch,
}

impl WatchAction {
    /// The one of that name.
    pub(super) fn of(name: &str) -> Option<WatchAction> {
        [WatchAction::Watch, WatchAction::Unwatch].into_iter().find(|action| action.name() == name)
    }

    /// Its name in a request.
    pub(super) const fn name(self) -> &'static str {
        match self {
            WatchAction::Watch => "watch",
            WatchAction::Unwatch => "unwatch",
        }
    }

    /// The list that comes of one.
    fn applied(self, symbol: &str, list: &WatchList) -> Result<Symbols, String> {
        let mut after = match (self, list) {
            (WatchAction::Watch, None) => return Err("all its symbols are watched already".to_owned()),
            (WatchAction::Unwatch, None) => {
                return Err(
                    "all its symbols are watched, and from that none can be taken: name those to watch in the \
                            configuration, and reload it"
                        .to_owned(),
                );
            }
            (_, Some(list)) => list.clone(),
        };
        let changes = match self {
            WatchAction::Watch => after.insert(symbol.to_owned()),
            WatchAction::Unwatch => after.remove(symbol),
        };
        let is = if self == WatchAction::Watch { "is watched already" } else { "is not watched" };
        if changes { Ok(after) } else { Err(format!("{symbol} {is}")) }
    }
}

/// Changes what a run watches.
pub(super) struct Watcher {
    pub(super) reloader: Arc<Reloader>,
    pub(super) intake: Arc<Intake>,
    pub(super) control: Control,
}

/// A change of one list.
struct Change {
    number: u8,
    status: Arc<FeedStatus>,
    before: WatchList,
    after: WatchList,
}

impl Watcher {
    /// Carries out the request of a symbol, on behalf of `by`.
    pub(super) fn carry_out(&self, action: WatchAction, asked: &ControlRequest, by: Asker) -> ControlReply {
        let symbol = match asked.one_symbol() {
            Ok(symbol) => symbol,
            Err(bad) => return ControlReply::Refused { why: bad.to_string() },
        };
        let done = answered(&self.control).and_then(|answer| {
            self.reloader.alone(|settings| {
                let change = self.change((action, symbol), asked.input.as_deref(), settings)?;
                let room = room(action, &answer)?;
                Ok(self.enter((action, symbol, room), &change, (&asked.actor, by)))
            })
        });
        done.unwrap_or_else(|why| ControlReply::Refused { why })
    }

    /// What is to be changed.
    fn change(
        &self,
        (action, symbol): (WatchAction, &str),
        input: Option<&str>,
        settings: &Settings,
    ) -> Result<Change, String> {
        let number = live_input(&settings.inputs, input)?;
        let status = self.control.feeds.all().into_iter().find(|status| status.id == number);
        let status = status.ok_or("the input has not joined yet: ask again")?;
        if matches!(status.standing(), FeedStanding::Ended | FeedStanding::Failed) {
            return Err(format!(
                "nothing more comes of input {number}, {}: it has {}",
                status.name,
                status.standing().name()
            ));
        }
        let before = status.watched();
        let after = action.applied(symbol, &before).map_err(|why| format!("input {number}, {}: {why}", status.name))?;
        Ok(Change { number, status, before, after: Some(after) })
    }

    /// Has the change enter, and waits for what the venue makes of it.
    fn enter(
        &self,
        (action, symbol, room): (WatchAction, &str, u32),
        change: &Change,
        (actor, by): (&str, Asker),
    ) -> ControlReply {
        let Change { number, status, before, after } = change;
        let answer = status.watch_answer();
        answer.into_iter().for_each(|answer| answer.forget());
        let stored = self.submit([actor_names(actor), watch(*number, after, by)].concat());
        let seq = match stored {
            Ok(seq) => seq,
            Err(reply) => return reply,
        };
        let said = answer.map(|answer| within(VENUE, || answer.of(after)));
        match said {
            None | Some(Some(Ok(()))) => {
                let (input, symbols) = (status.name.clone(), after.clone().unwrap_or_default());
                ControlReply::Watching { seq, number: *number, input, symbol: symbol.to_owned(), symbols, room }
            }
            Some(Some(Err(why))) => self.take_back(action, symbol, (*number, before), why),
            Some(None) => {
                let why = format!(
                    "it is stored as input {seq}, and {} has not confirmed it within {} s; it is asked for again with every \
                     connection",
                    status.name,
                    VENUE.as_secs()
                );
                ControlReply::NotKnown { why }
            }
        }
    }

    /// The venue has refused: the list is again what it was.
    fn take_back(
        &self,
        action: WatchAction,
        symbol: &str,
        (number, before): (u8, &WatchList),
        why: String,
    ) -> ControlReply {
        let by = Asker { asked_ts: wall_now(), ..Asker::ENGINE };
        let was = if action == WatchAction::Watch { "is not watched" } else { "is watched" };
        match self.submit(watch(number, before, by)) {
            Ok(seq) => ControlReply::Refused { why: format!("{why}. {symbol} {was}, as before (input {seq})") },
            Err(_) => ControlReply::NotKnown { why: format!("{why}. That was not taken back: ask once more") },
        }
    }

    /// Hands a command over and waits until it is stored.
    fn submit(&self, events: Vec<flow::Event>) -> Result<u64, ControlReply> {
        let full = || ControlReply::NotCarriedOut { why: format!("{MOST} commands wait for the engine already") };
        let ticket = self.intake.command(Submission::new(events, None)).ok_or_else(full)?.ticket;
        let stored = within(STORED, || ticket.stored().map(Some).or(ticket.is_given_up().then_some(None)));
        match stored.flatten() {
            Some(seq) => Ok(seq),
            None if ticket.give_up() => {
                Err(ControlReply::NotCarriedOut { why: "the engine had no room for it within a second".to_owned() })
            }
            None => Err(ControlReply::NotKnown { why: "the engine has it, and has not stored it yet".to_owned() }),
        }
    }
}

/// The number of the live input that is meant: by its number, or by the name of its feed.
fn live_input(inputs: &[InputSettings], meant: Option<&str>) -> Result<u8, String> {
    let all: Vec<(u8, &InputSettings)> = (1..).zip(inputs).collect();
    let is_meant = |(number, input): &&(u8, &InputSettings)| match meant {
        Some(text) => text.parse() == Ok(*number) || text == input.feed.name || text == input.key,
        None => input.feed.is_live(),
    };
    let names = || {
        let named = all.iter().map(|(number, input)| format!("{number} ({})", input.feed.name));
        named.collect::<Vec<_>>().join(", ")
    };
    match all.iter().filter(is_meant).collect::<Vec<_>>()[..] {
        [(number, input)] if input.feed.is_live() => Ok(*number),
        [(number, input)] => {
            Err(format!("input {number} is of the feed {}, which is not live: {CONFIGURED}", input.feed.name))
        }
        [] if meant.is_none() => Err(format!("no input is live: {CONFIGURED}; inputs: {}", names())),
        [] => Err(format!("there is no input {:?}; inputs: {}", meant.unwrap_or_default(), names())),
        _ => Err(format!("several inputs are meant: name one by its number, --input 2; inputs: {}", names())),
    }
}

/// How many more instruments the pipeline has room for, whose bound was set at the start.
///
/// # Errors
/// When one more is wanted and there is no room.
fn room(action: WatchAction, answer: &Answer) -> Result<u32, String> {
    let [there, most] = answer.head.instruments;
    if action == WatchAction::Watch && there >= most {
        return Err(format!(
            "there are {there} instruments, and pipeline.max_instruments has room for no more; that needs a restart"
        ));
    }
    Ok(most.saturating_sub(there))
}

/// What this gives, as soon as it gives something.
fn within<T>(time: Duration, mut of: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        let found = of();
        if found.is_some() || begun.elapsed() >= time {
            return found;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(symbols: &[&str]) -> WatchList {
        Some(symbols.iter().map(|symbol| (*symbol).to_owned()).collect())
    }

    #[test]
    fn a_list_changes_by_one_symbol_or_a_sentence_says_why_not() {
        let cases = [
            (WatchAction::Watch, list(&["A"]), Ok(list(&["A", "B"]))),
            (WatchAction::Watch, list(&["B"]), Err("B is watched already")),
            (WatchAction::Watch, None, Err("all its symbols are watched already")),
            (WatchAction::Unwatch, list(&["A", "B"]), Ok(list(&["A"]))),
            (WatchAction::Unwatch, list(&["B"]), Ok(list(&[]))),
            (WatchAction::Unwatch, list(&["A"]), Err("B is not watched")),
            (WatchAction::Unwatch, None, Err("all its symbols are watched, and from that none")),
        ];
        for (action, before, expected) in cases {
            match (action.applied("B", &before), expected) {
                (Ok(after), Ok(expected)) => assert_eq!(Some(after), expected),
                (Err(why), Err(expected)) => assert!(why.starts_with(expected), "{why}"),
                (found, expected) => panic!("{action:?} {before:?}: {found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn a_command_needs_room_for_an_instrument_only_where_one_is_added() {
        let mut answer = Answer::default();
        answer.head.instruments = [3, 4];
        assert_eq!(room(WatchAction::Watch, &answer), Ok(1));
        answer.head.instruments = [4, 4];
        assert!(room(WatchAction::Watch, &answer).is_err_and(|why| why.contains("there are 4 instruments")));
        assert_eq!(room(WatchAction::Unwatch, &answer), Ok(0));
    }
}

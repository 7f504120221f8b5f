//! Requests and replies on the control socket.

use crate::config::one_of;
use crate::ingress::{Asker, OperatorCommand};
use flow::records::Name;
use flow::{CommandAction, Event, Flags, NameSpace, Ns, SOURCE_OPERATOR};
use serde::{Deserialize, Serialize};
use stages::risk::CHECKS;
use xxhash_rust::xxh3::xxh3_64;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlRequest {
    /// `halt`, `resume`, `cancel-all` or `set-limit`; or `status`, which is not a command.
    pub action: String,
    /// Name of the operator.
    pub actor: String,
    /// Name of the check whose limit to set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The limit in force now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// The new limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
}

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlReply {
    /// Whether the ingress received the command.
    pub entered: bool,
    /// The reason, if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Why a request is not a valid command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a {what}; {valid}")]
pub struct BadCommand {
    what: &'static str,
    found: String,
    valid: String,
}

impl ControlRequest {
    /// A request without further fields.
    pub fn plain(action: &str, actor: &str) -> ControlRequest {
        ControlRequest { action: action.to_owned(), actor: actor.to_owned(), check: None, from: None, to: None }
    }

    /// The inputs of the command: the actor's name, then the command from user `uid` at wall time `asked_ts`.
    ///
    /// # Errors
    /// When the action or the check does not exist, or a limit is missing.
    pub fn events(&self, uid: u32, asked_ts: Ns) -> Result<[Event; 2], BadCommand> {
        let engines = |a: CommandAction| matches!(a, CommandAction::SkipCounters | CommandAction::CarriedOver);
        let action = CommandAction::ALL.iter().copied().find(|a| a.name() == self.action && !engines(*a));
        let action = action.ok_or_else(|| BadCommand {
            what: "command",
            found: self.action.clone(),
            valid: one_of(&self.action, ["halt", "resume", "cancel-all", "set-limit"]),
        })?;
        let actor = xxh3_64(self.actor.as_bytes()) as u32;
        let mut order = OperatorCommand::plain(action, Asker { actor, uid, asked_ts });
        if action == CommandAction::SetLimit {
            order.target = self.check_number()?;
            let value = |given: Option<i64>, what| {
                given.ok_or(BadCommand {
                    what,
                    found: "nothing".to_owned(),
                    valid: "valid: an integer in the check's unit".to_owned(),
                })
            };
            order.old = value(self.from, "limit in force now")?;
            order.new = value(self.to, "new limit")?;
        }
        Ok([named(actor, &self.actor), order.event()])
    }

    fn check_number(&self) -> Result<u32, BadCommand> {
        let name = self.check.clone().unwrap_or_default();
        let entry = CHECKS.iter().find(|entry| entry.name == name && entry.limit.is_some());
        entry.map(|l| u32::from(l.number)).ok_or_else(|| {
            let names = CHECKS.iter().filter(|l| l.limit.is_some()).map(|l| l.name);
            BadCommand { what: "check with a limit", valid: one_of(&name, names), found: name }
        })
    }
}

/// The `name` event of a handle; longer names are cut to one piece.
fn named(handle: u32, actor: &str) -> Event {
    let mut name = Name { handle: handle.into(), space: NameSpace::Actor.code(), parts: 1, ..Name::default() };
    let len = actor.len().min(name.text.len());
    name.text[..len].copy_from_slice(&actor.as_bytes()[..len]);
    name.len = len as u8;
    let mut event = Event::new(Ns(0), 0, Flags::NONE, &name);
    event.source = SOURCE_OPERATOR;
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::Command;

    fn asked(action: &str) -> ControlRequest {
        ControlRequest::plain(action, "ada")
    }

    #[test]
    fn a_limit_names_check_old_and_new() {
        let limit =
            ControlRequest { check: Some("max-notional".to_owned()), from: Some(1), to: Some(2), ..asked("set-limit") };
        let [name, command] = limit.events(1000, Ns(7)).unwrap();
        let command: &Command = command.record();
        assert_eq!((command.action, command.target, command.old, command.new), (4, 4, 1, 2));
        assert_eq!((command.uid, command.asked_ts), (1000, Ns(7)));
        assert_eq!(name.record::<Name>().handle, u64::from(command.actor));
    }

    #[test]
    fn what_is_no_command_says_what_would_be() {
        let events = |action| asked(action).events(Command::NO_UID, Ns::NONE);
        assert!(events("stop").unwrap_err().to_string().contains("valid: halt, resume"));
        assert!(events("set-limit").unwrap_err().to_string().contains("max-quantity"));
        assert!(events("skip-counters").is_err(), "the engine's own");
    }
}

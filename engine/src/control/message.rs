//! Requests and replies on the control socket.

use super::parameter::{self, Parameter};
use crate::config::one_of;
use crate::ingress::{Asker, OperatorCommand, WatchList, actor_handle, actor_names, instrument_names, param_names};
use flow::{CommandAction, Event, Ns, Symbols};
use serde::{Deserialize, Serialize};
use stages::Instances;
use stages::risk::{CHECKS, LIMIT, LimitTarget, check_name};
use std::fmt;
use std::path::PathBuf;

/// The action that asks to read the configuration again.
pub(super) const RELOAD: &str = "reload";
/// The action that asks to begin a new journal.
pub(super) const ROLL: &str = "roll";
/// The action that asks for what is kept under a key.
pub(super) const LAST: &str = "last";

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlRequest {
    /// `halt`, `resume`, `cancel-all`, `set-limit`, `set-param`, `trust` or `flatten`; or `reload`, `watch`, `unwatch`,
    /// `roll`, `get`, `last` or `status`, which are no commands of the risk stage.
    pub action: String,
    /// Name of the operator.
    pub actor: String,
    /// Name of the check whose limit to set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The table of limits that has it, by its number; none = the section `risk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<u16>,
    /// The limit in force now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// The new limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// The parameter to set: name of the instance, dot, name of the parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// Its value now, as in a configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// Its new value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The instrument to trust, to flatten or to set a parameter of: its symbol, or `SYMBOL@MIC`; none = all. The symbol to watch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// The input of which a symbol is to be watched: its number, or the name of its feed; none = the one that is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The file to read in place of the configuration; none = the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The key of the last values to show: `AAPL/top`, `system/halt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The account to flatten; none = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<u8>,
    /// Name of the strategy to flatten; none = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ControlReply {
    /// The command is stored and in force.
    Applied {
        /// Its number in the sequence.
        seq: u64,
        /// The value before; for a halt and a resume 1 is halted.
        old: i64,
        /// The value in force now.
        new: i64,
        /// When the value of a parameter takes effect, if not at once: `next bar`, `next session`.
        waits_for: Option<String>,
    },
    /// The gateway has carried it out beside the pipeline, which has not finished it yet.
    InForce {
        /// Its number in the sequence, if it is stored.
        seq: Option<u64>,
    },
    /// The configuration was read again.
    Reloaded {
        /// Number of the command by which inputs joined; none if none was added.
        seq: Option<u64>,
        /// The parameters and limits that were set.
        set: Vec<SetValue>,
        /// The inputs that joined.
        added: Vec<AddedInput>,
        /// The inputs of which other symbols are watched.
        watched: Vec<WatchedInput>,
    },
    /// A symbol of an input is watched, or watched no more.
    Watching {
        /// Number of the command.
        seq: u64,
        /// Number of the input.
        number: u8,
        /// Its name.
        input: String,
        /// The symbol.
        symbol: String,
        /// All that are watched of it now.
        symbols: Symbols,
        /// How many more instruments the pipeline had room for before.
        room: u32,
    },
    /// The run goes on in a new journal.
    Rolled {
        /// The last input of the one before.
        after: u64,
    },
    /// It changes nothing.
    Refused {
        /// The reason.
        why: String,
    },
    /// It has not entered and never will.
    NotCarriedOut {
        /// The reason.
        why: String,
    },
    /// Whether it is or will be in force is not known.
    NotKnown {
        /// How far it came.
        why: String,
    },
    /// Too many clients: it was not read.
    Busy,
}

/// A parameter or a limit that was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetValue {
    /// Its key: `mom-fast.qty`, `risk.max_notional`, `limit[2].max_position`.
    pub key: String,
    /// The symbol that has it of its own; absent = all that have none.
    pub symbol: Option<String>,
    /// The value before.
    pub from: String,
    /// The value now.
    pub to: String,
    /// Number of its command.
    pub seq: u64,
}

impl SetValue {
    /// Its key, and of which symbol.
    pub(super) fn name(&self) -> String {
        self.symbol.as_ref().map_or_else(|| self.key.clone(), |symbol| format!("{} of {symbol}", self.key))
    }
}

impl fmt::Display for SetValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, before it was {} (input {})", self.name(), self.to, self.from, self.seq)
    }
}

/// An input that has joined a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedInput {
    /// Number of its source.
    pub number: u8,
    /// Its name.
    pub name: String,
}

/// The symbols that are watched of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchedInput {
    /// Number of its source.
    pub number: u8,
    /// The symbols; absent = all.
    pub symbols: WatchList,
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
    /// Sets what has this key in a configuration: a limit of the gate, or a parameter of a strategy.
    pub fn set(actor: &str, key: &str, from: &str, to: &str, symbol: Option<&str>) -> ControlRequest {
        let mut asked =
            ControlRequest { symbol: symbol.map(str::to_owned), ..ControlRequest::plain("set-param", actor) };
        let number = |text: &str| text.replace('_', "").parse().ok();
        if let Some(LimitTarget { table, check }) = LimitTarget::named(key) {
            asked.action = CommandAction::SetLimit.name().to_owned();
            (asked.check, asked.table) = (Some(check_name(check).to_owned()), Some(table).filter(|table| *table > 0));
            (asked.from, asked.to) = (number(from), number(to));
        } else {
            asked.param = Some(key.to_owned());
            (asked.was, asked.value) = (Some(from.to_owned()), Some(to.to_owned()));
        }
        asked
    }

    /// A request without further fields.
    pub fn plain(action: &str, actor: &str) -> ControlRequest {
        ControlRequest { action: action.to_owned(), actor: actor.to_owned(), ..ControlRequest::default() }
    }

    /// The action, if it is one that an operator may command.
    pub fn command(&self) -> Option<CommandAction> {
        use CommandAction::{CarriedOver, Reload, SkipCounters, Watch};
        let engines = |a: CommandAction| matches!(a, SkipCounters | CarriedOver | Reload | Watch);
        CommandAction::ALL.iter().copied().find(|a| a.name() == self.action && !engines(*a))
    }

    /// The inputs of the command in a pipeline with these instances: the pieces of the actor's name, then the command from user `uid` at wall time `asked_ts`.
    ///
    /// # Errors
    /// When the actor has no proper name, the action or the check does not exist, or a limit is missing.
    pub fn events(&self, names: &Instances, uid: u32, asked_ts: Ns) -> Result<Vec<Event>, BadCommand> {
        let action = self.command().ok_or_else(|| BadCommand {
            what: "command",
            found: self.action.clone(),
            valid: one_of(
                &self.action,
                [
                    "halt",
                    "resume",
                    "cancel-all",
                    "set-limit",
                    "set-param",
                    "trust",
                    "flatten",
                    RELOAD,
                    ROLL,
                    "watch",
                    "unwatch",
                ],
            ),
        })?;
        let by = self.asker(uid, asked_ts)?;
        let mut order = OperatorCommand::plain(action, by);
        if action == CommandAction::SetLimit {
            order.target = LimitTarget { table: self.table_number(names)?, check: self.check_number()? }.code();
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
        let mut events = actor_names(&self.actor);
        match action {
            CommandAction::Trust => {}
            CommandAction::SetParam => {
                let (target, was, value) = self.param(names)?;
                (order.target, order.old, order.new) = (target, was, value);
                events.extend(param_names(self.param.as_deref().unwrap_or_default(), target));
            }
            CommandAction::Flatten => {
                order.target = u32::from(self.account.unwrap_or(0)) << 16 | self.strategy_number(names)?
            }
            _ if self.symbol.is_some() => return Err(self.without_symbol()),
            _ => {}
        }
        if self.symbol.is_some() {
            events.extend(instrument_names(self.one_symbol()?));
        }
        events.push(order.event());
        Ok(events)
    }

    /// The symbol.
    ///
    /// # Errors
    /// When there is none, or it is no text that one may have.
    pub fn one_symbol(&self) -> Result<&str, BadCommand> {
        let symbol = self.symbol.as_deref().unwrap_or_default();
        if symbol.trim().is_empty() || symbol.chars().any(char::is_control) {
            let valid = "valid: a symbol, or SYMBOL@MIC where several venues have it".to_owned();
            return Err(BadCommand { what: "symbol", found: symbol.to_owned(), valid });
        }
        Ok(symbol.trim())
    }

    /// Who asks.
    ///
    /// # Errors
    /// When the actor has no proper name.
    pub fn asker(&self, uid: u32, asked_ts: Ns) -> Result<Asker, BadCommand> {
        if self.actor.trim().is_empty() || self.actor.chars().any(char::is_control) {
            let valid = "valid: a text without control characters, not empty".to_owned();
            return Err(BadCommand { what: "name of an operator", found: self.actor.clone(), valid });
        }
        Ok(Asker { actor: actor_handle(&self.actor), uid, asked_ts })
    }

    /// The target of a command that sets a parameter, its value now and the new one.
    fn param(&self, names: &Instances) -> Result<(u32, i64, i64), BadCommand> {
        let key = self.param.clone().unwrap_or_default();
        let Some(parameter) = Parameter::named(names, &key) else {
            let keys = parameter::keys(names);
            let valid = one_of(&key, keys.iter().map(String::as_str));
            return Err(BadCommand { what: "parameter that can be set while it runs", found: key, valid });
        };
        if self.symbol.is_some() && !parameter.param.per_symbol {
            return Err(self.without_symbol());
        }
        let bits = |text: &Option<String>, what| {
            let found = text.clone().unwrap_or_default();
            let bits = parameter.bits(&found);
            bits.ok_or_else(|| BadCommand { what, found, valid: parameter.param.valid() })
        };
        Ok((parameter.target, bits(&self.was, "value now")?, bits(&self.value, "new value")?))
    }

    fn without_symbol(&self) -> BadCommand {
        let valid = "valid: trust, flatten".to_owned();
        BadCommand { what: "command for one symbol", found: self.action.clone(), valid }
    }

    fn strategy_number(&self, names: &Instances) -> Result<u32, BadCommand> {
        let Some(name) = &self.strategy else { return Ok(0) };
        names.strategy_number(name).map(|number| u32::from(number.0)).ok_or_else(|| BadCommand {
            what: "strategy",
            found: name.clone(),
            valid: one_of(name, names.strategy_names()),
        })
    }

    fn table_number(&self, names: &Instances) -> Result<u16, BadCommand> {
        let Some(table) = self.table else { return Ok(0) };
        let scope = |number: u16| Some(format!("{LIMIT}[{number}] for {}", names.limit(number)?));
        if scope(table).is_some() {
            return Ok(table);
        }
        let valid = match (1..).map_while(scope).collect::<Vec<_>>() {
            none if none.is_empty() => "the configuration has none, and a new one needs a restart".to_owned(),
            some => format!("valid: {}; a new one needs a restart", some.join("; ")),
        };
        Err(BadCommand { what: "table of limits", found: format!("{LIMIT}[{table}]"), valid })
    }

    fn check_number(&self) -> Result<u16, BadCommand> {
        let name = self.check.clone().unwrap_or_default();
        let entry = CHECKS.iter().find(|entry| entry.name == name && entry.limit.is_some());
        entry.map(|l| l.number).ok_or_else(|| {
            let names = CHECKS.iter().filter(|l| l.limit.is_some()).map(|l| l.name);
            BadCommand { what: "check with a limit", valid: one_of(&name, names), found: name }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::{Command, Name};

    fn asked(action: &str) -> ControlRequest {
        ControlRequest::plain(action, "ada")
    }

    #[test]
    fn a_limit_names_check_old_and_new() {
        let limit =
            ControlRequest { check: Some("max-notional".to_owned()), from: Some(1), to: Some(2), ..asked("set-limit") };
        let [name, command] = limit.events(&Instances::default(), 1000, Ns(7)).unwrap()[..] else {
            panic!("a name and a command")
        };
        let command: &Command = command.record();
        assert_eq!((command.action, command.target, command.old, command.new), (4, 4, 1, 2));
        assert_eq!((command.uid, command.asked_ts), (1000, Ns(7)));
        assert_eq!(name.record::<Name>().handle, u64::from(command.actor));
    }

    #[test]
    fn what_is_no_command_says_what_would_be() {
        let events = |action| asked(action).events(&Instances::default(), Command::NO_UID, Ns::NONE);
        assert!(events("stop").unwrap_err().to_string().contains("valid: halt, resume"));
        assert!(events("set-limit").unwrap_err().to_string().contains("max-quantity"));
        assert!(events("skip-counters").is_err(), "the engine's own");
    }

    #[test]
    fn nobody_commands_without_a_name() {
        for actor in ["", "  ", "a\nb", "a\u{1b}[2J"] {
            let fault =
                ControlRequest::plain("halt", actor).events(&Instances::default(), 0, Ns(1)).unwrap_err().to_string();
            assert!(fault.contains("is not a name of an operator") && !fault.contains(char::is_control), "{fault:?}");
        }
    }
}

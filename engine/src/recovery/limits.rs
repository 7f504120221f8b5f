//! Carries limits that were set by commands over to a new journal.
//!
//! The commands of the old journal are applied to the limits of its configuration, as [`stages::risk`] did: none is set above
//! its ceiling, or above its configured value without one. A limit that then differs from that configuration is set again at the start of the new journal, under the name of the operator who
//! set it, by a command whose old value is the new configuration's. Where the new configuration changes a limit itself, or
//! has a lower ceiling, the new configuration wins. Bound: one limit per check.

use super::actors::Actors;
use super::changed::Changed;
use crate::config::Settings;
use crate::ingress::{Asker, OperatorCommand};
use flow::records::Command;
use flow::{CommandAction, Event, Params, Value};
use stages::risk::{CEILINGS, CHECKS, CheckEntry, check};
use std::collections::BTreeMap;

/// A limit: configured, the most that a command may set, and current.
#[derive(Clone, Copy)]
struct Limit {
    configured: i64,
    most: i64,
    now: i64,
    by: Asker,
}

/// Limits by check number.
#[derive(Default)]
pub(super) struct Limits(BTreeMap<u16, Limit>);

impl Limits {
    /// The limits in this configuration text. A limit that it does not set is unknown.
    pub(super) fn of(config: &str) -> Limits {
        let table = config.parse::<toml::Table>().unwrap_or_default();
        let risk = table.get("risk");
        let limit = |entry: &CheckEntry| {
            let configured = risk?.get(entry.limit?.name())?.as_integer()?;
            let ceiling = risk?.get(CEILINGS.name()).and_then(|ceilings| ceilings.get(entry.name)?.as_integer());
            let most = ceiling.unwrap_or(configured);
            Some((entry.number, Limit { configured, most, now: configured, by: Asker::ENGINE }))
        };
        Limits(CHECKS.iter().filter_map(limit).collect())
    }

    /// Applies an input of the old journal.
    pub(super) fn input(&mut self, input: &Event) {
        let Some(command) = input.get::<Command>() else { return };
        let is_set = command.action == CommandAction::SetLimit.code();
        let Some(number) = u16::try_from(command.target).ok().filter(|_| is_set) else { return };
        if let Some(limit) = self.0.get_mut(&number)
            && limit.now == command.old
            && (0..=limit.most).contains(&command.new)
        {
            let Command { actor, uid, asked_ts, .. } = *command;
            (limit.now, limit.by) = (command.new, Asker { actor, uid, asked_ts });
        }
    }

    /// The commands that set the limits again in a pipeline with `settings`, each behind the name of its operator.
    pub(super) fn commands(&self, settings: &Settings, actors: &Actors) -> Vec<Event> {
        let mut commands = Vec::new();
        for (number, limit) in &self.0 {
            let Some(entry) = check(*number) else { continue };
            let Some((configured, most)) = now_configured(entry, &settings.stages["risk"]) else { continue };
            if configured != limit.configured || limit.now == configured || limit.now > most {
                continue;
            }
            commands.extend(actors.name(limit.by.actor));
            let command = OperatorCommand::plain(CommandAction::SetLimit, limit.by);
            let command = OperatorCommand { target: (*number).into(), old: configured, new: limit.now, ..command };
            commands.push(command.event());
        }
        commands
    }

    /// Gives `settings` the limits with which the journal was started, where they have the ones in force at its end.
    ///
    /// # Errors
    /// When a limit is neither of them.
    pub(super) fn restore(&self, settings: &mut Settings) -> Result<(), Changed> {
        for (number, limit) in &self.0 {
            let Some((entry, name)) = check(*number).and_then(|entry| Some((entry, entry.limit?))) else { continue };
            let risk = settings.stages.get_mut("risk").expect("every entry has its section");
            let Some((found, _)) = now_configured(entry, risk) else { continue };
            if found == limit.configured || limit.now == limit.configured {
                continue;
            }
            if found != limit.now {
                let [started, in_force, found] = [limit.configured, limit.now, found].map(|limit| limit.to_string());
                return Err(Changed::Value { key: format!("risk.{}", name.name()), started, in_force, found });
            }
            risk.set(&name.param(), Value::Int(limit.configured.unsigned_abs()));
        }
        Ok(())
    }
}

/// The check's limit as configured, and the most that a command may set.
fn now_configured(entry: &CheckEntry, risk: &Params) -> Option<(i64, i64)> {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let configured = number(risk.get(entry.limit?));
    Some((configured, risk.get(CEILINGS).get(entry.name).map_or(configured, |ceiling| number(*ceiling))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::Name;

    const ADA: Asker = Asker { actor: 5, uid: 1000, asked_ts: flow::Ns(7) };

    fn set(target: u32, old: i64, new: i64) -> Event {
        OperatorCommand { target, old, new, ..OperatorCommand::plain(CommandAction::SetLimit, ADA) }.event()
    }

    fn limits_set(commands: &[Event]) -> Vec<(u32, i64, i64, Asker)> {
        let by = |c: &Command| Asker { actor: c.actor, uid: c.uid, asked_ts: c.asked_ts };
        commands.iter().filter_map(|e| e.get::<Command>()).map(|c| (c.target, c.old, c.new, by(c))).collect()
    }

    #[test]
    fn the_last_limit_in_force_is_set_again() {
        let mut settings = Settings::default();
        settings.set("risk.ceilings=position=60000").expect("a ceiling");
        let mut limits = Limits::of(&settings.to_toml());
        let name = Name { handle: 5, space: 3, ..Name::default() };
        let mut name = Event::new(flow::Ns(0), 0, flow::Flags::NONE, &name);
        name.source = flow::SOURCE_OPERATOR;
        let mut actors = Actors::default();
        actors.input(&name);
        for command in [
            set(3, 10_000, 500),
            set(3, 10_000, 600),
            set(3, 500, 700),
            set(6, 50_000, -1),
            set(6, 50_000, i64::MAX),
            set(6, 50_000, 60_001),
            set(6, 50_000, 60_000),
            set(4, 250_000, 250_001),
            set(7, 1_000, 5),
            set(7, 5, 1_000),
            set(11, 0, 5),
            set(80, 0, 5),
        ] {
            limits.input(&command);
        }
        let commands = limits.commands(&settings, &actors);
        assert_eq!(
            limits_set(&commands),
            [(3, 10_000, 700, ADA), (6, 50_000, 60_000, ADA)],
            "not: overtaken, out of range, above the ceiling or the configuration, set back, without a limit"
        );
        assert_eq!((commands.len(), commands[0]), (4, name), "the operator's name comes first");
        settings.set("risk.ceilings=position=55000").expect("a ceiling");
        assert_eq!(
            limits_set(&limits.commands(&settings, &actors)),
            [(3, 10_000, 700, ADA)],
            "not above the new ceiling"
        );
    }

    #[test]
    fn the_new_configuration_wins_where_it_changes_a_limit() {
        let mut old = Settings::default();
        old.set("risk.ceilings=position=60000").expect("a ceiling");
        let mut limits = Limits::of(&old.to_toml());
        limits.input(&set(3, 10_000, 500));
        limits.input(&set(6, 50_000, 60_000));
        let mut new = old.clone();
        new.set("risk.max_quantity=800").expect("a limit");
        assert_eq!(limits_set(&limits.commands(&new, &Actors::default())), [(6, 50_000, 60_000, ADA)]);
        assert!(Limits::of("").commands(&old, &Actors::default()).is_empty(), "a configuration without limits");
    }
}

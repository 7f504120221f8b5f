//! Carries limits that were set by commands over to a new journal.
//!
//! The commands of the old journal are applied to the limits of its configuration, as [`stages::risk`] did: none is set above
//! its ceiling, or above its configured value without one. A limit that then differs from that configuration is set again at the start of the new journal, under the name of the operator who
//! set it, by a command whose old value is the new configuration's. Where the new configuration changes a limit itself, or
//! has a lower ceiling, the new configuration wins. Bound: one limit per check.

use crate::config::Settings;
use crate::ingress::{Asker, OperatorCommand};
use flow::records::{Command, Name};
use flow::{CommandAction, Event, NameSpace, Params};
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

/// Limits by check number, and the operators who issued commands.
#[derive(Default)]
pub(super) struct Limits {
    limits: BTreeMap<u16, Limit>,
    /// The pieces of the operators' names.
    actors: BTreeMap<u32, Vec<Event>>,
}

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
        Limits { limits: CHECKS.iter().filter_map(limit).collect(), actors: BTreeMap::new() }
    }

    /// Applies an input of the old journal.
    pub(super) fn input(&mut self, input: &Event) {
        if let Some(name) = input.get::<Name>().filter(|name| name.space == NameSpace::Actor.code())
            && let Ok(handle) = u32::try_from(name.handle)
        {
            let pieces = self.actors.entry(handle).or_default();
            pieces.truncate(name.part.into());
            pieces.push(*input);
        }
        let Some(command) = input.get::<Command>() else { return };
        let is_set = command.action == CommandAction::SetLimit.code();
        let Some(number) = u16::try_from(command.target).ok().filter(|_| is_set) else { return };
        if let Some(limit) = self.limits.get_mut(&number)
            && limit.now == command.old
            && (0..=limit.most).contains(&command.new)
        {
            let Command { actor, uid, asked_ts, .. } = *command;
            (limit.now, limit.by) = (command.new, Asker { actor, uid, asked_ts });
        }
    }

    /// The commands that set the limits again in a pipeline with `settings`.
    pub(super) fn commands(&self, settings: &Settings) -> Vec<Event> {
        let mut commands = Vec::new();
        for (number, limit) in &self.limits {
            let Some(entry) = check(*number) else { continue };
            let Some((configured, most)) = now_configured(entry, &settings.stages["risk"]) else { continue };
            if configured != limit.configured || limit.now == configured || limit.now > most {
                continue;
            }
            commands.extend(self.actors.get(&limit.by.actor).into_iter().flatten());
            let command = OperatorCommand::plain(CommandAction::SetLimit, limit.by);
            let command = OperatorCommand { target: (*number).into(), old: configured, new: limit.now, ..command };
            commands.push(command.event());
        }
        commands
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
        let mut name = Event::new(flow::Ns(0), 0, flow::Flags::NONE, &Name { handle: 5, space: 3, ..Name::default() });
        name.source = flow::SOURCE_OPERATOR;
        limits.input(&name);
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
        let commands = limits.commands(&settings);
        assert_eq!(
            limits_set(&commands),
            [(3, 10_000, 700, ADA), (6, 50_000, 60_000, ADA)],
            "not: overtaken, out of range, above the ceiling or the configuration, set back, without a limit"
        );
        assert_eq!((commands.len(), commands[0]), (4, name), "the operator's name comes first");
        settings.set("risk.ceilings=position=55000").expect("a ceiling");
        assert_eq!(limits_set(&limits.commands(&settings)), [(3, 10_000, 700, ADA)], "not above the new ceiling");
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
        assert_eq!(limits_set(&limits.commands(&new)), [(6, 50_000, 60_000, ADA)]);
        assert!(Limits::of("").commands(&old).is_empty(), "a configuration without limits");
    }
}

//! Carries limits that were set by commands over to a new journal.
//!
//! The commands of the old journal are applied to the limits of its configuration, as [`stages::risk`] did: none is set above
//! its ceiling, or above its configured value without one. A limit that then differs from that configuration is set again at the start of the new journal, under the name of the operator who
//! set it, by a command whose old value is the new configuration's. Where the new configuration changes a limit itself, or
//! has a lower ceiling, the new configuration wins. A table of limits is the same in another configuration if it is for the
//! same orders, whatever its number; what belongs to a table that is gone is left out. Bound: one limit per check and table.

use super::actors::Actors;
use super::changed::Changed;
use super::past::Past;
use super::snapshot_error::SnapshotError;
use crate::config::{Draft, Settings};
use crate::ingress::{Asker, OperatorCommand};
use crate::registries::Registries;
use flow::records::Command;
use flow::{CommandAction, Event, Params, Value};
use sinks::journal::Home;
use stages::risk::{CEILINGS, CHECKS, CheckEntry, LimitTarget, TableLimit, WrittenScope, check, table_limits};
use std::path::Path;

/// A limit: which one, configured, the most that a command may set, and current.
struct Limit {
    target: LimitTarget,
    /// What its table is for; none of a limit of the section.
    scope: Option<WrittenScope>,
    configured: i64,
    most: i64,
    now: i64,
    by: Asker,
}

/// A limit as a configuration has it.
struct Configured {
    target: LimitTarget,
    limit: i64,
    most: i64,
}

/// A limit as it is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitNow {
    /// Which one.
    pub(crate) target: LimitTarget,
    /// Its value, in the check's unit.
    pub(crate) limit: i64,
    /// The most that a command may set.
    pub(crate) ceiling: i64,
}

/// The limits, those of the section before those of the tables.
#[derive(Default)]
pub(crate) struct Limits(Vec<Limit>);

impl Limits {
    /// The limits in this configuration text. A limit that it does not set is unknown.
    pub(crate) fn of(config: &str) -> Limits {
        let root = config.parse::<toml::Table>().unwrap_or_default();
        let risk = root.get("risk");
        let of_section = |entry: &CheckEntry| {
            let configured = risk?.get(entry.limit?.name())?.as_integer()?;
            let ceiling = risk?.get(CEILINGS.name()).and_then(|ceilings| ceilings.get(entry.name)?.as_integer());
            let (target, most) = (LimitTarget { table: 0, check: entry.number }, ceiling.unwrap_or(configured));
            Some(Limit { target, scope: None, configured, most, now: configured, by: Asker::ENGINE })
        };
        let of_table = |of: TableLimit| {
            let (target, scope) = (LimitTarget { table: of.table, check: of.check.number }, Some(of.scope));
            Limit { target, scope, configured: of.limit, most: of.ceiling, now: of.limit, by: Asker::ENGINE }
        };
        let tables = Draft::recorded(config, Path::new("journal.toml"), &Registries::default()).settings.limits;
        Limits(CHECKS.iter().filter_map(of_section).chain(table_limits(&tables).into_iter().map(of_table)).collect())
    }

    /// Those in force where the current journal of a run begins.
    ///
    /// # Errors
    /// When what the journals before it hold cannot be read.
    pub(crate) fn at_beginning(home: &Home) -> Result<Limits, SnapshotError> {
        let current = home.current();
        let mut limits = Limits::of(&current.info.config_text);
        let past = Past::of(home.journals())?;
        past.inputs.iter().for_each(|input| limits.input(input));
        let before = past.journals.iter().filter(|member| member.info.journal_id != current.info.journal_id);
        for input in before.flat_map(|member| member.reader().inputs()) {
            limits.input(&input?);
        }
        Ok(limits)
    }

    /// The limits in force.
    pub(crate) fn in_force(&self) -> impl Iterator<Item = LimitNow> + '_ {
        self.0.iter().map(|limit| LimitNow { target: limit.target, limit: limit.now, ceiling: limit.most })
    }

    /// Applies an input of the journal.
    pub(crate) fn input(&mut self, input: &Event) {
        let is_set = |command: &&Command| command.action == CommandAction::SetLimit.code();
        let Some(command) = input.get::<Command>().filter(is_set) else { return };
        if let Some(limit) = self.0.iter_mut().find(|limit| limit.target.code() == command.target)
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
        for limit in &self.0 {
            let Some(Configured { target, limit: configured, most }) = limit.configured_in(settings) else { continue };
            if configured != limit.configured || limit.now == configured || limit.now > most {
                continue;
            }
            commands.extend(actors.name(limit.by.actor));
            let command = OperatorCommand::plain(CommandAction::SetLimit, limit.by);
            let command = OperatorCommand { target: target.code(), old: configured, new: limit.now, ..command };
            commands.push(command.event());
        }
        commands
    }

    /// Gives `settings` the limits with which the journal was started, where they have the ones in force at its end.
    ///
    /// # Errors
    /// When a limit is neither of them.
    pub(super) fn restore(&self, settings: &mut Settings) -> Result<(), Changed> {
        for limit in &self.0 {
            let Some(Configured { target, limit: found, .. }) = limit.configured_in(settings) else { continue };
            let (Some(param), Some(key)) = (check(target.check).and_then(|entry| entry.limit), target.key()) else {
                continue;
            };
            if found == limit.configured || limit.now == limit.configured {
                continue;
            }
            if found != limit.now {
                let [started, in_force, found] = [limit.configured, limit.now, found].map(|limit| limit.to_string());
                return Err(Changed::Value { key, started, in_force, found });
            }
            let section = match usize::from(target.table).checked_sub(1) {
                None => settings.stages.get_mut("risk").expect("every entry has its section"),
                Some(at) => &mut settings.limits[at],
            };
            section.set(&param.param(), Value::Int(limit.configured.unsigned_abs()));
        }
        Ok(())
    }
}

impl Limit {
    /// The same limit in another configuration, if that has it.
    fn configured_in(&self, settings: &Settings) -> Option<Configured> {
        let Some(scope) = &self.scope else {
            let (limit, most) = now_configured(check(self.target.check)?, &settings.stages["risk"])?;
            return Some(Configured { target: self.target, limit, most });
        };
        let is_same = |of: &TableLimit| of.scope == *scope && of.check.number == self.target.check;
        let TableLimit { table, check, limit, ceiling, .. } =
            table_limits(&settings.limits).into_iter().find(is_same)?;
        Some(Configured { target: LimitTarget { table, check: check.number }, limit, most: ceiling })
    }
}

/// The check's limit in the section, and the most that a command may set.
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
    /// Two tables that change places, and one that is gone.
    #[test]
    fn the_limit_of_a_table_is_set_again_in_the_table_for_the_same_orders() {
        const FIRST: &str = "[[limit]]\naccount = 2\nmax_position = 100\nceilings = { position = 150 }\n";
        const SECOND: &str = "[[limit]]\nsymbol = \"A\"\nmax_position = 100\nmax_open_orders = 9\n";
        let settings = |text: &str| Settings::parse(text, Path::new("a.toml")).expect("a configuration");
        let of = |table, check| LimitTarget { table, check }.code();
        let both = settings(&format!("{FIRST}{SECOND}"));
        let mut limits = Limits::of(&both.to_toml());
        let sets = [(1, 6, 100, 151), (1, 6, 100, 150), (2, 6, 100, 101), (2, 7, 9, 4), (3, 6, 100, 1), (1, 7, 9, 1)];
        sets.iter().for_each(|(table, check, old, new)| limits.input(&set(of(*table, *check), *old, *new)));
        let said = |now: &Settings| limits_set(&limits.commands(now, &Actors::default()));
        assert_eq!(said(&both), [(of(1, 6), 100, 150, ADA), (of(2, 7), 9, 4, ADA)]);
        let turned = settings(&format!("{SECOND}{FIRST}"));
        assert_eq!(said(&turned), [(of(2, 6), 100, 150, ADA), (of(1, 7), 9, 4, ADA)]);
        assert_eq!(said(&settings(SECOND)), [(of(1, 7), 9, 4, ADA)]);
        let changed = settings(&format!("{FIRST}{SECOND}").replace("_orders = 9", "_orders = 8").replace("150", "140"));
        assert_eq!(said(&changed), [], "it changes the one itself, and the ceiling of the other is lower");
        // A file may have what is in force, and no third value.
        let mut now = settings(&format!("{FIRST}{SECOND}").replace("_orders = 9", "_orders = 4"));
        limits.restore(&mut now).expect("it is in force");
        assert_eq!(now.to_toml(), both.to_toml());
        let third = settings(&format!("{FIRST}{SECOND}").replace("_orders = 9", "_orders = 5"));
        let refused = limits.restore(&mut third.clone()).unwrap_err().to_string();
        assert!(refused.starts_with("limit[2].max_open_orders is 5 in the configuration"), "{refused}");
    }
}

//! The parameters that commands have set, as the inputs of a journal say.
//!
//! The commands of the journal are given to what strategies and measures themselves keep their values in ([`PerSymbol`]), so there is
//! one set of rules. What they do not know here is only what is made of the values. A command names its
//! parameter by the text before it, since another build may count its parameters otherwise.
//!
//! A new journal begins with commands that set the values again, under the names of the operators who set them. Where the new
//! configuration changes a value itself, the new configuration wins; an instance that no longer runs is left out. When a
//! journal goes on, its configuration may have the value that was in force at its end ([`Parameters::restore`]).
//!
//! Bound: the values of each instance that runs. Worst case: one command more a parameter and instrument of its own.

use super::actors::Actors;
use super::changed::Changed;
use crate::config::{Draft, Settings, keys};
use crate::ingress::{Asker, OperatorCommand, param_names};
use crate::registries::Registries;
use flow::records::{Command, Name};
use flow::{
    CommandAction, CommandResult, Event, Listings, NameSpace, Param, ParamInForce, Params, PerSymbol, Registered, Value,
};
use std::collections::BTreeMap;
use std::path::Path;

/// An instance of a strategy or a measure.
struct InstanceValues {
    entry: &'static dyn Registered,
    /// Its section of the configuration.
    section: Params,
    values: PerSymbol<()>,
    /// Who set a parameter last, by the set of values that it is of.
    by: BTreeMap<(u16, u16), Asker>,
}

/// The values of all instances that run.
#[derive(Default)]
pub(super) struct Parameters {
    instances: BTreeMap<String, InstanceValues>,
    /// The parameter of the next command, as far as its name has come.
    key: Vec<u8>,
}

impl Parameters {
    /// As this configuration text has them.
    pub(super) fn of(config: &str) -> Parameters {
        let settings = Draft::recorded(config, Path::new("journal.toml"), &Registries::default()).settings;
        let made = |name: &String| {
            let entry = settings.instances.entry(name).filter(|e| e.params().iter().any(Param::is_live))?;
            let section = settings.stages.get(name)?.clone();
            let values = PerSymbol::new(entry.params(), 0, &section, settings.instrument_bound(), |_| Ok(())).ok()?;
            Some((name.clone(), InstanceValues { entry, section, values, by: BTreeMap::new() }))
        };
        let running = settings.pipeline.get(keys::STAGES);
        Parameters { instances: running.iter().filter_map(made).collect(), key: Vec::new() }
    }

    /// Takes an input of the journal.
    pub(super) fn input(&mut self, input: &Event) {
        if let Some(name) = input.get::<Name>() {
            if name.space == NameSpace::Symbol.code() {
                self.instances.values_mut().for_each(|of| of.values.name(input));
            } else if name.space == NameSpace::Param.code() {
                if name.part == 0 {
                    self.key.clear();
                }
                self.key.extend_from_slice(&name.text[..usize::from(name.len).min(name.text.len())]);
            }
        } else if let Some(command) = input.get::<Command>()
            && command.action == CommandAction::SetParam.code()
        {
            let key = String::from_utf8_lossy(&std::mem::take(&mut self.key)).into_owned();
            self.set(&key, input.instrument, command);
        }
    }

    fn set(&mut self, key: &str, instrument: u32, command: &Command) {
        let Some((name, param)) = key.rsplit_once('.') else { return };
        let Some(of) = self.instances.get_mut(name) else { return };
        let Some(at) = of.entry.params().iter().position(|p| p.name == param) else { return };
        let (_, result) = of.values.set(instrument, at as u16, command);
        if result == (CommandResult::Applied) {
            let Command { actor, uid, asked_ts, .. } = *command;
            of.by.insert((of.values.used_by(instrument), at as u16), Asker { actor, uid, asked_ts });
        }
    }

    /// The instruments to which commands gave values of their own.
    pub(super) fn instruments(&self) -> impl Iterator<Item = u32> {
        let rows = self.instances.values().flat_map(|of| of.values.in_force());
        rows.map(|(_, row)| row.instrument).filter(|instrument| *instrument != 0)
    }

    /// The commands that set the values again in a pipeline with `settings`, each behind its names. Instruments have the
    /// numbers of the old journal, whose `listings` these are.
    pub(super) fn commands(&self, settings: &Settings, listings: &Listings, actors: &Actors) -> Vec<Event> {
        let running = settings.pipeline.get(keys::STAGES);
        let runs = |name: &String, of: &InstanceValues| {
            let now = settings.instances.entry(name);
            running.contains(name) && now.is_some_and(|now| now.name() == of.entry.name())
        };
        let mut commands = Vec::new();
        for (name, of) in self.instances.iter().filter(|(name, of)| runs(name, of)) {
            let Some(owner) = settings.instances.owner(name) else { continue };
            let section = &settings.stages[name];
            for Again { row, old, by } in of.again(section, listings) {
                let key = format!("{name}.{}", of.entry.params()[usize::from(row.param)].name);
                let target = u32::from(owner) << 16 | u32::from(row.param);
                let command = OperatorCommand::plain(CommandAction::SetParam, by);
                let command = OperatorCommand { target, old, new: accepted(&row), ..command }.event();
                commands.extend(actors.name(by.actor));
                commands.extend(param_names(&key, target));
                commands.push(Event { instrument: row.instrument, ..command });
            }
        }
        commands
    }

    /// Gives `settings` the values with which the journal was started, where they have the ones in force at its end.
    ///
    /// # Errors
    /// When a value is neither of them.
    pub(super) fn restore(&self, settings: &mut Settings, listings: &Listings) -> Result<(), Changed> {
        for (name, of) in &self.instances {
            let same = settings.instances.entry(name).is_some_and(|entry| entry.name() == of.entry.name());
            if let Some(section) = settings.stages.get_mut(name).filter(|_| same) {
                of.values.in_force().iter().try_for_each(|(_, row)| of.restored(name, row, section, listings))?;
            }
        }
        Ok(())
    }
}

/// A value that is to be set again: where, over which value, and who did it.
struct Again {
    row: ParamInForce,
    old: i64,
    by: Asker,
}

/// The last accepted value: a change that waits for its bar or session is one.
fn accepted(row: &ParamInForce) -> i64 {
    row.waits.unwrap_or(row.value)
}

impl InstanceValues {
    /// What must be set again where the section is this one.
    fn again(&self, section: &Params, listings: &Listings) -> Vec<Again> {
        let (mut again, mut of_all) = (Vec::new(), BTreeMap::new());
        for (set, row) in self.values.in_force() {
            let param = &self.entry.params()[usize::from(row.param)];
            let Some(now) = section.value(param.name).and_then(|value| param.bits(value)) else { continue };
            let stays = if set == 0 {
                let stays = row.configured == now && accepted(&row) != now;
                of_all.insert(row.param, if stays { accepted(&row) } else { now });
                stays.then_some(now)
            } else {
                let symbol = listings.get(row.instrument).map_or("", |listed| &listed.symbol);
                let [was, own] = [&self.section, section].map(|section| section.own_value(symbol, param.name));
                let own_bits = own.and_then(|value| param.bits(value));
                (was == own).then(|| own_bits.or_else(|| of_all.get(&row.param).copied())).flatten()
            };
            let by = self.by.get(&(set, row.param)).copied().unwrap_or(Asker::ENGINE);
            again.extend(stays.map(|old| Again { row, old, by }));
        }
        again
    }

    /// Puts the value of one parameter back.
    fn restored(
        &self,
        name: &str,
        row: &ParamInForce,
        section: &mut Params,
        listings: &Listings,
    ) -> Result<(), Changed> {
        let param = &self.entry.params()[usize::from(row.param)];
        let symbol = (row.instrument != 0).then(|| listings.get(row.instrument).map_or("", |l| l.symbol.as_str()));
        let value = |of: &Params| match symbol {
            None => of.value(param.name).cloned(),
            Some(symbol) => of.own_value(symbol, param.name).cloned(),
        };
        let (started, found) = (value(&self.section), value(section));
        if started == found || (symbol.is_none() && row.configured == accepted(row)) {
            return Ok(());
        }
        let in_force = param.of_bits(accepted(row));
        if found != in_force {
            let key = match symbol {
                None => format!("{name}.{}", param.name),
                Some(symbol) => format!("{name}.symbol.{symbol}.{}", param.name),
            };
            let [started, in_force, found] = [started, in_force, found]
                .map(|value: Option<Value>| value.map_or("absent".to_owned(), |value| value.to_string()));
            return Err(Changed::Value { key, started, in_force, found });
        }
        match (symbol, started) {
            (None, Some(started)) => section.set(param, started),
            (Some(symbol), Some(started)) => section.set_for(symbol, param, started),
            (Some(symbol), None) => section.forget_for(symbol, param.name),
            (None, None) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::definitions::Definitions;
    use super::*;
    use crate::ingress::{actor_names, names};
    use flow::records::Listing;
    use flow::{Flags, Ns};

    const CONFIG: &str = "[pipeline]\nstages = [\"book\", \"momentum\", \"mom-fast\", \"orders\", \"risk\", \"router\"]\n\
                          [momentum.symbol.AAPL]\nqty = 50\n[[strategy]]\nuse = \"momentum\"\nname = \"mom-fast\"\n";
    const ADA: Asker = Asker { actor: 5, uid: 1000, asked_ts: Ns(7) };

    fn settings(text: &str) -> Settings {
        Draft::recorded(text, Path::new("a.toml"), &Registries::default()).settings
    }

    /// A journal of a configuration: two instruments are listed, then commands come.
    struct Recorded {
        params: Parameters,
        definitions: Definitions,
        actors: Actors,
    }

    impl Recorded {
        fn new(config: &str) -> Recorded {
            let (params, definitions) = (Parameters::of(config), Definitions::default());
            let mut recorded = Recorded { params, definitions, actors: Actors::default() };
            for (instrument, symbol) in [(1, "AAPL"), (2, "MSFT")] {
                let listing = Event::new(Ns(0), 0, Flags::NONE, &Listing::default());
                let events = names(symbol, NameSpace::Symbol, 0).into_iter().chain([listing]);
                events.for_each(|event| recorded.take(&Event { instrument, ..event }));
            }
            actor_names("ada").iter().for_each(|name| recorded.take(name));
            recorded
        }

        fn take(&mut self, input: &Event) {
            self.params.input(input);
            self.definitions.take(input);
            self.actors.input(input);
        }

        /// A command; that it counts parameters otherwise makes no difference.
        fn set(&mut self, key: &str, instrument: u32, old: i64, new: i64) {
            param_names(key, 99).iter().for_each(|name| self.take(name));
            let command =
                OperatorCommand { target: 99, old, new, ..OperatorCommand::plain(CommandAction::SetParam, ADA) };
            self.take(&Event { instrument, ..command.event() });
        }

        fn again(&self, settings: &Settings) -> Vec<Event> {
            self.params.commands(settings, &self.definitions.listings(), &self.actors)
        }

        /// The commands for a new journal: parameter, instrument, old and new value.
        fn said(&self, settings: &Settings) -> Vec<(&'static str, u32, i64, i64)> {
            let commands = self.again(settings);
            let commands = commands.iter().filter_map(|event| Some((event.instrument, event.get::<Command>()?)));
            let param = |c: &Command| stages::strategies::momentum::PARAMS[usize::from(c.target as u16)].name;
            commands.map(|(at, c)| (param(c), at, c.old, c.new)).collect()
        }
    }

    fn recorded() -> Recorded {
        let mut recorded = Recorded::new(CONFIG);
        recorded.set("momentum.qty", 0, 100, 80);
        recorded.set("momentum.qty", 0, 100, 70);
        recorded.set("momentum.qty", 0, 80, 0);
        recorded.set("momentum.qty", 1, 50, 40);
        recorded.set("momentum.qty", 2, 80, 30);
        recorded.set("momentum.qty", u32::MAX, 80, 20);
        recorded.set("momentum.account", 0, 1, 2);
        recorded.set("momentum.atr_bars", 0, 14, 20);
        recorded.set("momentum.atr_bars", 0, 14, 21);
        recorded.set("momentum.cooldown", 0, 30, 40);
        recorded.set("momentum.cooldown", 0, 40, 30);
        recorded.set("mom-gone.qty", 0, 100, 1);
        recorded.set("mom-fast.lookback", 0, 60, 90);
        recorded
    }

    #[test]
    fn what_is_in_force_is_set_again_and_read_again_it_is_the_same() {
        let (recorded, same) = (recorded(), settings(CONFIG));
        let wanted = [
            ("lookback", 0, 60, 90),
            ("qty", 0, 100, 80),
            ("atr_bars", 0, 14, 20),
            ("qty", 1, 50, 40),
            ("qty", 2, 80, 30),
        ];
        assert_eq!(
            recorded.said(&same),
            wanted,
            "not: overtaken, out of range, of no instrument, at a restart, set back"
        );
        let commands = recorded.again(&same);
        let by = commands.iter().filter_map(|e| e.get::<Command>()).all(|c| (c.actor, c.uid) == (5, 1000));
        assert!(by, "under the name of who set it");
        let mut again = Recorded::new(CONFIG);
        commands.iter().for_each(|event| again.take(event));
        assert_eq!(again.said(&same), wanted);
    }

    #[test]
    fn the_new_configuration_wins_where_it_changes_a_value_and_who_is_gone_is_left_out() {
        let recorded = recorded();
        let changed = CONFIG.replace("qty = 50", "qty = 60").replace("\"mom-fast\", ", "");
        let changed = settings(&format!("{changed}[momentum]\natr_bars = 15\n"));
        assert_eq!(recorded.said(&changed), [("qty", 0, 100, 80), ("qty", 2, 80, 30)]);
        let of_all = settings(&format!("{CONFIG}[momentum]\nqty = 90\n"));
        let qty: Vec<_> = recorded.said(&of_all).into_iter().filter(|(param, ..)| *param == "qty").collect();
        assert_eq!(qty, [("qty", 1, 50, 40), ("qty", 2, 90, 30)], "those of single instruments stay");
        let another = CONFIG.replace("use = \"momentum\"", "use = \"random\"");
        assert!(recorded.said(&settings(&another)).iter().all(|(param, ..)| *param != "lookback"), "another strategy");
    }

    #[test]
    fn a_configuration_may_have_what_is_in_force_and_nothing_else() {
        let (recorded, listings) = (recorded(), recorded().definitions.listings());
        let now = CONFIG.replace("qty = 50", "qty = 40");
        let now = format!(
            "{now}[momentum.symbol.MSFT]\nqty = 30\n[momentum]\nqty = 80\natr_bars = 20\n[mom-fast]\nlookback = 90\n"
        );
        let mut now = settings(&now);
        recorded.params.restore(&mut now, &listings).expect("it is in force");
        assert_eq!(now.to_toml(), settings(CONFIG).to_toml());
        let refused = |text: &str| recorded.params.restore(&mut settings(text), &listings).unwrap_err().to_string();
        let all = refused(&format!("{CONFIG}[momentum]\nqty = 90\n"));
        assert!(all.starts_with("momentum.qty is 90 in the configuration; the journal was started with 100, and commands have set it to 80: "), "{all}");
        let one = refused(&CONFIG.replace("qty = 50", "qty = 60"));
        assert!(one.starts_with("momentum.symbol.AAPL.qty is 60 in"), "{one}");
        let mut other = settings(&format!("{CONFIG}[momentum]\nmax_age = 7\n"));
        recorded.params.restore(&mut other, &listings).expect("no command has set it");
        assert_ne!(other.to_toml(), settings(CONFIG).to_toml(), "that is refused as any other difference");
    }
}

//! Instances in a configuration: `[[strategy]]` and `[[measure]]`.
//!
//! A table says which entry it uses and under which name, and sets that instance's parameters; the name is a section, as an
//! entry's own name is. Numbers are given when all tables are read, and again when a run goes on from a journal, which
//! records them. Bound: one look at each key.

use super::draft::Draft;
use super::fault::{Fault, Faults};
use super::keys::{RETIRED, SYMBOL};
use super::nearest::one_of;
use super::read::{Found, Reading, integer};
use super::settings::{Settings, table};
use crate::registries::Registries;
use flow::{Params, Registered};
use stages::{Instance, Instanced, Instances, NoNumber};
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys of a table that are no parameters.
pub(super) const USE: &str = "use";
pub(super) const NAME: &str = "name";
const NUMBER: &str = "number";

impl Settings {
    /// What is configured and not among `running`, with what to do: every instance, and the sections of entries that were written.
    pub fn not_running(&self, running: &[&str]) -> Vec<String> {
        let runs = |name: &str| running.contains(&name);
        let tables = Instanced::ALL.into_iter().flat_map(|registry| {
            let names = self.instances.of(registry).iter().map(|instance| instance.name.as_str());
            names.map(move |name| (name, format!("its [[{}]] table", registry.table())))
        });
        let written = stages::entries().map(|entry| entry.name()).filter(|name| self.places.contains_key(*name));
        let sections = written.map(|name| (name, format!("[{name}]")));
        let idle = tables.chain(sections).filter(|(name, _)| !runs(name));
        let say = |(name, place)| format!("{name} does not run: add it to pipeline.stages, or take {place} out");
        idle.map(say).collect()
    }
}

impl<'i> Reading<'i> {
    /// The tables of a registry.
    pub(super) fn instances(&mut self, registry: Instanced, span: &Range<usize>, value: Found<'i>) {
        let key = registry.table();
        self.stands(key, span);
        let mut below = DeTable::new();
        match value.into_inner() {
            DeValue::Table(names) => below = names,
            DeValue::Array(entries) => {
                for (i, entry) in entries.into_iter().enumerate() {
                    let (span, key) = (entry.span(), format!("{key}[{}]", i + 1));
                    match entry.into_inner() {
                        DeValue::Table(table) => self.instance(registry, &key, &span, table, &mut below),
                        _ => self.fault(&span, &key, "not a table", "write use and name"),
                    }
                }
            }
            _ => self.fault(span, key, "not an array of tables", &format!("write [[{key}]] with use and name")),
        }
        self.below(registry, below);
    }

    /// `[strategy.NAME.symbol.AAPL]`: sections of names. In TOML they stand in the last `[[strategy]]` before them.
    fn below(&mut self, registry: Instanced, names: DeTable<'i>) {
        for (name, value) in names {
            let (span, name) = (name.span(), name.into_inner());
            let of = self.draft.settings.instances.of(registry).iter().map(|instance| instance.name.clone());
            let known: Vec<_> = registry.entries().iter().map(|entry| entry.name().to_owned()).chain(of).collect();
            match value.into_inner() {
                DeValue::Table(table) if known.iter().any(|known| *known == name) => self.section(&name, &span, table),
                _ => {
                    let key = format!("{}.{name}", registry.table());
                    self.fault(&span, &key, "no such name", &one_of(&name, known.iter().map(String::as_str)));
                }
            }
        }
    }

    fn instance(
        &mut self,
        registry: Instanced,
        key: &str,
        span: &Range<usize>,
        mut table: DeTable<'i>,
        below: &mut DeTable<'i>,
    ) {
        let Some(entry) = self.used(registry, key, span, table.remove(USE)) else { return };
        let name = table.remove(NAME);
        let at = name.as_ref().map_or(span.clone(), Spanned::span);
        let text = name.as_ref().map_or(Some(entry.name()), |name| name.get_ref().as_str()).unwrap_or_default();
        if let Err((found, valid)) = self.draft.settings.check_name(text, entry.name()) {
            return self.fault(&at, &format!("{key}.{NAME}"), &found, &valid);
        }
        let name = text.to_owned();
        self.stands(&name, &at);
        if name != entry.name() {
            let given = self.number_in(registry, &name, table.remove(NUMBER));
            let settings = &mut self.draft.settings;
            settings.stages.insert(name.clone(), Params::defaults(entry.params()));
            settings.instances.add(registry, Instance { name: name.clone(), uses: entry.name(), given, number: 0 });
        }
        let is_name = |key: &str, value: &Found<'_>| {
            value.get_ref().is_table() && key != SYMBOL && !entry.params().iter().any(|param| param.name == key)
        };
        let named: Vec<_> = table.iter().filter(|(k, v)| is_name(k.get_ref(), v)).map(|(k, _)| k.clone()).collect();
        for key in named {
            below.extend(table.remove_entry(key.get_ref().as_ref()));
        }
        let values = self.draft.settings.stages[&name].clone();
        let values = self.params(&name, table, entry.params(), values);
        self.draft.settings.stages.insert(name, values);
    }

    /// The entry that a table uses.
    fn used(
        &mut self,
        registry: Instanced,
        key: &str,
        span: &Range<usize>,
        uses: Option<Found<'i>>,
    ) -> Option<&'static dyn Registered> {
        let entries = registry.entries();
        let text = uses.as_ref().and_then(|uses| uses.get_ref().as_str());
        let found = entries.iter().find(|entry| Some(entry.name()) == text).copied();
        if found.is_none() {
            let at = uses.as_ref().map_or(span.clone(), Spanned::span);
            let shown = if uses.is_some() { self.shown(&at) } else { "missing" };
            let names = entries.iter().map(|entry| entry.name());
            self.fault(&at, &format!("{key}.{USE}"), shown, &one_of(shown, names));
        }
        found
    }

    /// The number that a table gives; 0 if it gives none.
    fn number_in(&mut self, registry: Instanced, name: &str, value: Option<Found<'i>>) -> u16 {
        let Some(value) = value else { return 0 };
        let number = number(registry, value.get_ref());
        let key = format!("{name}.{NUMBER}");
        self.stands(&key, &value.span());
        if number.is_none() {
            let (found, range) = (self.shown(&value.span()), registry.numbers());
            let valid = format!("valid: an integer from {} to {}, or no such key", range.start(), range.end());
            self.fault(&value.span(), &key, found, &valid);
        }
        number.unwrap_or(0)
    }

    /// The numbers of names that are gone.
    pub(super) fn retired(&mut self, tables: DeTable<'i>) {
        for (table, names) in tables {
            let registry = Instanced::ALL.into_iter().find(|registry| registry.table() == table.get_ref());
            let (Some(registry), DeValue::Table(names)) = (registry, names.into_inner()) else {
                let tables = Instanced::ALL.map(Instanced::table);
                let key = format!("{RETIRED}.{}", table.get_ref());
                self.fault(&table.span(), &key, "no such table", &one_of(table.get_ref(), tables));
                continue;
            };
            for (name, value) in names {
                match number(registry, value.get_ref()) {
                    Some(number) => self.draft.settings.instances.retire(registry, name.get_ref(), number),
                    None => {
                        let key = format!("{RETIRED}.{}.{}", registry.table(), name.get_ref());
                        self.fault(&value.span(), &key, self.shown(&value.span()), "valid: the number that it had");
                    }
                }
            }
        }
    }

    /// Numbers the instances, when all are read.
    pub(super) fn number(&mut self) {
        let settings = &mut self.draft.settings;
        if let Err(none) = settings.instances.number(&Instances::default()) {
            let fault = settings.unnumbered(&none);
            self.draft.faults.push(fault);
        }
    }
}

/// The instances in the recorded text of a configuration.
pub fn instances_in(recorded: &str) -> Instances {
    Draft::recorded(recorded, Path::new("journal.toml"), &Registries::default()).settings.instances
}

/// A number in a registry's range.
fn number(registry: Instanced, value: &DeValue<'_>) -> Option<u16> {
    let DeValue::Integer(value) = value else { return None };
    integer(value)?.parse().ok().filter(|number| registry.numbers().contains(number))
}

impl Settings {
    /// Why a name cannot be that of an instance of the entry `uses`: what was found, and what would be valid.
    pub(super) fn check_name(&self, name: &str, uses: &str) -> Result<(), (String, String)> {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(is_word) {
            let valid = "valid: a name of a-z, 0-9, - and _".to_owned();
            return Err((format!("{name:?}"), valid));
        }
        if self.instances.find(name).is_some() || self.places.contains_key(name) {
            return Err((format!("{name:?} twice"), "valid: a name that nothing else has".to_owned()));
        }
        if name != uses && self.is_taken(name) {
            let valid = format!("valid: a name that no section has, or {uses}, the entry's own");
            return Err((format!("{name:?} is the name of another section"), valid));
        }
        Ok(())
    }

    /// Takes the numbers of names from the recorded text of a configuration, from which a run goes on.
    ///
    /// # Errors
    /// When a table gives a number that is another's there.
    pub fn take_numbers(&mut self, recorded: &str) -> Result<(), Faults> {
        match self.instances.number(&instances_in(recorded)) {
            Ok(()) => Ok(()),
            Err(none) => Err(self.placed(vec![self.unnumbered(&none)])),
        }
    }

    fn unnumbered(&self, none: &NoNumber) -> Fault {
        let NoNumber { name, number, owner } = none;
        let key = format!("{name}.{NUMBER}");
        let (found, valid) = match (number, owner.parse::<u16>()) {
            (0, _) => ("no number is left".to_owned(), "use fewer names".to_owned()),
            (_, Ok(own)) => (number.to_string(), format!("valid: {own}, which it has in the journal, or no such key")),
            (_, Err(_)) => (number.to_string(), format!("it is the number of {owner}; valid: another, or no such key")),
        };
        Fault::new(self.place(&key), &key, &found, &valid)
    }

    /// Writes the instances as tables, in the order of their numbers, and the numbers of names that are gone.
    pub(super) fn instances_into(&self, root: &mut toml::Table) {
        let mut retired = toml::Table::new();
        for registry in Instanced::ALL {
            let of = self.instances.of(registry).iter().map(|instance| {
                let mut entry = table(&self.stages[&instance.name]);
                entry.insert(USE.into(), instance.uses.into());
                entry.insert(NAME.into(), instance.name.as_str().into());
                entry.insert(NUMBER.into(), i64::from(instance.number).into());
                toml::Value::Table(entry)
            });
            let of: Vec<_> = of.collect();
            if !of.is_empty() {
                root.insert(registry.table().into(), of.into());
            }
            let gone = self.instances.retired(registry).map(|(name, n)| (name.to_owned(), i64::from(n).into()));
            let gone: toml::Table = gone.collect();
            if !gone.is_empty() {
                retired.insert(registry.table().into(), gone.into());
            }
        }
        if !retired.is_empty() {
            root.insert(RETIRED.into(), retired.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::INSTRUMENT;
    use super::*;

    /// Else a table could not say which of them it means.
    #[test]
    fn no_key_of_a_table_is_also_a_parameter_and_every_table_has_a_name_that_no_section_has() {
        let entries = || Instanced::ALL.into_iter().flat_map(Instanced::entries);
        for param in entries().flat_map(|entry| entry.params()) {
            assert!(![USE, NAME, NUMBER, SYMBOL].contains(&param.name), "{}", param.name);
        }
        assert!([INSTRUMENT, RETIRED].iter().all(|table| Registries::TABLES.contains(table)));
    }

    #[test]
    fn what_is_configured_and_does_not_run_is_said() {
        let text = "[pipeline]\nstages = [\"book\", \"cvd\", \"mom-fast\"]\n[book]\nmax_orders = 64\n[vpin]\nwindow = 5\n\
                    [[strategy]]\nuse = \"momentum\"\nname = \"mom-fast\"\n\
                    [[strategy]]\nuse = \"momentum\"\nname = \"mom-slow\"\n\
                    [[measure]]\nuse = \"vpin\"\nname = \"vpin-small\"\n[random.symbol.A]\nqty = 1\n";
        let mut draft = Draft::parse(text, Path::new("a.toml"));
        draft.set("--set", "imbalance.levels=2");
        assert_eq!(draft.faults, []);
        let wanted = [
            "mom-slow does not run: add it to pipeline.stages, or take its [[strategy]] table out",
            "vpin-small does not run: add it to pipeline.stages, or take its [[measure]] table out",
            "vpin does not run: add it to pipeline.stages, or take [vpin] out",
            "random does not run: add it to pipeline.stages, or take [random] out",
        ];
        assert_eq!(draft.settings.not_running(&["book", "cvd", "mom-fast"]), wanted);
    }

    const TWO: &str = "[pipeline]\nstages = [\"book\", \"mom-fast\", \"momentum\", \"orders\", \"risk\", \"router\"]\n\
                       [mom-slow]\nqty = 7\n\
                       [[strategy]]\nuse = \"momentum\"\nname = \"mom-slow\"\nlookback = 90\n\
                       [[strategy]]\nuse = \"momentum\"\nname = \"mom-fast\"\nqty = 3\nsymbols = [\"A\"]\n\
                       [[strategy]]\nuse = \"momentum\"\nshort = false\n";

    fn value(settings: &Settings, name: &str, param: &str) -> String {
        settings.stages[name].iter().find(|(p, _)| *p == param).expect("a parameter").1.to_string()
    }

    #[test]
    fn a_name_is_a_section_wherever_it_stands_and_a_journal_repeats_it() {
        let mut draft = Draft::parse(TWO, Path::new("a.toml"));
        draft.set("--set", "mom-fast.cooldown=5");
        assert_eq!(draft.faults, []);
        let settings = draft.settings;
        let read = |settings: &Settings| {
            [
                ("mom-slow", "qty"),
                ("mom-slow", "lookback"),
                ("mom-fast", "qty"),
                ("mom-fast", "symbols"),
                ("mom-fast", "cooldown"),
                ("momentum", "short"),
                ("momentum", "qty"),
            ]
            .map(|(name, param)| value(settings, name, param))
        };
        assert_eq!(read(&settings), ["7", "90", "3", "A", "5", "false", "100"]);
        let text = settings.to_toml();
        let again = Draft::parse(&text, Path::new("journal.toml"));
        assert_eq!(again.faults, []);
        assert_eq!((read(&again.settings), again.settings.to_toml()), (read(&settings), text));
        let parts = settings
            .instances
            .uncut(|name| settings.pipeline.get(crate::config::keys::STAGES).iter().any(|n| n == name));
        let names: Vec<_> = parts.iter().map(|part| part.names().join("+")).collect();
        assert_eq!(names, ["book", "momentum+mom-fast", "orders", "risk", "router"]);
    }

    #[test]
    fn numbers_go_on_from_a_journal() {
        let mut first = Settings::parse(TWO, Path::new("a.toml")).unwrap();
        first.take_numbers("").unwrap();
        let number = |settings: &Settings, name: &str| settings.instances.strategy_number(name).map(|n| n.0);
        assert_eq!((number(&first, "mom-slow"), number(&first, "mom-fast")), (Some(32), Some(33)));
        let text = TWO.replace("mom-slow", "mom-new");
        let mut next = Settings::parse(&text, Path::new("b.toml")).unwrap();
        next.take_numbers(&first.to_toml()).unwrap();
        assert_eq!((number(&next, "mom-new"), number(&next, "mom-fast")), (Some(34), Some(33)));
        let recorded = next.to_toml();
        assert!(recorded.contains("[retired.strategy]\nmom-slow = 32\n"), "{recorded}");
        let mut last = Settings::parse(TWO, Path::new("c.toml")).unwrap();
        last.take_numbers(&recorded).unwrap();
        assert_eq!((number(&last, "mom-slow"), number(&last, "mom-fast")), (Some(32), Some(33)));
        let taken = TWO.replace("qty = 3", "number = 32");
        let mut taken = Settings::parse(&taken, Path::new("d.toml")).unwrap();
        let fault = taken.take_numbers(&first.to_toml()).unwrap_err().to_string();
        assert!(
            fault.starts_with("d.toml:12:10: mom-fast.number: 32; valid: 33, which it has in the journal,"),
            "{fault}"
        );
    }

    #[test]
    fn every_fault_of_a_table_has_its_place() {
        let text = "[[strategy]]\nname = \"a\"\n[[strategy]]\nuse = \"momentun\"\n[[strategy]]\nuse = \"momentum\"\nname = \"risk\"\n\
                    [[strategy]]\nuse = \"momentum\"\nname = \"B c\"\n[[strategy]]\nuse = \"momentum\"\nname = \"b\"\ncoldown = 1\nqty = 0\nnumber = 5\n\
                    [[strategy]]\nuse = \"momentum\"\nname = \"b\"\n[[strategy]]\nuse = \"cvd\"\nname = \"d\"\n";
        let faults = Draft::parse(text, Path::new("a.toml")).faults;
        let found: Vec<_> = faults.iter().map(|f| format!("{} {}: {}", f.place, f.key, f.found)).collect();
        let wanted = [
            "a.toml:1:1 strategy[1].use: missing",
            "a.toml:4:7 strategy[2].use: \"momentun\"",
            "a.toml:7:8 strategy[3].name: \"risk\" is the name of another section",
            "a.toml:10:8 strategy[4].name: \"B c\"",
            "a.toml:14:1 b.coldown: no such parameter",
            "a.toml:15:7 b.qty: 0",
            "a.toml:16:10 b.number: 5",
            "a.toml:19:8 strategy[6].name: \"b\" twice",
            "a.toml:21:7 strategy[7].use: \"cvd\"",
        ];
        assert_eq!(found, wanted);
        assert!(faults[1].valid.starts_with("did you mean momentum? valid: momentum, buy-and-hold, random"));
        assert!(faults[4].valid.starts_with("did you mean cooldown? "), "{}", faults[4].valid);
        let unknown = Draft::parse(
            "[mom-fats]\nqty = 1\n[[strategy]]\nuse = \"momentum\"\nname = \"mom-fast\"\n",
            Path::new("b.toml"),
        );
        assert!(unknown.faults[0].valid.starts_with("did you mean mom-fast? "), "{}", unknown.faults[0]);
    }
}

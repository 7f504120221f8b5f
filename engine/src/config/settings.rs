//! The settings of a run, and how one assignment changes them.

use super::data_file::content;
use super::fault::{Fault, Faults, Place};
use super::instrument::{self, InstrumentSettings};
use super::keys::{self, METRICS, OUTCOMES, PIPELINE, SYMBOL};
use super::nearest::one_of;
use crate::registries::Registries;
use chrono::NaiveDate;
use feeds::Feed;
use flow::{Calendars, ExceptionError, Param, ParamError, ParamType, Params, Registered, Scope, Symbols, Value};
use stages::measures::{MEASURES, MeasureEntry};
use stages::strategies::{STRATEGIES, traded_symbols};
use stages::{Instanced, Instances, Space};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The key of the symbols that are watched of an input.
pub const WATCH: &str = "watch";

/// The section of what is stated about instruments.
pub(super) const INSTRUMENT: &str = "instrument";

/// What an address is.
const ADDRESS: &str = "valid: an address of this host and a port, as \"127.0.0.1:9464\"; port 0 is a free one";

/// One input of the run: files of one feed.
#[derive(Clone)]
pub struct InputSettings {
    /// Its key, which faults name: `input[1]`.
    pub key: String,
    /// The feed's registry entry.
    pub feed: &'static Feed,
    /// Files, in reading order.
    pub files: Vec<PathBuf>,
    /// Trading date, for feeds whose times count from midnight.
    pub date: Option<NaiveDate>,
    /// The symbols of it that are watched; `None` = all.
    pub watch: Option<Symbols>,
    /// The feed's own parameters.
    pub params: Params,
}

impl InputSettings {
    fn table(&self) -> toml::Table {
        let mut entry = table(&self.params);
        entry.insert("feed".into(), self.feed.name.into());
        let files = self.files.iter().map(|f| f.display().to_string().into()).collect::<Vec<toml::Value>>();
        entry.insert("files".into(), files.into());
        if let Some(date) = self.date {
            entry.insert("date".into(), date.to_string().into());
        }
        entry
    }

    /// Its entry as TOML, but for the symbols that are watched, which may change.
    pub fn to_toml(&self) -> String {
        text_of(&self.table())
    }
}

/// A gateway under a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedGateway {
    pub(super) name: String,
    /// The entry of the registry.
    pub(super) uses: &'static str,
}

/// All settings that a run is built from.
#[derive(Clone)]
pub struct Settings {
    /// The feeds and gateways that can be named.
    pub registries: Registries,
    /// See [`PIPELINE`].
    pub pipeline: Params,
    /// See [`OUTCOMES`].
    pub outcomes: Params,
    /// See [`keys::METRICS`].
    pub metrics: Params,
    /// Parameters of every stage, measure, strategy and instance, by name.
    pub stages: BTreeMap<String, Params>,
    /// The instances of strategies and measures that tables name.
    pub instances: Instances,
    /// Parameters of every feed, by name; those of an input override them.
    pub feeds: BTreeMap<&'static str, Params>,
    /// Inputs, in argument order.
    pub inputs: Vec<InputSettings>,
    /// Folder of the journal to write, if any.
    pub journal_dir: Option<PathBuf>,
    /// Parameters of every venue, simulated or behind a gateway, by name.
    pub venues: BTreeMap<String, Params>,
    /// The gateways that tables name.
    pub(super) gateways: Vec<NamedGateway>,
    /// Parameters of every sink, by name.
    pub sinks: BTreeMap<&'static str, Params>,
    /// Tables of limits, as they are written.
    pub limits: Vec<Params>,
    /// What accounts are, by number.
    pub accounts: BTreeMap<u8, Params>,
    /// What the operator states about instruments, by symbol.
    pub instruments: BTreeMap<String, InstrumentSettings>,
    /// The place of each key; the empty key has the file itself.
    pub(super) places: BTreeMap<String, Place>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings::of(Registries::default())
    }
}

impl Settings {
    /// The calendars that the run goes by, and the first line of `pipeline.calendar_file` that is none of a calendar.
    pub fn calendars(&self) -> (Calendars, Option<ExceptionError>) {
        let mut calendars = Calendars::of_this_build();
        let wrong = calendars.overrule(self.pipeline.get(keys::CALENDAR_FILE)).err();
        (calendars, wrong)
    }

    /// The defaults, for a binary with these registries.
    pub fn of(registries: Registries) -> Settings {
        fn all<R: Registered>(registry: &[R]) -> BTreeMap<&'static str, Params> {
            registry.iter().map(|r| (r.name(), Params::defaults(r.params()))).collect()
        }
        Settings {
            pipeline: Params::defaults(PIPELINE),
            outcomes: Params::defaults(OUTCOMES),
            metrics: Params::defaults(METRICS),
            stages: stages::entries().map(|e| (e.name().to_owned(), Params::defaults(e.params()))).collect(),
            instances: Instances::default(),
            feeds: all(registries.feeds()),
            inputs: Vec::new(),
            journal_dir: None,
            venues: all(stages::exchange_sim::VENUES)
                .into_iter()
                .chain(all(registries.gateways()))
                .map(|(name, params)| (name.to_owned(), params))
                .collect(),
            gateways: Vec::new(),
            sinks: all(sinks::SINKS),
            limits: Vec::new(),
            accounts: BTreeMap::new(),
            instruments: BTreeMap::new(),
            places: BTreeMap::new(),
            registries,
        }
    }

    /// Sets `section.param=value`, as `--set` does.
    ///
    /// # Errors
    /// When the key does not exist or the value is not valid.
    pub fn set(&mut self, assignment: &str) -> Result<(), Fault> {
        self.set_by("--set", assignment)
    }

    /// Like [`set`](Settings::set), for the command-line option `option`, which faults name.
    pub(super) fn set_by(&mut self, option: &str, assignment: &str) -> Result<(), Fault> {
        let here = Place::file(Path::new(option));
        let Some((key, value)) = assignment.split_once('=') else {
            // Only the key: what follows it may be a secret.
            let is_key = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let key = assignment.split(|c| !is_key(c)).next().unwrap_or_default();
            return Err(Fault::new(here, key, "no '='", "write section.parameter=value"));
        };
        let Some((section, name)) = key.split_once('.') else {
            return Err(Fault::new(here, key, "no section", &self.section_advice(key)));
        };
        if section == INSTRUMENT {
            return self.state(here, key, name, value);
        }
        if let Some(name) = name.strip_prefix(SYMBOL).and_then(|rest| rest.strip_prefix('.')) {
            return self.set_symbol(here, key, section, name, value);
        }
        let advice = self.section_advice(section);
        let Some((params, values)) = self.section(section) else {
            return Err(Fault::new(here, key, &format!("no section {section:?}"), &advice));
        };
        let Some(param) = params.iter().find(|p| p.name == name) else {
            return Err(Fault::new(here, key, "no such parameter", &key_advice(name, params)));
        };
        let read = content(param, key, value, Path::new("")).and_then(|text| param.parse(key, &text));
        match read {
            Ok(value) => values.set(param, value),
            Err(e) => return Err(Fault::new(here, &e.key, &e.found, &entry_advice(param, key, &e))),
        }
        self.places.insert(key.to_owned(), here);
        Ok(())
    }

    /// States a term of an instrument; `name` is `SYMBOL.TERM`.
    fn state(&mut self, here: Place, key: &str, name: &str, value: &str) -> Result<(), Fault> {
        let Some((symbol, term)) = instrument::split(name) else {
            return Err(Fault::new(
                here,
                key,
                "no symbol and term",
                "write instrument.SYMBOL.TERM=value, as instrument.ESM4.multiplier=50",
            ));
        };
        let mut stated = self.instruments.get(symbol).cloned().unwrap_or_default();
        stated.set(key, term, value).map_err(|fault| Fault { place: here.clone(), ..fault })?;
        self.instruments.insert(symbol.to_owned(), stated);
        self.places.insert(format!("{INSTRUMENT}.{symbol:?}.{term}"), here);
        Ok(())
    }

    /// Adds an input.
    pub fn add_input(&mut self, feed: &'static Feed, files: Vec<PathBuf>, date: Option<NaiveDate>, params: Params) {
        let key = format!("input[{}]", self.inputs.len() + 1);
        self.inputs.push(InputSettings { key, feed, files, date, watch: None, params });
    }

    /// Notes that `key` was given by an option of the command line, which its faults then name.
    pub fn given_by(&mut self, option: &str, key: &str) {
        self.places.insert(key.to_owned(), Place::file(Path::new(option)));
    }

    /// The place of `key`; failing that, of what it is in: a table, its section, a list, or the file.
    pub(super) fn place(&self, key: &str) -> Place {
        let mut inside = std::iter::successors(Some(key), |key| Some(key.rsplit_once(['.', '['])?.0));
        let known = inside.find_map(|key| self.places.get(key)).or_else(|| self.places.get(""));
        known.cloned().unwrap_or_else(Place::unknown)
    }

    /// Fills in the place of each fault, from the place of its key.
    pub fn placed(&self, faults: Vec<Fault>) -> Faults {
        let placed = |f: Fault| Fault { place: self.place(&f.key), ..f };
        Faults(faults.into_iter().map(placed).collect())
    }

    /// Whether a measure of the pipeline says of an instrument what depends on others.
    fn looks_across(&self) -> bool {
        let uses = |name| self.instances.find(name).map_or(name, |(_, instance)| instance.uses);
        let is_global = |entry: &MeasureEntry| entry.build.scope == Scope::Global;
        let is_across = |name| MEASURES.iter().any(|entry| entry.name == name && is_global(entry));
        self.pipeline.get(keys::STAGES).iter().any(|name| is_across(uses(name)))
    }

    /// The symbols that the strategies of the pipeline trade; `None` = what is not traded matters too: a strategy trades whatever comes,
    /// or a measure compares instruments.
    pub fn traded(&self) -> Option<Symbols> {
        if self.looks_across() {
            return None;
        }
        let stages = self.pipeline.get(keys::STAGES);
        let is_plain = |name: &str| STRATEGIES.iter().any(|entry| entry.name == name);
        let is_instance = |name: &str| self.instances.find(name).is_some_and(|(of, _)| of == Instanced::Strategies);
        let mut traded = Symbols::new();
        for name in stages.iter().filter(|name| is_plain(name) || is_instance(name)) {
            match self.stages.get(name).map(traded_symbols) {
                Some([]) => return None,
                some => traded.extend(some.into_iter().flatten().cloned()),
            }
        }
        Some(traded)
    }

    /// Has only these symbols of the inputs watched, or fewer.
    pub fn watch_only(&mut self, symbols: &Symbols) {
        for input in &mut self.inputs {
            let watched = input.watch.take().map(|own| own.intersection(symbols).cloned().collect());
            input.watch = Some(watched.unwrap_or_else(|| symbols.clone()));
        }
    }

    /// Where the metrics are; `None` = nowhere.
    ///
    /// # Errors
    /// When it is no address.
    pub fn metrics_address(&self) -> Result<Option<SocketAddr>, Fault> {
        let text = self.metrics.get(keys::LISTEN);
        let fault = |_| Fault::of_settings("metrics.listen", &format!("{text:?}"), ADDRESS);
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(fault) }
    }

    /// Indices of instruments are below this number; 0 is none.
    pub fn instrument_bound(&self) -> u32 {
        self.pipeline.get(keys::MAX_INSTRUMENTS) + 1
    }

    /// The space of a pipeline, over instruments below this number.
    pub fn space(&self, instruments: u32) -> Space {
        Space {
            instruments,
            fills: self.pipeline.get(keys::MAX_FILLS),
            positions: self.pipeline.get(keys::MAX_POSITIONS),
        }
    }

    /// The parameters of a section and their values.
    pub(super) fn section(&mut self, name: &str) -> Option<(&'static [Param], &mut Params)> {
        match name {
            "pipeline" => return Some((PIPELINE, &mut self.pipeline)),
            "outcomes" => return Some((OUTCOMES, &mut self.outcomes)),
            "metrics" => return Some((METRICS, &mut self.metrics)),
            _ => {}
        }
        let entry = self.instances.find(name).map_or(name, |(_, instance)| instance.uses);
        if let Some(stage) = stages::entries().find(|one| one.name() == entry) {
            return self.stages.get_mut(name).map(|v| (stage.params(), v));
        }
        if let Some(feed) = self.registries.feed(name) {
            return self.feeds.get_mut(name).map(|v| (feed.params, v));
        }
        if let Some(venue) = flow::find(stages::exchange_sim::VENUES, name) {
            return self.venues.get_mut(name).map(|v| (venue.params, v));
        }
        if let Some(gateway) = self.gateway(name) {
            return self.venues.get_mut(name).map(|v| (gateway.params, v));
        }
        let sink = flow::find(sinks::SINKS, name)?;
        self.sinks.get_mut(name).map(|v| (sink.params, v))
    }

    fn sections(&self) -> Vec<&str> {
        let mut names = vec!["pipeline", "outcomes", "metrics"];
        names.extend(stages::entries().map(|r| r.name()));
        names.extend(self.instances.names());
        names.extend(self.registries.feeds().iter().map(|r| r.name()));
        names.extend(stages::exchange_sim::VENUES.iter().map(|r| r.name()));
        names.extend(self.registries.gateways().iter().map(|r| r.name()));
        names.extend(self.gateways.iter().map(|gateway| gateway.name.as_str()));
        names.extend(sinks::SINKS.iter().map(|r| r.name()));
        names
    }

    /// Whether a section has that name.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.sections().into_iter().chain(Registries::TABLES).any(|other| other == name)
    }

    /// Advice for an unknown section.
    pub(super) fn section_advice(&self, name: &str) -> String {
        let others = "[instrument.\"SYMBOL\"], [account.2], [[limit]], [[strategy]], [[venue]], and [[input]]";
        format!("{}, {others}", one_of(name, self.sections()))
    }

    /// The effective settings as TOML. A journal begins with them, and they reproduce the run.
    pub fn to_toml(&self) -> String {
        self.to_toml_with(self.inputs.len())
    }

    /// Like [`to_toml`](Settings::to_toml), with the first so many inputs.
    pub fn to_toml_with(&self, inputs: usize) -> String {
        let mut root = toml::Table::new();
        root.insert("pipeline".into(), table(&self.pipeline).into());
        root.insert("outcomes".into(), table(&self.outcomes).into());
        let plain = self.stages.iter().filter(|(name, _)| self.instances.find(name).is_none());
        let plain = plain.map(|(name, params)| (name.as_str(), params));
        let plain_venues = self.venues.iter().filter(|(name, _)| !self.gateways.iter().any(|g| g.name == **name));
        let plain_venues = plain_venues.map(|(name, params)| (name.as_str(), params));
        let others = plain_venues.chain(self.sinks.iter().map(|(name, params)| (*name, params)));
        for (name, params) in plain.chain(others) {
            root.insert(name.to_owned(), table(params).into());
        }
        self.instances_into(&mut root);
        self.limits_into(&mut root);
        self.venues_into(&mut root);
        let inputs = self.inputs.iter().take(inputs).map(|input| {
            let watch = input.watch.iter().map(|symbols| {
                let list = symbols.iter().map(|symbol| symbol.as_str().into()).collect::<Vec<toml::Value>>();
                (WATCH.to_owned(), list.into())
            });
            input.table().into_iter().chain(watch).collect::<toml::Table>().into()
        });
        if !self.instruments.is_empty() {
            let stated = self.instruments.iter().map(|(symbol, stated)| {
                let terms = stated.stated().into_iter().map(|(term, text)| (term.to_owned(), text.into()));
                (symbol.clone(), toml::Value::Table(terms.collect()))
            });
            root.insert(INSTRUMENT.into(), stated.collect::<toml::Table>().into());
        }
        root.insert("input".into(), inputs.collect::<Vec<toml::Value>>().into());
        text_of(&root)
    }
}

pub(super) fn text_of(table: &toml::Table) -> String {
    toml::to_string(table).expect("a table of plain values is valid TOML")
}

pub(super) fn table(params: &Params) -> toml::Table {
    let mut all: toml::Table = params.iter().map(|(k, v)| (k.to_owned(), to_toml_value(v))).collect();
    let of = |own: &BTreeMap<&'static str, Value>| -> toml::Table {
        own.iter().map(|(name, value)| ((*name).to_owned(), to_toml_value(value))).collect()
    };
    let symbols: toml::Table = params.symbols().map(|(symbol, own)| (symbol.clone(), of(own).into())).collect();
    if !symbols.is_empty() {
        all.insert(SYMBOL.to_owned(), symbols.into());
    }
    all
}

fn to_toml_value(value: &Value) -> toml::Value {
    match value {
        Value::Bool(v) => (*v).into(),
        Value::Int(v) => i64::try_from(*v).unwrap_or(i64::MAX).into(),
        Value::Float(v) => (*v).into(),
        Value::Text(v) => v.as_str().into(),
        Value::List(v) => v.iter().map(|t| t.as_str().into()).collect::<Vec<toml::Value>>().into(),
        Value::Table(v) => {
            let entry = |(k, v): (&&str, &u64)| ((*k).to_owned(), to_toml_value(&Value::Int(*v)));
            v.iter().map(entry).collect::<toml::Table>().into()
        }
    }
}

/// Advice for an unknown parameter of a section.
pub(super) fn key_advice(name: &str, params: &[Param]) -> String {
    match params.len() {
        0 => "this section has no parameters".to_owned(),
        _ => one_of(name, params.iter().map(|p| p.name)),
    }
}

/// Advice for an error of the parameter `key`, or of an entry of its table.
pub(super) fn entry_advice(param: &Param, key: &str, error: &ParamError) -> String {
    match param.ty {
        ParamType::Table(keys) if error.key == key => one_of(&error.found, keys.iter().map(|k| k.name)),
        ParamType::Table(_) => error.valid.clone(),
        _ => value_advice(param, &error.found),
    }
}

/// Advice for an invalid value of a parameter.
pub(super) fn value_advice(param: &Param, found: &str) -> String {
    match param.ty {
        ParamType::Choice(words) => one_of(found, words.iter().copied()),
        _ => param.valid(),
    }
}

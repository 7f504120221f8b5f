//! Settings as they are, and one assignment of the command line.

use super::fault::Fault;
use super::keys::{self, OUTCOMES, PIPELINE};
use chrono::NaiveDate;
use feeds::Feed;
use flow::{Param, Params, Registered, Value};
use stages::Space;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One input of the run: files of one feed.
#[derive(Clone)]
pub struct InputSettings {
    /// The feed's registry entry.
    pub feed: &'static Feed,
    /// Files, in order.
    pub files: Vec<PathBuf>,
    /// Trading date, for feeds that count from midnight.
    pub date: Option<NaiveDate>,
    /// The feed's own parameters.
    pub params: Params,
}

/// Everything that a run is built from.
#[derive(Clone)]
pub struct Settings {
    /// See [`LINE`].
    pub pipeline: Params,
    /// See [`OUTCOMES`].
    pub outcomes: Params,
    /// Parameters of every stage by name.
    pub stages: BTreeMap<&'static str, Params>,
    /// Parameters of every feed by name, on which those of an input build.
    pub feeds: BTreeMap<&'static str, Params>,
    /// Inputs in argument order.
    pub inputs: Vec<InputSettings>,
    /// Where to write a journal.
    pub journal_dir: Option<PathBuf>,
    /// Parameters of every venue by name, simulated or behind a gateway.
    pub venues: BTreeMap<&'static str, Params>,
    /// Parameters of every sink by name.
    pub sinks: BTreeMap<&'static str, Params>,
}

impl Default for Settings {
    fn default() -> Self {
        fn all<R: Registered>(registry: &[R]) -> BTreeMap<&'static str, Params> {
            registry.iter().map(|r| (r.name(), Params::defaults(r.params()))).collect()
        }
        Settings {
            pipeline: Params::defaults(PIPELINE),
            outcomes: Params::defaults(OUTCOMES),
            stages: all(stages::STAGES),
            feeds: all(feeds::FEEDS),
            inputs: Vec::new(),
            journal_dir: None,
            venues: all(stages::exchange_sim::VENUES).into_iter().chain(all(sinks::GATEWAYS)).collect(),
            sinks: all(sinks::SINKS),
        }
    }
}

impl Settings {
    /// Sets `section.param=value`, as on the command line.
    ///
    /// # Errors
    /// When the key does not exist or the value is not valid for it.
    pub fn set(&mut self, assignment: &str) -> Result<(), Fault> {
        let here = Path::new("--set");
        let Some((key, value)) = assignment.split_once('=') else {
            return Err(Fault::new(here, assignment, "no '='", "write section.parameter=value"));
        };
        let Some((section, name)) = key.split_once('.') else {
            return Err(Fault::new(here, key, "no section", &sections()));
        };
        let (params, values) = self
            .section(section)
            .ok_or_else(|| Fault::new(here, key, &format!("no section {section:?}"), &sections()))?;
        let param = params
            .iter()
            .find(|p| p.name == name)
            .ok_or_else(|| Fault::new(here, key, "no such parameter", &names(params)))?;
        let value = param.parse(key, value).map_err(|e| Fault::new(here, key, &e.found, &e.valid))?;
        values.set(param, value);
        Ok(())
    }

    /// The world of a pipeline over instruments below this number.
    pub fn space(&self, instruments: u32) -> Space {
        Space { instruments, fills: self.pipeline.get(keys::MAX_FILLS) }
    }

    /// The parameters of a section and their values.
    pub(super) fn section(&mut self, name: &str) -> Option<(&'static [Param], &mut Params)> {
        match name {
            "pipeline" => return Some((PIPELINE, &mut self.pipeline)),
            "outcomes" => return Some((OUTCOMES, &mut self.outcomes)),
            _ => {}
        }
        if let Some(stage) = flow::find(stages::STAGES, name) {
            return self.stages.get_mut(name).map(|v| (stage.params, v));
        }
        if let Some(feed) = flow::find(feeds::FEEDS, name) {
            return self.feeds.get_mut(name).map(|v| (feed.params, v));
        }
        if let Some(venue) = flow::find(stages::exchange_sim::VENUES, name) {
            return self.venues.get_mut(name).map(|v| (venue.params, v));
        }
        if let Some(gateway) = flow::find(sinks::GATEWAYS, name) {
            return self.venues.get_mut(name).map(|v| (gateway.params, v));
        }
        let sink = flow::find(sinks::SINKS, name)?;
        self.sinks.get_mut(name).map(|v| (sink.params, v))
    }

    /// The effective settings as TOML: what a journal begins with, and what reproduces the run.
    pub fn to_toml(&self) -> String {
        fn table(params: &Params) -> toml::Table {
            params.iter().map(|(k, v)| (k.to_owned(), to_toml_value(v))).collect()
        }
        let mut root = toml::Table::new();
        root.insert("pipeline".into(), table(&self.pipeline).into());
        root.insert("outcomes".into(), table(&self.outcomes).into());
        for (name, params) in self.stages.iter().chain(&self.venues).chain(&self.sinks) {
            root.insert((*name).to_owned(), table(params).into());
        }
        let inputs = self.inputs.iter().map(|input| {
            let mut entry = table(&input.params);
            entry.insert("feed".into(), input.feed.name.into());
            let files = input.files.iter().map(|f| f.display().to_string().into()).collect::<Vec<toml::Value>>();
            entry.insert("files".into(), files.into());
            if let Some(date) = input.date {
                entry.insert("date".into(), date.to_string().into());
            }
            entry.into()
        });
        root.insert("input".into(), inputs.collect::<Vec<toml::Value>>().into());
        toml::to_string(&root).expect("a table of plain values is valid TOML")
    }
}

fn to_toml_value(value: &Value) -> toml::Value {
    match value {
        Value::Bool(v) => (*v).into(),
        Value::Int(v) => i64::try_from(*v).unwrap_or(i64::MAX).into(),
        Value::Float(v) => (*v).into(),
        Value::Text(v) => v.as_str().into(),
        Value::List(v) => v.iter().map(|t| t.as_str().into()).collect::<Vec<toml::Value>>().into(),
    }
}

/// What sections there are, as advice.
pub(super) fn sections() -> String {
    let names = ["pipeline", "outcomes"]
        .into_iter()
        .chain(stages::STAGES.iter().map(Registered::name))
        .chain(feeds::FEEDS.iter().map(Registered::name))
        .chain(stages::exchange_sim::VENUES.iter().map(Registered::name))
        .chain(sinks::GATEWAYS.iter().map(Registered::name))
        .chain(sinks::SINKS.iter().map(Registered::name));
    format!("sections are {}", names.collect::<Vec<_>>().join(", "))
}

/// What parameters a section has, as advice.
pub(super) fn names(params: &[Param]) -> String {
    match params.len() {
        0 => "this section has no parameters".to_owned(),
        _ => format!("valid: {}", params.iter().map(|p| p.name).collect::<Vec<_>>().join(", ")),
    }
}

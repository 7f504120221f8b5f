//! Reads a TOML text key by key, collecting faults instead of stopping at the first.

use super::fault::{Fault, Faults};
use super::settings::{InputSettings, Settings, names, sections};
use chrono::NaiveDate;
use flow::{Param, ParamType, Params, Value};
use std::path::{Path, PathBuf};

struct Reading<'a> {
    path: &'a Path,
    faults: Vec<Fault>,
}

impl Settings {
    /// Reads a file; defaults fill what it leaves out.
    ///
    /// # Errors
    /// All faults of the file at once.
    pub fn load(path: &Path) -> Result<Settings, Faults> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Faults::one(path, "", &e.to_string(), "give the path of a readable configuration file"))?;
        Settings::parse(&text, path)
    }

    /// Reads a text; `path` names it in faults and is what relative input files are relative to.
    ///
    /// # Errors
    /// All faults of the text at once.
    pub fn parse(text: &str, path: &Path) -> Result<Settings, Faults> {
        parse(text, path)
    }
}

fn parse(text: &str, path: &Path) -> Result<Settings, Faults> {
    let root: toml::Table = text
        .parse()
        .map_err(|e: toml::de::Error| Faults::one(path, "", e.to_string().trim_end(), "write valid TOML"))?;
    let mut reading = Reading { path, faults: Vec::new() };
    let mut settings = Settings::default();
    for (name, value) in root {
        match (name.as_str(), value) {
            ("input", toml::Value::Array(entries)) => reading.inputs(entries, &mut settings),
            ("input", _) => reading.fault("input", "not an array of tables", "write [[input]]"),
            (_, toml::Value::Table(table)) => reading.section(&name, table, &mut settings),
            _ => reading.fault(&name, "not a section", &sections()),
        }
    }
    if reading.faults.is_empty() { Ok(settings) } else { Err(Faults(reading.faults)) }
}

impl Reading<'_> {
    fn fault(&mut self, key: &str, found: &str, valid: &str) {
        self.faults.push(Fault::new(self.path, key, found, valid));
    }

    fn section(&mut self, name: &str, mut table: toml::Table, settings: &mut Settings) {
        if name == "journal"
            && let Some(dir) = table.remove("dir")
        {
            match dir.as_str() {
                Some(dir) => settings.journal_dir = Some(dir.into()),
                None => self.fault("journal.dir", &dir.to_string(), "valid: the path of a folder"),
            }
        }
        let Some((params, values)) = settings.section(name) else {
            let advice = format!("{}, and [[input]]", sections());
            return self.fault(name, "no such section", &advice);
        };
        self.params(name, table, params, values);
    }

    fn params(&mut self, section: &str, table: toml::Table, params: &'static [Param], values: &mut Params) {
        for (name, value) in table {
            let key = format!("{section}.{name}");
            match params.iter().find(|p| p.name == name) {
                None => self.fault(&key, "no such parameter", &names(params)),
                Some(param) => match value_of(param, &key, &value) {
                    Some(v) => values.set(param, v),
                    None => self.fault(&key, &value.to_string(), &param.valid()),
                },
            }
        }
    }

    fn inputs(&mut self, entries: Vec<toml::Value>, settings: &mut Settings) {
        for (i, entry) in entries.into_iter().enumerate() {
            let key = format!("input[{}]", i + 1);
            let toml::Value::Table(table) = entry else {
                self.fault(&key, "not a table", "write [[input]] with feed and files");
                continue;
            };
            if let Some(input) = self.input(&key, table, settings) {
                settings.inputs.push(input);
            }
        }
    }

    fn input(&mut self, key: &str, mut table: toml::Table, settings: &Settings) -> Option<InputSettings> {
        let feeds = || format!("valid: {}", feeds::FEEDS.iter().map(|f| f.name).collect::<Vec<_>>().join(", "));
        let named = table.remove("feed");
        let files = self.files(key, table.remove("files"));
        let date = self.date(key, table.remove("date"));
        let Some(feed) = named.as_ref().and_then(toml::Value::as_str).and_then(|n| flow::find(feeds::FEEDS, n)) else {
            let found = named.map_or("missing".to_owned(), |v| v.to_string());
            self.fault(&format!("{key}.feed"), &found, &feeds());
            return None;
        };
        let mut params = settings.feeds[feed.name].clone();
        self.params(key, table, feed.params, &mut params);
        Some(InputSettings { feed, files, date, params })
    }

    fn files(&mut self, key: &str, value: Option<toml::Value>) -> Vec<PathBuf> {
        let base = self.path.parent().unwrap_or(Path::new("")).to_owned();
        let texts = match &value {
            None => Some(Vec::new()),
            Some(toml::Value::Array(list)) => list.iter().map(|v| v.as_str()).collect::<Option<Vec<_>>>(),
            Some(_) => None,
        };
        let Some(texts) = texts else {
            self.fault(&format!("{key}.files"), "not a list of texts", "valid: [\"path\", …]");
            return Vec::new();
        };
        texts.into_iter().map(|t| base.join(t)).collect()
    }

    fn date(&mut self, key: &str, value: Option<toml::Value>) -> Option<NaiveDate> {
        let text = match value? {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        let date = text.parse().ok();
        if date.is_none() {
            self.fault(&format!("{key}.date"), &format!("{text:?}"), "valid: a trading date, YYYY-MM-DD");
        }
        date
    }
}

/// A TOML value as a parameter's, range checked.
fn value_of(param: &Param, key: &str, value: &toml::Value) -> Option<Value> {
    let text = match (param.ty, value) {
        (ParamType::Bool, toml::Value::Boolean(v)) => v.to_string(),
        (ParamType::Int(..), toml::Value::Integer(v)) => v.to_string(),
        (ParamType::Float(..), toml::Value::Integer(v)) => v.to_string(),
        (ParamType::Float(..), toml::Value::Float(v)) => v.to_string(),
        (ParamType::Choice(_) | ParamType::Text, toml::Value::String(v)) => v.clone(),
        (ParamType::List, toml::Value::Array(list)) => {
            let texts = list.iter().map(|v| match v {
                toml::Value::String(text) => Some(text.clone()),
                toml::Value::Integer(n) => Some(n.to_string()),
                _ => None,
            });
            return texts.collect::<Option<Vec<_>>>().map(Value::List);
        }
        _ => return None,
    };
    param.parse(key, &text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_at_once() {
        let text = "[pipeline]\nbatch = 0\nbtach = 3\npreset = \"fussed\"\n[bogus]\nx = 1\n[[input]]\nfeed = \"ich\"\ndate = \"2020-13-01\"\n";
        let Err(faults) = parse(text, Path::new("a.toml")) else { panic!("must be refused") };
        let mut keys: Vec<_> = faults.0.iter().map(|f| f.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            ["bogus", "input[1].date", "input[1].feed", "pipeline.batch", "pipeline.btach", "pipeline.preset"]
        );
        assert!(faults.0.iter().all(|f| f.file == "a.toml" && !f.valid.is_empty()));
    }

    #[test]
    fn syntax_errors_name_the_line() {
        let Err(faults) = parse("[pipeline\nbatch = 1", Path::new("b.toml")) else { panic!("must be refused") };
        assert!(faults.to_string().contains("line 1"), "{faults}");
    }
}

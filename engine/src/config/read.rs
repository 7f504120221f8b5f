//! Reads TOML key by key, and collects faults instead of stopping at the first.

use super::data_file::content;
use super::draft::Draft;
use super::fault::{Fault, Faults, Place};
use super::files;
use super::instrument::InstrumentSettings;
use super::keys::{INCLUDE, RETIRED, SYMBOL, VENUE};
use super::nearest::one_of;
use super::settings::{InputSettings, Settings, WATCH, entry_advice, key_advice, value_advice};
use crate::registries::Registries;
use chrono::NaiveDate;
use feeds::reader::date;
use flow::{Param, ParamError, ParamType, Params, Symbols, Value};
use stages::{Instanced, risk};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

/// A value and its place in the text.
pub(super) type Found<'i> = Spanned<DeValue<'i>>;

pub(super) struct Reading<'a> {
    pub(super) path: &'a Path,
    /// Folder that relative paths start from; `None` = a record, whose paths are as its run opened them.
    pub(super) base: Option<&'a Path>,
    pub(super) text: &'a str,
    pub(super) draft: Draft,
}

impl Draft {
    /// Reads a file; missing keys get their defaults.
    pub fn load(path: &Path, registries: &Registries) -> Draft {
        match std::fs::read_to_string(path) {
            Ok(text) => parse(&text, path, Some(folder_of(path)), registries),
            Err(e) => {
                let advice = "give the path of a readable configuration file";
                Draft { faults: vec![Fault::new(Place::file(path), "", &e.to_string(), advice)], ..Draft::default() }
            }
        }
    }

    /// Reads a text that names what comes with the engine. Faults name it by `path`, and relative input paths start from the
    /// folder of `path`.
    pub fn parse(text: &str, path: &Path) -> Draft {
        parse(text, path, Some(folder_of(path)), &Registries::default())
    }

    /// Reads the text recorded in a journal. Its input paths stay as its run opened them, whatever the folder of `path`.
    pub fn recorded(text: &str, path: &Path, registries: &Registries) -> Draft {
        parse(text, path, None, registries)
    }
}

impl Settings {
    /// Reads a text that names what comes with the engine. Faults name it by `path`, and relative input paths start from the folder of `path`.
    ///
    /// # Errors
    /// All faults of the text at once.
    pub fn parse(text: &str, path: &Path) -> Result<Settings, Faults> {
        Draft::parse(text, path).finish()
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Reads all that is readable; faults are in the order of the text.
fn parse(text: &str, path: &Path, base: Option<&Path>, registries: &Registries) -> Draft {
    let (root, errors) = DeTable::parse_recoverable(text);
    let draft = Draft::from(Settings::of(registries.clone()));
    let mut reading = Reading { path, base, text, draft };
    reading.draft.settings.places.insert(String::new(), Place::file(path));
    reading.syntax(errors);
    let mut root = root.into_inner();
    if let Some((name, value)) = root.remove_entry(INCLUDE) {
        reading.includes(&name.span(), value);
    }
    // The names of instances are sections, whose values may stand anywhere.
    for registry in Instanced::ALL {
        let named = root.remove_entry(registry.table());
        named.into_iter().for_each(|(name, value)| reading.instances(registry, &name.span(), value));
    }
    if let Some((name, value)) = root.remove_entry(VENUE) {
        reading.venues(&name.span(), value);
    }
    for (name, value) in root {
        reading.top(name, value);
    }
    reading.number();
    reading.limits_read();
    let mut draft = reading.draft;
    draft.faults.sort_by(|a, b| a.place.cmp(&b.place));
    draft
}

impl<'i> Reading<'i> {
    fn place(&self, span: &Range<usize>) -> Place {
        Place::at(self.path, self.text, span.start)
    }

    pub(super) fn fault(&mut self, span: &Range<usize>, key: &str, found: &str, valid: &str) {
        let fault = Fault::new(self.place(span), key, found, valid);
        self.draft.faults.push(fault);
    }

    pub(super) fn syntax(&mut self, errors: Vec<toml::de::Error>) {
        for error in errors {
            self.fault(&error.span().unwrap_or_default(), "", error.message(), "write valid TOML");
        }
    }

    /// The text at `span`, shortened for a message.
    pub(super) fn shown(&self, span: &Range<usize>) -> &'i str {
        const MOST: usize = 60;
        let text = self.text.get(span.clone()).unwrap_or_default().lines().next().unwrap_or_default();
        text.char_indices().nth(MOST).map_or(text, |(end, _)| &text[..end])
    }

    pub(super) fn stands(&mut self, key: &str, span: &Range<usize>) {
        let place = self.place(span);
        self.draft.settings.places.insert(key.to_owned(), place);
    }

    pub(super) fn top(&mut self, name: Spanned<std::borrow::Cow<'i, str>>, value: Found<'i>) {
        let (span, name) = (name.span(), name.into_inner());
        self.stands(&name, &span);
        match (name.as_ref(), value.into_inner()) {
            ("input", DeValue::Array(entries)) => self.inputs(entries),
            (RETIRED, DeValue::Table(tables)) => self.retired(tables),
            ("input", _) => self.fault(&span, "input", "not an array of tables", "write [[input]]"),
            ("instrument", DeValue::Table(symbols)) => self.instruments(symbols),
            (risk::LIMIT, DeValue::Array(entries)) => self.limits(entries),
            (risk::ACCOUNT, DeValue::Table(tables)) => self.accounts(tables),
            (name @ (risk::LIMIT | risk::ACCOUNT), _) => self.no_limits(&span, name),
            (name, DeValue::Table(table)) => self.section(name, &span, table),
            (name, _) => self.fault(&span, name, "not a section", &self.draft.settings.section_advice(name)),
        }
    }

    /// What the operator states about instruments, by symbol.
    fn instruments(&mut self, symbols: DeTable<'i>) {
        for (symbol, terms) in symbols {
            let (span, symbol) = (symbol.span(), symbol.into_inner());
            let key = format!("instrument.{symbol:?}");
            self.stands(&key, &span);
            let DeValue::Table(terms) = terms.into_inner() else {
                self.fault(&span, &key, "not a table", "write [instrument.\"SYMBOL\"] with multiplier and tick");
                continue;
            };
            for (term, value) in terms {
                let (at, term) = (term.span(), term.into_inner());
                let key = format!("{key}.{term}");
                let text = match value.get_ref() {
                    DeValue::String(text) => text.to_string(),
                    DeValue::Integer(number) => integer(number).unwrap_or_default(),
                    DeValue::Float(number) => number.as_str().to_owned(),
                    DeValue::Array(list) => {
                        list.iter().filter_map(|v| v.get_ref().as_str()).collect::<Vec<_>>().join(",")
                    }
                    _ => self.shown(&value.span()).to_owned(),
                };
                self.stands(&key, &value.span());
                let stated = self.draft.settings.instruments.entry(symbol.to_string()).or_default();
                if let Err(fault) = stated.set(&key, &term, &text) {
                    let at = if InstrumentSettings::is_term(&term) { value.span() } else { at };
                    let place = self.place(&at);
                    self.draft.faults.push(Fault { place, ..fault });
                }
            }
        }
    }

    pub(super) fn section(&mut self, name: &str, span: &Range<usize>, mut table: DeTable<'i>) {
        if name == "journal"
            && let Some(dir) = table.remove("dir")
        {
            self.stands("journal.dir", &dir.span());
            match dir.get_ref().as_str() {
                Some(path) => self.draft.settings.journal_dir = Some(path.into()),
                None => {
                    let found = self.shown(&dir.span());
                    self.fault(&dir.span(), "journal.dir", found, "valid: the path of a folder");
                }
            }
        }
        let Some((params, values)) = self.draft.settings.section(name).map(|(p, v)| (p, v.clone())) else {
            return self.fault(span, name, "no such section", &self.draft.settings.section_advice(name));
        };
        let values = self.params(name, table, params, values);
        *self.draft.settings.section(name).expect("it was there").1 = values;
    }

    /// The values of a section, with those in `table` set.
    pub(super) fn params(
        &mut self,
        section: &str,
        table: DeTable<'i>,
        params: &'static [Param],
        mut values: Params,
    ) -> Params {
        for (name, value) in table {
            let (at, name) = (name.span(), name.into_inner());
            let key = format!("{section}.{name}");
            if name == SYMBOL && params.iter().any(|p| p.per_symbol) && value.get_ref().is_table() {
                let DeValue::Table(tables) = value.into_inner() else { continue };
                self.symbols(section, tables, params, &mut values);
                continue;
            }
            let Some(param) = params.iter().find(|p| p.name == name) else {
                self.fault(&at, &key, "no such parameter", &key_advice(&name, params));
                continue;
            };
            self.stands(&key, &value.span());
            let read = match (param.ty, value.get_ref()) {
                (ParamType::Table(_), DeValue::Table(entries)) => Some(self.entries(param, &key, entries)),
                (ParamType::File, DeValue::String(text)) => {
                    let read = content(param, &key, text, self.base.unwrap_or(Path::new("")))
                        .and_then(|text| param.parse(&key, &text));
                    if let Err(e) = read {
                        self.fault(&value.span(), &key, &e.found, &e.valid);
                        continue;
                    }
                    read.ok()
                }
                (_, value) => value_of(param, &key, value),
            };
            match read {
                Some(v) => values.set(param, v),
                None => {
                    // What stands there may be the secret itself.
                    let is_secret = matches!(param.ty, ParamType::Secret);
                    let found = if is_secret { ParamError::WRITTEN_OUT } else { self.shown(&value.span()) };
                    self.fault(&value.span(), &key, found, &value_advice(param, found));
                }
            }
        }
        values
    }

    /// The entries of a table that are valid; each of the others is a fault at its own place.
    fn entries(&mut self, param: &Param, key: &str, entries: &DeTable<'i>) -> Value {
        let mut read = BTreeMap::new();
        for (name, value) in entries {
            let number = match value.get_ref() {
                DeValue::Integer(number) => integer(number),
                _ => None,
            };
            let number = number.unwrap_or_else(|| self.shown(&value.span()).to_owned());
            match param.parse_entry(key, name.get_ref(), &number) {
                Ok((name, number)) => {
                    self.stands(&format!("{key}.{name}"), &value.span());
                    read.insert(name, number);
                }
                Err(e) => {
                    let at = if e.key == key { name.span() } else { value.span() };
                    self.fault(&at, &e.key, &e.found, &entry_advice(param, key, &e));
                }
            }
        }
        Value::Table(read)
    }

    fn inputs(&mut self, entries: DeArray<'i>) {
        for (i, entry) in entries.into_iter().enumerate() {
            let (span, key) = (entry.span(), format!("input[{}]", i + 1));
            self.stands(&key, &span);
            match entry.into_inner() {
                DeValue::Table(table) => {
                    let input = self.input(&key, &span, table);
                    self.draft.settings.inputs.extend(input);
                }
                _ => self.fault(&span, &key, "not a table", "write [[input]] with feed and files"),
            }
        }
    }

    fn input(&mut self, key: &str, span: &Range<usize>, mut table: DeTable<'i>) -> Option<InputSettings> {
        let known = self.draft.settings.registries.feeds().to_vec();
        let named = table.remove("feed");
        let files = self.files(key, table.remove("files"));
        let date = self.date(key, table.remove("date"));
        let watch = self.watched(key, table.remove(WATCH));
        let feed = named.as_ref().and_then(|n| flow::find(&known, n.get_ref().as_str()?).copied());
        let Some(feed) = feed else {
            let span = named.as_ref().map_or(span.clone(), Spanned::span);
            let found = if named.is_some() { self.shown(&span) } else { "missing" };
            self.fault(&span, &format!("{key}.feed"), found, &one_of(found, known.iter().map(|feed| feed.name)));
            return None;
        };
        let params = self.draft.settings.feeds[feed.name].clone();
        let params = self.params(key, table, feed.params, params);
        Some(InputSettings { key: key.to_owned(), feed, files: files?, date, watch, params })
    }

    /// The files; `None` if one cannot be told.
    fn files(&mut self, key: &str, value: Option<Found<'i>>) -> Option<Vec<PathBuf>> {
        let Some(value) = value else { return Some(Vec::new()) };
        let key = format!("{key}.files");
        self.stands(&key, &value.span());
        let texts = match value.get_ref() {
            DeValue::Array(list) => list.iter().map(|v| v.get_ref().as_str()).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let Some(texts) = texts else {
            self.fault(&value.span(), &key, "not a list of texts", "valid: [\"path\", …]");
            return None;
        };
        let mut all = Some(Vec::new());
        for text in texts {
            match self.base.map_or_else(|| Ok(vec![text.into()]), |base| files::named(text, base)) {
                Ok(files) => all.iter_mut().for_each(|all| all.extend(files.iter().cloned())),
                Err((found, valid)) => {
                    self.fault(&value.span(), &key, &found, &valid);
                    all = None;
                }
            }
        }
        all
    }

    /// The symbols that are watched.
    fn watched(&mut self, key: &str, value: Option<Found<'i>>) -> Option<Symbols> {
        let (value, key) = (value?, format!("{key}.{WATCH}"));
        self.stands(&key, &value.span());
        let symbol = |v: &Found<'i>| {
            let text = v.get_ref().as_str()?;
            (!text.trim().is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
        };
        let symbols = value.get_ref().as_array().and_then(|list| list.iter().map(symbol).collect());
        if symbols.is_none() {
            self.fault(&value.span(), &key, "not a list of symbols", "valid: [\"AAPL\", …], or no such key for all");
        }
        symbols
    }

    fn date(&mut self, key: &str, value: Option<Found<'i>>) -> Option<NaiveDate> {
        let value = value?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            _ => self.shown(&value.span()).to_owned(),
        };
        let date = date::parse(&text);
        if let Err(valid) = date {
            self.fault(&value.span(), &format!("{key}.date"), &format!("{text:?}"), valid);
        }
        date.ok()
    }
}

/// A TOML value as a value of the parameter, with its range checked.
fn value_of(param: &Param, key: &str, value: &DeValue<'_>) -> Option<Value> {
    let text = match (param.ty, value) {
        (ParamType::Bool, DeValue::Boolean(v)) => v.to_string(),
        (ParamType::Int(..) | ParamType::OptionalInt(..) | ParamType::Float(..), DeValue::Integer(v)) => integer(v)?,
        // So a record has it that has none.
        (ParamType::OptionalInt(..), DeValue::String(v)) if v.is_empty() => String::new(),
        (ParamType::Float(..), DeValue::Float(v)) => v.as_str().to_owned(),
        (ParamType::Choice(_) | ParamType::Text | ParamType::Secret, DeValue::String(v)) => v.to_string(),
        (ParamType::List, DeValue::Array(list)) => {
            let texts = list.iter().map(|v| match v.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                DeValue::Integer(n) => integer(n),
                _ => None,
            });
            return texts.collect::<Option<Vec<_>>>().map(Value::List);
        }
        _ => return None,
    };
    param.parse(key, &text).ok()
}

/// An integer in decimal, whatever base it was written in.
pub(super) fn integer(value: &DeInteger<'_>) -> Option<String> {
    i64::from_str_radix(value.as_str(), value.radix()).ok().map(|v| v.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys;

    #[test]
    fn every_fault_is_named_at_once_with_its_line_and_column() {
        let text = "[pipeline]\nbatch = 0\nbtach = 3\npreset = \"fussed\"\n[bogus]\nx = 1\n\
                    [[input]]\nfeed = \"ich\"\ndate = \"2020-13-01\"\n";
        let faults = Draft::parse(text, Path::new("a.toml")).faults;
        let found: Vec<_> = faults.iter().map(|f| format!("{} {}", f.place, f.key)).collect();
        let wanted = [
            "a.toml:2:9 pipeline.batch",
            "a.toml:3:1 pipeline.btach",
            "a.toml:4:10 pipeline.preset",
            "a.toml:5:2 bogus",
            "a.toml:8:8 input[1].feed",
            "a.toml:9:8 input[1].date",
        ];
        assert_eq!(found, wanted);
        let advice = |key: &str| faults.iter().find(|f| f.key == key).expect("a fault").valid.clone();
        assert!(advice("pipeline.btach").starts_with("did you mean batch? valid: "), "{}", advice("pipeline.btach"));
        assert!(advice("pipeline.preset").starts_with("did you mean fused? "), "{}", advice("pipeline.preset"));
        assert!(advice("input[1].feed").starts_with("did you mean itch? "), "{}", advice("input[1].feed"));
    }

    #[test]
    fn errors_of_syntax_come_with_the_rest() {
        let faults = Draft::parse("[pipeline\nbatch = 1\n[outcomes]\nkind = []\n", Path::new("b.toml")).faults;
        let found: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(found[0].starts_with("b.toml:1:10: "), "{found:?}");
        assert!(found.iter().any(|f| f.starts_with("b.toml:4:1: outcomes.kind: ")), "{found:?}");
    }

    #[test]
    fn an_entry_of_a_table_is_a_fault_at_its_own_place() {
        let text = "[risk]\nmax_quantity = 5\nceilings = { max-quantity = 9, positon = 3, max-notional = -1, throttle = \"x\" }\n";
        let draft = Draft::parse(text, Path::new("d.toml"));
        let found: Vec<_> = draft.faults.iter().map(|f| format!("{} {}: {}", f.place, f.key, f.found)).collect();
        let wanted = [
            "d.toml:3:32 risk.ceilings: positon",
            "d.toml:3:60 risk.ceilings.max-notional: -1",
            "d.toml:3:75 risk.ceilings.throttle: \"x\"",
        ];
        assert_eq!(found, wanted);
        assert!(
            draft.faults[0].valid.starts_with("did you mean position? valid: max-quantity, "),
            "{:?}",
            draft.faults
        );
        assert_eq!(draft.faults[1].valid, "valid: an integer from 0 to 1000000000000");
        let ceilings = |settings: &Settings| settings.stages["risk"].get(stages::risk::CEILINGS).clone();
        assert_eq!(ceilings(&draft.settings).into_iter().collect::<Vec<_>>(), [("max-quantity", 9)]);
        let again = Draft::parse(&draft.settings.to_toml(), Path::new("journal.toml"));
        assert_eq!(again.faults, []);
        assert_eq!(ceilings(&again.settings), ceilings(&draft.settings), "a journal repeats the table");
        let mut by_option = Settings::default();
        by_option.set("risk.ceilings=max-quantity=9,position=60_000").expect("a table");
        assert_eq!(ceilings(&by_option)["position"], 60_000);
        let fault = by_option.set("risk.ceilings=positon=3").expect_err("no such check");
        assert!(fault.to_string().contains("did you mean position?"), "{fault}");
    }

    #[test]
    fn numbers_are_read_in_every_notation_of_toml() {
        let draft = Draft::parse("[pipeline]\nbatch = 0x40\nring_capacity = 1_024\n", Path::new("c.toml"));
        assert_eq!(draft.faults, []);
        let pipeline = &draft.settings.pipeline;
        assert_eq!((pipeline.get(keys::BATCH), pipeline.get(keys::RING_CAPACITY)), (64, 1_024));
    }

    #[test]
    fn a_file_of_settings_is_read_once_and_recorded_as_what_it_held() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.csv");
        let rows = "ts_ns,order_ns,reply_ns\n1,20,30\n";
        std::fs::write(&file, rows).unwrap();
        let text = "[sim]\nlatency = \"recorded\"\nlatency_file = \"rows.csv\"\n";
        let draft = Draft::parse(text, &folder.path().join("desk.toml"));
        assert_eq!(draft.faults, []);
        let mut by_option = Settings::default();
        by_option.set("sim.latency=recorded").expect("a model");
        by_option.set(&format!("sim.latency_file={}", file.display())).expect("a file");
        std::fs::remove_file(&file).unwrap();
        let recorded = draft.settings.to_toml();
        assert!(recorded.contains("1,20,30") && !recorded.contains("rows.csv"), "{recorded}");
        let again = Draft::recorded(&recorded, Path::new("journal.toml"), &Registries::default());
        assert_eq!(again.faults, []);
        assert_eq!((again.settings.to_toml(), by_option.to_toml()), (recorded.clone(), recorded));
        let gone = Draft::parse(text, &folder.path().join("desk.toml")).faults;
        assert!(gone[0].to_string().contains("desk.toml:3:16"), "{}", gone[0]);
        assert!(gone[0].found.contains("rows.csv: No such file"), "{}", gone[0]);
    }

    #[test]
    fn files_are_relative_to_the_configuration_and_in_a_journal_as_its_run_opened_them() {
        let (text, path) = ("[[input]]\nfeed = \"itch\"\nfiles = [\"day.itch\"]\n", Path::new("run1/journal.toml"));
        let files = |draft: Draft| draft.settings.inputs[0].files.clone();
        assert_eq!(files(Draft::parse(text, path)), [PathBuf::from("run1/day.itch")]);
        assert_eq!(files(Draft::recorded(text, path, &Registries::default())), [PathBuf::from("day.itch")]);
    }
}

//! Checks that this build and these settings may resume a journal.

use crate::build_id::build_id;
use crate::config::{Settings, WATCH};
use flow::Symbols;
use sinks::journal::{Home, JournalError, JournalInfo};
use stages::Instanced;
use stages::risk::{LIMIT, SCOPE};
use std::collections::BTreeSet;
use std::fmt;
use toml::{Table, Value};

/// A key that has another value than before; values are as TOML writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedKey {
    /// The key, of an instance by its name.
    pub key: String,
    /// The line of a value of several lines that differs first, from 1; absent for any other value.
    pub line: Option<usize>,
    /// What it was.
    pub was: String,
    /// What it is.
    pub is: String,
}

impl fmt::Display for ChangedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChangedKey { key, line, was, is } = self;
        match line {
            None => write!(f, "{key}: was {was}, is {is}"),
            Some(_) if was == is => write!(f, "{key}: its lines end otherwise"),
            Some(line) => write!(f, "{key}: line {line} was {was}, is {is}"),
        }
    }
}

/// Why a journal cannot be resumed as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Changed {
    /// Another build wrote it.
    #[error(
        "the journal was written by {written}, this is {here}: use that build, or start a new journal with --carry-over"
    )]
    Build {
        /// Build that wrote it.
        written: String,
        /// This one.
        here: String,
    },
    /// It was written with another configuration.
    #[error(
        "the configuration differs from the one that the journal was started with (first difference: {0}): restore it, or start a new journal with --carry-over"
    )]
    Config(String),
    /// A parameter has neither the value with which it was started nor the one that was in force at its end.
    #[error(
        "{key} is {found} in the configuration; the journal was started with {started}, and commands have set it to {in_force}: write one of the two, and set it while the engine runs (tidegate ctl JOURNAL set), or start a new journal with --carry-over"
    )]
    Value {
        /// Its key.
        key: String,
        /// The value with which the journal was started.
        started: String,
        /// The value that was in force at its end.
        in_force: String,
        /// The value in the configuration.
        found: String,
    },
    /// Its inputs numbered another count of instruments.
    #[error(
        "the inputs number {here} instruments, those that the journal was started with {written}: pass the same files, or start a new journal with --carry-over"
    )]
    Instruments {
        /// Count in the journal.
        written: u32,
        /// Count now.
        here: u32,
    },
}

/// Checks that this build with these settings may resume a journal.
///
/// # Errors
/// What has changed.
pub(super) fn check(info: &JournalInfo, settings: &Settings) -> Result<(), Changed> {
    if info.build_id != build_id() {
        return Err(Changed::Build { written: info.build_id.clone(), here: build_id() });
    }
    difference(&info.config_text, settings).map_or(Ok(()), |first| Err(Changed::Config(first)))
}

/// How many inputs the recorded text of a configuration has.
fn inputs_of(text: &str) -> usize {
    let root = text.parse::<Table>().ok();
    root.as_ref().and_then(|root| root.get("input")?.as_array()).map_or(0, Vec::len)
}

/// How many of the inputs were there when their journal was started; the others have been added since. All, if there is no
/// journal yet.
///
/// # Errors
/// When there is one that cannot be read.
pub fn begun(settings: &Settings) -> Result<usize, JournalError> {
    let dir = settings.journal_dir.as_ref().filter(|dir| Home::exists(dir));
    let text = dir.map(|dir| Home::open(dir)).transpose()?.map(|home| home.current().info.config_text.clone());
    let count = settings.inputs.len();
    Ok(text.map_or(count, |text| inputs_of(&text).min(count)))
}

/// The first key in which settings differ from the text of earlier ones.
pub(super) fn difference(was: &str, settings: &Settings) -> Option<String> {
    differences(was, settings).first().map(ChangedKey::to_string)
}

/// The keys in which settings differ from the text of earlier ones, with both values. That they have further inputs behind
/// those, or watch other symbols, is no difference.
pub fn differences(was: &str, settings: &Settings) -> Vec<ChangedKey> {
    let now = settings.to_toml_with(inputs_of(was));
    if was == now {
        return Vec::new();
    }
    let [was, is] = [was, &now].map(|text| {
        let mut root = text.parse::<Table>().ok()?;
        inputs_in(&mut root).for_each(|input| drop(input.remove(WATCH)));
        by_name(&mut root);
        Some(Value::Table(root))
    });
    let (mut was, mut is, mut all) = (was, is, Vec::new());
    if let (Some(was), Some(is)) = (&mut was, &mut is) {
        tables_of_limits([was, is], &mut all);
    }
    compare("", was.as_ref(), is.as_ref(), &mut all);
    all
}

/// A table of limits: its number, and the keys of its scope, which say which one it is.
type OfLimits = (usize, Vec<Option<String>>);

/// Takes the tables of limits out of both texts and adds those that only one of them has, that have another number, and the
/// keys in which they differ.
fn tables_of_limits(texts: [&mut Value; 2], to: &mut Vec<ChangedKey>) {
    let whole =
        |number: usize, was: String, is: String| ChangedKey { key: format!("{LIMIT}[{number}]"), line: None, was, is };
    let absent = || "absent".to_owned();
    let [was, is] = texts.map(|text| {
        let tables = text.as_table_mut().and_then(|root| root.remove(LIMIT));
        let tables = tables.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        let scope = |table: &Value| SCOPE.map(|key| table.get(key).map(Value::to_string)).to_vec();
        (1..).zip(tables).map(|(number, table)| ((number, scope(&table)), table)).collect::<Vec<(OfLimits, Value)>>()
    });
    let find = |tables: &[(OfLimits, Value)], scope: &[Option<String>]| {
        tables.iter().find(|((_, own), _)| own == scope).map(|((number, _), table)| (*number, table.clone()))
    };
    for ((number, scope), table) in &was {
        match find(&is, scope) {
            None => to.push(whole(*number, table.to_string(), absent())),
            Some((now, other)) => {
                compare(&format!("{LIMIT}[{number}]"), Some(table), Some(&other), to);
                // Where one is gone or new, the numbers of others follow from that.
                if now != *number && was.len() == is.len() && is.iter().all(|((_, own), _)| find(&was, own).is_some()) {
                    to.push(whole(*number, table.to_string(), format!("{LIMIT}[{now}]")));
                }
            }
        }
    }
    let is_new = |((_, scope), _): &&(OfLimits, Value)| find(&was, scope).is_none();
    to.extend(is.iter().filter(is_new).map(|((number, _), table)| whole(*number, absent(), table.to_string())));
}

/// Makes a section of each instance: its name is its key, whatever place its table has.
fn by_name(root: &mut Table) {
    for instances in Instanced::ALL.map(Instanced::table) {
        let Some(Value::Array(tables)) = root.remove(instances) else { continue };
        for table in tables {
            let name = table.get("name").and_then(Value::as_str).unwrap_or(instances).to_owned();
            root.insert(name, table);
        }
    }
}

fn inputs_in(root: &mut Table) -> impl Iterator<Item = &mut Table> {
    let inputs = root.get_mut("input").and_then(Value::as_array_mut);
    inputs.into_iter().flatten().filter_map(Value::as_table_mut)
}

/// The symbols that are watched of each input, in the recorded text of a configuration; `None` = all.
pub(super) fn watched_in(text: &str) -> Vec<Option<Symbols>> {
    let mut root = text.parse::<Table>().unwrap_or_default();
    let symbols = |list: &Vec<Value>| list.iter().filter_map(|symbol| Some(symbol.as_str()?.to_owned())).collect();
    inputs_in(&mut root).map(|input| input.get(WATCH)?.as_array().map(symbols)).collect()
}

/// Adds the keys whose values differ, with both; of values of several lines, which are files, the first line that differs.
fn compare(key: &str, was: Option<&Value>, is: Option<&Value>, to: &mut Vec<ChangedKey>) {
    match (was, is) {
        (Some(Value::Table(was)), Some(Value::Table(is))) => {
            let all: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            let inner = |name: &String| if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            all.into_iter().for_each(|name| compare(&inner(name), was.get(name), is.get(name), to));
        }
        (Some(Value::Array(was)), Some(Value::Array(is))) => (0..was.len().max(is.len()))
            .for_each(|at| compare(&format!("{key}[{}]", at + 1), was.get(at), is.get(at), to)),
        (Some(Value::String(was)), Some(Value::String(is)))
            if was != is && (was.contains('\n') || is.contains('\n')) =>
        {
            let line =
                |text: &str, at: usize| text.lines().nth(at).map_or("no line".to_owned(), |line| format!("{line:?}"));
            let lines = was.lines().count().max(is.lines().count());
            let differs = (0..lines).find(|at| was.lines().nth(*at) != is.lines().nth(*at));
            let at = differs.unwrap_or(lines);
            to.push(ChangedKey { key: key.to_owned(), line: Some(at + 1), was: line(was, at), is: line(is, at) });
        }
        (was, is) => {
            let shown = |value: Option<&Value>| value.map_or("absent".to_owned(), Value::to_string);
            let changed = || ChangedKey { key: key.to_owned(), line: None, was: shown(was), is: shown(is) };
            to.extend((was != is).then(changed));
        }
    }
}

/// Checks that the run numbers its instruments as the journal was started: tables of another size would compute other
/// outcomes.
///
/// # Errors
/// When the counts differ.
pub(super) fn check_instruments(info: &JournalInfo, here: u32) -> Result<(), Changed> {
    if info.instruments == here {
        return Ok(());
    }
    Err(Changed::Instruments { written: info.instruments, here })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(was: &str, is: &str) -> Option<String> {
        let [was, is] = [was, is].map(|text| Value::Table(text.parse().expect("TOML")));
        let mut all = Vec::new();
        compare("", Some(&was), Some(&is), &mut all);
        all.first().map(ToString::to_string)
    }

    #[test]
    fn the_key_that_differs_is_named() {
        assert_eq!(difference("[a]\nb = 1\n", "[a]\nb = 1\n"), None);
        assert_eq!(difference("[a]\nb = 1\n", "[a]\nb = 2\n").unwrap(), "a.b: was 1, is 2");
        assert_eq!(difference("[a]\n", "[a]\nb = [1]\n").unwrap(), "a.b: was absent, is [1]");
        assert_eq!(difference("[[i]]\nf = [1]\n", "[[i]]\nf = [1, 2]\n").unwrap(), "i[1].f[2]: was absent, is 2");
        let file = |row: &str| format!("[sim]\nlatency_file = \"\"\"\nts\n{row}\"\"\"\n");
        assert_eq!(difference(&file("1\n"), &file("2\n")).unwrap(), "sim.latency_file: line 2 was \"1\", is \"2\"");
        assert_eq!(difference(&file("1\n"), &file("1\n2")).unwrap(), "sim.latency_file: line 3 was no line, is \"2\"");
        assert_eq!(difference(&file("1\n"), &file("1")).unwrap(), "sim.latency_file: its lines end otherwise");
    }

    #[test]
    fn every_key_that_differs_is_named_an_instance_by_its_name() {
        let text = |symbols: &str, seed: u64| {
            let text = format!(
                "[random]\nseed = {seed}\n[[strategy]]\nuse = \"momentum\"\nname = \"mom-fast\"\nsymbols = [{symbols}]\n"
            );
            Settings::parse(&text, std::path::Path::new("a.toml")).expect("a configuration")
        };
        let all = differences(&text("\"A\"", 1).to_toml(), &text("\"A\", \"B\"", 2));
        let all: Vec<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(all, ["mom-fast.symbols[2]: was absent, is \"B\"", "random.seed: was 1, is 2"]);
    }

    #[test]
    fn a_table_of_limits_is_named_wherever_it_stands() {
        const A: &str = "[[limit]]\naccount = 2\nmax_position = 100\n";
        const B: &str = "[[limit]]\nsymbol = \"A\"\nmax_position = 100\n";
        let settings = |text: &str| Settings::parse(text, std::path::Path::new("a.toml")).expect("a configuration");
        let of = |was: &str, is: &str| -> Vec<String> {
            differences(&settings(was).to_toml(), &settings(is)).iter().map(ToString::to_string).collect()
        };
        let (both, gone) = (format!("{A}{B}"), "limit[1]: was { account = 2, max_position = 100 }, is absent");
        assert_eq!(of(&both, &both), [""; 0]);
        assert_eq!(of(&both, B), [gone]);
        assert_eq!(of(B, &both), [gone.replace("was {", "was absent, is {").replace(", is absent", "")]);
        assert_eq!(
            of(&both, &both.replace("account = 2\n", "account = 2\nmax_quantity = 5\n")),
            ["limit[1].max_quantity: was absent, is 5"]
        );
        let turned = of(&both, &format!("{B}{A}"));
        assert_eq!(turned.len(), 2);
        assert!(turned[0].ends_with(", is limit[2]") && turned[1].ends_with(", is limit[1]"), "{turned:?}");
    }
}

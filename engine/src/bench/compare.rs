//! Compares two results: what changed beyond noise.
//!
//! A result is one JSON object, as printed by `tidegate bench … --json`, or the lines that a program of `benches/` writes.
//! Figures are found by name alone, so a new benchmark needs no change here: `…_ns…`, `ns_per_…`, `…_mib`, `bytes_per_…` (less is
//! better), `…_per_s` (more is better) and `ratio`. A figure with an interval (`…_low`, `…_high`) has changed if the two intervals
//! do not overlap; one without an interval is not judged. Nanoseconds from different hosts say nothing about the code, so
//! only ratios are compared between hosts. Bound: both files are held in memory.

use serde::Serialize;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Why a file is not a result.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// It cannot be read.
    #[error("{}: {error}; check the path", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not a result.
    #[error("{}: not a result of `tidegate bench --json` or of a program in benches/: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
    /// They are results of different benchmarks.
    #[error("{a} and {b} are different benchmarks; give two results of the same one")]
    Different {
        /// The first.
        a: String,
        /// The second.
        b: String,
    },
}

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Time: less is better.
    Time,
    /// A rate per second: more is better.
    Rate,
    /// Ratio to a contender in the same round: less is better.
    Ratio,
    /// Bytes or MiB of memory: less is better.
    Memory,
}

impl Unit {
    fn of(key: &str) -> Option<Unit> {
        match key {
            _ if key.starts_with("ratio") => Some(Unit::Ratio),
            _ if key.ends_with("_per_s") && !key.starts_with("offered") => Some(Unit::Rate),
            _ if key.ends_with("_mib") || key.starts_with("bytes_per_") => Some(Unit::Memory),
            _ if key.ends_with("_ns") || key.starts_with("ns_per_") || key.contains("_ns_per_") => Some(Unit::Time),
            _ => None,
        }
    }
}

/// A figure of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its row: the names on the path to it.
    pub row: String,
    /// Its name.
    pub key: String,
    /// Its unit.
    pub unit: Unit,
    /// Its value.
    pub value: f64,
    /// Its interval, if it has one.
    pub interval: Option<(f64, f64)>,
}

/// A result, as read from a file.
#[derive(Clone, Debug)]
pub struct ResultFile {
    /// The benchmark.
    pub bench: String,
    /// The data, as far as the result names it: the file and its size.
    pub subject: Option<String>,
    /// The host.
    pub host: Value,
    /// The commit of the sources, if the result names it.
    pub commit: Option<String>,
    /// What is to be known beside the figures, if there is something.
    pub note: Option<String>,
    /// CPU time stolen by the hypervisor, in per cent.
    pub steal_percent: f64,
    /// Its figures, in order.
    pub figures: Vec<Figure>,
}

/// Keys of a result that are not figures of the benchmark.
const ASIDE: &[&str] = &["host", "stalls", "bbo", "clock_ns", "raw_max_ns", "max_ns"];

impl ResultFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is not a result.
    pub fn read(path: &Path) -> Result<ResultFile, ResultError> {
        let text = std::fs::read_to_string(path).map_err(|error| ResultError::Read { path: path.to_owned(), error })?;
        ResultFile::parse(&text).map_err(|what| ResultError::Format { path: path.to_owned(), what })
    }

    /// Reads a text.
    ///
    /// # Errors
    /// What the text lacks.
    pub fn parse(text: &str) -> Result<ResultFile, String> {
        let value = serde_json::from_str::<Value>(text).or_else(|_| lines(text))?;
        let bench = value["bench"].as_str().ok_or("the name of the benchmark (\"bench\") is missing")?.to_owned();
        let host = value["host"].clone();
        if !host.is_object() {
            return Err("the host (\"host\") is missing".to_owned());
        }
        let mut figures = Vec::new();
        collect(&value, "", &mut figures);
        let steal_percent = value["steal_percent"].as_f64().unwrap_or(0.0);
        let [commit, note] = ["commit", "note"].map(|key| value[key].as_str().map(str::to_owned));
        Ok(ResultFile { bench, subject: subject_of(&value), host, commit, note, steal_percent, figures })
    }

    /// The host, for people.
    pub fn host(&self) -> String {
        let text = |key: &str| self.host[key].as_str().filter(|t| !t.is_empty()).unwrap_or("unknown");
        let machine = if self.host["virtualised"].as_bool() == Some(true) { "virtual machine" } else { "bare metal" };
        format!("{}, {} cores, {machine}, Linux {}", text("cpu"), self.host["cores"], text("kernel"))
    }
}

/// The description of the data in a result.
fn subject_of(value: &Value) -> Option<String> {
    let file = value["file"].as_str().and_then(|file| Path::new(file).file_name()?.to_str());
    let amount = |key: &str, unit: &str| value[key].as_f64().map(|n| format!("{n} {unit}"));
    let amounts = [
        amount("rate", "messages per second"),
        amount("messages", "messages"),
        amount("live_orders", "live orders at the end"),
    ];
    let parts: Vec<String> =
        file.map(|file| format!("`{file}`")).into_iter().chain(amounts.into_iter().flatten()).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The output lines of a program in `benches/`, as one object.
fn lines(text: &str) -> Result<Value, String> {
    let (mut whole, mut rows) = (Map::new(), Vec::new());
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let value: Value = serde_json::from_str(line).map_err(|e| format!("line {}: {e}", i + 1))?;
        match value {
            Value::Object(row) if row.contains_key("name") => rows.push(Value::Object(row)),
            Value::Object(about) => whole.extend(about),
            _ => return Err(format!("line {} is not an object", i + 1)),
        }
    }
    whole.insert("rows".to_owned(), json!(rows));
    Ok(Value::Object(whole))
}

/// The name of a list element.
fn name_of(element: &Value, at: usize) -> String {
    let text = |key: &str| match &element[key] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(format!("{key} {number}")),
        _ => None,
    };
    let keys = ["group", "name", "wait", "capacity", "batch", "factor", "start_s", "offered_per_s"];
    let named: Vec<String> = keys.iter().filter_map(|key| text(key)).collect();
    if named.is_empty() { at.to_string() } else { named.join(", ") }
}

fn joined(row: &str, name: &str) -> String {
    if row.is_empty() { name.to_owned() } else { format!("{row}: {name}") }
}

fn collect(value: &Value, row: &str, figures: &mut Vec<Figure>) {
    let Value::Object(fields) = value else { return };
    for (key, field) in fields.iter().filter(|(key, _)| !ASIDE.contains(&key.as_str())) {
        match field {
            Value::Number(number) => {
                let end = |end: &str| fields.get(&format!("{key}_{end}")).and_then(Value::as_f64);
                let (Some(unit), Some(value)) = (Unit::of(key), number.as_f64()) else { continue };
                if !key.ends_with("_low") && !key.ends_with("_high") {
                    let interval = end("low").zip(end("high"));
                    figures.push(Figure { row: row.to_owned(), key: key.clone(), unit, value, interval });
                }
            }
            Value::Object(_) => collect(field, &joined(row, key), figures),
            Value::Array(elements) => {
                let list = if matches!(key.as_str(), "rows" | "rings" | "pipelines") { "" } else { key };
                for (at, element) in elements.iter().enumerate() {
                    let name = name_of(element, at);
                    let name = if list.is_empty() { name } else { format!("{list} {name}") };
                    collect(element, &joined(row, &name), figures);
                }
            }
            _ => {}
        }
    }
}

/// The verdict on a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Beyond noise.
    Better,
    /// Beyond noise.
    Worse,
    /// The intervals overlap.
    Same,
    /// It has no interval.
    NotJudged,
}

/// A figure of both results.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// Its row.
    pub row: String,
    /// Its name.
    pub key: String,
    /// Its unit.
    pub unit: Unit,
    /// In the first result.
    pub a: f64,
    /// In the second result.
    pub b: f64,
    /// Ratio of the second to the first; null if the first is 0.
    pub b_to_a: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Two results side by side.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The benchmark.
    pub bench: String,
    /// Whether both are from the same host; if not, only ratios are compared.
    pub same_host: bool,
    /// Figures in both results.
    pub changes: Vec<Change>,
    /// Figures in only one result.
    pub missing: Vec<String>,
}

/// Compares two results.
///
/// # Errors
/// When they are from different benchmarks.
pub fn compare(a: &ResultFile, b: &ResultFile) -> Result<Comparison, ResultError> {
    if a.bench != b.bench {
        return Err(ResultError::Different { a: a.bench.clone(), b: b.bench.clone() });
    }
    let same_host = a.host == b.host;
    let (mut changes, mut missing) = (Vec::new(), Vec::new());
    let same = |x: &&Figure, y: &Figure| (&x.row, &x.key) == (&y.row, &y.key);
    for old in &a.figures {
        match b.figures.iter().find(|new| same(new, old)) {
            Some(_) if !same_host && old.unit != Unit::Ratio => {}
            Some(new) => changes.push(change(old, new)),
            None => missing.push(format!("{}, {}: only in the first", old.row, old.key)),
        }
    }
    let only_new = b.figures.iter().filter(|new| !a.figures.iter().any(|old| same(&old, new)));
    missing.extend(only_new.map(|new| format!("{}, {}: only in the second", new.row, new.key)));
    Ok(Comparison { bench: a.bench.clone(), same_host, changes, missing })
}

fn change(old: &Figure, new: &Figure) -> Change {
    let verdict = match (old.interval, new.interval) {
        (Some((old_low, old_high)), Some((new_low, new_high))) => {
            let (less, more) = (new_high < old_low, new_low > old_high);
            match (less, more, old.unit) {
                (true, _, Unit::Rate) | (_, true, Unit::Time | Unit::Ratio | Unit::Memory) => Verdict::Worse,
                (true, ..) | (_, true, _) => Verdict::Better,
                _ => Verdict::Same,
            }
        }
        _ => Verdict::NotJudged,
    };
    let b_to_a = (old.value != 0.0).then(|| super::rounds::rounded(new.value / old.value));
    let (row, key) = (old.row.clone(), old.key.clone());
    Change { row, key, unit: old.unit, a: old.value, b: new.value, b_to_a, verdict }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(host: &str, median: f64, ratio: f64) -> ResultFile {
        let text = json!({
            "bench": "hop", "host": { "cpu": host, "cores": 2, "kernel": "6", "virtualised": true }, "rounds": 21,
            "rings": [{ "name": "phase", "p50_ns": median, "p50_ns_low": median - 5.0, "p50_ns_high": median + 5.0,
                "p99_ns": 200, "ratio": ratio, "ratio_low": ratio - 0.1, "ratio_high": ratio + 0.1 }],
        });
        ResultFile::parse(&text.to_string()).unwrap()
    }

    fn verdicts(a: &ResultFile, b: &ResultFile) -> Vec<(String, Verdict)> {
        compare(a, b).unwrap().changes.into_iter().map(|c| (c.key, c.verdict)).collect()
    }

    #[test]
    fn intervals_that_touch_are_noise() {
        let named = |p50, ratio| {
            [("p50_ns", p50), ("p99_ns", Verdict::NotJudged), ("ratio", ratio)].map(|(k, v)| (k.to_owned(), v))
        };
        let old = result("a", 100.0, 1.0);
        assert_eq!(verdicts(&old, &result("a", 109.0, 1.1)), named(Verdict::Same, Verdict::Same));
        assert_eq!(verdicts(&old, &result("a", 111.0, 1.3)), named(Verdict::Worse, Verdict::Worse));
        assert_eq!(verdicts(&old, &result("a", 80.0, 0.7)), named(Verdict::Better, Verdict::Better));
    }

    #[test]
    fn nanoseconds_of_another_host_are_not_compared() {
        let compared = compare(&result("a", 100.0, 1.0), &result("b", 500.0, 1.5)).unwrap();
        assert!(!compared.same_host);
        assert_eq!(
            compared.changes.iter().map(|c| (c.key.as_str(), c.verdict)).collect::<Vec<_>>(),
            [("ratio", Verdict::Worse)]
        );
    }

    #[test]
    fn lines_of_a_program_are_read_and_a_rate_is_better_when_higher() {
        let text = |rate: u32| {
            format!(
                "{{\"bench\":\"ring\",\"host\":{{\"cpu\":\"a\"}}}}\n{{\"group\":\"g\",\"name\":\"phase\",\"x_per_s\":{rate},\
                 \"x_per_s_low\":{rate},\"x_per_s_high\":{rate}}}\n{{\"steal_percent\":1.5}}\n"
            )
        };
        let (a, b) = (ResultFile::parse(&text(10)).unwrap(), ResultFile::parse(&text(12)).unwrap());
        assert_eq!((a.steal_percent, a.figures[0].row.as_str()), (1.5, "g, phase"));
        assert_eq!(verdicts(&a, &b), [("x_per_s".to_owned(), Verdict::Better)]);
        assert_eq!(verdicts(&b, &a), [("x_per_s".to_owned(), Verdict::Worse)]);
    }

    #[test]
    fn what_is_no_result_is_refused() {
        for text in ["", "{}", "[1]", "{\"bench\":\"hop\"}", "no json"] {
            assert!(ResultFile::parse(text).is_err(), "{text}");
        }
        let other = ResultFile { bench: "ring".to_owned(), ..result("a", 1.0, 1.0) };
        assert!(compare(&result("a", 1.0, 1.0), &other).is_err());
    }
}

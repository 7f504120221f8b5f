//! Figures: a table for the reader, JSON lines for whoever compares runs.
//!
//! A run writes one file, `benches/NAME-SECONDS.jsonl` in the target folder: first the host, then a line for each figure,
//! last the share of the time that a hypervisor took away meanwhile.

use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;
use tuning::{Host, Steal};

/// What a run reports.
pub struct Report {
    file: File,
    path: PathBuf,
    steal: Steal,
}

impl Report {
    /// Opens the report of the program `name` and prints what host this is.
    ///
    /// # Panics
    /// When the target folder cannot be written.
    pub fn new(name: &str) -> Report {
        let exe = std::env::current_exe().expect("a running program has a path");
        let target = exe.ancestors().nth(3).expect("benches lie in target/PROFILE/deps");
        let seconds = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_secs());
        let path = target.join("benches").join(format!("{name}-{seconds}.jsonl"));
        fs::create_dir_all(target.join("benches")).expect("the target folder can be written");
        let file = File::create(&path).expect("the target folder can be written");
        let mut report = Report { file, path, steal: Steal::now() };
        let host = Host::here();
        println!("{name} on {host}");
        report.line(&json!({ "bench": name, "host": host, "commit": commit() }));
        report
    }

    fn line(&mut self, value: &Value) {
        writeln!(self.file, "{value}").expect("the report can be written");
    }

    /// What is to be known beside the figures, a sentence.
    pub fn note(&mut self, note: &str) {
        println!("  {note}");
        self.line(&json!({ "note": note }));
    }

    /// A figure: an object with `group`, `name` and numbers.
    pub fn row(&mut self, row: Value) {
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let numbers = row.as_object().into_iter().flatten().filter(|(_, v)| v.is_number());
        let shown: Vec<String> = numbers.map(|(k, v)| format!("{k} {v}")).collect();
        println!("  {:18} {:24} {}", text("group"), text("name"), shown.join("  "));
        self.line(&row);
    }
}

/// The commit of the sources, if git tells it.
fn commit() -> Option<String> {
    let mut git = Command::new("git");
    let told = git.args(["describe", "--always", "--dirty"]).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let told = told.ok().filter(|told| told.status.success())?;
    String::from_utf8(told.stdout).ok().map(|text| text.trim().to_owned())
}

impl Drop for Report {
    fn drop(&mut self) {
        let stolen = Steal::now().percent_since(self.steal);
        println!("  stolen {stolen:.1} % of the time; {}", self.path.display());
        self.line(&json!({ "steal_percent": stolen }));
    }
}

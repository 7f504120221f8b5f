//! Tests on what is not part of the project, recorded market data or a real server, declared in a table.
//!
//! A test file with `harness = false` lists its [`Case`]s and ends with [`conclude`]; a case whose files or server are
//! missing is ignored by name. Asked for all the same (`--include-ignored`), it fails and says what is missing and where
//! it was looked for.

use crate::prometheus::Prometheus;
use crate::questdb::QuestDb;
use libtest_mimic::{Arguments, Conclusion, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The folder of the recorded data: `TIDEGATE_DATA`, else `../shared/data` beside the project.
pub fn data() -> PathBuf {
    std::env::var_os("TIDEGATE_DATA").map_or_else(|| crate::root().join("../shared/data"), PathBuf::from)
}

/// A test that needs files, or a server.
pub struct Case {
    name: String,
    needs: Vec<&'static str>,
    server: Option<Server>,
    run: Run,
}

/// A real server that a case needs: its name, and what says what is missing to start one.
type Server = (&'static str, fn() -> Option<String>);

/// What a case does with the paths of its files.
type Run = Box<dyn FnOnce(&[PathBuf]) + Send>;

impl Case {
    /// A test called `name` that fails by panicking. It is given the paths of the files that it `needs`, which are named
    /// relative to [`data`]; a case that needs none always runs.
    pub fn new(name: impl Into<String>, needs: &[&'static str], run: impl FnOnce(&[PathBuf]) + Send + 'static) -> Case {
        Case { name: name.into(), needs: needs.to_vec(), server: None, run: Box::new(run) }
    }

    /// It also needs what a [QuestDB server](QuestDb) is started from.
    pub fn with_questdb(self) -> Case {
        Case { server: Some(("questdb", QuestDb::missing)), ..self }
    }

    /// It also needs a [Prometheus server](Prometheus).
    pub fn with_prometheus(self) -> Case {
        Case { server: Some(("prometheus", Prometheus::missing)), ..self }
    }

    fn into_trial(self, folder: &Path) -> Trial {
        let paths: Vec<PathBuf> = self.needs.iter().map(|n| folder.join(n)).collect();
        let missing = paths.iter().find(|p| !p.exists());
        let missing =
            missing.map(|p| format!("{} is missing: set TIDEGATE_DATA to the folder of the data", p.display()));
        let missing = missing.or_else(|| self.server.and_then(|(_, missing)| missing()));
        let ignored = missing.is_some();
        let run = move || match missing {
            Some(missing) => Err(missing.into()),
            None => {
                (self.run)(&paths);
                Ok(())
            }
        };
        let kind = match (self.server, self.needs.is_empty()) {
            (Some((name, _)), _) => name,
            (None, false) => "data",
            (None, true) => "",
        };
        Trial::test(self.name, run).with_kind(kind).with_ignored_flag(ignored)
    }
}

/// Runs the cases as the command line asks, which is that of every Rust test.
pub fn conclude(cases: Vec<Case>) -> ExitCode {
    run_in(&data(), &Arguments::from_args(), cases).exit_code()
}

fn run_in(folder: &Path, arguments: &Arguments, cases: Vec<Case>) -> Conclusion {
    libtest_mimic::run(arguments, cases.into_iter().map(|c| c.into_trial(folder)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases() -> Vec<Case> {
        vec![
            Case::new("present", &["Cargo.toml"], |paths| assert!(paths[0].is_file())),
            Case::new("absent", &["Cargo.toml", "no-such-file"], |_| {}),
            Case::new("without files", &[], |_| {}),
        ]
    }

    /// Its report goes nowhere: it would read as one of this run.
    fn counted(include_ignored: bool) -> [u64; 3] {
        let arguments = Arguments { include_ignored, logfile: Some("/dev/null".into()), ..Arguments::default() };
        let done = run_in(&crate::root(), &arguments, cases());
        [done.num_passed, done.num_ignored, done.num_failed]
    }

    #[test]
    fn missing_data_is_ignored_and_not_passed() {
        assert_eq!(counted(false), [2, 1, 0]);
    }

    #[test]
    fn missing_data_fails_when_asked_for() {
        assert_eq!(counted(true), [2, 0, 1]);
    }
}

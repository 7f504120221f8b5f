//! The binary under test.
//!
//! Cargo builds a package's own binaries for its tests, not those of another package. So the first use in a process
//! asks Cargo for it, in the profile and target folder of the running test: a fresh build answers in a fraction of a
//! second, and a test can never look at a binary that is older than the sources.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Path of the binary `tidegate`: `TIDEGATE_BIN` if that is set, else built now in the profile of the running test.
///
/// # Panics
/// When it does not build, with Cargo's own message.
pub fn tidegate() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("TIDEGATE_BIN").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test.parent().expect("a program stands in a folder");
    let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    let profile = profile.expect("a test stands in TARGET/PROFILE/deps, a program in TARGET/PROFILE");
    let target = profile.parent().expect("a profile stands in a target folder");
    let name = profile.file_name().and_then(OsStr::to_str).expect("a profile has a name");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    forget_the_test(&mut cargo);
    // Over the whole workspace and with an example, as `cargo test --workspace` builds: other selections have other features,
    // and everything would be built a second time.
    cargo.args(["build", "--quiet", "--workspace", "--bin", "tidegate", "--example", "calendar", "--profile"]);
    cargo.arg(if name == "debug" { "dev" } else { name }).arg("--target-dir").arg(target).current_dir(crate::root());
    let faults = if cfg!(feature = "deliberate-faults") { ",tidegate/deliberate-faults" } else { "" };
    cargo.arg("--features").arg(format!("tidegate/questdb,tidegate/parquet{faults}"));
    let built = cargo.output().unwrap_or_else(|e| panic!("{cargo:?} does not start: {e}"));
    assert!(
        built.status.success(),
        "the binary under test does not build: {cargo:?}\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    profile.join(format!("tidegate{}", std::env::consts::EXE_SUFFIX))
}

/// Takes away what Cargo has told the test of itself: build scripts that ask for it would run again, and everything behind them
/// would be built anew, now and at the next command of the user.
fn forget_the_test(cargo: &mut Command) {
    let of_the_test = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY_"];
    for (name, _) in std::env::vars_os() {
        if of_the_test.iter().any(|start| name.as_encoded_bytes().starts_with(start.as_bytes())) {
            cargo.env_remove(name);
        }
    }
}

/// What a user sees of a finished command.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
}

impl Outcome {
    /// This outcome, when its exit code is `code`.
    ///
    /// # Panics
    /// When it is another, with both outputs.
    #[track_caller]
    pub fn expect(self, code: i32) -> Outcome {
        assert_eq!(
            self.code,
            Some(code),
            "exit code; standard error:\n{}\nstandard output:\n{}",
            self.stderr,
            self.stdout
        );
        self
    }
}

/// Runs `tidegate` with these arguments, no input and its outputs captured.
///
/// # Panics
/// When it does not start, or prints what is not UTF-8.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Outcome {
    let mut command = Command::new(tidegate());
    let output = command.args(arguments).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
    let text = |bytes| String::from_utf8(bytes).expect("tidegate prints UTF-8");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

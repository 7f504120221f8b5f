//! The command as a user meets it: what it says when something is wrong, what its screens look like, and that the README's
//! commands run as pasted.
//!
//! Every command here runs under a time limit, and none may print the text of a panic. Disks that are full or read-only
//! are mounted in a namespace that only the command sees; where that is not permitted these cases are ignored by name. So are those of
//! the units of systemd where nothing reads units, and of a page where there is no browser.

mod bad_input;
mod chosen;
mod dbn;
mod discover;
mod feed_test;
mod fetch;
mod inputs;
mod instruments;
mod packed;
mod plot;
mod readme;
mod screens;
mod units;

use libtest_mimic::{Arguments, Failed, Trial};
use std::fs;
use std::io::Read;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tidegate_tests::{Outcome, tidegate};

/// Nothing here has more than a second of work to do.
const LIMIT: Duration = Duration::from_secs(60);

/// A test and its name.
type Named = (&'static str, fn());

fn main() -> ExitCode {
    let mounts = may_mount();
    let run = |test: fn()| {
        move || {
            test();
            Ok::<(), Failed>(())
        }
    };
    let plain = [
        bad_input::PLAIN,
        dbn::DBN,
        chosen::CHOSEN,
        discover::DISCOVER,
        feed_test::FEED_TEST,
        fetch::FETCH,
        inputs::INPUTS,
        instruments::INSTRUMENTS,
        packed::PACKED,
        plot::PLOT,
        screens::SCREENS,
        readme::README,
    ]
    .concat();
    let mut trials: Vec<_> = plain.into_iter().map(|(name, test)| Trial::test(name, run(test))).collect();
    let mounted = bad_input::MOUNTED.iter();
    trials.extend(mounted.map(|(name, test)| Trial::test(*name, run(*test)).with_ignored_flag(!mounts)));
    let browser = (plot::BROWSER.iter(), plot::may_browse());
    trials.extend(browser.0.map(|(name, test)| Trial::test(*name, run(*test)).with_ignored_flag(!browser.1)));
    let units = (units::UNITS.iter(), units::may_analyze());
    trials.extend(units.0.map(|(name, test)| Trial::test(*name, run(*test)).with_ignored_flag(!units.1)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Whether this process may mount in a namespace of its own.
fn may_mount() -> bool {
    let tried = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    tried.is_ok_and(|o| o.status.success())
}

/// Runs a command to its end, which must come in time and without a panic.
fn finish(command: Command) -> Outcome {
    finish_within(command, LIMIT)
}

fn finish_within(mut command: Command, limit: Duration) -> Outcome {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let text = |mut pipe: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).expect("UTF-8");
            text
        })
    };
    let (out, err) = (text(Box::new(out)), text(Box::new(err)));
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is a child") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("it is a child");
            panic!("{command:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let (stdout, stderr) = (out.join().expect("read"), err.join().expect("read"));
    assert!(!stderr.contains("panicked") && !stderr.contains("RUST_BACKTRACE"), "{command:?}: {stderr}");
    Outcome { code: status.code(), stdout, stderr }
}

fn call(arguments: &[&str]) -> Outcome {
    let mut command = Command::new(tidegate());
    command.args(arguments);
    finish(command)
}

/// Runs a script with the binary as `$1` and the folder as its place.
fn script(folder: &str, text: &str) -> Outcome {
    let mut command = Command::new("bash");
    command.args(["-c", text, "bash"]).arg(tidegate()).current_dir(folder);
    finish(command)
}

/// The command ends with `code` and says each of `parts`.
#[track_caller]
fn says(outcome: Outcome, code: i32, parts: &[&str]) -> Outcome {
    let outcome = outcome.expect(code);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(words(&outcome.stderr).contains(&words(part)), "{part:?} is not said:\n{}", outcome.stderr);
    }
    outcome
}

/// A folder with `day.itch`, of 20,000 messages, in it.
fn folder() -> (TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder");
    let day = path(&folder, "day.itch");
    call(&["synth", "--out", &day, "--messages", "20000", "--symbols", "5", "--live-orders", "500"]).expect(0);
    let bytes = fs::read(day).expect("it was written");
    (folder, bytes)
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().expect("UTF-8").to_owned()
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> String {
    let file = path(folder, name);
    fs::write(&file, bytes).expect("the folder can be written");
    file
}

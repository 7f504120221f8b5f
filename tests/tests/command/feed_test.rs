//! `tidegate feed test`: against a server that speaks as Alpaca does, in health and with each fault, and on a file.

use crate::{Named, call, folder, path, says, write};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tidegate_tests::{Outcome, tidegate};

pub(crate) const FEED_TEST: &[Named] = &[
    ("a_live_feed_is_tested_with_its_rates_and_lags", healthy),
    ("a_feed_that_is_refused_is_said_with_what_to_do", refused),
    ("a_plan_without_room_and_a_symbol_that_is_silent_are_said", no_room),
    ("losses_of_a_live_feed_are_gaps_of_its_test", losses),
    ("a_clock_that_is_behind_is_said_and_not_hidden", skew),
    ("a_file_is_tested_to_its_end_and_has_no_lag", file),
    ("what_cannot_be_opened_is_a_fault_of_the_configuration", not_opened),
];

/// The server, which ends with the test.
pub(crate) struct Fake {
    child: Child,
    pub(crate) address: String,
}

impl Fake {
    pub(crate) fn start(more: &[&str]) -> Fake {
        let mut command = Command::new(tidegate());
        command.args(["fake", "alpaca", "--port", "0", "--symbols", "AAPL,MSFT,SPY"]).args(more);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stderr.take().expect("piped")).read_line(&mut line).expect("it says where it is");
        let address = line.split([' ', ',']).find(|word| word.starts_with("ws://")).expect("an address").to_owned();
        Fake { child, address }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A configuration with this server and these symbols; the key's secret is `secret`.
fn configured(folder: &TempDir, address: &str, secret: &str, watch: &str) -> String {
    write(folder, "key", b"fake-key");
    write(folder, "secret", secret.as_bytes());
    let [key, secret] = ["key", "secret"].map(|name| path(folder, name));
    let text = format!(
        "[pipeline]\nclock = \"wall\"\n[[input]]\nfeed = \"alpaca\"\naddress = \"{address}\"\nkey = \"file:{key}\"\n\
         secret = \"file:{secret}\"\nwatch = [{watch}]\n"
    );
    write(folder, "desk.toml", text.as_bytes())
}

const THREE: &str = "\"AAPL\", \"MSFT\", \"SPY\"";

/// The screen fits, ends with `code` and says each of `parts`.
#[track_caller]
fn shows(outcome: Outcome, code: i32, parts: &[&str]) -> Outcome {
    let outcome = outcome.expect(code);
    let words = outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(words.contains(part), "{part:?} is not shown:\n{}", outcome.stdout);
    }
    let wide = outcome.stdout.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "{}", outcome.stdout);
    outcome
}

fn healthy() {
    let (fake, folder) = (Fake::start(&["--rate", "1000"]), tempfile::tempdir().expect("a folder"));
    let config = configured(&folder, &fake.address, "fake-secret", THREE);
    let outcome = call(&["feed", "test", &config, "--for", "2s", "--show", "60"]);
    let parts = ["input[1] alpaca v2/iex", "live, watched for 2.", "aggressor", "p50", "max", "well nothing is wrong"];
    let outcome = shows(outcome, 0, &parts);
    let line = |name: &str| {
        let found = outcome.stdout.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        found.unwrap_or_else(|| panic!("no {name}:\n{}", outcome.stdout))
    };
    for kind in ["quote", "trade", "all data"] {
        let numbers = line(kind);
        let count = numbers[kind.len()..].split_whitespace().next().map(|count| count.replace(',', ""));
        let count: u64 = count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{numbers}"));
        assert!(count > 100, "{numbers}");
        assert!(numbers.contains(" ms") || numbers.contains(" us"), "a lag: {numbers}");
    }
    assert!(["AAPL ", "MSFT ", "SPY "].iter().all(|symbol| line("symbols").contains(symbol)));
    let names = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names, 3, "nothing is recorded beside the key, its secret and the configuration");
}

fn refused() {
    let (fake, folder) = (Fake::start(&[]), tempfile::tempdir().expect("a folder"));
    let config = configured(&folder, &fake.address, "canary-9", THREE);
    let parts = ["wrong nothing came in 1.", "402, auth failed; see that `key` and `secret` are those of one pair"];
    let outcome = shows(call(&["feed", "test", &config, "--for", "1s"]), 3, &parts);
    assert!(!outcome.stdout.contains("canary") && !outcome.stderr.contains("canary"), "{}", outcome.stdout);
    let gone = fake.address.clone();
    drop(fake);
    let config = configured(&folder, &gone, "fake-secret", THREE);
    shows(call(&["feed", "test", &config, "--for", "1s"]), 3, &["wrong nothing came in 1.", "refused"]);
}

fn no_room() {
    let (fake, folder) = (Fake::start(&["--limit", "5"]), tempfile::tempdir().expect("a folder"));
    let config = configured(&folder, &fake.address, "fake-secret", THREE);
    let parts = ["wrong nothing came in", "405", "3 symbols with trades and quotes are 6", "Watch fewer symbols"];
    shows(call(&["feed", "test", &config, "--for", "1s"]), 3, &parts);
    let config = configured(&folder, &fake.address, "fake-secret", "\"AAPL\", \"APPL\"");
    let parts = ["wrong nothing came of APPL in 2.", "Check how it is spelled"];
    shows(call(&["feed", "test", &config, "--for", "2s"]), 3, &parts);
    let config = configured(&folder, &fake.address, "fake-secret", "\"APPL\"");
    let parts = ["wrong it is connected, and nothing came in 1.", "unknown to the venue"];
    shows(call(&["feed", "test", &config, "--for", "1s"]), 3, &parts);
}

fn losses() {
    let troubled = Fake::start(&["--rate", "2000", "--trouble", "20", "--seed", "3"]);
    let folder = tempfile::tempdir().expect("a folder");
    let config = configured(&folder, &troubled.address, "fake-secret", THREE);
    shows(call(&["feed", "test", &config, "--for", "6s"]), 3, &["gap", "wrong", "where messages are missing"]);
}

fn skew() {
    let (fake, folder) = (Fake::start(&["--ahead", "250000"]), tempfile::tempdir().expect("a folder"));
    let config = configured(&folder, &fake.address, "fake-secret", THREE);
    let parts = ["-2", "wrong clock skew:", "this host's clock is behind the exchange's", "chronyc tracking"];
    let outcome = shows(call(&["feed", "test", &config, "--for", "2s"]), 3, &parts);
    let all = outcome.stdout.lines().find(|line| line.starts_with("quote")).unwrap_or_default().to_owned();
    let mut lags = all.split_whitespace().skip(3).step_by(2).peekable();
    assert!(lags.peek().is_some() && lags.all(|lag| lag.starts_with("-2")), "every lag is below zero: {all}");
}

fn file() {
    let (folder, _) = folder();
    let text = "[[input]]\nfeed = \"itch\"\nfiles = [\"day.itch\"]\ndate = \"2026-01-05\"\n";
    let config = write(&folder, "file.toml", text.as_bytes());
    let parts = ["recorded, read to its end", "add", "lag none: a recording is read", "well nothing is wrong"];
    let outcome = shows(call(&["feed", "test", &config]), 0, &parts);
    assert!(outcome.stdout.lines().any(|line| line.starts_with("add") && line.ends_with('–')), "{}", outcome.stdout);
    let watched = write(&folder, "watched.toml", format!("{text}watch = [\"ZZZZZZ\"]\n").as_bytes());
    shows(call(&["feed", "test", &watched]), 3, &["wrong"]);
    let two = write(&folder, "two.toml", text.repeat(2).as_bytes());
    shows(call(&["feed", "test", &two]), 0, &["input[1]", "input[2]"]);
}

fn not_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = configured(&folder, "ws://127.0.0.1:1", "fake-secret", THREE);
    std::fs::remove_file(folder.path().join("secret")).expect("it was there");
    says(call(&["feed", "test", &config]), 2, &["input[1].secret", "name another place"]);
    let none = write(&folder, "none.toml", b"[pipeline]\nclock = \"wall\"\n");
    says(call(&["feed", "test", &none]), 2, &["no input"]);
    says(call(&["feed", "test", &none, "--for", "10h"]), 2, &["write 10s, 500ms or 2m"]);
}

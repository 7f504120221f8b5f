//! `tidegate fetch`: from a server that speaks as Alpaca does, whole, killed in the middle, in trouble and refused.

use crate::feed_test::Fake;
use crate::{Named, call, finish, path, says, write};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tidegate_tests::{Outcome, amount, tidegate};

pub(crate) const FETCH: &[Named] = &[
    ("what_was_fetched_is_replayed", replayed),
    ("a_fetch_that_is_killed_goes_on_and_gives_the_same_bytes", killed),
    ("a_fetch_in_trouble_gives_the_same_bytes", troubled),
    ("a_fetch_that_is_refused_says_what_to_do", refused),
];

const NAME: &str = "alpaca-iex-trades-quotes-2026-01-08-2026-01-12.tidepack";

fn command(folder: &TempDir, fake: &Fake, out: &str, more: &[&str]) -> Command {
    let [key, secret] = [("key", "fake-key"), ("secret", "fake-secret")].map(|(name, text)| {
        let there = write(folder, name, text.as_bytes());
        format!("file:{there}")
    });
    let mut command = Command::new(tidegate());
    command.args(["fetch", "alpaca", "--symbols", "SPY,AAPL", "--from", "2026-01-08", "--to", "2026-01-12"]);
    command.args(["--what", "quotes,trades", "--key", &key, "--secret", &secret, "--page", "40"]);
    command.args(["--address", &fake.address.replace("ws://", "http://"), "--out", &path(folder, out)]).args(more);
    command
}

fn fetch(folder: &TempDir, fake: &Fake, out: &str, more: &[&str]) -> Outcome {
    finish(command(folder, fake, out, more))
}

fn fake(more: &[&str]) -> Fake {
    Fake::start(&[&["--a-day", "900", "--a-minute", "100000"], more].concat())
}

/// The bytes of an uncut fetch, and nothing else in its folder.
fn whole(folder: &TempDir) -> Vec<u8> {
    let outcome = fetch(folder, &fake(&[]), "whole", &[]).expect(0);
    assert!(outcome.stderr.contains("of 2 symbols into"), "{}", outcome.stderr);
    alone(folder, "whole")
}

/// The file of a folder that has nothing else.
fn alone(folder: &TempDir, out: &str) -> Vec<u8> {
    let names: Vec<_> = fs::read_dir(path(folder, out)).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(names, [NAME]);
    fs::read(folder.path().join(out).join(NAME)).expect("it is whole")
}

fn replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = whole(&folder);
    let file = folder.path().join("whole").join(NAME);
    let file = file.to_str().expect("UTF-8");
    let rows = call(&["replay", "--input", file, "--emit", "trade,quote,trade-venue,listing"]).expect(0).stdout;
    let count = |kind: &str| rows.lines().filter(|row| row.contains(&format!("\"kind\":\"{kind}\""))).count();
    assert_eq!(count("listing"), 2);
    assert!(count("trade") > 100 && count("quote") > 100 && count("trade-venue") == count("trade"), "{}", bytes.len());
    assert!(rows.lines().any(|row| row.contains("\"venue\":\"V\"")) && rows.contains("\"inferred\":true"));
    let again = fetch(&folder, &fake(&[]), "whole", &[]);
    says(again, 0, &["is there already, of the same fetch"]);
    let other = fetch(&folder, &fake(&[]), "whole", &["--set", "alpaca.signing=tick"]);
    says(other, 2, &["exists; --force overwrites it"]);
    says(fetch(&folder, &fake(&[]), "whole", &["--force", "--keep"]), 0, &["next tidegate replay --input"]);
    let kept = fs::read_to_string(path(&folder, "whole/alpaca-iex-trades-2026-01-08-2026-01-12.jsonl"));
    assert!(
        kept.is_ok_and(|rows| rows.contains("\"c\":[\"@\"") && rows.contains("\"z\":\"A\"")),
        "the rows as they came"
    );
}

fn killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let expected = whole(&folder);
    // Each request is slow now and then, so that there is time to kill in the middle of things.
    let fake = fake(&[]);
    for round in 0..amount(6, 40) {
        let out = format!("cut{round}");
        let mut kills = 0;
        loop {
            let mut child = command(&folder, &fake, &out, &[]).stderr(Stdio::null()).spawn().expect("it starts");
            let until = Instant::now() + Duration::from_millis(40 + 37 * round + 25 * kills);
            let ended = loop {
                match child.try_wait().expect("it is a child") {
                    Some(status) => break Some(status),
                    None if Instant::now() >= until => break None,
                    None => std::thread::sleep(Duration::from_millis(1)),
                }
            };
            match ended {
                Some(status) => {
                    assert!(status.success());
                    break;
                }
                None => {
                    child.kill().expect("it is a child");
                    child.wait().expect("it is a child");
                    kills += 1;
                }
            }
            assert!(kills < 400, "it does not come to its end");
        }
        // What a kill left of a file in the making has another name, and is no part of the result.
        let bytes = fs::read(folder.path().join(&out).join(NAME)).expect("it is whole");
        assert!(bytes == expected, "round {round}, {kills} kills");
    }
}

fn troubled() {
    let folder = tempfile::tempdir().expect("a folder");
    let expected = whole(&folder);
    let outcome = fetch(&folder, &fake(&["--trouble", "60"]), "troubled", &[]).expect(0);
    assert!(outcome.stderr.contains("it is asked again in"), "{}", outcome.stderr);
    assert!(alone(&folder, "troubled") == expected);
}

fn refused() {
    let (folder, fake) = (tempfile::tempdir().expect("a folder"), fake(&[]));
    write(&folder, "wrong", b"canary-5");
    let wrong = format!("file:{}", path(&folder, "wrong"));
    let outcome = fetch(&folder, &fake, "out", &["--force", "--keep"]).expect(0);
    assert!(outcome.stderr.contains("fetched"), "{}", outcome.stderr);
    let mut refused = Command::new(tidegate());
    let address = fake.address.replace("ws://", "http://");
    refused.args([
        "fetch",
        "alpaca",
        "--symbols",
        "SPY",
        "--from",
        "2026-01-08",
        "--secret",
        &wrong,
        "--address",
        &address,
    ]);
    refused.args(["--key", &wrong, "--out", &path(&folder, "none")]);
    let outcome = says(finish(refused), 2, &["Alpaca says 401, unauthorized.", "`--key` and `--secret`"]);
    assert!(!outcome.stderr.contains("canary"), "{}", outcome.stderr);
    // Of a day that is not over the file has what is there, and says so.
    let mut late = Command::new(tidegate());
    late.args(["fetch", "alpaca", "--symbols", "SPY", "--from", "2100-01-04", "--address", &address]);
    let [key, secret] = ["key", "secret"].map(|name| format!("file:{}", path(&folder, name)));
    late.args(["--key", &key, "--secret", &secret, "--out", &path(&folder, "late")]);
    says(finish(late), 3, &["the last day was not over", "nothing is there of these symbols"]);
    let [from, to] = ["2026-01-09", "2026-01-08"];
    says(call(&["fetch", "alpaca", "--symbols", "SPY", "--from", from, "--to", to]), 2, &["is after --to"]);
    let unset = ["fetch", "alpaca", "--symbols", "SPY", "--from", to, "--key", "secret-itself"];
    let outcome = says(call(&unset), 2, &["--key: it names no place"]);
    assert!(!outcome.stderr.contains("secret-itself"), "{}", outcome.stderr);
}

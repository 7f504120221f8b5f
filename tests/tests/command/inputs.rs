//! Inputs as real use brings them: pipes, files with a tail, dates and ranges that hold nothing.

use crate::{LIMIT, Named, call, folder, path, says, script, write};
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tidegate_tests::{Outcome, tidegate};

pub(crate) const INPUTS: &[Named] = &[
    ("pipes_give_what_the_file_gives", pipes),
    ("a_pipe_without_a_writer_holds_up_no_validation_and_no_stop", silent_pipe),
    ("what_needs_a_file_says_so", needs_a_file),
    ("bytes_behind_a_whole_stream", tails),
    ("dates_out_of_range", dates),
    ("what_the_input_does_not_hold", not_there),
    ("lobster_days_in_one_zip", days),
];

/// The rows without the name of their input.
fn rows(outcome: &Outcome, name: &str) -> String {
    assert!(outcome.stdout.lines().count() > 100, "{}", outcome.stderr);
    outcome.stdout.replace(&format!("\"input\":\"{name}\""), "")
}

fn pipes() {
    let (folder, _) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    let emit = "--date 2026-01-05 --emit book-top,trade --limit 2000";
    let expected = rows(&script(dir, &format!("$1 replay --input day.itch {emit}")).expect(0), "day.itch");
    script(dir, "gzip -k day.itch && mkfifo p").expect(0);
    for feed in ["", "--feed itch"] {
        for bytes in ["cat day.itch", "cat day.itch.gz", "zcat day.itch.gz"] {
            let standard = script(dir, &format!("{bytes} | $1 replay {feed} --input - {emit}"));
            assert_eq!(rows(&standard.expect(0), "-"), expected, "{bytes} | {feed}");
            let named = script(dir, &format!("{bytes} > p & $1 replay {feed} --input p {emit}; wait"));
            assert_eq!(rows(&named.expect(0), "p"), expected, "{bytes} > p {feed}");
            let text = format!("$1 replay {feed} --input <({bytes}) {emit}");
            let substituted = script(dir, &text).expect(0);
            assert_eq!(substituted.stdout.lines().count(), expected.lines().count(), "<({bytes}) {feed}");
        }
    }
    write(&folder, "run.toml", b"[[input]]\nfeed = \"itch\"\nfiles = [\"-\"]\ndate = \"2026-01-05\"\n");
    let configured = script(dir, "cat day.itch | $1 replay run.toml --emit book-top,trade --limit 2000");
    assert_eq!(rows(&configured.expect(0), "-"), expected);
}

fn silent_pipe() {
    let (folder, _) = folder();
    let pipe = path(&folder, "silent");
    assert!(Command::new("mkfifo").arg(&pipe).status().is_ok_and(|s| s.success()));
    let text = format!("[[input]]\nfeed = \"itch\"\nfiles = [\"{pipe}\"]\ndate = \"2026-01-05\"\n");
    let config = write(&folder, "run.toml", text.as_bytes());
    assert!(call(&["validate", &config]).expect(0).stdout.contains("is valid"));
    let run = path(&folder, "run");
    let waiting: [&[&str]; 3] = [
        &["replay", "--feed", "itch", "--input", &pipe, "--date", "2026-01-05", "--emit", "trade"],
        &["replay", "--input", &pipe, "--emit", "trade"],
        &["run", &config, "--journal", &run],
    ];
    for (arguments, signal) in waiting.iter().flat_map(|a| ["TERM", "INT"].map(|signal| (a, signal))) {
        let child = Command::new(tidegate()).args(*arguments).stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("it starts");
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(child.try_wait().expect("it is a child"), None, "{arguments:?} waits for the writer");
        let id = rustix::process::Pid::from_child(&child);
        let signal = if signal == "TERM" { rustix::process::Signal::TERM } else { rustix::process::Signal::INT };
        rustix::process::kill_process(id, signal).expect("it runs");
        let asked = Instant::now();
        while child.try_wait().expect("it is a child").is_none() {
            if asked.elapsed() > LIMIT {
                child.kill().expect("it is a child");
                panic!("{arguments:?} goes on after {signal:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().expect("it has ended");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {text}");
        assert!(text.contains("stop"), "{arguments:?}: {text}");
        // The next run begins anew.
        let _ = fs::remove_dir_all(&run);
    }
}

fn needs_a_file() {
    let (folder, bytes) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    let mut zip = zip::ZipWriter::new(fs::File::create(path(&folder, "day.zip")).expect("writable"));
    zip.start_file("day.itch", zip::write::SimpleFileOptions::default()).expect("a member");
    zip.write_all(&bytes).expect("writable");
    zip.finish().expect("a whole zip");
    let zipped = "standard input is a zip, which is read from its end";
    says(script(dir, "cat day.zip | $1 replay --feed itch --input -"), 1, &[zipped, "give the file by its path"]);
    says(script(dir, "cat day.zip | $1 replay --input -"), 2, &[zipped, "unzip -p"]);
    says(script(dir, "$1 replay --feed itch --input - < /dev/null"), 1, &["nothing came from", "check what writes"]);
    let other = script(dir, "cat day.itch | $1 replay --feed dbn --input -");
    says(other, 1, &["is not dbn data", "it looks like itch: use --feed itch"]);
    says(script(dir, "cat day.itch | $1 replay --input -"), 0, &["trading date unknown", "give --date YYYY-MM-DD"]);
}

fn tails() {
    let (folder, _) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    let made = "gzip -k day.itch && cp day.itch.gz zeros.gz && head -c 512 /dev/zero >> zeros.gz \
                && cp day.itch.gz text.gz && echo 'a note' >> text.gz";
    script(dir, made).expect(0);
    let of = |name: &str, code| call(&["replay", "--input", &path(&folder, name), "--emit", "trade"]).expect(code);
    let count = |outcome: &Outcome| outcome.stdout.lines().count();
    let whole = of("day.itch", 0);
    assert!(count(&whole) > 10);
    assert_eq!(count(&of("zeros.gz", 0)), count(&whole));
    let text = of("text.gz", 1);
    assert_eq!(count(&text), count(&whole), "everything before the tail is used");
    let said = says(text, 1, &["bytes follow a whole gzip stream", "all earlier records were used", "cut it off"]);
    assert!(!said.stderr.contains("cut short") && !said.stderr.contains("unexpected end"), "{}", said.stderr);
}

fn dates() {
    let (folder, _) = folder();
    let day = path(&folder, "day.itch");
    for date in ["1969-12-31", "2262-04-12", "2300-01-01", "+12020-01-30"] {
        let valid = "valid: a trading date from 1970-01-01 to 2262-04-10";
        says(call(&["replay", "--input", &day, "--date", date, "--emit", "trade"]), 2, &["--date", date, valid]);
        says(call(&["bench", "decode", &day, "--date", date]), 2, &["--date", date, valid]);
        let text = format!("[[input]]\nfeed = \"itch\"\nfiles = [\"day.itch\"]\ndate = \"{date}\"\n");
        let config = write(&folder, "run.toml", text.as_bytes());
        says(call(&["validate", &config]), 2, &["input[1].date", date, valid]);
    }
    let first = call(&["replay", "--input", &day, "--date", "1970-01-01", "--emit", "trade", "--limit", "1"]).expect(0);
    let last = call(&["replay", "--input", &day, "--date", "2262-04-10", "--emit", "trade", "--limit", "1"]).expect(0);
    let ns =
        |outcome: &Outcome| serde_json::from_str::<serde_json::Value>(&outcome.stdout).expect("a row")["ts_ns"].clone();
    assert_ne!(ns(&first), ns(&last));
}

fn not_there() {
    let (folder, _) = folder();
    let (day, run) = (path(&folder, "day.itch"), path(&folder, "run"));
    let symbol = {
        let row = call(&["replay", "--input", &day, "--journal", &run, "--emit", "listing", "--limit", "1"]).expect(0);
        serde_json::from_str::<serde_json::Value>(&row.stdout).expect("a row")["symbol"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    let whole = path(&folder, "whole");
    call(&["replay", "--input", &day, "--date", "2020-01-30", "--journal", &whole]).expect(0);
    let replay: &[&str] = &["replay", "--input", &day, "--date", "2020-01-30"];
    let export: &[&str] = &["journal", "export", &whole];
    for command in [replay, export] {
        let with = |more: &[&str]| call(&[command, &["--emit", "trade"], more].concat());
        says(with(&["--symbols", "ZZZZZZ"]), 2, &["--symbols ZZZZZZ: the input has no such symbol"]);
        let both = format!("{symbol},ZZZZZZ,YYYYYY");
        says(with(&["--symbols", &both]), 2, &["--symbols ZZZZZZ:", "--symbols YYYYYY:"]);
        with(&["--symbols", &symbol]).expect(0);
        let (early, late) = ("2020-01-30T14:30:00", "2020-01-30T15:30:00");
        says(
            with(&["--from", late, "--to", early]),
            2,
            &["--from 2020-01-30T15:30:00Z is not before --to 2020-01-30T14:30:00Z"],
        );
        says(with(&["--from", early, "--to", early]), 2, &["no time lies between"]);
        let beyond = says(
            with(&["--from", "2020-02-01T00:00:00"]),
            2,
            &["--from 2020-02-01T00:00:00Z: no row lies there", "the rows are from 2020-01-30T"],
        );
        assert_eq!(beyond.stdout, "");
        says(with(&["--to", "2020-01-29T00:00:00"]), 2, &["--to 2020-01-29T00:00:00Z: no row lies there"]);
        says(with(&["--from", "2300-01-01T00:00:00"]), 2, &["is not a time from 1970 to 2262"]);
        with(&["--from", "2020-01-30T00:00:00", "--to", "2020-01-31T12:00:00"]).expect(0);
        // A run that stops before the end cannot know what would have come.
        with(&["--symbols", &format!("{symbol},ZZZZZZ"), "--limit", "1"]).expect(0);
    }
}

fn days() {
    let (folder, _) = folder();
    let file = path(&folder, "days.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&file).expect("writable"));
    for day in ["2019-06-04", "2012-06-21", "2019-06-03"] {
        for (which, text) in
            [("orderbook", "1001000,10,1000000,10\n"), ("message", "\u{feff}34200.1000000004,5,0,7,1000100,1\n\n")]
        {
            let name = format!("year/TEST_{day}_34200000_57600000_{which}_1.csv");
            zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("a member");
            zip.write_all(text.as_bytes()).expect("writable");
        }
    }
    zip.finish().expect("a whole zip");
    let outcome = call(&["replay", "--input", &file, "--symbols", "TEST", "--emit", "trade"]).expect(0);
    let rows: Vec<serde_json::Value> =
        outcome.stdout.lines().map(|row| serde_json::from_str(row).expect("a row")).collect();
    let found: Vec<(Option<u64>, _)> = rows
        .iter()
        .map(|row| (row["ts_ns"].as_str().and_then(|ns| ns.parse().ok()), row["aggressor"].as_str()))
        .collect();
    let at = |midnight: u64, side| (Some(midnight * 1_000_000_000 + 34_200_100_000_000), Some(side));
    assert_eq!(found, [at(1_340_251_200, "sell"), at(1_559_534_400, "none"), at(1_559_620_800, "none")]);
}

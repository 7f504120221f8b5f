//! One instrument over files and days, and the memory of few of them.

use crate::{Named, folder, path, script};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;
use tidegate_tests::tidegate;

pub(crate) const INSTRUMENTS: &[Named] = &[
    ("two_days_with_other_numbers_are_one_instrument_each", days),
    ("two_days_as_one_input_give_what_they_give_as_two", one_input),
    ("what_two_files_of_one_day_bring_is_taken_once", twice),
    ("memory_follows_what_is_listed", memory),
];

/// The stages of a pipeline that trades.
const STAGES: &str =
    "--set pipeline.stages=book,bars,vpin,buy-and-hold,orders,risk,router --set risk.max_data_age_ms=86400000";

/// A day of five symbols, whose numbers the seed shuffles.
fn synth(seed: u32, out: &str) -> String {
    format!("$1 synth --messages 20000 --symbols 5 --live-orders 500 --seed {seed} --out {out} && ")
}

/// The values of a column, with how often each comes.
fn count(rows: &str, column: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for row in rows.lines().map(|row| serde_json::from_str::<Value>(row).expect("a row")) {
        *found.entry(row[column].as_str().expect("a text").to_owned()).or_default() += 1;
    }
    found
}

fn days() {
    let (folder, _) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    script(dir, &format!("{} {} true", synth(1, "a_20200130.itch"), synth(2, "a_20200131.itch"))).expect(0);
    for files in ["a_20200130.itch a_20200131.itch", "a_20200131.itch a_20200130.itch"] {
        let rows = script(dir, &format!("$1 replay --input {files} {STAGES} --emit listing,signal")).expect(0).stdout;
        let of =
            |kind: &str| rows.lines().filter(|row| row.contains(&format!("\"kind\":\"{kind}\""))).collect::<Vec<_>>();
        let listed = count(&of("listing").join("\n"), "symbol");
        assert_eq!(listed.values().collect::<Vec<_>>(), [&2; 5], "each symbol is listed on both days: {listed:?}");
        let bought = count(&of("signal").join("\n"), "symbol");
        assert!(bought.len() >= 3 && bought.values().all(|times| *times == 1), "and bought once: {bought:?}");
    }
}

/// Two days as one input give what they give as two.
fn one_input() {
    let (folder, _) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    script(dir, &format!("{} {} true", synth(1, "a_20200130.itch"), synth(2, "a_20200131.itch"))).expect(0);
    let values = |inputs: &str| {
        let text = format!("$1 replay {inputs} {STAGES} --emit listing,bar,vpin,fill,position");
        let rows = script(dir, &text).expect(0).stdout;
        let value = |row: &str| {
            let mut row: Value = serde_json::from_str(row).expect("a row");
            let of = row.as_object_mut().expect("an object");
            // An input more, the clear between the days, moves what counts inputs.
            for key in ["id", "seq", "cause", "input", "source", "record", "order_id", "match_id", "ts"] {
                of.remove(key);
            }
            row.to_string()
        };
        let mut values: Vec<_> = rows.lines().map(value).collect();
        values.sort_unstable();
        values
    };
    let files = |files: &str| {
        let input = format!("[[input]]\nfeed = \"itch\"\nfiles = {files}\n");
        std::fs::write(folder.path().join("days.toml"), input).expect("a folder");
        "days.toml"
    };
    let apart = values("--input a_20200130.itch a_20200131.itch");
    assert!(apart.len() > 1_000);
    assert!(values(files("[\"a_*.itch\"]")) == apart, "a pattern");
    assert!(values(files("[\"a_20200131.itch\", \"a_20200130.itch\"]")) == apart, "in the order of their dates");
    // Without dates in their names the order is the user's, and a wrong one is told.
    let unnamed = "cp a_20200130.itch one.itch && cp a_20200131.itch two.itch && $1 replay days.toml";
    files("[\"two.itch\", \"one.itch\"]");
    let error = script(dir, unnamed).stderr;
    for text in
        ["one.itch: it begins before the file in front of it ended", "give the files in the order of their days"]
    {
        assert!(error.contains(text), "{error}");
    }
}

fn twice() {
    let (folder, _) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    let files = synth(1, "a_20200130.itch");
    let text = format!(
        "{files} cp a_20200130.itch b_20200130.itch && $1 replay --input a_20200130.itch b_20200130.itch --emit anomaly"
    );
    let outcome = script(dir, &text).expect(0);
    let told = count(&outcome.stdout, "symbol");
    assert_eq!(told.values().collect::<Vec<_>>(), [&1; 5], "{told:?}");
    assert_eq!(count(&outcome.stdout, "what").into_keys().collect::<Vec<_>>(), ["duplicate-instrument"]);
    // Nothing of the second file changes what the first alone gives.
    let hash = |files: &str| {
        let text = format!("$1 replay --input {files} --set outcomes.kinds=book-top,trade,bar --emit bar");
        script(dir, &text).expect(0).stdout.replace("\"input\":\"b_20200130.itch\"", "")
    };
    let values = |rows: String| {
        let rows = rows.lines().map(|row| serde_json::from_str::<Value>(row).expect("a row")).collect::<Vec<_>>();
        rows.into_iter()
            .map(|row| ["symbol", "start_s", "open", "close"].map(|of| row[of].to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(values(hash("a_20200130.itch b_20200130.itch")), values(hash("a_20200130.itch")));
}

/// How much more code a build for tests has in memory than a release, in MiB.
const LARGER: u64 = if cfg!(debug_assertions) { 3 } else { 0 };

/// What a run takes at most, in MiB. The system's own figure for a process that has ended would count the one that started it, too,
/// and that is this one, with all the tests beside.
fn taken(file: &str) -> u64 {
    let mut command = Command::new(tidegate());
    command.args(["replay", "--date", "2020-01-30", "--input", file, "--set"]);
    command.arg("pipeline.stages=pulse,book,bars,cvd,imbalance,vpin,momentum,orders,risk,router");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let ended = loop {
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = peak.unwrap_or(0).max(most);
        if let Some(ended) = child.try_wait().expect("a child") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(ended.success() && most > 0, "{ended}: {most} KiB");
    most >> 10
}

/// The whole pipeline, with room for 16,384 instruments and a million orders, takes the memory of those that there are.
fn memory() {
    let (folder, _) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    for (symbols, most) in [(1, 60), (100, 60), (8_000, 110)] {
        let file = format!("{symbols}.itch");
        script(dir, &format!("$1 synth --messages 100000 --symbols {symbols} --live-orders 16000 --out {file}"))
            .expect(0);
        let mib = taken(&path(&folder, &file)) - LARGER;
        println!("{symbols} symbols: {mib} MiB");
        assert!(mib <= most, "{symbols} symbols take {mib} MiB");
    }
}

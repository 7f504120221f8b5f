//! Packed days through the binary: a replay of one is the replay of the original, and no file appears that is not whole.

use crate::{Named, call, folder, path, says, script, write};
use serde_json::Value;
use std::fs;

pub(crate) const PACKED: &[Named] = &[
    ("a_replay_of_a_packed_day_is_that_of_the_original", same),
    ("some_symbols_of_a_packed_day", some),
    ("a_packed_day_in_a_configuration_and_a_journal", journalled),
    ("what_cannot_be_packed_leaves_no_file", refused),
    ("what_is_no_whole_packed_file_is_refused", not_whole),
    ("inputs_and_names_of_pack", names),
];

/// The report of a replay without what depends on the clock, the host and the name of the input.
fn report(words: &[&str]) -> Value {
    let said = call(&[words, &["--json"]].concat()).expect(0).stdout;
    let mut report: Value = serde_json::from_str(&said).expect("JSON");
    let parts = report.as_object_mut().expect("an object");
    for of_the_run in ["seconds", "events_per_s", "latency", "load", "rings", "host", "steal_percent"] {
        parts.remove(of_the_run);
    }
    let inputs = report["inputs"].as_array_mut().expect("a list");
    inputs.iter_mut().for_each(|input| drop(input.as_object_mut().expect("an object").remove("name")));
    report
}

fn same() {
    let (folder, _) = folder();
    let (day, packed) = (path(&folder, "day.itch"), path(&folder, "day.tidepack"));
    says(
        call(&["pack", &day, "--date", "2026-01-05"]),
        0,
        &["20,000 messages", "5 instruments", "of what was read", "day.tidepack in"],
    );
    let original = report(&["replay", "--input", &day, "--date", "2026-01-05"]);
    let again = report(&["replay", "--input", &packed]);
    assert!(original["outcome_hash"].is_string() && original["inputs"][0]["counts"]["A"].as_u64() > Some(1_000));
    assert_eq!(again, original);
    // A packed file can be packed again, and holds the same.
    let third = path(&folder, "third.tidepack");
    call(&["pack", &packed, "--out", &third]).expect(0);
    assert_eq!(report(&["replay", "--input", &third]), original);
    // Without a date the warning stays.
    call(&["pack", &day, "--force"]).expect(0);
    let original = report(&["replay", "--input", &day]);
    assert!(original["inputs"][0]["warnings"][0].as_str().is_some_and(|w| w.contains("trading date unknown")));
    assert_eq!(report(&["replay", "--input", &packed]), original);
}

/// The rows without the input's name and what numbers the inputs of the run.
fn rows(words: &[&str]) -> Vec<Value> {
    let said = call(words).expect(0).stdout;
    let row = |line: &str| {
        let mut row: Value = serde_json::from_str(line).expect("a row");
        let columns = row.as_object_mut().expect("an object");
        ["seq", "input"].iter().for_each(|column| drop(columns.remove(*column)));
        row
    };
    said.lines().map(row).collect()
}

fn some() {
    let folder = tempfile::tempdir().expect("a folder");
    let (day, packed) = (path(&folder, "day.itch"), path(&folder, "day.tidepack"));
    call(&["synth", "--out", &day, "--messages", "60000", "--symbols", "20", "--live-orders", "2000"]).expect(0);
    call(&["pack", &day, "--date", "2026-01-05"]).expect(0);
    let emit = ["--emit", "trade,book-top,level,depth,bar,cvd,imbalance,vpin,anomaly,listing,status"];
    let whole = rows(&[&["replay", "--input", &packed][..], &emit].concat());
    let symbol = |row: &Value| row["symbol"].as_str().unwrap_or("").to_owned();
    let names: std::collections::BTreeSet<String> = whole.iter().map(symbol).filter(|s| !s.is_empty()).collect();
    let names: Vec<String> = names.into_iter().collect();
    for some in [&names[..1], &names[4..9]] {
        let symbols = ["--symbols", &some.join(",")];
        let found = rows(&[&["replay", "--input", &packed][..], &emit, &symbols].concat());
        let expected: Vec<&Value> = whole.iter().filter(|row| some.contains(&symbol(row))).collect();
        assert!(found.len() > 500 && found.iter().eq(expected), "{some:?}");
        let of_the_original =
            rows(&[&["replay", "--input", &day, "--date", "2026-01-05"][..], &emit, &symbols].concat());
        assert!(found == of_the_original, "{some:?}");
        let summary =
            |input: &str| report(&["replay", "--input", input, "--date", "2026-01-05", symbols[0], symbols[1]]);
        let [few, of_it] = [summary(&packed), summary(&day)].map(|r| (r["events"].clone(), r["outcome_hash"].clone()));
        assert_eq!(few, of_it);
    }
    let parts: Vec<usize> = ["1/2", "2/2"]
        .iter()
        .map(|shard| rows(&[&["replay", "--input", &packed, "--shard", shard][..], &emit].concat()).len())
        .collect();
    assert!(parts.iter().all(|rows| *rows > 500 && *rows < whole.len()), "{parts:?}");
}

fn journalled() {
    let (folder, _) = folder();
    let (day, run) = (path(&folder, "day.itch"), path(&folder, "run"));
    call(&["pack", &day, "--date", "2026-01-05"]).expect(0);
    let text = format!("[[input]]\nfeed = \"packed\"\nfiles = [\"{}\"]\n", path(&folder, "day.tidepack"));
    let config = write(&folder, "run.toml", text.as_bytes());
    assert!(call(&["validate", &config]).expect(0).stdout.contains("is valid"));
    call(&["run", &config, "--journal", &run, "--speed", "max"]).expect(0);
    says(call(&["replay", "--journal", &run, "--verify"]), 0, &["hash"]);
}

/// What lies in the folder.
fn files(folder: &tempfile::TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("a folder").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn refused() {
    let (folder, bytes) = folder();
    let cut = write(&folder, "cut.itch", &bytes[..bytes.len() - 5]);
    let before = files(&folder);
    says(call(&["pack", &cut]), 1, &["the file ends inside a message", "is not written, since it would not be whole"]);
    assert_eq!(files(&folder), before);
    let day = path(&folder, "day.itch");
    call(&["pack", &day]).expect(0);
    let packed = fs::read(path(&folder, "day.tidepack")).expect("it was written");
    says(call(&["pack", &day]), 2, &["day.tidepack exists; --force overwrites it"]);
    let nowhere = path(&folder, "no/where.tidepack");
    says(call(&["pack", &day, "--out", &nowhere]), 1, &["choose another folder"]);
    says(call(&["pack", &day, &cut, "--out", &nowhere]), 2, &["--out names one file"]);
    let dir = folder.path().to_str().expect("UTF-8");
    let limited = "ulimit -f 40; $1 pack day.itch --out small.tidepack";
    says(script(dir, limited), 1, &["small.tidepack: ", "free some space"]);
    assert!(
        !files(&folder).iter().any(|name| name.contains("small") || name.ends_with(".part")),
        "{:?}",
        files(&folder)
    );
    assert_eq!(fs::read(path(&folder, "day.tidepack")).expect("it is there"), packed, "it was left alone");
}

fn not_whole() {
    let (folder, _) = folder();
    let day = path(&folder, "day.itch");
    call(&["pack", &day, "--date", "2026-01-05"]).expect(0);
    let bytes = fs::read(path(&folder, "day.tidepack")).expect("it was written");
    let cut = write(&folder, "cut.tidepack", &bytes[..bytes.len() - 100]);
    says(call(&["replay", "--input", &cut]), 2, &["cut.tidepack has no end: it was cut short"]);
    let mut hurt = bytes.clone();
    let middle = bytes.len() / 2;
    hurt[middle] ^= 4;
    let hurt = write(&folder, "hurt.tidepack", &hurt);
    says(call(&["replay", "--input", &hurt]), 1, &["segment 1 of 1, the inputs of", "are damaged, between bytes"]);
    let dir = folder.path().to_str().expect("UTF-8");
    says(
        script(dir, "cat day.tidepack | $1 replay --input -"),
        2,
        &["is a pipe, and a packed file is read at its places"],
    );
    script(dir, "gzip -k day.tidepack").expect(0);
    says(script(dir, "$1 replay --input day.tidepack.gz"), 2, &["is compressed", "unpack it and give the plain file"]);
    says(call(&["replay", "--feed", "packed", "--input", &day]), 2, &["is not packed data", "use --feed itch"]);
}

fn names() {
    let (folder, _) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    script(dir, "gzip -k day.itch && cp day.itch b.itch").expect(0);
    script(dir, "$1 pack day.itch.gz b.itch --date 2026-01-05").expect(0);
    script(dir, "zcat day.itch.gz | $1 pack - --date 2026-01-05 --out piped.tidepack").expect(0);
    let read = |name: &str| fs::read(path(&folder, name)).expect("it was written").len();
    assert!(read("day.tidepack").abs_diff(read("piped.tidepack")) < 20 && read("b.tidepack") > 10_000);
    says(script(dir, "cat day.itch | $1 pack -"), 2, &["give --out FILE"]);
    says(script(dir, "$1 pack day.itch day.itch.gz --force"), 2, &["two inputs would be written to"]);
    let days = "$1 replay --feed packed --input day.tidepack b.tidepack --emit trade --limit 3";
    assert_eq!(script(dir, days).expect(0).stdout.lines().count(), 3);
}

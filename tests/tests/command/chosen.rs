//! Reading less than all: the symbols that are printed or traded, and one part in many.
//!
//! What is printed of a symbol must be what the whole run prints of it, but for the numbers of the inputs.

use crate::{Named, call, path, says, write};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const CHOSEN: &[Named] = &[
    ("symbols_that_are_printed_are_read_alone_and_print_the_same", printed),
    ("what_a_strategy_trades_is_read_too", traded),
    ("parts_together_print_what_the_whole_prints", parts),
    ("a_part_is_refused_where_it_would_change_a_result", refused),
];

const EMIT: &str = "trade,book-top,level,depth,bar,cvd,imbalance,vpin,anomaly,listing,status";

const CUT: &[&str] = &["--set", "pipeline.preset=cuts", "--set", "pipeline.cuts=bars", "--set", "pipeline.idle=yield"];

/// The rows by symbol, without what counts the inputs of the run.
fn rows(words: &[&str]) -> BTreeMap<String, Vec<Value>> {
    let mut of = BTreeMap::<String, Vec<Value>>::new();
    for line in call(words).expect(0).stdout.lines() {
        let mut row: Value = serde_json::from_str(line).expect("a row");
        let columns = row.as_object_mut().expect("an object");
        columns.remove("seq");
        if let Some(symbol) = columns["symbol"].as_str().map(str::to_owned) {
            of.entry(symbol).or_default().push(row);
        }
    }
    of
}

/// Inputs that entered, and messages that were read, as the summary says.
fn read(words: &[&str]) -> [u64; 2] {
    let said: Value = serde_json::from_str(&call(&[words, &["--json"]].concat()).expect(0).stdout).expect("JSON");
    let number = |value: &Value| value.as_u64().expect("a number");
    [number(&said["events"]), number(&said["inputs"][0]["records"])]
}

fn day(folder: &tempfile::TempDir, symbols: &str) -> String {
    let day = path(folder, "day.itch");
    call(&["synth", "--out", &day, "--messages", "60000", "--symbols", symbols, "--live-orders", "2000"]).expect(0);
    day
}

fn printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let day = day(&folder, "20");
    let all = ["replay", "--input", &day, "--date", "2026-01-05", "--emit", EMIT];
    let whole = rows(&all);
    assert_eq!(whole.len(), 20);
    let names: Vec<&str> = whole.keys().map(String::as_str).collect();
    for some in [&names[..1], &names[3..5], &names[7..19]] {
        let symbols = some.join(",");
        for cuts in [&[][..], CUT] {
            let found = rows(&[&all, &["--symbols", &symbols][..], cuts].concat());
            assert_eq!(found.keys().collect::<Vec<_>>(), some.iter().collect::<Vec<_>>());
            found.iter().for_each(|(symbol, rows)| assert!(rows == &whole[symbol], "{symbol} of {symbols}"));
        }
        let summary = &["replay", "--input", &day, "--date", "2026-01-05"][..];
        let ([fewer, messages], [every, of_all]) = (read(&[summary, &["--symbols", &symbols]].concat()), read(summary));
        assert!(messages == of_all && fewer < every, "{fewer} of {every} inputs, {messages} of {of_all} messages");
    }
}

fn traded() {
    let folder = tempfile::tempdir().expect("a folder");
    let day = day(&folder, "12");
    let names: Vec<String> =
        rows(&["replay", "--input", &day, "--date", "2026-01-05", "--emit", "listing"]).into_keys().collect();
    let text = |symbols: &str| {
        format!(
            "[pipeline]\nstages = [\"book\", \"bars\", \"random\", \"buyer\", \"orders\", \"risk\", \"router\"]\n\
             [random]\nsymbols = [{symbols}]\nevery = 20\n\
             [[strategy]]\nuse = \"buy-and-hold\"\nname = \"buyer\"\nsymbols = [\"{}\"]\n\
             [[input]]\nfeed = \"itch\"\nfiles = [\"{day}\"]\ndate = \"2026-01-05\"\n",
            names[5]
        )
    };
    let config = write(&folder, "some.toml", text(&format!("\"{}\", \"{}\"", names[2], names[3])).as_bytes());
    let emit = "bar,order,fill,position,book-top";
    let whole = rows(&["replay", &config, "--emit", emit]);
    let printed = format!("{},{}", names[2], names[9]);
    let found = rows(&["replay", &config, "--emit", emit, "--symbols", &printed]);
    assert_eq!(found.keys().collect::<Vec<_>>(), [&names[2], &names[9]]);
    for (symbol, rows) in &found {
        assert!(*rows == whole[symbol], "{symbol}");
    }
    let is_fill = |row: &Value| row["kind"] == "fill";
    assert!(found[&names[2]].iter().any(is_fill), "it traded");
    let [fewer, _] = read(&["replay", &config, "--symbols", &printed]);
    let [of_two, _] = read(&["replay", "--input", &day, "--date", "2026-01-05", "--symbols", &printed]);
    assert!(fewer > of_two, "the second symbol of a strategy, and that of the other one, are read: {fewer} {of_two}");

    // A strategy that trades whatever comes reads all.
    let config = write(&folder, "all.toml", text("").as_bytes());
    assert_eq!(read(&["replay", &config, "--symbols", &printed]), read(&["replay", &config]));
    // So does a measure that compares instruments.
    let across = ["replay", "--input", &day, "--date", "2026-01-05", "--set", "pipeline.stages=bars,correlation"];
    assert_eq!(read(&[&across[..], &["--symbols", &printed]].concat()), read(&across));
}

fn parts() {
    let folder = tempfile::tempdir().expect("a folder");
    let day = day(&folder, "20");
    let all = ["replay", "--input", &day, "--date", "2026-01-05", "--emit", EMIT];
    let mut together = BTreeMap::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let part = rows(&[&all[..], &["--shard", shard]].concat());
        assert!(part.len() < 20, "{shard}");
        for (symbol, rows) in part {
            assert!(together.insert(symbol, rows).is_none(), "a symbol is of one part");
        }
    }
    assert!(together == rows(&all));
}

fn refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let day = day(&folder, "3");
    let with = |more: &[&str]| call(&[&["replay", "--input", &day, "--date", "2026-01-05"], more].concat());
    let stages = "pipeline.stages=book,random,orders,risk,router";
    let parts = ["--shard 1/2: the stage random counts over all instruments", "leave it out of pipeline.stages"];
    says(with(&["--shard", "1/2", "--set", stages]), 2, &parts);
    let across = ["--shard", "1/2", "--set", "pipeline.stages=bars,correlation"];
    says(with(&across), 2, &["--shard 1/2: the stage correlation counts over all instruments"]);
    let journal = path(&folder, "run");
    says(with(&["--shard", "1/2", "--journal", &journal]), 2, &["a journal records a whole run"]);
    says(with(&["--shard", "3/2"]), 2, &["\"3/2\" is no part: write which of how many, such as 2/8"]);
    let unknown =
        says(with(&["--symbols", "AAAZ", "--emit", "trade"]), 2, &["--symbols AAAZ: the input has no such symbol"]);
    assert!(unknown.stderr.contains("did you mean"), "the names of all are known: {}", unknown.stderr);
}

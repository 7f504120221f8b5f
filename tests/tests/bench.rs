//! `tidegate bench`: every command at a tiny size. Nothing here judges a time; what is judged is that the fields are those
//! of the page, that counts are right, that percentiles are in order, and that books and pipelines are those of `replay`.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tidegate_tests::{root, run};

/// The example of a command on its page.
fn documented(command: &str) -> Value {
    let page = std::fs::read_to_string(root().join("engine/docs/bench.md")).expect("the page is there");
    let section = page.split("\n## ").find(|s| s.starts_with(&format!("{command}\n"))).expect("a section for each");
    let (_, example) = section.split_once("```json\n").expect("an example");
    serde_json::from_str(example.split_once("```").expect("its end").0).expect("JSON")
}

/// Fails where two values do not have the same fields of the same types. Null may stand for anything, and a list for one
/// of any length.
fn same_shape(path: &str, result: &Value, page: &Value) {
    match (result, page) {
        (Value::Object(result), Value::Object(page)) => {
            let names = |m: &Map<String, Value>| m.keys().cloned().collect::<std::collections::BTreeSet<_>>();
            assert_eq!(names(result), names(page), "{path}: the fields, and those of the page");
            result.iter().for_each(|(name, value)| same_shape(&format!("{path}.{name}"), value, &page[name]));
        }
        (Value::Array(result), Value::Array(page)) => result.iter().for_each(|t| same_shape(path, t, &page[0])),
        (Value::Null, _) => {}
        _ => assert_eq!(std::mem::discriminant(result), std::mem::discriminant(page), "{path}: {result} and {page}"),
    }
}

/// Runs a command with `--json`; its result, whose fields are those of the page.
fn bench(arguments: &[&str]) -> Value {
    let all = ["bench"].iter().chain(arguments).chain(&["--json"]).copied();
    let outcome = run(all).expect(0);
    let result: Value = serde_json::from_str(&outcome.stdout).expect("one JSON object");
    same_shape(arguments[0], &result, &documented(arguments[0]));
    result
}

/// Replays the day, for what a measurement must agree with.
fn replayed(arguments: &[&str]) -> Value {
    let day = day().to_str().expect("UTF-8");
    let all = ["replay", "--input", day, "--json"].into_iter().chain(arguments.iter().copied());
    serde_json::from_str(&run(all).expect(0).stdout).expect("one JSON object")
}

/// A small day of the synthetic exchange.
fn day() -> &'static Path {
    static DAY: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = DAY.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("day.itch");
        let out = path.to_str().expect("UTF-8");
        run(["synth", "--out", out, "--messages", "20000", "--symbols", "5", "--live-orders", "500"]).expect(0);
        (folder, path)
    });
    path
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is a number"))
}

/// Percentiles are in order, and there are samples.
fn ordered(times: &Value) {
    let names = ["p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"];
    let times: Vec<f64> = names.iter().map(|name| number(&times[name])).collect();
    assert!(times.is_sorted() && times[0] > 0.0, "{times:?}");
}

/// A median lies in its interval.
fn within(row: &Value, name: &str) {
    let [low, middle, high] = ["_low", "", "_high"].map(|end| number(&row[format!("{name}{end}")]));
    assert!(0.0 < low && low <= middle && middle <= high, "{name} in {row}");
}

fn two_cores() -> bool {
    std::thread::available_parallelism().is_ok_and(|n| n.get() > 1)
}

#[test]
fn hop_and_ring_have_both_rings() {
    if !two_cores() {
        assert!(run(["bench", "hop"]).expect(1).stderr.contains("two cores"));
        return;
    }
    let names = |result: &Value| {
        result["rings"].as_array().expect("a list").iter().map(|r| r["name"].clone()).collect::<Vec<_>>()
    };
    let hop = bench(&["hop", "--rounds", "2", "--trips", "20"]);
    assert_eq!(names(&hop), ["phase", "disruptor"]);
    within(&hop, "raw_p50_ns");
    hop["rings"].as_array().expect("a list").iter().for_each(|ring| {
        within(ring, "p50_ns");
        within(ring, "ratio");
        assert!(number(&ring["p99_ns"]) <= number(&ring["max_ns"]));
    });
    let ring = bench(&["ring", "--rounds", "1", "--slots", "1000", "--capacity", "16", "--batch", "1,8,32"]);
    assert_eq!(names(&ring), ["phase", "disruptor", "phase", "disruptor"], "a batch beyond the capacity is left out");
    assert!(run(["bench", "ring", "--capacity", "1000"]).expect(2).stderr.contains("power of two"));
}

#[test]
fn decode_and_book_agree_with_replay() {
    let day = day().to_str().expect("UTF-8");
    let decode = bench(&["decode", day, "--rounds", "2"]);
    assert_eq!((&decode["messages"], &decode["whole"]), (&20_000.into(), &true.into()));
    within(&decode, "ns_per_message");
    assert!(decode["of_symbols"].is_null());
    let replay = replayed(&["--set", "pipeline.stages=book"]);
    let book = bench(&["book", day, "--rounds", "2"]);
    assert_eq!(book["messages"], 20_000);
    assert_eq!(book["state_hash"], replay["state_hash"]);
    assert!(number(&book["live_orders"]) > 0.0 && number(&book["live_levels"]) > 0.0);
    ordered(&book["single"]);
    assert!(number(&book["single"]["p9999_ns"]) <= number(&book["single"]["max_ns"]));
    assert_eq!(book["inputs"], book["single"]["samples"]);
    let tops: BTreeMap<_, _> =
        replay["symbols"].as_array().expect("a list").iter().map(|s| (s["symbol"].to_string(), s.clone())).collect();
    let result = book["bbo"].as_array().expect("a list");
    assert_eq!(result.len(), 5);
    for top in result {
        for (name, value) in top.as_object().expect("an object") {
            assert_eq!(*value, tops[&top["symbol"].to_string()][name], "{name} of {top}");
        }
    }
    let symbol = result[0]["symbol"].as_str().expect("text");
    let some = bench(&["decode", day, "--rounds", "2", "--symbols", symbol]);
    let (some, all) = (&some["of_symbols"], &some);
    assert_eq!(some["messages"], all["messages"]);
    assert!(number(&some["inputs"]) < number(&all["inputs"]), "{some}");
    within(some, "ns_per_message");
    let chosen = bench(&["book", day, "--rounds", "1", "--symbol", symbol]);
    assert_eq!(chosen["bbo"].as_array().expect("a list"), &result[..1]);
    assert!(run(["bench", "book", day, "--symbol", "NOBODY", "--rounds", "1"]).expect(2).stderr.contains("NOBODY"));
}

/// A row for each sort of question that the journal has an answer to.
#[test]
fn a_journal_is_asked_for_instants_and_orders() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("run");
    let (day, journal) = (day().to_str().expect("UTF-8"), journal.to_str().expect("UTF-8"));
    let stages = "pipeline.stages=book,random,orders,risk,router";
    let replay = ["replay", "--input", day, "--journal", journal, "--set", stages, "--set", "random.every=100"];
    run(replay).expect(0);
    let result = bench(&["ask", journal, "--times", "3"]);
    assert!(number(&result["inputs"]) > 20_000.0 && number(&result["orders"]) > 0.0, "{result}");
    let rows = result["commands"].as_array().expect("a list");
    assert_eq!(rows.iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["at", "why"]);
    for row in rows {
        let times = ["p50_ns", "p90_ns", "p99_ns", "max_ns"].map(|name| number(&row[name]));
        assert!(row["samples"] == 3 && times.is_sorted() && times[0] > 0.0, "{row}");
        let process = &row["process"];
        assert!(number(&process["p50_ns"]) >= times[0] && number(&process["p99_ns"]) >= times[2], "{row}");
    }
}

#[test]
fn a_part_of_a_file_is_measured_as_far_as_it_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("long.itch");
    let out = file.to_str().expect("UTF-8");
    run(["synth", "--out", out, "--messages", "60000", "--symbols", "5", "--live-orders", "500"]).expect(0);
    let decode = bench(&["decode", out, "--rounds", "1", "--mib", "1"]);
    assert_eq!((&decode["bytes"], &decode["whole"]), (&(1 << 20).into(), &false.into()));
    assert!((25_000.0..60_000.0).contains(&number(&decode["messages"])), "{decode}");
    bench(&["pipeline", out, "--rounds", "1", "--mib", "1", "--preset", "split"]);
}

#[test]
fn a_pipeline_fused_and_split_is_the_one_of_replay_and_does_not_allocate() {
    let day = day().to_str().expect("UTF-8");
    let pipeline = bench(&["pipeline", day, "--rounds", "2", "--preset", "split"]);
    let replay = replayed(&[]);
    assert_eq!((&pipeline["events"], &pipeline["outcome_hash"]), (&replay["events"], &replay["outcome_hash"]));
    let pipelines = pipeline["pipelines"].as_array().expect("a list");
    assert_eq!(pipelines.iter().map(|l| &l["name"]).collect::<Vec<_>>(), ["fused", "split"]);
    for one in pipelines {
        assert_eq!(one["outcome_hash"], replay["outcome_hash"]);
        assert_eq!(one["allocations"], 0, "{one}");
        assert!(number(&one["allocations_before"]) > 0.0, "what names and building cost is counted");
        within(one, "ns_per_event");
        within(one, "ratio");
    }
}

#[test]
fn tick_to_order_tells_of_every_order_and_draws_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    let size = ["--rate", "200k", "--seconds", "0.2", "--symbols", "5", "--live-orders", "500", "--warm", "2000"];
    let more = ["--burst", "3x,20ms@50ms", "--burst", "2x,10ms@150ms", "--set", "random.every=10", "--out", out];
    let result = bench(&[&["tick-to-order"][..], &size, &more].concat());
    assert_eq!(result["messages"], 40_000 + 2 * 4_000 + 2_000);
    assert!(number(&result["achieved_per_s"]) > 0.0 && number(&result["messages_per_order"]) > 1.0);
    let [all, steady] = ["all", "tick_to_order"].map(|name| &result[name]);
    ordered(all);
    let bursts = result["bursts"].as_array().expect("a list");
    assert_eq!(bursts.iter().map(|b| number(&b["factor"])).collect::<Vec<_>>(), [3.0, 2.0]);
    let apart: f64 = bursts.iter().map(|b| number(&b["samples"])).sum();
    assert!(number(&all["samples"]) <= number(&steady["samples"]) + apart, "every order is in a burst or outside");
    let named: Vec<_> = result["stages"].as_array().expect("a list").iter().map(|s| s["name"].clone()).collect();
    assert!(["book", "random", "risk", "router"].iter().all(|n| named.contains(&(*n).into())), "{named:?}");
    let file = |kind: &str| std::fs::read_to_string(folder.path().join(format!("tick-to-order.{kind}"))).expect(kind);
    assert!(file("hgrm").contains(&format!("Total count    = {:12}]", number(&all["samples"]))));
    let page = file("html");
    assert_eq!(page.matches("<svg").count(), 4, "percentiles, orders, backlog, offered");
    for what in ["Percentiles", "Backlog", "99.9 %", "class=\"burst\"", "Burst of 3 times the rate", "</html>"] {
        assert!(page.contains(what), "{what}");
    }
    for outside in ["http", "<script", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "the page is whole without {outside}");
    }
    let stored: Value = serde_json::from_str(&file("json")).expect("JSON");
    assert_eq!(stored["all"], result["all"]);
}

/// Orders go over a gateway to a venue on the loopback, with both ways of idling.
#[test]
fn tick_to_write_tells_of_both_ways_of_idling() {
    let size = ["--rate", "200k", "--seconds", "0.3", "--symbols", "5", "--live-orders", "500", "--warm", "2000"];
    let all = [&["tick-to-write"][..], &size, &["--set", "random.every=10"]].concat();
    if !two_cores() {
        assert!(run([&["bench"][..], &all].concat()).expect(1).stderr.contains("two cores"));
        return;
    }
    let result = bench(&all);
    let modes = result["modes"].as_array().expect("a list");
    assert_eq!(modes.iter().map(|mode| &mode["name"]).collect::<Vec<_>>(), ["sleep", "spin"]);
    assert_eq!((&modes[0]["gateway_core"], &modes[1]["gateway_core"]), (&Value::Null, &result["cores"]["gateway"]));
    for mode in modes {
        ["tick_to_write", "tick_to_bytes", "bytes_to_write"].iter().for_each(|part| ordered(&mode[*part]));
        let [whole, bytes] = ["tick_to_write", "tick_to_bytes"].map(|part| &mode[part]);
        assert!(number(&whole["p50_ns"]) > number(&bytes["p50_ns"]), "{mode}");
        assert!(mode["unsent"] == 0 && number(&mode["answers"]) > 2.0 * number(&whole["samples"]) - 1.0, "{mode}");
    }
}

#[test]
fn a_cut_pipeline_and_a_sweep_are_measured_too() {
    let size = [
        "--rate",
        "2M",
        "--seconds",
        "0.05",
        "--symbols",
        "5",
        "--live-orders",
        "500",
        "--warm",
        "2000",
        "--set",
        "random.every=20",
    ];
    let cut = bench(&[&["tick-to-order", "--cut", "orders", "--set", "pipeline.idle=yield"][..], &size].concat());
    assert_eq!((cut["groups"].as_array().map(Vec::len), &cut["wait"]), (Some(2), &Value::Null));
    ordered(&cut["tick_to_order"]);
    let rare = &cut["rare"];
    assert!(number(&rare["messages_per_order"]) > 20.0 * number(&cut["messages_per_order"]), "{rare}");
    ordered(&rare["tick_to_order"]);
}

#[test]
fn results_are_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let save = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let result = |cpu: &str, ratio: f64| {
        let mut example = documented("hop");
        example["host"]["cpu"] = cpu.into();
        for (end, by) in [("", 0.0), ("_low", -0.1), ("_high", 0.1)] {
            example["rings"][0][format!("ratio{end}")] = (ratio + by).into();
        }
        example.to_string()
    };
    let [a, worse, away] =
        [("a", "C", 1.0), ("b", "C", 1.5), ("c", "D", 1.5)].map(|(n, cpu, r)| save(n, &result(cpu, r)));
    let verdicts = |a: &str, b: &str| {
        let result = bench(&["compare", a, b]);
        let changes = result["changes"].as_array().expect("a list").clone();
        changes.iter().map(|c| (c["key"].clone(), c["verdict"].clone())).collect::<Vec<_>>()
    };
    assert!(verdicts(&a, &a).iter().all(|(_, v)| v != "worse" && v != "better"));
    assert!(verdicts(&a, &worse).contains(&("ratio".into(), "worse".into())));
    assert!(verdicts(&worse, &a).contains(&("ratio".into(), "better".into())));
    let abroad = verdicts(&a, &away);
    assert!(abroad.iter().all(|(key, _)| key == "ratio"), "nanoseconds of another host say nothing: {abroad:?}");
    assert_eq!(abroad.iter().filter(|(_, verdict)| verdict == "worse").count(), 1, "{abroad:?}");
    let checked = run(["bench", "compare", "--check", &a, &worse]).expect(3);
    assert!(checked.stdout.contains("1 worse beyond noise"), "{}", checked.stdout);
    run(["bench", "compare", "--check", &worse, &a]).expect(0);
    assert!(run(["bench", "compare", &a, &away]).expect(0).stdout.contains("only ratios are compared"));
    let other = save("other", &documented("ring").to_string());
    assert!(run(["bench", "compare", &a, &other]).expect(2).stderr.contains("different benchmarks"));
    let none = save("none", "no result");
    assert!(run(["bench", "compare", &a, &none]).expect(1).stderr.contains("not a result of"));
}

#[test]
fn what_cannot_be_measured_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let strange = folder.path().join("strange");
    std::fs::write(&strange, "neither market nor data").expect("a file");
    let strange = strange.to_str().expect("UTF-8");
    for (arguments, code, message) in [
        (vec!["decode", "nowhere.itch"], 1, "nowhere.itch does not exist"),
        (vec!["book", strange], 1, "no feed recognises its first bytes"),
        (vec!["pipeline", strange, "--feed", "nasdaq"], 2, "no such feed"),
        (vec!["pipeline", strange, "--feed", "itch"], 1, "is not itch data"),
        (vec!["decode", strange, "--rounds", "0"], 2, "--rounds"),
        (vec!["tick-to-order", "--rate", "fast"], 2, "valid: messages per second"),
        (vec!["tick-to-order", "--burst", "10"], 2, "valid: FACTORx,TIME"),
        (vec!["tick-to-order", "--seconds", "1", "--burst", "2x,3s"], 2, "raise --seconds"),
        (vec!["tick-to-order", "--symbols", "0"], 2, "symbols"),
        (vec!["tick-to-order", "--rate", "1000M", "--seconds", "3600"], 2, "held in memory"),
        (vec!["tick-to-order", "--set", "pipeline.no=1"], 2, "no such parameter"),
    ] {
        let outcome = run(["bench"].iter().copied().chain(arguments.iter().copied())).expect(code);
        assert!(outcome.stderr.contains(message), "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty() && !outcome.stderr.contains("panicked"), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn people_get_a_table_under_which_the_host_stands() {
    let day = day().to_str().expect("UTF-8");
    let outcome = run(["bench", "decode", day, "--rounds", "1"]).expect(0);
    assert!(
        outcome.stdout.contains("ns/message") && outcome.stdout.contains("% of CPU time stolen"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stderr.contains("decode: 1 rounds"), "{}", outcome.stderr);
}

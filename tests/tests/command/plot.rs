//! The page of a day: it has what `replay --emit` prints, says what is missing, and is whole or not there.

use crate::{Named, call, finish, path, says, script};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use tempfile::TempDir;

pub(crate) const PLOT: &[Named] = &[
    ("a_page_has_what_replay_emits", agrees),
    ("the_profile_and_the_marks_of_a_page_are_those_that_are_emitted", profile_and_marks),
    ("a_page_of_longer_bars", longer),
    ("a_page_of_a_journal_is_that_of_its_inputs", journal),
    ("a_page_needs_one_symbol_that_is_there", symbols),
    ("a_page_is_whole_or_not_there", whole),
    ("a_page_loads_nothing", alone),
];

/// Those that need a browser.
pub(crate) const BROWSER: &[Named] = &[("a_browser_draws_the_page", drawn)];

/// Whether there is a browser that draws without a screen.
pub(crate) fn may_browse() -> bool {
    Command::new("chromium").arg("--version").output().is_ok_and(|o| o.status.success())
}

const DATE: [&str; 2] = ["--date", "2026-01-05"];
/// Rows of a cent: the listing's step is a hundredth of one.
const ROWS: [&str; 2] = ["--set", "footprint.row_ticks=100"];
const STAGES: &str =
    "pipeline.stages=book,bars,profile,cvd,flow,footprint,vpin,state,breakout,legs,lvn-alerts,market-alerts";

/// A folder with a synthetic day of three symbols, and the day's path.
fn day() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let day = path(&folder, "day.itch");
    call(&["synth", "--out", &day, "--messages", "60000", "--symbols", "3", "--live-orders", "1500"]).expect(0);
    (folder, day)
}

fn page(folder: &TempDir, day: &str, more: &[&str]) -> String {
    let out = path(folder, "day.html");
    call(&[&["plot", day, "--symbol", "AAAA", "--out", &out, "--force"][..], &DATE, more].concat()).expect(0);
    fs::read_to_string(out).expect("it was written")
}

/// The data of a page.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"day\">").expect("the page has data");
    serde_json::from_str(rest.split_once("</script>").expect("the data end").0).expect("JSON")
}

fn rows(day: &str, emit: &str, more: &[&str]) -> Vec<Value> {
    let words = ["replay", "--input", day, "--set", STAGES, "--symbols", "AAAA", "--emit", emit];
    let printed = call(&[&words[..], &DATE, more].concat()).expect(0).stdout;
    printed.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

/// A number as a double: prices are decimals in text, and times digits.
fn number(value: &Value) -> Option<f64> {
    value.as_str().map_or_else(|| value.as_f64(), |text| text.parse().ok())
}

fn seconds(row: &Value, column: &str) -> u64 {
    row[column].as_str().expect("a time").parse::<u64>().expect("digits") / 1_000_000_000
}

/// The place of each bar of a page, by its start.
fn places(data: &Value) -> BTreeMap<u64, usize> {
    let times = data["time"].as_array().expect("a column").iter();
    times.enumerate().map(|(place, start)| (start.as_u64().expect("a time"), place)).collect()
}

fn agrees() {
    let (folder, day) = day();
    let data = data(&page(&folder, &day, &ROWS));
    let places = places(&data);
    let emitted = rows(&day, "bar,footprint,footprint-bar,cvd,vpin,flow,market-state", &ROWS);
    let of = |kind: &str| emitted.iter().filter(move |row| row["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of("bar").len(), places.len(), "a bar of the page is a bar that is emitted");
    assert!(places.len() > 200 && of("flow").len() > 100 && of("market-state").len() > 100);
    let columns = [
        (
            "bar",
            &[
                ("open", "open"),
                ("high", "high"),
                ("low", "low"),
                ("close", "close"),
                ("volume", "volume"),
                ("trades", "trades"),
            ][..],
        ),
        (
            "footprint-bar",
            &[("delta", "delta"), ("delta_max", "max_delta"), ("delta_min", "min_delta"), ("foot_poc", "poc_px")],
        ),
        (
            "flow",
            &[
                ("buy_pressure", "buy_pressure"),
                ("sell_pressure", "sell_pressure"),
                ("volume_ratio", "volume_ratio"),
                ("score", "score"),
            ],
        ),
    ];
    for (kind, names) in columns {
        for row in of(kind) {
            let place = places[&seconds(row, "start_ns")];
            for (column, emitted) in names {
                assert_eq!(number(&data[column][place]), number(&row[emitted]), "{column} at {place}: {row}");
            }
        }
    }
    for row in of("market-state") {
        assert_eq!(data["state"][places[&seconds(row, "start_ns")]], row["state"]);
    }
    // Of what is emitted with trades, the last of each bar.
    let (mut cvd, mut footprints) = (BTreeMap::new(), BTreeMap::<u64, BTreeMap<u64, [f64; 4]>>::new());
    of("cvd").iter().for_each(|row| drop(cvd.insert(seconds(row, "ts_ns") / 60 * 60, row["cvd"].clone())));
    for row in of("footprint") {
        let cells = ["row_px", "buy_qty", "sell_qty", "unsigned_qty"].map(|name| number(&row[name]).expect("known"));
        let of_bar = footprints.entry(seconds(row, "start_ns")).or_default();
        of_bar.insert((cells[0] * 1e6) as u64, cells);
    }
    for (start, place) in &places {
        assert_eq!(data["cvd"][place], cvd.get(start).cloned().unwrap_or_default(), "CVD at {start}");
        // A row that a broken trade leaves empty is none.
        let rows = footprints.get(start).into_iter().flat_map(BTreeMap::values);
        let flat: Vec<f64> = rows.filter(|row| row[1..].iter().sum::<f64>() > 0.0).flatten().copied().collect();
        let drawn: Vec<f64> = data["foot"][place].as_array().expect("rows").iter().filter_map(number).collect();
        assert_eq!(drawn, flat, "footprint at {start}");
    }
    assert_eq!(data["badges"][0]["words"], "aggressor exact");
    assert_eq!((&data["zone"], &data["imbalance"]["ratio"]), (&"America/New_York".into(), &3.0.into()));
}

fn profile_and_marks() {
    let (folder, day) = day();
    let data = data(&page(&folder, &day, &ROWS));
    let marks = "breakout,leg,leg-node,pullback,lvn-alert,state-alert,flow-alert,status,gap,data-state";
    let emitted = rows(&day, &format!("profile,profile-row,{marks}"), &ROWS);
    let session = &data["sessions"][0];
    let mut profile = BTreeMap::new();
    for row in emitted.iter().filter(|row| row["kind"] == "profile-row") {
        let cells = ["px", "volume", "buy_volume", "sell_volume"].map(|name| number(&row[name]));
        if cells[1] == Some(0.0) {
            profile.remove(&((cells[0].expect("a price") * 1e6) as u64));
            continue;
        }
        profile.insert((cells[0].expect("a price") * 1e6) as u64, cells.to_vec());
    }
    let drawn: Vec<Vec<_>> = session["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row.as_array().expect("cells").iter().map(number).collect())
        .collect();
    assert!(drawn.len() > 20 && drawn == profile.into_values().collect::<Vec<_>>());
    let last = emitted.iter().rfind(|row| row["kind"] == "profile" && row["of"] == "session").expect("a profile");
    for level in ["poc", "vah", "val"] {
        assert_eq!(number(&session[level]), number(&last[level]), "{level}");
    }
    assert_eq!(session["date"], 20_260_105);
    // A mark is the row that is emitted, but for what is absent or the same in all. States of the whole market have no symbol.
    let kinds: Vec<&str> = marks.split(',').collect();
    let rows: Vec<&Value> =
        emitted.iter().filter(|row| kinds.contains(&row["kind"].as_str().expect("a kind"))).collect();
    let of_symbol = |mark: &&Value| mark["kind"] != "status" || mark["what"] != 1 && mark["what"] != 5;
    let drawn: Vec<&Value> = data["marks"].as_array().expect("marks").iter().filter(of_symbol).collect();
    assert!(drawn.len() > 50, "{}", drawn.len());
    assert_eq!(drawn.len(), rows.len());
    for (mark, row) in drawn.iter().zip(rows) {
        let cells = mark.as_object().expect("an object");
        assert!(cells.iter().all(|(name, value)| row[name] == *value), "{mark} is not {row}");
        let left_out = ["seq", "exchange_ts_ns", "symbol", "input", "record", "instance"];
        let shown = row.as_object().expect("an object").iter().filter(|(_, value)| !value.is_null());
        assert_eq!(cells.len(), shown.filter(|(name, _)| !left_out.contains(&name.as_str())).count(), "{mark}");
    }
}

fn longer() {
    let (folder, day) = day();
    let data = data(&page(&folder, &day, &["--interval", "5m"]));
    let bars = rows(
        &day,
        "bar",
        &[
            "--set",
            "bars.intervals=5m",
            "--set",
            "flow.interval=5m",
            "--set",
            "footprint.interval=5m",
            "--set",
            "state.interval=5m",
            "--set",
            "breakout.interval=5m",
            "--set",
            "legs.interval=5m",
            "--set",
            "lvn-alerts.interval=5m",
        ],
    );
    assert_eq!((&data["interval_s"], places(&data).len()), (&300.into(), bars.len()));
    let known =
        |column: &str| data[column].as_array().expect("a column").iter().filter(|value| !value.is_null()).count();
    assert!(known("score") > 50 && known("state") > 50 && known("cvd") > 50);
    // Hours begin at half past nine, and what was measured in them belongs to them.
    let hours = self::data(&page(&folder, &day, &["--interval", "1h"]));
    let cvd = hours["cvd"].as_array().expect("a column");
    assert!(cvd.len() > 5 && cvd.iter().all(|value| !value.is_null()), "{cvd:?}");
    assert_eq!(cvd.len(), rows(&day, "bar", &["--set", "bars.intervals=1h"]).len());
}

fn journal() {
    let (folder, day) = day();
    let run = path(&folder, "run1");
    let stages = "pipeline.stages=book,bars,cvd,momentum,portfolio,orders,risk,router";
    call(&[&["replay", "--input", &day, "--journal", &run, "--set", stages][..], &DATE].concat()).expect(0);
    let out = path(&folder, "run.html");
    call(&["plot", &run, "--symbol", "AAAA", "--out", &out]).expect(0);
    assert_eq!(data(&fs::read_to_string(&out).expect("it was written")), data(&page(&folder, &day, &[])));
    let two = call(&["plot", &run, &day, "--symbol", "AAAA", "--out", &out, "--force"]);
    says(two, 2, &["the folder of a journal is an input by itself"]);
}

fn symbols() {
    let (folder, day) = day();
    let out = path(&folder, "day.html");
    let plot = |more: &[&str]| call(&[&["plot", &day, "--out", &out][..], &DATE, more].concat());
    says(plot(&[]), 2, &["the input has 3 symbols: AAAA, EEUB, IJOC; name one with --symbol"]);
    says(
        plot(&["--symbol", "AAAB"]),
        2,
        &["--symbol AAAB: the input has no such symbol; did you mean AAAA; it has AAAA, EEUB, IJOC"],
    );
    says(plot(&["--symbol", "AAAA", "--interval", "7m"]), 2, &["--interval 7m", "is not a bar length"]);
    assert!(!fs::exists(&out).expect("the folder can be read"));
    let one = path(&folder, "one.itch");
    call(&["synth", "--out", &one, "--messages", "5000", "--symbols", "1", "--live-orders", "300"]).expect(0);
    call(&["plot", &one, "--out", &out, "--date", "2026-01-05"]).expect(0);
    assert_eq!(data(&fs::read_to_string(&out).expect("it was written"))["symbol"], "AAAA");
}

fn whole() {
    let (folder, day) = day();
    let out = path(&folder, "day.html");
    fs::write(&out, "mine").expect("the folder can be written");
    let plot = ["plot", &day, "--symbol", "AAAA", "--out", &out];
    says(call(&[&plot[..], &DATE].concat()), 2, &["exists; --force overwrites it"]);
    assert_eq!(fs::read_to_string(&out).expect("it is there"), "mine");
    // No room for it: the one that is there stays, and nothing else is left.
    let small = format!("ulimit -f 40; \"$1\" plot day.itch --symbol AAAA --out day.html --force {}", DATE.join(" "));
    let outcome = script(folder.path().to_str().expect("UTF-8"), &small);
    assert_ne!(outcome.code, Some(0));
    assert_eq!(fs::read_to_string(&out).expect("it is there"), "mine");
    call(&[&plot[..], &DATE, &["--force"]].concat()).expect(0);
    assert!(fs::read_to_string(&out).expect("it was written").ends_with("</html>\n"));
}

fn alone() {
    let (folder, day) = day();
    let page = page(&folder, &day, &ROWS);
    assert!(page.contains("default-src 'none'"));
    for foreign in
        ["http:", "https:", "//cdn", "src=", "href=", "@import", "url(", "import(", "fetch(", "XMLHttpRequest"]
    {
        assert!(!page.contains(foreign), "the page has {foreign}");
    }
}

/// The script changes the title once it has drawn; candles, then footprints.
fn drawn() {
    let (folder, day) = day();
    page(&folder, &day, &ROWS);
    for place in ["", "#10:30", "#10:30-10:50"] {
        let mut chromium = Command::new("chromium");
        chromium.args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--virtual-time-budget=4000",
        ]);
        chromium.arg(format!("--user-data-dir={}", path(&folder, "browser")));
        chromium.arg("--dump-dom").arg(format!("file://{}{place}", path(&folder, "day.html")));
        let outcome = finish(chromium).expect(0);
        assert!(!outcome.stderr.contains("CONSOLE"), "{}", outcome.stderr);
        assert!(outcome.stdout.contains("<title>AAAA 2026-01-05</title>"), "it is not drawn at {place:?}");
    }
}

//! What is kept under keys is what a replay of the journal says of it: the rows of another way through the same record.

use crate::page::{page, started};
use rustix::process::Signal;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use tidegate_tests::rig::{Life, Service};
use tidegate_tests::{Case, Outcome, http, run};

/// Kinds whose last row is compared, of each that says it.
const LAST: [(&str, &str); 6] = [
    ("book-top", "symbol"),
    ("cvd", "instance"),
    ("imbalance", "instance"),
    ("vpin", "instance"),
    ("status", "what"),
    ("position", "strategy"),
];
const TRADES: usize = 5;
const BARS: usize = 1;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("what_is_kept_under_a_key_is_what_a_replay_says", &[], |_| kept()),
        Case::new("keys_are_answered_after_a_roll_and_a_restart", &[], |_| again()),
        Case::new("an_instrument_that_is_silent_for_too_long_is_stale", &[], |_| stale()),
        Case::new("without_an_address_nothing_is_kept_and_that_is_said", &[], |_| off()),
    ]
}

fn service() -> Service {
    let stages = "pipeline.stages=book,bars,cvd,imbalance,vpin,random,orders,risk,router";
    let service = Service::paper_at_the_open(60_000).with("metrics.listen=127.0.0.1:0").with(stages);
    let service = service.with("bars.intervals=5s,1m").with("vpin.bucket_qty=200");
    service.with(format!("metrics.last_trades={TRADES}")).with(format!("metrics.last_bars={BARS}"))
}

/// What is answered over HTTP under a key.
#[track_caller]
fn asked(at: &str, key: &str) -> (u16, Value) {
    let (status, body) = http::get(at, &format!("/last/{key}"), "*/*").expect("it answers");
    (status, serde_json::from_str(&body).expect("JSON"))
}

/// Waits until something is held and all is read.
fn level(life: &mut Life, at: &str) {
    life.until("positions", || {
        let now = page(at);
        let has_come = now.by_label("tidegate_positions").values().any(|open| *open > 2.0);
        has_come && now.get("tidegate_last_values_behind") == Some(0.0)
    });
}

/// The rows that a replay of the whole journal prints, by kind.
fn replayed(service: &Service) -> BTreeMap<String, Vec<Map<String, Value>>> {
    let kinds = LAST.map(|(kind, _)| kind).join(",") + ",trade,bar,depth";
    let journal = service.journal();
    let words = [OsStr::new("replay"), "--journal".as_ref(), journal.as_os_str(), "--emit".as_ref(), kinds.as_ref()];
    let mut by_kind = BTreeMap::<String, Vec<_>>::new();
    for line in run(words.into_iter().chain(["--levels", "10"].map(OsStr::new))).expect(0).stdout.lines() {
        let row: Map<String, Value> = serde_json::from_str(line).expect("an object");
        by_kind.entry(row["kind"].as_str().expect("a text").to_owned()).or_default().push(row);
    }
    by_kind
}

/// The rows of a symbol up to an input.
fn up_to<'a>(
    rows: &'a BTreeMap<String, Vec<Map<String, Value>>>,
    kind: &str,
    symbol: &str,
    seq: u64,
) -> Vec<&'a Map<String, Value>> {
    let of = rows.get(kind).map_or(&[][..], Vec::as_slice).iter();
    of.filter(|row| row["symbol"] == symbol && row["seq"].as_u64() <= Some(seq)).collect()
}

/// Every value that both show is the same, and what is answered has the age of its time.
#[track_caller]
fn same(found: &[Value], wanted: &[&Map<String, Value>], now: u64, what: &str) {
    let seqs = |of: &mut dyn Iterator<Item = &Value>| of.map(|seq| seq.as_u64()).collect::<Vec<_>>();
    let found_seqs = seqs(&mut found.iter().map(|row| &row["seq"]));
    assert_eq!(found_seqs, seqs(&mut wanted.iter().map(|row| &row["seq"])), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        let number = |of: &Value| of.as_str().and_then(|text| text.parse::<u64>().ok()).expect("digits");
        for (name, value) in found.as_object().expect("an object") {
            if name == "age_ns" {
                assert_eq!(number(value), now - number(&wanted["ts_ns"]), "{what}");
            } else {
                assert_eq!(Some(value), wanted.get(name), "{what}: {name}");
            }
        }
    }
}

fn now(answer: &Value) -> u64 {
    answer["now_ns"].as_str().and_then(|text| text.parse().ok()).expect("digits")
}

fn rows(answer: &Value) -> &[Value] {
    answer["rows"].as_array().expect("rows")
}

/// The last of these rows for each value of a column, in order.
fn last_of_each<'a>(rows: &[&'a Map<String, Value>], column: &str) -> Vec<&'a Map<String, Value>> {
    let mut last: Vec<&Map<String, Value>> = Vec::new();
    for row in rows {
        last.retain(|one| one[column] != row[column]);
        last.push(row);
    }
    last
}

/// The symbols of the day.
fn symbols(journal: &Path) -> Vec<String> {
    let all = run(["at".as_ref(), journal.as_os_str(), "seq:4000".as_ref(), "--json".as_ref()]).expect(0);
    let all: Value = serde_json::from_str(&all.stdout).expect("JSON");
    let symbol = |row: &Value| row["symbol"].as_str().expect("a text").to_owned();
    all["symbols"].as_array().expect("a list").iter().map(symbol).collect()
}

fn get(journal: &Path, key: &str) -> Outcome {
    run(["get".as_ref(), journal.as_os_str(), key.as_ref(), "--json".as_ref()].map(|word: &OsStr| word))
}

fn kept() {
    let plain = Service::paper_at_the_open(60_000);
    plain.finish(&["--speed", "max"]).expect(0);
    let symbols = symbols(&plain.journal());
    let service = service().with(format!("metrics.books={}", symbols.join(",")));
    let (mut life, at) = started(&service, "20x");
    level(&mut life, &at);
    let has_bars = |symbol: &String| !rows(&asked(&at, &format!("{symbol}/bars/1m")).1).is_empty();
    life.until("bars of a minute", || symbols.iter().any(has_bars));
    let words = LAST.map(|(kind, _)| kind).into_iter().chain(["trades", "bars", "bars/5s", "book", "spread", "last"]);
    let keys = symbols.iter().flat_map(|symbol| words.clone().map(move |word| (symbol, word)));
    let answers: Vec<_> = keys.map(|(symbol, word)| (symbol, word, asked(&at, &format!("{symbol}/{word}")))).collect();
    of_the_run(&service, &mut life, &at);
    three_ways(&service, &mut life, &at, &symbols[0]);
    life.stop(Signal::TERM);
    let replayed = replayed(&service);
    let mut compared = BTreeMap::<&str, usize>::new();
    for (symbol, word, (status, answer)) in &answers {
        assert_eq!(*status, 200, "{symbol}/{word}: {answer}");
        *compared.entry(word).or_default() += compared_with(&replayed, symbol, word, answer);
    }
    println!("{compared:?}");
    for word in ["book-top", "cvd", "imbalance", "status", "position", "trades", "bars", "last", "book", "spread"] {
        assert!(compared.get(word).is_some_and(|rows| *rows > 0), "{word}: {compared:?}");
    }
}

/// What is of no symbol, before a halt and behind it.
fn of_the_run(service: &Service, life: &mut Life, at: &str) {
    let (status, halt) = asked(at, "system/halt");
    assert_eq!((status, &halt["rows"][0]["halted"]), (200, &Value::Bool(false)));
    service.ctl(&["halt"]).expect(0);
    life.until("the halt", || asked(at, "system/halt").1["rows"][0]["reason"] == "operator");
    let commands = asked(at, "system/commands").1;
    assert_eq!(rows(&commands).last().expect("the halt")["action"], "halt");
    let (status, feeds) = asked(at, "system/feeds");
    assert_eq!((status, &feeds["rows"][0]["standing"]), (200, &Value::from("up")));
}

/// The socket says what HTTP says, where nothing has come between; and both say what there is not.
fn three_ways(service: &Service, life: &mut Life, at: &str, symbol: &str) {
    let (journal, key) = (service.journal(), format!("{symbol}/all"));
    life.until("the same over the socket", || {
        let socket: Value = serde_json::from_str(&get(&journal, &key).expect(0).stdout).expect("JSON");
        let http = asked(at, &key).1;
        let is_level = socket["seq"] == http["seq"] && socket["now_ns"] == http["now_ns"];
        assert!(!is_level || socket == http, "{socket} over the socket, {http} over HTTP");
        is_level
    });
    let [bar, flow] = ["bar", "bar-flow"].map(|kind| asked(at, &format!("{symbol}/{kind}")).1["columns"].clone());
    assert_eq!(bar, flow, "what completes a row is shown in it");
    for (key, said) in [("XYZQ/top", "no such symbol is listed"), ("system/top", "is kept of nothing")] {
        let (status, answer) = asked(at, key);
        assert!(status == 404 && answer["error"].as_str().is_some_and(|e| e.contains(said)), "{key}: {answer}");
        let refused = get(&journal, key).expect(1);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
}

/// Compares an answer with the rows of a replay; how many there were.
fn compared_with(
    replayed: &BTreeMap<String, Vec<Map<String, Value>>>,
    symbol: &str,
    word: &str,
    answer: &Value,
) -> usize {
    let (seq, what) = (answer["seq"].as_u64().expect("a number"), format!("{symbol}/{word}"));
    let all = |kind: &str| up_to(replayed, kind, symbol, seq);
    let tail = |rows: Vec<_>, most: usize| rows[rows.len().saturating_sub(most)..].to_vec();
    let bars = |interval: &str| tail(all("bar").into_iter().filter(|b| b["interval"] == interval).collect(), BARS);
    let wanted = match word {
        "trades" => tail(all("trade"), TRADES),
        "last" => tail(all("trade"), 1),
        "bars/5s" => bars("5s"),
        "bars" => {
            let mut both = [bars("5s"), bars("1m")].concat();
            both.sort_by_key(|bar| bar["seq"].as_u64());
            both
        }
        "spread" => {
            spread(answer, &tail(all("book-top"), 1), &what);
            return rows(answer).len();
        }
        "book" => {
            book(answer, &tail(all("depth"), 1), &what);
            return rows(answer).len();
        }
        kind => {
            let (_, column) = LAST.iter().find(|(name, _)| *name == kind).expect("one of them");
            last_of_each(&all(kind), column)
        }
    };
    same(rows(answer), &wanted, now(answer), &what);
    wanted.len()
}

#[track_caller]
fn spread(answer: &Value, tops: &[&Map<String, Value>], what: &str) {
    let number = |of: &Value| of.as_str().and_then(|text| text.parse::<f64>().ok());
    let Some(top) = tops.first() else { return assert!(rows(answer).is_empty(), "{what}") };
    let wanted = number(&top["ask_px"]).zip(number(&top["bid_px"])).map(|(ask, bid)| ask - bid);
    let found = number(&rows(answer)[0]["spread"]);
    assert_eq!(found.is_some(), wanted.is_some(), "{what}");
    assert!(found.zip(wanted).is_none_or(|(found, wanted)| (found - wanted).abs() < 1e-9), "{what}: {found:?}");
}

#[track_caller]
fn book(answer: &Value, depths: &[&Map<String, Value>], what: &str) {
    let shown = &rows(answer)[0];
    for side in ["bids", "asks"] {
        let levels: Vec<_> = shown[side].as_array().expect("a list").iter().map(|l| (&l[0], &l[1])).collect();
        let depth = depths.first().map_or(&[][..], |row| row[side].as_array().expect("a list"));
        assert_eq!(levels, depth.iter().map(|l| (&l[0], &l[1])).collect::<Vec<_>>(), "{what} {side}");
    }
}

/// A roll changes nothing; after a restart behind it the values begin with the new journal, but for positions, and a book that
/// began before it is not shown as if it were whole.
fn again() {
    let service = service();
    let (mut life, at) = started(&service, "1x");
    level(&mut life, &at);
    life.stop(Signal::TERM);
    let journal = service.journal();
    let symbol = symbols(&journal).swap_remove(0);
    let service = service.with(format!("metrics.books={symbol}"));
    let (mut life, at) = started(&service, "1x");
    let has = |at: &str, word: &str| {
        let (_, answer) = asked(at, &format!("{symbol}/{word}"));
        answer["rows"].as_array().is_some_and(|rows| !rows.is_empty())
    };
    life.until("the book", || has(&at, "book"));
    level(&mut life, &at);
    let positions = asked(&at, &format!("{symbol}/position")).1;
    service.ctl(&["roll"]).expect(0);
    assert!(has(&at, "book") && has(&at, "top"), "a roll takes nothing away");
    life.stop(Signal::TERM);
    let (mut life, at) = started(&service, "1x");
    level(&mut life, &at);
    let book = asked(&at, &format!("{symbol}/book")).1;
    assert!(book["why"].as_str().is_some_and(|why| why.contains("not known")), "{book}");
    let held = |answer: &Value| rows(answer).iter().map(|row| row["strategy"].clone()).collect::<Vec<_>>();
    assert_eq!(held(&asked(&at, &format!("{symbol}/position")).1), held(&positions));
    life.stop(Signal::TERM);
}

/// What a key says of silence follows from the times in it, the metric counts the same, and nothing of the run differs.
fn stale() {
    const MOST_NS: u64 = 1_000_000;
    let (service, plain) = (Service::paper_at_the_open(20_000), Service::paper_at_the_open(20_000));
    plain.finish(&["--speed", "max"]).expect(0);
    let symbols = symbols(&plain.journal());
    let service = service.with("metrics.listen=127.0.0.1:0").with("metrics.stale_ms=1");
    let (mut life, at) = started(&service, "1x");
    let digits = |value: &Value| value.as_str().and_then(|text| text.parse::<u64>().ok());
    let look = || {
        let all = asked(&at, "system/stale").1;
        let silent = |row: &Value| digits(&row["silent_ns"]).expect("digits");
        // Nothing is answered before the journal is there.
        let rows = all["rows"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(rows.iter().all(|row| row["stale"] == true && silent(row) >= MOST_NS), "{all}");
        rows.len()
    };
    life.until("one that is stale", || look() > 0 && page(&at).get("tidegate_instruments_stale") > Some(0.0));
    for symbol in &symbols {
        let (status, answer) = asked(&at, &format!("{symbol}/stale"));
        assert_eq!(status, 200, "{answer}");
        let row = &rows(&answer)[0];
        assert_eq!((&row["symbol"], &row["phase"]), (&Value::from(symbol.as_str()), &Value::from("open")));
        let silent = digits(&row["silent_ns"]).expect("it is open");
        assert_eq!(row["stale"], silent >= MOST_NS, "{answer}");
        let heard = digits(&row["ts_ns"]).map(|ts| now(&answer) - ts);
        assert_eq!(digits(&row["age_ns"]), heard, "{answer}");
        assert!(heard.is_none_or(|age| silent <= age), "silence counts from the opening on: {answer}");
    }
    life.stop(Signal::TERM);
}

fn off() {
    let service = Service::paper_at_the_open(2_000);
    let mut life = service.start("1x");
    let off = || get(&service.journal(), "system/halt");
    life.until("the socket", || off().stderr.contains("metrics.listen turns them on"));
    off().expect(1);
    life.stop(Signal::TERM);
}

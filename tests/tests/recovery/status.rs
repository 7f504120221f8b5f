//! What `ctl status` says of a running engine, against what its journal says afterwards.

use flow::records::{Ack, Cancelled, Fill, Order, Position, Reject};
use flow::{Action, Event, Kind};
use serde_json::Value;
use sinks::journal::JournalReader;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tidegate_tests::{Scratch, run, tidegate};

const CONFIG: &str = r#"
[pipeline]
stages = ["book", "random", "orders", "risk", "router"]
[random]
every = 64
max_open = 20
max_position = 100000
[book]
max_orders = 65536
max_levels = 65536
[risk]
max_quantity = 5000
max_notional = 100000000
max_position = 1000000
collar_bps = 5000
max_messages = 8192
ceilings = { max-quantity = 9000 }
[sim]
order_latency_ns = 500000000
reply_latency_ns = 500000000
[[input]]
feed = "synthetic"
messages = 100000000
symbols = 4
live_orders = 400
"#;

/// A run that is stopped when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn started(config: &Path, dir: &Path) -> Running {
    let mut command = Command::new(tidegate());
    command.arg("run").arg(config).arg("--journal").arg(dir).args(["--speed", "3000x"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Running(child.expect("it starts"))
}

/// The status, once `wanted` holds of it.
#[track_caller]
fn status(dir: &Path, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let outcome = run(["ctl".as_ref(), dir.as_os_str(), "status".as_ref(), "--json".as_ref()]);
        let status: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        if status["trading"].is_object() && wanted(&status["trading"]) {
            return status["trading"].clone();
        }
        assert!(Instant::now() < deadline, "{status}\n{}", outcome.stderr);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// All events of a journal up to an input, in the order in which they happened.
fn events(dir: &Path, seq: u64) -> Vec<Event> {
    let reader = JournalReader::open(dir).expect("a journal");
    let all = reader.inputs().chain(reader.outcomes()).map(|event| event.expect("a whole record"));
    let mut all: Vec<Event> = all.filter(|event| event.id.seq() <= seq).collect();
    all.sort_by_key(|event| event.id.0);
    all
}

/// The orders that are open after these events.
fn open(events: &[Event]) -> BTreeSet<u64> {
    let mut open: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for event in events {
        match event.kind {
            Kind::Order => {
                let order: &Order = event.record();
                open.insert(order.order_id, (order.qty.0, 0));
            }
            Kind::Ack => {
                let ack: &Ack = event.record();
                if let (Some((_, filled)), Some(new)) = (open.remove(&ack.replaces), open.get_mut(&ack.order_id)) {
                    new.1 += filled;
                }
            }
            Kind::Fill => {
                let fill: &Fill = event.record();
                if let Some(order) = open.get_mut(&fill.order_id) {
                    order.1 += fill.qty.0;
                }
            }
            Kind::Cancelled => drop(open.remove(&event.record::<Cancelled>().order_id)),
            Kind::Reject if event.record::<Reject>().action != Action::Cancel.code() => {
                open.remove(&event.record::<Reject>().order_id);
            }
            _ => {}
        }
        open.retain(|_, (qty, filled)| filled < qty);
    }
    open.into_keys().collect()
}

/// The positions that are not flat after these events: instrument and quantity.
fn held(events: &[Event]) -> Vec<i64> {
    let mut held = BTreeMap::new();
    for event in events {
        if let Some(position) = event.get::<Position>() {
            held.insert((position.account, position.strategy, event.instrument), position.qty);
        }
    }
    held.into_values().filter(|qty| *qty != 0).collect()
}

fn numbers<T>(list: &Value, of: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    list.as_array().expect("a list").iter().map(|row| of(row).expect("a number")).collect()
}

/// Compares an answer with the journal up to its input.
fn agrees(answer: &Value, dir: &Path) {
    let seq = answer["seq"].as_u64().expect("a number");
    let events = events(dir, seq);
    let said: BTreeSet<u64> =
        numbers(&answer["orders"], |order| order["id"].as_str()?.parse().ok()).into_iter().collect();
    assert_eq!(said, open(&events), "open orders after input {seq}");
    assert_eq!(answer["open_orders"], said.len());
    let mut qty = numbers(&answer["positions"], |position| position["qty"].as_i64());
    let mut recorded = held(&events);
    qty.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(qty, recorded, "positions after input {seq}");
}

#[test]
fn the_status_says_what_the_journal_says() {
    let folder = Scratch::new();
    let (config, dir) = (folder.path().join("desk.toml"), folder.path().join("run"));
    std::fs::write(&config, CONFIG).expect("writable");
    let limit = |answer: &Value, check: &str| {
        let limits = answer["limits"].as_array().expect("a list");
        let limit = limits.iter().find(|l| l["check"] == check).expect("a limit");
        [limit["limit"].as_i64(), limit["ceiling"].as_i64()]
    };
    let ctl = |more: &[&str]| {
        let dir = dir.to_str().expect("UTF-8");
        // On a busy machine the answer may come too late; the status tells what came of it.
        run([&["ctl", dir, "--actor", "ada"], more].concat());
    };
    let mut answers = Vec::new();
    {
        let _running = started(&config, &dir);
        let trades = |t: &Value| t["held"].as_u64() > Some(0) && t["open_orders"].as_u64() > Some(0);
        answers.push(status(&dir, trades));
        assert_eq!(answers[0]["halted"], false);
        assert_eq!(limit(&answers[0], "max-quantity"), [Some(5_000), Some(9_000)]);
        assert_eq!(limit(&answers[0], "max-notional"), [Some(100_000_000), Some(100_000_000)]);
        ctl(&["limit", "max-quantity", "7000", "--from", "5000"]);
        ctl(&["halt"]);
        answers.push(status(&dir, |t| {
            t["halted"] == true && t["open_orders"] == 0 && limit(t, "max-quantity")[0] == Some(7_000)
        }));
    }
    let last = &answers[1];
    assert_eq!((&last["halt"]["reason"], &last["halt"]["actor"]), (&"operator".into(), &"ada".into()));
    assert!(last["halt"]["uid"].is_u64() && last["halt"]["asked_ts"].is_string(), "{last}");
    answers.iter().for_each(|answer| agrees(answer, &dir));
    // Killed, it goes on from a snapshot, and knows who halted it.
    run(["snapshot".as_ref(), "--journal".as_ref(), dir.as_os_str()]).expect(0);
    let _running = started(&config, &dir);
    let again = status(&dir, |t| t["halted"].is_boolean());
    assert_eq!((&again["halted"], &again["halt"]), (&true.into(), &last["halt"]));
    assert_eq!(limit(&again, "max-quantity"), [Some(7_000), Some(9_000)]);
    let kept = |answer: &Value| numbers(&answer["positions"], |position| position["qty"].as_i64());
    assert_eq!((kept(&again), &again["pnl"][0]["realised"]), (kept(last), &last["pnl"][0]["realised"]));
}

const IN_POUNDS: &str = r#"
[account.1]
currency = "GBP"
[instrument.AAAA]
pair = ["GBP", "USD"]
[[limit]]
account = 1
max_position = 500000
"#;

#[test]
fn the_status_tells_an_accounts_whole_and_the_tables_of_limits() {
    let folder = Scratch::new();
    let (config, dir) = (folder.path().join("desk.toml"), folder.path().join("run"));
    std::fs::write(&config, format!("{CONFIG}{IN_POUNDS}")).expect("writable");
    let _running = started(&config, &dir);
    let answer = status(&dir, |t| t["accounts"][0]["net"].is_string());
    let limits = [serde_json::json!({ "check": "position", "limit": 500_000, "ceiling": 500_000 })];
    let tables = serde_json::json!([{ "table": 1, "scope": "account 1", "limits": limits }]);
    assert_eq!(answer["tables"], tables);
    let whole = &answer["accounts"][0];
    let expected = [("account", 1.into()), ("currency", "GBP".into()), ("missing", Value::Array(Vec::new()))];
    expected.iter().for_each(|(key, value)| assert_eq!(whole[key], *value, "{key}"));
    let number = |of: &Value| of.as_str().expect("text").parse::<f64>().expect("a number");
    let (dollars, rate) = (&answer["pnl"][0], number(&whole["rates"]["USD"]));
    for part in ["realised", "unrealised", "fees", "net"] {
        let worth = number(&dollars[part]) * rate;
        assert!((number(&whole[part]) - worth).abs() < 0.01 + worth.abs() / 1e6, "{part}: {whole} of {dollars}");
    }
    let text = run(["ctl".as_ref(), dir.as_os_str(), "status".as_ref()]).stdout;
    let parts = ["\npnl       account 1 in GBP net ", "\n          account 1: position 500,000\n"];
    parts.iter().for_each(|part| assert!(text.contains(part), "{part:?} is not in\n{text}"));
}

const CUT: &str = r#"[pipeline]
preset = "cuts"
cuts = ["tail"]
cores = [0, 1]
idle = "pauses"
"#;

/// Two groups on two cores that spin with pauses: what was measured between them is in the status, and the graph says how they
/// wait.
#[test]
fn the_status_tells_what_was_measured_between_two_cores() {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return;
    }
    let folder = Scratch::new();
    let config = folder.path().join("desk.toml");
    std::fs::write(&config, CONFIG.replacen("[pipeline]\n", CUT, 1)).expect("writable");
    let graph = run(["graph".as_ref(), config.as_os_str()]).expect(0).stdout;
    assert!(graph.contains("\nidle      pauses: 1 to 4 between two looks, as measured"), "{graph}");
    // Somebody else may have a core for as long as is measured.
    let measured = (0..50).any(|attempt| {
        let dir = folder.path().join(format!("run{attempt}"));
        let _running = started(&config, &dir);
        status(&dir, |trading| trading["halted"].is_boolean());
        let ask = |how: &str| run(["ctl".as_ref(), dir.as_os_str(), "status".as_ref(), how.as_ref()]).expect(0).stdout;
        let whole: Value = serde_json::from_str(&ask("--json")).expect("one object");
        let ring = whole["rings"].as_array().and_then(|rings| rings.iter().find(|r| r["ring"] == "core0 > core1"));
        let ring = ring.expect("the ring of the cut");
        let Some((pauses, hop)) = ring["pauses"].as_u64().zip(ring["hop_ns"].as_u64()) else { return false };
        assert!((1..=4).contains(&pauses) && hop > 0, "{ring}");
        let line = format!("\nwaits     core0 > core1: {pauses} pause");
        let details = ask("--details");
        assert!(details.contains(&line) && details.contains(" ns one way\n"), "{line} is not in\n{details}");
        true
    });
    assert!(measured, "never measured in 50 starts");
}

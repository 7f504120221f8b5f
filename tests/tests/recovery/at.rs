//! `tidegate at` is the run stopped there.
//!
//! A day on which a strategy trades is recorded in one journal and in several. What `at` rebuilds at random inputs and times of
//! it, from whatever snapshots there are, is compared with two other ways to know: the rows of a replay of the whole journal,
//! of which each value's last row up to the instant counts; and a copy of the journal that ends there, replayed from its
//! beginning.

use super::going_on::Service;
use flow::{Event, Kind, Ns, Sink as _, StateWriter};
use serde_json::{Map, Value};
use sinks::journal::{Home, Journal, JournalSpec};
use std::collections::BTreeMap;
use std::path::Path;
use tidegate::Registries;
use tidegate::drive::Control;
use tidegate::instant::{Moment, Place, Rebuilt};
use tidegate::recovery::{Notices, Past};
use tidegate_tests::journals::{count, logs};
use tidegate_tests::{Outcome, Scratch, amount, draw, run, seed};

const MESSAGES: u64 = 20_000;
/// Random instants: at each the run is repeated from its beginning, several times.
fn instants() -> u64 {
    amount(24, 100)
}

/// The kinds of which the last row up to an instant is what `at` shows.
const KINDS: [&str; 6] = ["depth", "trade", "cvd", "imbalance", "vpin", "position"];

/// A day of trading with every measure, whose journal rolls at these times.
fn day(roll: &str) -> Service {
    let service = Service::new(MESSAGES);
    let text = std::fs::read_to_string(service.config()).expect("it was written");
    let text =
        text.replace("\"vpin\"", "\"imbalance\", \"vpin\"").replace("roll = \"never\"", &format!("roll = \"{roll}\""));
    let text = text.replace("[random]", "[vpin]\nbucket_qty = 500\n[random]");
    let text = format!("{text}[[measure]]\nuse = \"vpin\"\nname = \"vpin-small\"\nbucket_qty = 50\n");
    let stages = text.replace("\"vpin\", \"random\"", "\"vpin\", \"vpin-small\", \"random\"");
    std::fs::write(service.config(), stages).expect("the folder is writable");
    service.finish();
    service
}

fn at(journal: &Path, more: &[&str]) -> Outcome {
    run(["at".as_ref(), journal.as_os_str()].into_iter().chain(more.iter().map(|word| (*word).as_ref())))
}

fn json(journal: &Path, more: &[&str]) -> Value {
    let words: Vec<_> = more.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&at(journal, &words).expect(0).stdout).expect("one JSON object")
}

/// Without what tells how it was rebuilt.
fn state(mut of: Value) -> Value {
    let fields = of.as_object_mut().expect("an object");
    for how in ["journal", "snapshot", "from_seq", "repeated", "took_us", "took"] {
        assert!(fields.remove(how).is_some(), "{how}");
    }
    of
}

/// The rows of a replay from the beginning, by kind.
fn rows(journal: &Path) -> BTreeMap<String, Vec<Map<String, Value>>> {
    let kinds = KINDS.join(",");
    let words = ["--emit", &kinds, "--levels", "10"].map(std::ffi::OsStr::new);
    let replay = ["replay".as_ref(), "--journal".as_ref(), journal.as_os_str()];
    let mut by_kind = BTreeMap::<String, Vec<_>>::new();
    for line in run(replay.into_iter().chain(words)).expect(0).stdout.lines() {
        let row: Map<String, Value> = serde_json::from_str(line).expect("a row is one object");
        by_kind.entry(row["kind"].as_str().expect("a text").to_owned()).or_default().push(row);
    }
    assert_eq!(by_kind.len(), KINDS.len(), "every kind has rows");
    by_kind
}

/// The last row of these up to an input, of a symbol, that fits.
fn last<'a>(
    rows: &'a [Map<String, Value>],
    (symbol, seq): (&str, u64),
    fits: impl Fn(&Map<String, Value>) -> bool,
) -> Option<&'a Map<String, Value>> {
    let until = rows.partition_point(|row| row["seq"].as_u64() <= Some(seq));
    rows[..until].iter().rev().find(|row| row["symbol"] == symbol && fits(row))
}

/// Book, last trade, measures and positions of a symbol against the rows.
fn agrees(shown: &Value, rows: &BTreeMap<String, Vec<Map<String, Value>>>, at: (&str, u64)) {
    let of = &shown["symbol"];
    let depth = last(&rows["depth"], at, |_| true);
    for side in ["bids", "asks"] {
        let levels: Vec<_> =
            of["book"][side].as_array().expect("a list").iter().map(|l| (&l["px"], &l["qty"])).collect();
        let wanted = depth.map_or(&[][..], |row| row[side].as_array().expect("a list"));
        assert_eq!(levels, wanted.iter().map(|l| (&l[0], &l[1])).collect::<Vec<_>>(), "{at:?} {side}");
    }
    let same = |one: &Value, row: &Map<String, Value>| {
        assert_eq!((&one["seq"], &one["ts_ns"]), (&row["seq"], &row["ts_ns"]), "{at:?}: {one}");
        let values = one["values"].as_object().expect("an object");
        values.iter().for_each(|(name, value)| assert_eq!(value, &row[name], "{at:?} {name}: {one} is not {row:?}"));
    };
    match last(&rows["trade"], at, |_| true) {
        Some(trade) => same(&of["last_trade"], trade),
        None => assert_eq!(of["last_trade"], Value::Null, "{at:?}"),
    }
    let measures = of["measures"].as_array().expect("a list");
    let mut found = 0;
    for (name, kind) in [("cvd", "cvd"), ("imbalance", "imbalance"), ("vpin", "vpin"), ("vpin-small", "vpin")] {
        let wanted = last(&rows[kind], at, |row| row["instance"] == name);
        let kinds: Vec<_> = measures.iter().filter(|one| one["name"] == name).collect();
        assert_eq!(kinds.is_empty(), wanted.is_none(), "{at:?} {name}");
        for one in kinds {
            same(one, wanted.expect("checked above"));
            found += 1;
        }
    }
    assert_eq!(found, measures.len(), "{at:?}: {of}");
    let quantity = last(&rows["position"], at, |_| true).map_or(&Value::Null, |row| &row["qty"]);
    let positions = of["positions"].as_array().expect("a list");
    assert_eq!(positions.first().map_or(&Value::Null, |p| &p["qty"]), quantity, "{at:?}");
}

/// A copy of the journal that ends with that many inputs.
fn truncated(inputs: &[Event], journal: &Path) -> Scratch {
    let (home, folder) = (Home::open(journal).expect("a journal"), Scratch::new());
    let info = &home.journals()[0].info;
    let mut spec = JournalSpec::new(tidegate::build_id(), info.config_text.clone());
    (spec.segment_records, spec.instruments, spec.outcome_kinds) = (8_192, info.instruments, info.outcome_kinds);
    let (mut log, mut outcomes) = Journal::create(&folder.path().join("run"), &spec).expect("a journal");
    for input in inputs {
        while !log.ready().expect("there is room") {
            std::thread::yield_now();
        }
        log.append(input).expect("there is room");
    }
    outcomes.finished(inputs.len() as u64).expect("outcomes never fail");
    outcomes.close().expect("it closes");
    log.close().expect("it closes");
    folder
}

/// The hash of the whole state of all stages, as the library rebuilds it.
fn state_hash(journal: &Path, seq: u64) -> (u64, String) {
    let home = Home::open(journal).expect("a journal");
    let place = Place::of(Moment::Input(seq), &home).expect("it lies in the journal");
    let (registries, control) = (Registries::default(), Control::default());
    let place = (place, Past::Read);
    let rebuilt = Rebuilt::at(place, &home, &registries, &control, Notices::default()).expect("it can be rebuilt");
    let mut writer = StateWriter::new(&rebuilt.stats.listings);
    rebuilt.groups.iter().flat_map(|group| group.stages()).for_each(|stage| stage.save(&mut writer));
    (rebuilt.repeated(), writer.hash())
}

/// At random inputs, with and without snapshots, in one journal and in several.
#[test]
fn an_instant_is_the_run_that_ended_there() {
    let mut random = seed();
    let whole = day("never");
    let rolled = day("09:40 11:00 14:00 America/New_York");
    assert_eq!((count(&whole.journal()), count(&rolled.journal())), (1, 4));
    let (rows, [inputs, _]) = (rows(&whole.journal()), logs(&whole.journal()));
    let every = |journal: &Path, inputs: &str| {
        let words = ["--every", inputs].map(std::ffi::OsStr::new);
        run(["snapshot".as_ref(), "--journal".as_ref(), journal.as_os_str()].into_iter().chain(words)).expect(0);
    };
    let bare = day("never");
    every(&whole.journal(), "1000");
    assert!(inputs.iter().any(|input| input.kind == Kind::Break), "a day without a broken trade");
    let (mut repeated, mut traded, mut halved) = (0, 0, false);
    for round in 0..instants() {
        if round == instants() / 2 {
            every(&rolled.journal(), "700");
            halved = true;
        }
        let seq = 1 + draw(&mut random, inputs.len() as u64);
        let copy = truncated(&inputs[..seq as usize], &whole.journal());
        let replayed =
            run(["replay".as_ref(), "--json".as_ref(), "--journal".as_ref(), copy.path().join("run").as_os_str()]);
        let report: Value = serde_json::from_str(&replayed.expect(0).stdout).expect("one JSON object");
        for service in [&whole, &rolled, &bare] {
            let (count, hash) = state_hash(&service.journal(), seq);
            assert_eq!(report["state_hash"], hash, "input {seq}");
            repeated = repeated.max(if std::ptr::eq(service, &whole) { count } else { 0 });
        }
        let all = json(&whole.journal(), &[&format!("seq:{seq}")]);
        assert_eq!(all["trading"]["pnl"], report["pnl"], "input {seq}");
        let symbols = all["symbols"].as_array().expect("a list");
        let Some(symbol) = symbols.get(draw(&mut random, symbols.len().max(1) as u64) as usize) else { continue };
        let name = symbol["symbol"].as_str().expect("a text");
        let words = [&format!("seq:{seq}"), "--symbol", name];
        let one = state(json(&whole.journal(), &words));
        agrees(&one, &rows, (name, seq));
        for other in [&rolled, &bare] {
            assert!(state(json(&other.journal(), &words)) == one, "input {seq}: {}", other.journal().display());
        }
        let money = |of: &Value| [&of["qty"], &of["realised"], &of["unrealised"], &of["fees"]].map(Value::clone);
        let held: Vec<_> =
            report["positions"].as_array().expect("a list").iter().filter(|p| p["symbol"] == name).collect();
        let shown: Vec<_> = one["symbol"]["positions"].as_array().expect("a list").iter().collect();
        assert_eq!(
            shown.iter().map(|p| money(p)).collect::<Vec<_>>(),
            held.iter().map(|p| money(p)).collect::<Vec<_>>()
        );
        traded += u64::from(!held.is_empty());
    }
    assert!(halved && repeated < 1_000 && traded > instants() / 2, "{repeated} repeated at most, {traded} traded");
}

/// A time names the last input up to it, also where several have the same.
#[test]
fn a_time_stands_at_the_last_input_up_to_it() {
    let mut random = seed();
    let service = day("09:40 11:00 14:00 America/New_York");
    let (journal, [inputs, _]) = (service.journal(), logs(&service.journal()));
    let home = Home::open(&journal).expect("a journal");
    let (first, end) = (inputs[0].ts.0, inputs[inputs.len() - 1].ts.0);
    for round in 0..200 {
        let near = inputs[draw(&mut random, inputs.len() as u64) as usize].ts.0;
        let ts = if round % 2 == 0 { near } else { first + draw(&mut random, end - first) };
        let until = inputs.partition_point(|input| input.ts <= Ns(ts));
        let place = Place::of(Moment::Time(Ns(ts)), &home).expect("it lies in the journal");
        assert_eq!(place.input, inputs[until - 1], "{ts}");
    }
    let shown = json(&journal, &[&end.to_string()]);
    assert_eq!(shown["seq"], inputs.len());
    for (outside, side) in [(first - 1, "before the first input"), (end + 1, "after the last input")] {
        let said = at(&journal, &[&outside.to_string()]).expect(2).stderr;
        assert!(said.contains(side) && said.contains(&format!("its inputs are 1 to {}", inputs.len())), "{said}");
    }
    let said = at(&journal, &[&end.to_string(), "--symbol", "ZZZZZZ"]).expect(2).stderr;
    assert!(said.contains("ZZZZZZ: no such symbol is listed at that instant"), "{said}");
}

/// The screens fit, and nothing in the journal changes.
#[test]
fn it_fits_a_screen_and_changes_nothing() {
    let service = day("never");
    let journal = service.journal();
    let before = files(&journal);
    let all = at(&journal, &["seq:15000"]).expect(0).stdout;
    assert!(all.lines().count() <= 24 && all.contains("from      the beginning"), "{all}");
    let shown = json(&journal, &["seq:15000"]);
    let symbol = shown["symbols"][0]["symbol"].as_str().expect("a text");
    let one = at(&journal, &["seq:15000", "--symbol", symbol]).expect(0).stdout;
    for part in ["at        ", "trading   goes on", "bid qty", "trade     ", "vpin-small", "unrealised"] {
        assert!(one.contains(part), "{part:?} is not in\n{one}");
    }
    let wide = all.lines().chain(one.lines()).find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
    assert!(files(&journal) == before, "the journal has changed");
}

/// Every file below a folder, with its bytes.
pub(super) fn files(folder: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.is_file() {
            let bytes = std::fs::read(&path).expect("a file");
            all.insert(path, bytes);
        }
    }
    all
}

/// Only what is read is checked: damage elsewhere is nothing to it, and damage there is said.
#[test]
fn damage_is_said_where_it_is_read() {
    let service = day("never");
    let journal = service.journal();
    let words = ["--every", "5000"].map(std::ffi::OsStr::new);
    run(["snapshot".as_ref(), "--journal".as_ref(), journal.as_os_str()].into_iter().chain(words)).expect(0);
    let segment = journal.join("inputs/00000001.seg");
    let mut bytes = std::fs::read(&segment).expect("a segment");
    bytes[4096 + 64 * 2_000 + 50] ^= 1;
    std::fs::write(&segment, bytes).expect("it is writable");
    assert_eq!(json(&journal, &["seq:6000"])["from_seq"], 5_000);
    let said = at(&journal, &["seq:2500"]).expect(1).stderr;
    assert!(said.contains("inputs/00000001.seg") && said.contains("2001"), "{said}");
}

/// The trades that a snapshot remembers are looked at for a broken trade, and only then: what it shows is what a repetition
/// from the beginning shows, and if they are damaged, an earlier snapshot serves.
#[test]
fn remembered_trades_are_read_where_one_is_broken() {
    let service = day("never");
    let journal = service.journal();
    let [inputs, _] = logs(&journal);
    let is_broken = |input: &&Event| input.kind == Kind::Break && !input.id.seq().is_multiple_of(1_000);
    let broken: Vec<u64> = inputs.iter().filter(is_broken).map(|input| input.id.seq()).collect();
    let shown = |seq: u64, symbol: &str| json(&journal, &[&format!("seq:{seq}"), "--symbol", symbol]);
    let all = json(&journal, &[&format!("seq:{}", inputs.len())]);
    let symbols = all["symbols"].as_array().expect("a list").iter().map(|one| one["symbol"].as_str().expect("a text"));
    let symbols: Vec<_> = symbols.collect();
    let each = |seq: u64| symbols.iter().map(|symbol| state(shown(seq, symbol))).collect::<Vec<_>>();
    let wanted: Vec<_> = broken.iter().map(|seq| each(*seq)).collect();
    let words = ["--every", "1000"].map(std::ffi::OsStr::new);
    run(["snapshot".as_ref(), "--journal".as_ref(), journal.as_os_str()].into_iter().chain(words)).expect(0);
    for (seq, wanted) in broken.iter().zip(&wanted) {
        assert_eq!(shown(*seq, symbols[0])["from_seq"], seq / 1_000 * 1_000);
        assert!(each(*seq) == *wanted, "input {seq}");
    }
    let (seq, wanted) =
        broken.iter().zip(&wanted).rfind(|(seq, _)| **seq > 2_000).expect("a broken trade late in the day");
    let from = seq / 1_000 * 1_000;
    let file = journal.join(format!("snapshots/{from:013}.snap"));
    let mut bytes = std::fs::read(&file).expect("a snapshot");
    // Before the number of their bytes.
    let last = bytes.len() - 9;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).expect("it is writable");
    assert_eq!(shown(from, symbols[0])["from_seq"], from, "nothing is broken here");
    let said = at(&journal, &[&format!("seq:{seq}")]).expect(0);
    assert!(said.stderr.contains("the file is damaged"), "{}", said.stderr);
    assert_eq!(shown(*seq, symbols[0])["from_seq"], from - 1_000);
    assert!(each(*seq) == *wanted, "input {seq}");
}

//! Parameters and limits that are set while the service runs: seen in the next orders, and in force over stops, kills, rolls and
//! carry-overs; a configuration that is read again brings its differences as commands.

use flow::records::{Command as Commanded, CommandOutcome, Intent};
use flow::{CommandAction, CommandResult, Event, Listings};
use rustix::process::Signal;
use serde_json::Value;
use sinks::journal::{Home, JournalReader};
use std::collections::BTreeMap;
use tidegate_tests::rig::{Life, Service};

/// Three instances of one strategy that trade a lot, one with a value of its own for one symbol.
const CONFIG: &str = r#"
[pipeline]
stages = ["book", "bars", "cvd", "imbalance", "vpin", "momentum", "mom-fast", "mom-slow", "orders", "risk", "router"]
[bars]
intervals = ["5s", "1m"]
[momentum]
qty = 10
[[strategy]]
use = "momentum"
name = "mom-fast"
qty = 20
[[strategy]]
use = "momentum"
name = "mom-slow"
qty = 30
account = 2
[mom-fast.symbol.AAAA]
qty = 7
[vpin.symbol.AAAA]
bucket_qty = 700
[risk]
max_quantity = 5000
max_notional = 100000000
max_position = 1000000
max_messages = 4000
max_data_age_ms = 60000
collar_bps = 5000
ceilings = { max-notional = 200000000 }
[[limit]]
account = 2
max_quantity = 4000
[[limit]]
strategy = "mom-fast"
max_position = 900000
max_messages = 3000
ceilings = { position = 950000 }
[journal]
segment_records = 16384
roll = "never"
[[input]]
feed = "itch"
files = ["day.itch"]
"#;

/// What lets an instance trade at nearly every change.
const EAGER: &str = "bar = \"5s\"\natr_bars = 1\nmin_flow = 0\nmin_imbalance = 0\nmin_volume = 1\nmax_vpin = 1\n\
                     cooldown = 0\nstop_atr = 0.5\ntarget_atr = 0.5\nsession_start = \"00:00\"\nsession_end = \"24:00\"\n";

/// The configuration of a service whose symbol is `symbol`.
fn config(symbol: &str) -> String {
    let text = CONFIG.replace("AAAA", symbol);
    ["10", "20", "30"]
        .iter()
        .fold(text, |text, qty| text.replace(&format!("qty = {qty}\n"), &format!("qty = {qty}\n{EAGER}")))
}

fn service(messages: u64) -> (Service, [String; 2]) {
    let mut service = Service::paper_at_the_open(messages);
    let date = service.text().lines().find(|line| line.starts_with("date")).expect("the date of its file").to_owned();
    let text = format!("{}{date}\n", config("AAAA"));
    service.reconfigure(text);
    // Its symbols stand in its file alone.
    let alone = service.path("alone");
    let day = service.path("day.itch");
    let words = ["replay".as_ref(), "--input".as_ref(), day.as_os_str(), "--journal".as_ref(), alone.as_os_str()];
    let date = date.split('"').nth(1).expect("a quoted date").to_owned();
    tidegate_tests::run(words.into_iter().chain(["--date".as_ref(), date.as_ref()])).expect(0);
    let mut listings = Listings::default();
    inputs(&alone).iter().for_each(|input| listings.observe(input));
    let mut symbols = listings.iter().map(|listed| listed.symbol.clone());
    let [first, second] = [symbols.next().expect("a symbol"), symbols.next().expect("another")];
    let text = service.text().replace("AAAA", &first);
    service.reconfigure(text);
    (service, [first, second])
}

fn inputs(journal: &std::path::Path) -> Vec<Event> {
    JournalReader::open(journal).expect("a journal").inputs().map_while(Result::ok).collect()
}

/// Inputs and outcomes of all journals of a service.
fn all(service: &Service) -> [Vec<Event>; 2] {
    let home = Home::open(&service.journal()).expect("journals");
    let readers: Vec<_> = home.journals().iter().map(|member| member.reader()).collect();
    let inputs = readers.iter().flat_map(|reader| reader.inputs().map_while(Result::ok));
    let outcomes = readers.iter().flat_map(|reader| reader.outcomes().map_while(Result::ok));
    [inputs.collect(), outcomes.collect()]
}

/// The quantities of the entries of an instance in a symbol, each with the number of its cause.
fn entries(service: &Service, number: u16, symbol: &str) -> Vec<(u64, u64)> {
    let [inputs, outcomes] = all(service);
    let mut listings = Listings::default();
    inputs.iter().for_each(|input| listings.observe(input));
    let is_of = |e: &&Event| listings.get(e.instrument).is_some_and(|listed| listed.symbol == symbol);
    let entry = |e: &Event| {
        let intent: &Intent = e.get()?;
        (intent.strategy.0 == number && intent.reduces == 0).then_some((e.id.seq(), intent.qty.0))
    };
    outcomes.iter().filter(is_of).filter_map(entry).collect()
}

/// The last entry behind an input.
fn after(service: &Service, seq: u64, number: u16, symbol: &str) -> Option<u64> {
    entries(service, number, symbol).into_iter().rfind(|(at, _)| *at > seq).map(|(_, qty)| qty)
}

fn running(service: &Service) -> Life {
    let mut life = service.start("600x");
    life.until("the service", || service.listens());
    life
}

fn said(service: &Service, words: &[&str]) -> String {
    service.ctl(words).expect(0).stderr
}

/// A value, printed bare.
fn get(service: &Service, words: &[&str]) -> String {
    let words: Vec<&str> = ["get"].iter().chain(words).copied().collect();
    service.ctl(&words).expect(0).stdout.trim().to_owned()
}

/// The number that `ctl` says of its command.
fn input_of(said: &str) -> u64 {
    let number = said.rsplit_once("(input ").expect("a number").1;
    number.chars().take_while(char::is_ascii_digit).collect::<String>().parse().expect("digits")
}

/// The numbers of two of the instances.
const PLAIN: u16 = 1;
const FAST: u16 = 32;

/// What commands have set, after this they are in force.
fn is_in_force(service: &Service, [first, second]: &[String; 2]) {
    let values = [
        (vec!["mom-fast.qty"], "25"),
        (vec!["mom-fast.qty", "--symbol", first], "8"),
        (vec!["mom-fast.qty", "--symbol", second], "6"),
        (vec!["momentum.qty"], "10"),
        (vec!["mom-slow.qty"], "30"),
        (vec!["risk.max_notional"], "150000000"),
        (vec!["limit[1].max_quantity"], "4000"),
        (vec!["limit[2].max_position"], "940000"),
        (vec!["limit[2].max_messages"], "2000"),
    ];
    for (words, value) in values {
        assert_eq!(get(service, &words), value, "{words:?}");
    }
    waits_for_a_session(service, first);
}

/// The size of the buckets of `vpin`: the day is one session, so what was set waits, and that of the symbol stays.
fn waits_for_a_session(service: &Service, symbol: &str) {
    let size: Value = serde_json::from_str(&get(service, &["vpin.bucket_qty", "--json"])).expect("JSON");
    let of = ["value", "waits", "effective"].map(|key| size[key].as_str().expect("a text"));
    assert_eq!(of, ["10000", "5000", "next session"]);
    assert_eq!(get(service, &["vpin.bucket_qty", "--symbol", symbol]), "700");
}

/// A table of all, of an instance, as JSON; what needs a restart; what there is not.
fn is_shown(service: &Service) {
    let table = get(service, &[]);
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains("risk.max_notional") && table.contains("momentum.lookback"), "{table}");
    let json: Value = serde_json::from_str(&get(service, &["mom-fast", "--json"])).expect("JSON");
    let own = json.as_array().expect("a list").iter().filter(|row| row["instrument"].is_string()).count();
    assert_eq!(own, 2, "{json}");
    let one: Value = serde_json::from_str(&get(service, &["mom-fast.qty", "--json"])).expect("JSON");
    assert_eq!((&one["value"], &one["configured"]), (&"25".into(), &"20".into()));
    let tables: Value = serde_json::from_str(&get(service, &["limit[2]", "--json"])).expect("JSON");
    let rows = tables.as_array().expect("a list").iter();
    let row =
        |row: &Value| ["key", "scope", "value", "configured"].map(|key| row[key].as_str().expect("a text").to_owned());
    assert_eq!(
        rows.map(row).collect::<Vec<_>>(),
        [
            ["limit[2].max_position", "mom-fast", "940000", "900000"],
            ["limit[2].max_messages", "mom-fast", "2000", "3000"]
        ]
    );
    assert!(service.ctl(&["get", "limit[2].max_quantity"]).expect(2).stderr.contains("max_position"));
    let status = service.ctl(&["status"]).expect(0).stdout;
    assert!(status.contains("mom-fast: position 940,000 (up to 950,000)"), "{status}");
    assert_eq!((get(service, &["mom-slow.account"]), get(service, &["mom-slow.bar"])), ("2".into(), "5s".into()));
    let unknown = service.ctl(&["get", "mom-fast.qtty"]).expect(2).stderr;
    assert!(unknown.contains("did you mean qty?"), "{unknown}");
    let refused = service.ctl(&["set", "mom-fast.bar", "1m", "--from", "5s"]).expect(2).stderr;
    assert!(refused.contains("is not a parameter that can be set while it runs"), "{refused}");
}

/// The first table of limits.
const FIRST_TABLE: &str = "[[limit]]\naccount = 2\nmax_quantity = 4000\n";

/// Limits of the second table are set; what it does not set, or no table, is refused.
fn sets_limits_of_tables(service: &Service) {
    let set = said(service, &["--actor", "ada", "set", "limit[2].max_position", "940_000", "--from", "900000"]);
    assert!(set.contains("limit[2].max_position is 940_000, before it was 900000 (input "), "{set}");
    let set = said(service, &["limit", "throttle", "2000", "--from", "3000", "--table", "2"]);
    assert!(set.contains("the limit of throttle in limit[2] is 2000, before it was 3000"), "{set}");
    let refused = |code, words: &[&str]| {
        let refused = service.ctl(words).expect(code).stderr;
        refused.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let one = refused(1, &["set", "limit[2].max_messages", "5", "--from", "3000"]);
    assert!(one.contains("the limit of throttle in limit[2] in force is 2000"), "{one}");
    let one = refused(1, &["set", "limit[2].max_position", "950001", "--from", "940000"]);
    assert!(
        one.contains("950001 is above what commands may set position in limit[2] to (ceilings in limit[2]"),
        "{one}"
    );
    let one = refused(1, &["set", "limit[1].max_position", "5", "--from", "9"]);
    assert!(one.contains("there is no limit of position in limit[1]; one that"), "{one}");
    let one = refused(2, &["set", "limit[3].max_position", "5", "--from", "9"]);
    assert!(one.contains("valid: limit[1] for account 2; limit[2] for mom-fast; a new one needs a restart"), "{one}");
}

/// Another configuration carries over what commands have set; where it changes a value itself, it wins.
fn carried_over(service: Service, text: &str, [first, second]: &[String; 2]) {
    let before = service.journal();
    let other = text.replace("qty = 10\n", "qty = 11\n").replace("qty = 7\n", "qty = 9\n");
    let other = other.replace("max_messages = 3000", "max_messages = 3500").replace(FIRST_TABLE, "");
    let mut service = service.with_journal(before.with_file_name("next"));
    service.reconfigure(other);
    let mut command = service.command(&service.journal(), "600x");
    let mut child = command.arg("--carry-over").arg(&before).spawn().expect("it starts");
    while !service.listens() {
        assert!(child.try_wait().expect("a child").is_none(), "it has ended");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let values = ["mom-fast.qty", "momentum.qty", "risk.max_notional"].map(|key| get(&service, &[key]));
    assert_eq!(values, ["25", "11", "150000000"]);
    let tables = ["limit[1].max_position", "limit[1].max_messages"].map(|key| get(&service, &[key]));
    assert_eq!(tables, ["940000", "3500"], "the table is the same, whatever its number");
    let own = [first, second].map(|symbol| get(&service, &["mom-fast.qty", "--symbol", symbol]));
    assert_eq!(own, ["9", "6"]);
    waits_for_a_session(&service, first);
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).expect("it runs");
    assert!(child.wait().expect("a child").success());
    verified(&service);
    let [inputs, _] = all(&service);
    let sets =
        inputs.iter().filter_map(|e| e.get::<Commanded>()).filter(|c| c.action == CommandAction::SetParam.code());
    assert_eq!(sets.filter(|c| c.actor != 0).count(), 3, "each under the name of who set it");
}

#[test]
fn what_is_set_is_seen_in_the_next_order_and_holds_over_stops_kills_rolls_and_carry_overs() {
    let (mut service, symbols) = service(400_000);
    let [first, second] = &symbols;
    let mut life = running(&service);
    life.until("entries", || after(&service, 0, FAST, first).is_some() && after(&service, 0, FAST, second).is_some());
    assert_eq!((after(&service, 0, FAST, first), after(&service, 0, FAST, second)), (Some(7), Some(20)));
    let refused = service.ctl(&["set", "mom-fast.qty", "25", "--from", "21"]).expect(1).stderr;
    assert!(refused.contains("the value of qty in force is 20"), "{refused}");
    let set = said(&service, &["--actor", "ada", "set", "mom-fast.qty", "25", "--from", "20"]);
    let seq = input_of(&set);
    life.until("an entry", || after(&service, seq, FAST, second).is_some());
    assert_eq!(after(&service, seq, FAST, second), Some(25));
    let set = said(&service, &["set", "mom-fast.qty", "8", "--from", "7", "--symbol", first]);
    let seq = input_of(&set);
    life.until("an entry", || after(&service, seq, FAST, first).is_some());
    assert_eq!(after(&service, seq, FAST, first), Some(8));
    said(&service, &["set", "mom-fast.qty", "6", "--from", "25", "--symbol", second]);
    said(&service, &["set", "risk.max_notional", "150_000_000", "--from", "100000000"]);
    sets_limits_of_tables(&service);
    said(&service, &["set", "vpin.bucket_qty", "6000", "--from", "10000"]);
    let set = said(&service, &["set", "vpin.bucket_qty", "5000", "--from", "6000"]);
    assert!(set.contains("next session"), "{set}");
    is_in_force(&service, &symbols);
    is_shown(&service);
    // It holds over a stop, a kill, a roll, and a kill behind a roll.
    assert!(life.stop(Signal::TERM).0.success());
    let life = running(&service);
    is_in_force(&service, &symbols);
    life.kill();
    let life = running(&service);
    is_in_force(&service, &symbols);
    said(&service, &["roll"]);
    is_in_force(&service, &symbols);
    life.kill();
    // The configuration may have what is in force, and no third value.
    let text = service.text().to_owned();
    service.reconfigure(text.replace("qty = 20\n", "qty = 26\n"));
    let refused = service.finish(&["--speed", "max"]).expect(2).stderr;
    let refused = refused.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        refused.contains("mom-fast.qty is 26 in the configuration") && refused.contains("set it to 25"),
        "{refused}"
    );
    let refused = text.replace("max_position = 900000", "max_position = 900001");
    service.reconfigure(refused);
    let refused = service.finish(&["--speed", "max"]).expect(2).stderr;
    assert!(refused.contains("limit[2].max_position is 900001 in the configuration"), "{refused}");
    let now = text.replace("qty = 20\n", "qty = 25\n").replace("qty = 7\n", "qty = 8\n");
    service.reconfigure(now.replace("max_position = 900000", "max_position = 940000"));
    let life = running(&service);
    is_in_force(&service, &symbols);
    let limit: Value = serde_json::from_str(&get(&service, &["risk.max_notional", "--json"])).expect("JSON");
    assert_eq!(limit["configured"], "100000000");
    assert!(life.stop(Signal::TERM).0.success());
    verified(&service);
    carried_over(service, &text, &symbols);
}

/// The journals are whole, and running them again gives what they hold.
fn verified(service: &Service) {
    service.about(&["journal", "verify"]).expect(0);
    service.about(&["replay", "--verify", "--journal"]).expect(0);
}

/// Another configuration, in the folder of the service.
fn file(service: &Service, name: &str, text: String) -> String {
    std::fs::write(service.path(name), text).expect("the folder is writable");
    service.path(name).display().to_string()
}

/// What needs a restart is refused by its name, all of it, and nothing is set.
fn is_refused_whole(service: &Service, first: &str) {
    let many = service.text().replace(FIRST_TABLE, "").replace("account = 2", "account = 3");
    let many = many.replace("qty = 10\n", "qty = 13\nsymbols = [\"A\"]\n");
    let many = many.replace("max_notional = 100000000", "max_notional = 200000001");
    let many = many.replace("max_position = 900000", "max_position = 955000\nmax_quantity = 5");
    let many = many.replace("position = 950000", "position = 960000");
    let many = many.replace("[journal]\n", "[[limit]]\ncurrency = \"USD\"\nmax_quantity = 6\n[journal]\n");
    let many = file(service, "many.toml", many.replace("[mom-fast.symbol", "[mom-slow.symbol"));
    let refused = service.ctl(&["reload", &many]).expect(1).stderr;
    let refused = refused.split_whitespace().collect::<Vec<_>>().join(" ");
    let removed = format!("mom-fast.symbol.{first}.qty: was 7, is absent");
    let above = "risk.max_notional: 200000001 is above what commands may set (200000000)";
    let tables = [
        "limit[2].max_position: 955000 is above what commands may set (950000)",
        "limit[2].ceilings.position: was 950000, is 960000",
        "limit[2].max_quantity: was absent, is 5",
        "limit[1]: was { account = 2, max_quantity = 4000 }, is absent",
        "limit[2]: was absent, is { currency = \"USD\", max_quantity = 6 }",
    ];
    let names = ["needs a restart", "momentum.symbols[1]: ", "mom-slow.account: was 2, is 3", &removed, above];
    for name in names.into_iter().chain(tables) {
        assert!(refused.contains(name), "{name}: {refused}");
    }
    assert_eq!((get(service, &["momentum.qty"]), get(service, &["mom-slow.qty"])), ("12".into(), "30".into()));
}

/// A limit that was tightened since is not loosened by a file that has had it before.
fn stays_tight(service: &Service, read: &str) {
    said(service, &["set", "risk.max_notional", "90000000", "--from", "120000000"]);
    assert!(said(service, &["reload", read]).contains("nothing has changed"), "it stays tight");
    assert_eq!(get(service, &["risk.max_notional"]), "90000000");
    said(service, &["set", "risk.max_notional", "120000000", "--from", "90000000"]);
    said(service, &["set", "limit[2].max_position", "800000", "--from", "910000"]);
    assert!(said(service, &["reload", read]).contains("nothing has changed"), "it stays tight");
    said(service, &["set", "limit[2].max_position", "910000", "--from", "800000"]);
}

#[test]
fn a_configuration_that_is_read_again_brings_its_differences_as_commands() {
    let (mut service, [first, second]) = service(400_000);
    let text = service.text().to_owned();
    let mut life = running(&service);
    life.until("an entry", || after(&service, 0, PLAIN, &second).is_some());
    said(&service, &["set", "momentum.qty", "12", "--from", "10"]);
    is_refused_whole(&service, &first);
    // The difference to what is in force, each as a command with its values.
    let some =
        text.replace("qty = 10\n", "qty = 14\n").replace("qty = 7\n", "qty = 9\n").replace("qty = 30\n", "qty = 31\n");
    let some = some.replace("max_notional = 100000000", "max_notional = 120000000");
    let some = some.replace("max_position = 900000", "max_position = 910000");
    let some = format!("{some}[momentum.symbol.{second}]\nqty = 14\n");
    let some = file(&service, "some.toml", some);
    let reloaded = said(&service, &["--actor", "bob", "reload", &some]);
    let reloaded = reloaded.split_whitespace().collect::<Vec<_>>().join(" ");
    let of_symbol = format!("momentum.qty of {second} is 14, before it was 12 (input ");
    let own = format!("mom-fast.qty of {first} is 9, before it was 7 (input ");
    let wanted = [
        &of_symbol,
        &own,
        "momentum.qty is 14, before it was 12 (input ",
        "mom-slow.qty is 31, before it was 30 (input ",
        "risk.max_notional is 120000000, before it was 100000000 (input ",
        "limit[2].max_position is 910000, before it was 900000 (input ",
    ];
    for set in wanted {
        assert!(reloaded.contains(set), "{set}: {reloaded}");
    }
    let seq = input_of(&reloaded);
    life.until("an entry", || after(&service, seq, PLAIN, &second).is_some());
    assert_eq!(after(&service, seq, PLAIN, &second), Some(14));
    assert!(said(&service, &["reload", &some]).contains("nothing has changed"), "it is in force");
    stays_tight(&service, &some);
    // The configuration itself says 10 still: read again, it is the truth.
    let back = said(&service, &["reload"]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(back.contains("momentum.qty is 10, before it was 14 (input "), "{back}");
    assert_eq!(get(&service, &["momentum.qty", "--symbol", &second]), "14", "it says nothing of the symbol");
    // A symbol that nothing has listed is refused, and what was set before it is said.
    let unlisted = text.replace("qty = 10\n", "qty = 15\n");
    let unlisted = file(&service, "unlisted.toml", format!("{unlisted}[momentum.symbol.NOBODY]\nqty = 3\n"));
    let refused = service.ctl(&["reload", &unlisted]).expect(1).stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(refused.contains("momentum.qty of NOBODY: no instrument of that symbol is listed"), "{refused}");
    assert!(refused.contains("nothing was set"), "{refused}");
    assert_eq!(get(&service, &["momentum.qty"]), "10");
    // It starts again with the file that was read.
    let other = std::fs::read_to_string(&some).expect("it was written");
    said(&service, &["reload", &some]);
    assert!(life.stop(Signal::TERM).0.success());
    service.reconfigure(other);
    let life = running(&service);
    assert_eq!(get(&service, &["mom-slow.qty"]), "31");
    life.kill();
    verified(&service);
    let [inputs, outcomes] = all(&service);
    let set: BTreeMap<u64, Commanded> =
        inputs.iter().filter_map(|e| Some((e.id.seq(), *e.get::<Commanded>()?))).collect();
    assert!(set.values().all(|command| command.actor != 0 && command.asked_ts != flow::Ns::NONE));
    let became = outcomes.iter().filter_map(|e| Some((e.id.seq(), e.get::<CommandOutcome>()?)));
    let applied = became.filter(|(seq, o)| set.contains_key(seq) && o.result == CommandResult::Applied.code()).count();
    assert_eq!(applied + 1, set.len(), "each but the one of the symbol that is not listed");
}

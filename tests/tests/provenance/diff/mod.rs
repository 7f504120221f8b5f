//! What a change of the settings changes: nothing without a change, and with one what a run under the new settings does.
//!
//! Market data do not depend on orders, so a run from the files under the new settings is another way to what the comparison
//! says of now. Both runs are compared here once more, by [`naive`] code.

mod naive;
mod venues;

use naive::{Counts, Run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tidegate_tests::journals::logs;
use tidegate_tests::{Outcome, Scratch, amount, draw, run, seed, tidegate};

/// Three days of files, and a configuration of four strategies in two accounts.
struct Days {
    folder: Scratch,
}

impl Days {
    /// Of so many messages each; `more` is added to the configuration.
    fn new(messages: u64, seed: u64, more: &str) -> Days {
        let days = Days { folder: Scratch::new() };
        for (day, date) in (0..).zip(["01052026", "01062026", "01072026"]) {
            let file = days.path(&format!("{date}.NASDAQ_ITCH50"));
            let words =
                format!("synth --messages {messages} --symbols 12 --live-orders 800 --seed {} --out", seed + day);
            run(words.split(' ').map(AsRef::as_ref).chain([file.as_os_str()])).expect(0);
        }
        let strategy =
            |uses: &str, name: &str, more: &str| format!("[[strategy]]\nuse = \"{uses}\"\nname = \"{name}\"\n{more}\n");
        let fast = "lookback = 2\nmin_volume = 1\nmin_flow = 0.0\nmin_imbalance = -1\nmax_vpin = 0.9\ncooldown = 0\nbar = \"5s\"\natr_bars = 3";
        let text = [
            "[pipeline]\nstages = [\"book\", \"bars\", \"cvd\", \"vpin\", \"imbalance\", \"rand-a\", \"rand-b\", \"mom-fast\", \
             \"mom-slow\", \"orders\", \"risk\", \"router\"]\n[bars]\nintervals = [\"5s\", \"1m\"]\n",
            &strategy("random", "rand-a", "seed = 5\nevery = 40"),
            &strategy("random", "rand-b", "seed = 6\nevery = 70\naccount = 2"),
            &strategy("momentum", "mom-fast", fast),
            &strategy("momentum", "mom-slow", "account = 2\nlookback = 10\nbar = \"1m\"\nmin_flow = 0.05"),
            "[vpin]\nbucket_qty = 300\nwindow = 5\n[book]\nmax_orders = 65536\nmax_levels = 65536\nmax_books = 64\n",
            "[sim]\nmax_own_orders = 4096\nmax_orders = 65536\nmax_levels = 65536\nmax_books = 64\n",
            more,
            "[journal]\nroll = \"20:00 America/New_York\"\nsegment_records = 8192\n[[input]]\nfeed = \"itch\"\n",
            &format!("files = [\"{}\"]\n", days.path("*.NASDAQ_ITCH50").display()),
        ];
        std::fs::write(days.path("desk.toml"), text.concat()).expect("the folder is writable");
        days
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, journal: &str, speed: &str, set: &[&str]) -> Command {
        let mut command = Command::new(tidegate());
        command.arg("run").arg(self.path("desk.toml")).arg("--journal").arg(self.path(journal));
        command.args(["--json", "--speed", speed]).args(set.iter().flat_map(|set| ["--set", set]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs to the end; returns the journal.
    fn finish(&self, journal: &str, set: &[&str]) -> PathBuf {
        assert!(self.command(journal, "max", set).status().expect("it starts").success(), "{set:?}");
        self.path(journal)
    }

    fn start(&self, journal: &str, speed: &str) -> Child {
        self.command(journal, speed, &[]).spawn().expect("it starts")
    }
}

fn ask(journal: &Path, set: &[&str], more: &[&str]) -> Outcome {
    let words = ["replay".as_ref(), "--diff".as_ref(), "--journal".as_ref(), journal.as_os_str()];
    let set = set.iter().flat_map(|set| ["--set", set]);
    run(words.into_iter().chain(set.chain(more.iter().copied()).map(AsRef::as_ref)))
}

/// The report of a comparison.
fn diff(journal: &Path, set: &[&str]) -> Value {
    let report: Value =
        serde_json::from_str(&ask(journal, set, &["--json"]).expect(0).stdout).expect("one JSON object");
    let found = report["diff"].clone();
    let counts = counts(&found);
    let differ: u64 = counts.values().map(|of| of[1..].iter().sum::<u64>()).sum();
    let causes: u64 = found["causes"].as_object().expect("causes").values().filter_map(Value::as_u64).sum();
    assert_eq!((differ, causes), (number(&found["differences"]), number(&found["differences"])), "each has a cause");
    found
}

fn number(of: &Value) -> u64 {
    of.as_u64().expect("a count")
}

fn counts(diff: &Value) -> BTreeMap<String, Counts> {
    let of = |kind: &Value| {
        let counts = ["same", "only_before", "only_now", "changed"].map(|name| number(&kind[name]));
        (kind["kind"].as_str().expect("a name").to_owned(), counts)
    };
    diff["kinds"].as_array().expect("a list").iter().map(of).collect()
}

/// Nothing differs, and everything was compared.
#[track_caller]
fn is_empty(journal: &Path, set: &[&str]) {
    let found = diff(journal, set);
    assert_eq!(found["differences"], 0, "{set:?} {found}");
    assert_eq!((&found["first"], &found["positions"]), (&Value::Array(Vec::new()), &Value::Array(Vec::new())));
    if found["whole"] == true {
        let [inputs, outcomes] = logs(journal);
        let is_answer = |input: &&flow::Event| input.source == flow::SOURCE_RETURNS;
        let answers = inputs.iter().filter(is_answer).filter(|i| !i.is_echo() && i.kind != flow::Kind::Arrival);
        let same: u64 = counts(&found).values().map(|of| of[0]).sum();
        assert_eq!(same, outcomes.len() as u64 + answers.count() as u64, "everything is compared");
    }
}

#[test]
fn nothing_differs_where_nothing_was_changed() {
    let first = seed() >> 8;
    for seed in first..first + amount(2, 20) {
        let days = Days::new(12_000, seed, "[risk]\nmax_messages = 4\nthrottle_window_ms = 60000\n");
        // What the exchange draws by the numbers of events stays too.
        let journal = days.finish("run", &["sim.jitter_ns=5000"]);
        assert!(number(&diff(&journal, &[])["strategies"][0]["orders"][0]) > 10, "it trades");
        is_empty(&journal, &[]);
        is_empty(&journal, &["pipeline.batch=7", "pipeline.ring=disruptor", "outcomes.kinds=all"]);
        is_empty(&journal, &["pipeline.preset=cuts", "pipeline.cuts=bars,orders,tail", "pipeline.rehearse=false"]);
        // From the state that a journal begins with.
        for member in sinks::journal::Home::open(&journal).expect("journals").journals() {
            is_empty(&member.dir, &[]);
        }
    }
}

#[test]
fn nothing_differs_after_kills_stops_and_commands() {
    let days = Days::new(60_000, 3, "");
    let mut random = seed();
    for _ in 0..amount(6, 60) {
        let mut child = days.start("run", "max");
        std::thread::sleep(Duration::from_micros(draw(&mut random, 300_000)));
        let pid = rustix::process::Pid::from_child(&child);
        let signal = [rustix::process::Signal::KILL, rustix::process::Signal::TERM][draw(&mut random, 2) as usize];
        // It may have ended.
        let _ = rustix::process::kill_process(pid, signal);
        child.wait().expect("a child");
        if sinks::journal::Home::exists(&days.path("run")) {
            is_empty(&days.path("run"), &[]);
        }
    }
    let mut child = days.start("commanded", "60000x");
    let journal = days.path("commanded");
    let mut given = 0;
    let set = "mom-fast.qty";
    while child.try_wait().expect("a child").is_none() {
        for words in [&["halt"][..], &["resume"], &["set", set, "150"], &["set", set, "100"], &["cancel-all"]] {
            let words = words.iter().map(|word| word.as_ref());
            let said =
                run(["ctl".as_ref(), journal.as_os_str(), "--actor".as_ref(), "ada".as_ref()].into_iter().chain(words));
            given += u32::from(said.code == Some(0));
            std::thread::sleep(Duration::from_millis(40));
        }
    }
    assert!(given > 10, "{given} commands were carried out");
    is_empty(&journal, &[]);
}

/// The kinds that the naive comparison knows.
fn compared(journal: &Path, other: &Path, set: &[&str]) -> Value {
    let expected = Run::of(journal).against(&Run::of(other));
    let found = diff(journal, set);
    let counts = counts(&found);
    for (kind, expected) in &expected {
        assert_eq!(counts.get(*kind).unwrap_or(&[0; 4]), expected, "{kind} under {set:?}");
    }
    let fills = expected["fill"];
    assert!(fills[0] > 0 && fills[1..].iter().sum::<u64>() > 0, "{set:?}: {fills:?}");
    // What is said of now is what the run under the new settings says of itself.
    let [before, now] = [journal, other].map(|journal| diff(journal, &[])["strategies"].clone());
    for (at, row) in found["strategies"].as_array().expect("a list").iter().enumerate() {
        for key in ["orders", "refused", "fills", "qty"] {
            let expected = [&before[at][key][0], &now[at][key][0]];
            assert_eq!([&row[key][0], &row[key][1]], expected, "{key} of {row}");
        }
        // Who never had a fill has no profit, which beside the other side's is none.
        let net = |of: &Value| of.as_str().unwrap_or("0.00").to_owned();
        let expected = [&before, &now].map(|of| net(&of[at]["net"]["USD"][0]));
        assert_eq!([0, 1].map(|side: usize| net(&row["net"]["USD"][side])), expected, "{row}");
    }
    assert_eq!(found["causes"]["rest"], 0, "{set:?}: everything has a cause");
    found
}

#[test]
fn one_changed_parameter_on_three_days_is_what_a_run_with_it_does() {
    let more = "[risk]\nmax_messages = 6\nthrottle_window_ms = 60000\nmax_position = 600\n";
    let days = Days::new(amount(30_000, 200_000), 1, more);
    let journal = days.finish("run", &[]);
    assert_eq!(tidegate_tests::journals::count(&journal), 4, "a journal a day, and what came after the last roll");
    let changes = [
        "mom-fast.qty=50",
        "rand-b.every=71",
        "risk.max_messages=7",
        "risk.max_notional=20000",
        "sim.order_latency_ns=3000000",
        "vpin.bucket_qty=1500",
    ];
    let mut classes = BTreeMap::<String, u64>::new();
    for (at, change) in changes.into_iter().enumerate() {
        let other = days.finish(&format!("other-{at}"), &[change]);
        let found = compared(&journal, &other, &[change]);
        let (key, _) = change.split_once('=').expect("a key");
        assert_eq!(found["changed"][0]["key"], key);
        assert_eq!(found["first"][0]["cause"], "change", "{found}");
        for (class, n) in found["causes"].as_object().expect("causes") {
            *classes.entry(class.clone()).or_default() += number(n);
        }
    }
    for class in ["change", "order", "strategy", "account", "limit", "exchange"] {
        assert!(classes[class] > 0, "no difference is because of that: {class} in {classes:?}");
    }
}

#[test]
fn a_refusal_that_a_limit_no_longer_makes_leads_to_what_follows() {
    let days = Days::new(20_000, 1, "[risk]\nmax_notional = 30000\nmax_messages = 6\nthrottle_window_ms = 60000\n");
    let journal = days.finish("run", &[]);
    let change = "risk.max_notional=250000";
    let found = diff(&journal, &[change]);
    let first = &found["first"][0];
    assert_eq!(
        (&first["kind"], &first["what"], &first["cause"]),
        (&"refused".into(), &"only-before".into(), &"change".into())
    );
    let check = first["fields"].as_array().expect("fields").iter().find(|field| field["field"] == "check");
    assert_eq!(check.expect("the check")["before"], "max-notional", "{first}");
    // Of the check whose limit was changed every verdict is because of it; of others what differs already.
    for row in found["first"].as_array().expect("a list").iter().filter(|row| row["kind"] == "refused") {
        let mut fields = row["fields"].as_array().expect("fields").iter().filter(|field| field["field"] == "limit");
        let of = fields.any(|field| field["before"] == 30_000 || field["now"] == 250_000);
        assert_eq!(of, row["cause"] == "change", "{row}");
    }
    let classes = ["change", "order", "strategy"].map(|class| number(&found["causes"][class]));
    assert!(classes.iter().all(|n| *n > 0), "{}", found["causes"]);
    assert_eq!(found["causes"]["rest"], 0);
}

#[test]
fn the_screen_says_what_was_changed_and_what_came_of_it() {
    let days = Days::new(12_000, 2, "");
    let journal = days.finish("run", &[]);
    let text = ask(&journal, &["mom-fast.qty=50"], &[]).expect(0).stderr;
    assert_eq!(text.lines().find(|line| line.chars().count() > 80), None, "{text}");
    for part in
        ["changed   mom-fast.qty: 100 → 50", "only before", "because of the change", "because   of ", "the rest 0"]
    {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let text = ask(&journal, &[], &[]).expect(0).stderr;
    assert!(text.contains(" 0 differences") && text.contains("nothing that can change a result"), "{text}");
    let details = ask(&journal, &["mom-fast.qty=50"], &["--details"]).expect(0).stderr;
    assert!(details.lines().count() > 80 && details.contains("book-top"), "{details}");
}

#[test]
fn what_cannot_be_compared_is_said_with_what_to_do() {
    let days = Days::new(3_000, 1, "");
    let file = days.path("01052026.NASDAQ_ITCH50");
    for (words, says) in [
        (vec!["--diff"], "name its folder with --journal"),
        (vec!["--diff", "--input", file.to_str().expect("UTF-8")], "name its folder with --journal"),
        (vec!["--diff", "--verify", "--journal", "x"], "cannot be used with"),
    ] {
        let outcome = run(["replay"].into_iter().chain(words.iter().copied())).expect(2);
        assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    }
    let journal = days.finish("run", &[]);
    let outcome = ask(&journal, &["mom-fast.qtty=50"], &[]).expect(2);
    assert!(outcome.stderr.contains("did you mean") || outcome.stderr.contains("qty"), "{}", outcome.stderr);
    let found = diff(&journal, &["outcomes.kinds=all,-level,-pulse,-fill,-book-top"]);
    assert_eq!(
        (&found["not_compared"], &found["differences"]),
        (&serde_json::json!(["book-top"]), &0.into()),
        "{found}"
    );
}

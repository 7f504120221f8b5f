//! What an operator commanded holds over a stop and in the next journal; a running engine says where it stands.

use super::going_on::{Service, events, until};
use flow::records::{Command as Commanded, Refused};
use flow::{CommandAction, Event, Kind};
use sinks::journal::JournalReader;
use std::path::Path;
use std::process::{Command, Stdio};
use tidegate_tests::{run, tidegate};

fn ctl(journal: &Path, words: &[&str]) {
    ctl_exits(journal, words, 0);
}

/// What `ctl` says, and that it ends with this code.
#[track_caller]
fn ctl_exits(journal: &Path, words: &[&str], code: i32) -> String {
    let mut arguments = vec!["ctl".as_ref(), journal.as_os_str(), "--actor".as_ref(), "ada".as_ref()];
    arguments.extend(words.iter().map(|w| std::ffi::OsStr::new(*w)));
    run(arguments).expect(code).stderr
}

fn commanded(journal: &Path, action: CommandAction) -> Vec<Commanded> {
    let inputs = JournalReader::open(journal).expect("a journal").inputs();
    let of_that = |e: Event| e.get::<Commanded>().copied().filter(|c| c.action == action.code());
    inputs.map_while(Result::ok).filter_map(of_that).collect()
}

fn wall_ns() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u64::try_from(now.as_nanos()).expect("before 2554")
}

/// Seqs of refusals by the kill state, and of orders.
fn refused_and_ordered(journal: &Path) -> (Vec<u64>, Vec<u64>) {
    let outcomes = events(JournalReader::open(journal).expect("a journal").outcomes());
    let seqs = |is: &dyn Fn(&Event) -> bool| outcomes.iter().filter(|e| is(e)).map(|e| e.id.seq()).collect();
    (seqs(&|e| e.get::<Refused>().is_some_and(|r| r.check == 1)), seqs(&|e| e.kind == Kind::Order))
}

#[test]
fn a_halt_holds_over_a_stop_until_somebody_resumes() {
    let service = Service::new(2_000_000);
    let journal = service.journal();
    let mut child = service.start("600x");
    until("a first order", || journal.join("control.sock").exists() && !refused_and_ordered(&journal).1.is_empty());
    let before = wall_ns();
    ctl(&journal, &["halt"]);
    until("the halt", || commanded(&journal, CommandAction::Halt).len() == 1);
    let halt = commanded(&journal, CommandAction::Halt)[0];
    assert_eq!(halt.uid, rustix::process::getuid().as_raw(), "the user who asked is recorded");
    assert!((before..=wall_ns()).contains(&halt.asked_ts.0), "and when: {halt:?}");
    until("a refusal", || !refused_and_ordered(&journal).0.is_empty());
    child.kill().expect("a child");
    child.wait().expect("a child");
    let before = refused_and_ordered(&journal);
    let mut child = service.start("600x");
    until("another refusal", || refused_and_ordered(&journal).0.len() > before.0.len() + 5);
    assert_eq!(refused_and_ordered(&journal).1, before.1, "no order while it is halted");
    until("the socket", || journal.join("control.sock").exists());
    let refused = ctl_exits(&journal, &["limit", "max-quantity", "77", "--from", "1"], 1);
    assert!(refused.contains("the limit of max-quantity in force is 10000"), "{refused}");
    ctl(&journal, &["resume"]);
    until("an order", || refused_and_ordered(&journal).1.len() > before.1.len());
    child.kill().expect("a child");
    child.wait().expect("a child");
}

/// The status of a running engine.
fn status(journal: &Path) -> serde_json::Value {
    let asked = run(["ctl".as_ref(), journal.as_os_str(), "status".as_ref(), "--json".as_ref()]).expect(0);
    serde_json::from_str(&asked.stdout).expect("one object")
}

#[test]
fn a_running_engine_reports_its_status() {
    let service = Service::new(2_000_000);
    let journal = service.journal();
    let mut child = service.start("600x");
    let count = |of: &serde_json::Value, field: &str| of[field].as_u64().expect("a count");
    until("an input", || journal.join("control.sock").exists() && count(&status(&journal), "finished") > 5_000);
    let before = status(&journal);
    until("another input", || count(&status(&journal), "finished") > count(&before, "finished"));
    let now = status(&journal);
    assert!(count(&now, "admitted") >= count(&now, "finished"), "{now}");
    let (was, is) = (&before["load"][0], &now["load"][0]);
    let total = |load| ["busy_ns", "idle_ns", "stalled_ns"].map(|part| count(load, part)).iter().sum::<u64>();
    assert!(total(is) > total(was) && count(is, "turns") > count(was, "turns"), "{before}\n{now}");
    assert_eq!(is["group"], "core0", "{now}");
    assert!(now["groups"][0].as_str().expect("a text").starts_with("core0: ingress+pulse+book"), "{now}");
    assert!(count(&now["latency"]["book"], "samples") > 0, "{now}");
    let table = run(["ctl".as_ref(), journal.as_os_str(), "status".as_ref(), "--details".as_ref()]).expect(0).stdout;
    assert!(
        table.starts_with("trading ")
            && table.contains("\ninputs ")
            && table.contains("\nload ")
            && table.contains("max turn"),
        "{table}"
    );
    child.kill().expect("a child");
    child.wait().expect("a child");
    let commands = events(JournalReader::open(&journal).expect("a journal").inputs());
    assert!(!commands.iter().any(|e| e.kind == Kind::Command), "asking enters nowhere");
}

/// What a new journal begins with of limits: target, old, new.
fn limits_said(journal: &Path) -> Vec<(u32, i64, i64)> {
    let inputs = JournalReader::open(journal).expect("a journal").inputs();
    let commands = inputs.map_while(Result::ok).filter_map(|e| e.get::<Commanded>().copied());
    let set = commands.filter(|c| c.action == CommandAction::SetLimit.code());
    set.map(|c| (c.target, c.old, c.new)).collect()
}

/// A limit that an operator has set holds in a new journal, and in the one after it, until a configuration changes it.
#[test]
fn a_limit_that_was_set_is_carried_over() {
    let service = Service::new(2_000_000);
    let journal = service.journal();
    let mut child = service.start("600x");
    until("a first order", || journal.join("control.sock").exists() && !refused_and_ordered(&journal).1.is_empty());
    ctl(&journal, &["limit", "max-quantity", "150", "--from", "10000"]);
    ctl_exits(&journal, &["limit", "max-quantity", "140", "--from", "10000"], 1);
    until("both commands", || limits_said(&journal).len() == 2);
    child.kill().expect("a child");
    child.wait().expect("a child");
    let by_limit = |journal: &Path| -> Vec<i64> {
        let outcomes = events(JournalReader::open(journal).expect("a journal").outcomes());
        outcomes.iter().filter_map(|e| e.get::<Refused>()).filter(|r| r.check == 3).map(|r| r.limit).collect()
    };
    let mut old = journal;
    let changes = [
        ("[bars]\nintervals = [\"5s\"]", Some(150)),
        ("[bars]\nintervals = [\"1m\"]", Some(150)),
        ("[risk]\nmax_quantity = 250", None),
    ];
    for (at, (change, carried)) in changes.into_iter().enumerate() {
        service.configure(2_000_000, change);
        let new = service.folder.path().join(format!("next-{at}"));
        let mut command = Command::new(tidegate());
        command.arg("run").arg(service.config()).arg("--journal").arg(&new).arg("--carry-over").arg(&old);
        // It was killed, and what was learned is nothing to this test.
        command
            .args(["--without-memory", "--speed", "600x", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("tidegate starts");
        until("refusals in the new journal", || {
            new.join("closed.toml").exists() || new.join("journal.toml").exists() && by_limit(&new).len() > 5
        });
        child.kill().expect("a child");
        child.wait().expect("a child");
        assert_eq!(limits_said(&new), carried.map(|to| (3, 10_000, to)).into_iter().collect::<Vec<_>>(), "{change}");
        assert!(by_limit(&new).iter().all(|limit| *limit == carried.unwrap_or(250)), "{change}");
        old = new;
    }
}

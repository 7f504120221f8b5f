//! A repetition that differs from its record says where, on both sides, from which input, and why.
//!
//! The causes are made here: another parameter, another set of kinds, another build, and a record that was changed and sealed
//! anew, which no checksum shows. With the feature `deliberate-faults` also a pipeline that is not deterministic.

use super::going_on::Service;
use flow::{Event, Kind, Sink as _};
use serde_json::Value;
use sinks::journal::{Home, Journal, JournalSpec};
use std::path::{Path, PathBuf};
use tidegate_tests::journals::logs;
use tidegate_tests::{Outcome, Scratch, run};

/// A recorded day of trading.
fn day() -> Service {
    let service = Service::new(6_000);
    service.finish();
    service
}

fn verify(journal: &Path, more: &[&str]) -> Outcome {
    let words = ["replay".as_ref(), "--verify".as_ref(), "--journal".as_ref(), journal.as_os_str()];
    run(words.into_iter().chain(more.iter().map(|word| (*word).as_ref())))
}

/// What a repetition that differs reports.
fn difference(journal: &Path, more: &[&str]) -> Value {
    let words: Vec<_> = more.iter().copied().chain(["--json"]).collect();
    let report: Value = serde_json::from_str(&verify(journal, &words).expect(3).stdout).expect("one JSON object");
    assert_eq!(report["difference"]["equal"], report["verified"]["equal"], "{report}");
    report["difference"].clone()
}

fn classes(of: &Value) -> Vec<&str> {
    let causes = of["causes"].as_array().expect("a list").iter();
    causes.map(|cause| cause["class"].as_str().expect("a text")).collect()
}

/// The journal written anew, by `build`, with its outcomes changed: every checksum of the copy holds.
fn anew(journal: &Path, build: &str, change: impl FnOnce(&mut Vec<Event>)) -> (Scratch, PathBuf) {
    let (home, folder) = (Home::open(journal).expect("a journal"), Scratch::new());
    let (info, dir) = (&home.journals()[0].info, folder.path().join("run"));
    let [inputs, mut outcomes] = logs(journal);
    change(&mut outcomes);
    let mut spec = JournalSpec::new(build, info.config_text.clone());
    (spec.segment_records, spec.instruments, spec.outcome_kinds) = (8_192, info.instruments, info.outcome_kinds);
    let (mut log, mut to) = Journal::create(&dir, &spec).expect("a journal");
    for input in &inputs {
        while !log.ready().expect("there is room") {
            std::thread::yield_now();
        }
        log.append(input).expect("there is room");
    }
    outcomes.iter().for_each(|outcome| to.take(outcome).expect("outcomes never fail"));
    to.finished(inputs.len() as u64).expect("outcomes never fail");
    to.close().expect("it closes");
    log.close().expect("it closes");
    (folder, dir)
}

/// Screens are 80 columns wide.
fn fits(text: &str) {
    assert_eq!(text.lines().find(|line| line.chars().count() > 80 && !line.starts_with("tidegate: ")), None, "{text}");
}

#[test]
fn a_changed_byte_under_valid_checksums_is_shown_field_by_field() {
    let service = day();
    let nth = |outcomes: &[Event]| outcomes.iter().rposition(|event| event.kind == Kind::Order).expect("an order");
    let place = nth(&logs(&service.journal())[1]);
    let order = logs(&service.journal())[1][place];
    let (_folder, dir) = anew(&service.journal(), &tidegate::build_id(), |outcomes| outcomes[place].body[8] ^= 4);
    run([Path::new("journal"), Path::new("verify"), &dir]).expect(0);
    let found = difference(&dir, &[]);
    assert_eq!((&found["equal"], &found["input"]["seq"]), (&place.into(), &order.id.seq().into()));
    assert_eq!(found["input"]["ts_ns"], order.ts.0.to_string());
    for side in ["recorded", "repeated"] {
        assert_eq!((&found[side]["kind"], &found[side]["stage"]), (&"order".into(), &"risk".into()), "{found}");
    }
    let fields = found["fields"].as_array().expect("a list");
    let differ: Vec<_> = fields.iter().filter(|field| field["differs"] == true).collect();
    assert!(differ.len() == 1 && fields.len() > 8, "{found}");
    assert_ne!(differ[0]["recorded"], differ[0]["repeated"]);
    assert_eq!(classes(&found), ["damaged-record"], "{found}");
    assert!(found["causes"][0]["reason"].as_str().expect("a text").ends_with("; 1 of its 512 bits differ"), "{found}");
    let said = verify(&dir, &[]).expect(3).stderr;
    for part in [
        "DIFFERS   after ",
        "\ninput     ",
        "\nrecorded  order of ",
        " by risk, outcome ",
        "≠",
        "\ncause     damaged record: ",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    fits(&said);
}

#[test]
fn an_outcome_too_many_and_one_too_few_are_told_apart() {
    let service = day();
    let whole = logs(&service.journal())[1].clone();
    let place = whole.iter().rposition(|event| event.kind == Kind::Position).expect("a position");
    let (_less, dir) = anew(&service.journal(), &tidegate::build_id(), |outcomes| {
        outcomes.remove(place);
    });
    let found = difference(&dir, &[]);
    assert_eq!((&found["recorded"], &found["repeated"]["kind"]), (&Value::Null, &"position".into()), "{found}");
    assert_eq!(found["input"]["seq"], whole[place].id.seq());
    let (_more, dir) = anew(&service.journal(), &tidegate::build_id(), |outcomes| {
        let mut more = outcomes[place];
        more.id = flow::EventId::new(more.id.seq(), more.id.position(), 63);
        outcomes.insert(place + 1, more);
    });
    let found = difference(&dir, &[]);
    assert_eq!(found["input"]["seq"], whole[place].id.seq());
    assert_eq!(found["recorded"]["kind"], "position", "{found}");
    fits(&verify(&dir, &[]).expect(3).stderr);
}

#[test]
fn another_parameter_build_or_set_of_kinds_is_named() {
    let service = day();
    let journal = service.journal();
    let found = difference(&journal, &["--set", "random.seed=6", "--preset", "split"]);
    assert_eq!(classes(&found), ["another-configuration"], "{found}");
    assert_eq!(found["causes"][0]["reason"], "random.seed: was 5, is 6");
    let said = verify(&journal, &["--set", "random.seed=6"]).expect(3).stderr;
    assert!(said.contains("cause     another configuration: random.seed: was 5, is 6\nnext      "), "{said}");
    fits(&said);
    let found = difference(&journal, &["--set", "outcomes.kinds=all,-pulse"]);
    assert_eq!(classes(&found), ["another-outcome-set"], "{found}");
    assert!(found["causes"][0]["reason"].as_str().expect("a text").ends_with("only repeated: level"), "{found}");
    assert_eq!((&found["recorded"], &found["repeated"]["kind"]), (&Value::Null, &"level".into()), "{found}");
    let (_folder, dir) = anew(&journal, "tidegate 0.0.9 of yesterday", |outcomes| {
        let place = outcomes.iter().position(|event| event.kind == Kind::BookTop).expect("a top");
        outcomes[place].body[16] ^= 1;
    });
    let found = difference(&dir, &[]);
    assert_eq!(classes(&found), ["another-build"], "{found}");
    assert!(found["causes"][0]["reason"].as_str().expect("a text").contains("tidegate 0.0.9 of yesterday"), "{found}");
}

/// What is equal has neither a difference nor a cause.
#[test]
fn an_equal_repetition_says_nothing_of_it() {
    let service = day();
    let report: Value = serde_json::from_str(&verify(&service.journal(), &["--json"]).expect(0).stdout).expect("JSON");
    assert_eq!(report.get("difference"), None);
}

/// A pipeline of which every third outcome at an input comes out otherwise.
#[cfg(feature = "deliberate-faults")]
#[test]
fn a_pipeline_that_is_not_deterministic_is_found_by_repeating() {
    let service = day();
    let seq = logs(&service.journal())[1].iter().rev().find(|e| e.kind == Kind::Order).expect("an order").id.seq();
    let mut command = std::process::Command::new(tidegate_tests::tidegate());
    command.args(["replay", "--verify", "--json", "--journal"]).arg(service.journal());
    let output = command.env("TIDEGATE_WAVER_AT", seq.to_string()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(3));
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(classes(&report["difference"]), ["not-deterministic"], "{report}");
    assert_eq!(report["difference"]["input"]["seq"], seq);
}

//! What a repetition adds: checks that passed, and measures that the outcomes leave out.

use crate::rows::{Rows, known, told};
use crate::service::{Service, until};
use serde_json::Value;
use sinks::journal::Home;
use tidegate_tests::{amount, draw, run, seed};

/// The story of an order with what a repetition adds.
fn deep(service: &Service, order: &str) -> Value {
    serde_json::from_str(&service.ask(order, &["--deep", "--json"]).expect(0).stdout).expect("JSON")
}

#[test]
fn checks_and_measures_of_a_repetition_are_those_of_a_run_that_records_more() {
    let lean = "[outcomes]\nkinds = [\"all\", \"-level\", \"-imbalance\", \"-vpin\", \"-vpin-flow\"]\n";
    let (service, full) = (Service::with(20_000, lean), Service::new(20_000));
    service.finish();
    full.finish();
    let (rows, mut random) = (Rows::of(&full), seed());
    let requests: Vec<&Value> = rows.of_kind("request").collect();
    let (mut refused, mut passed) = (0, 0);
    // What is drawn may be refused as well: more rounds until there were enough of both.
    for round in 0..10 * amount(12, 200) {
        if round >= amount(12, 200) && refused > 2 && passed > 2 {
            break;
        }
        let all: Vec<&Value> = if round % 2 == 0 { rows.of_kind("refused").collect() } else { requests.clone() };
        let order = all[draw(&mut random, all.len() as u64) as usize]["order_id"].as_str().expect("an id");
        let (story, recorded) = (deep(&service, order), deep(&full, order));
        assert_eq!(known(&story), rows.expected(order).known, "{order}");
        assert_eq!(known(&story), known(&recorded), "{order}");
        assert!(story["known"].as_array().expect("a list").iter().any(|step| step["chapter"] == "repeated"), "{order}");
        let checks = story["deep"]["checks"].as_array().expect("a list");
        assert!(checks.len() > 10 && story["deep"] == recorded["deep"], "{order}");
        let first = checks.iter().find(|check| check["passes"] == false);
        match told(&story, "steps").iter().find(|row| row["kind"] == "refused") {
            // The other legs of a group decide that.
            Some(row) if row["check"] == "group" => {}
            Some(row) => {
                let first = first.unwrap_or_else(|| panic!("{order}: no check refuses\n{story:#}"));
                let recorded = ["check", "limit", "value"].map(|column| &row[column]);
                assert_eq!(["check", "limit", "value"].map(|field| &first[field]), recorded, "{order}");
                refused += 1;
            }
            None => {
                assert_eq!(first, None, "{order}");
                passed += 1;
            }
        }
    }
    assert!(refused > 2 && passed > 2, "{refused} refused, {passed} passed");
}

/// From a snapshot in the middle as from the first input.
#[test]
fn a_snapshot_changes_nothing_but_where_the_repetition_begins() {
    let service = Service::new(200_000);
    let mut life = service.start();
    let journal = service.journal();
    let inputs = || Home::open(&journal).map_or(0, |home| home.current().reader().last_input_seq().unwrap_or(0));
    until("inputs", || inputs() > 5_000);
    life.kill().expect("a child");
    life.wait().expect("a child");
    assert!(!journal.join("closed.toml").exists(), "the run ended before its kill");
    run(["snapshot".as_ref(), "--journal".as_ref(), journal.as_os_str()]).expect(0);
    service.finish();
    let last = service.export("request").pop().expect("a request")["order_id"].as_str().expect("an id").to_owned();
    let mut short = deep(&service, &last);
    std::fs::remove_dir_all(journal.join("snapshots")).expect("a snapshot");
    let mut long = deep(&service, &last);
    assert!(short["deep"]["repeated_after"].as_u64() > Some(5_000) && long["deep"]["repeated_after"] == 0);
    for story in [&mut short, &mut long] {
        story["deep"]["repeated_after"] = Value::Null;
        story["took_us"] = Value::Null;
        story["indexed_records"] = Value::Null;
    }
    assert_eq!(short, long);
}

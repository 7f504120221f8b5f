//! A thousand stories against an export; an order that nobody has; how a story looks.

use crate::rows::{Rows, known, told};
use crate::service::Service;
use serde_json::Value;
use std::collections::BTreeSet;
use tidegate_tests::{amount, draw, seed};

/// A row as text, to be sorted.
pub(crate) fn sorted(rows: &[Value]) -> Vec<String> {
    let mut rows: Vec<_> = rows.iter().map(Value::to_string).collect();
    rows.sort();
    rows
}

/// Reasons have no row of their own in an export by default, so they are looked up one by one.
pub(crate) fn without_reasons(rows: Vec<Value>) -> Vec<Value> {
    rows.into_iter().filter(|row| row["kind"] != "reason").collect()
}

#[test]
fn every_value_of_a_story_is_what_an_export_prints() {
    let service = Service::new(60_000);
    service.finish();
    let rows = Rows::of(&service);
    let request = |row: &Value| row["order_id"].as_str().expect("an id").to_owned();
    let replaced = rows.of_kind("replace-request").map(|row| row["new_id"].as_str().expect("an id").to_owned());
    let orders: Vec<String> = rows.of_kind("request").map(request).chain(replaced).collect();
    assert!(orders.len() > 5_000, "{}", orders.len());
    let (mut why, mut random) = (service.why(), seed());
    assert!(why.records_read() > 100_000, "the first look reads the journal");
    let mut seen = BTreeSet::new();
    for _ in 0..amount(1_000, 5_000) {
        let order = &orders[draw(&mut random, orders.len() as u64) as usize];
        // As text, since that is what an export is compared as.
        let story = why.order(order).unwrap_or_else(|e| panic!("{order}: {e}")).json().to_string();
        let story: Value = serde_json::from_str(&story).expect("JSON");
        let expected = rows.expected(order);
        let steps = told(&story, "steps");
        assert!(steps.iter().all(|row| rows.has(row)), "{order}: a row that no export has\n{story:#}");
        // The route of a cancel of everything, which ended it, names no order.
        let of_all = |row: &Value| row["order_id"] == "0" && row["kind"] != "intent";
        let own: Vec<_> = without_reasons(steps).into_iter().filter(|row| !of_all(row)).collect();
        assert_eq!(sorted(&own), sorted(&expected.own), "{order}");
        assert_eq!(known(&story), expected.known, "{order}");
        assert_eq!(story["cause"]["event"]["seq"], expected.seq, "{order}");
        assert_eq!(story["missing"], Value::Array(Vec::new()), "{order}");
        seen.insert(story["state"].as_str().expect("a word").to_owned());
        let relatives = story["relatives"].as_array().expect("a list");
        seen.extend(relatives.iter().map(|of| of["relation"].as_str().expect("a word").to_owned()));
    }
    for what in ["filled", "refused", "cancelled", "replaced", "replaces", "replaced-by", "leg"] {
        assert!(seen.contains(what), "no order was {what}: {seen:?}");
    }
    assert_eq!(service.why().records_read(), 0, "the second look reads nothing again");
}

/// A wrong value, a missing one and one too many are seen by what the test above compares.
#[test]
fn a_wrong_story_would_be_seen() {
    let service = Service::new(5_000);
    service.finish();
    let rows = Rows::of(&service);
    let order = rows.of_kind("fill").next().expect("a fill")["order_id"].as_str().expect("an id").to_owned();
    let story = service.why().order(&order).expect("it is there").json();
    let expected = rows.expected(&order);
    let steps = without_reasons(told(&story, "steps"));
    assert_eq!(sorted(&steps), sorted(&expected.own));
    let mut wrong = steps.clone();
    wrong[0]["px"] = "1.00".into();
    assert!(!rows.has(&wrong[0]) && sorted(&wrong) != sorted(&expected.own));
    assert_ne!(sorted(&steps[1..]), sorted(&expected.own));
    let mut measured = known(&story);
    measured.pop_first();
    assert_ne!(measured, expected.known);
}

#[test]
fn an_order_that_is_not_there_is_a_clear_error() {
    let service = Service::new(5_000);
    service.finish();
    let unknown = service.ask("1/random/999999", &[]).expect(2);
    assert!(
        unknown.stderr.contains("no event of order") && unknown.stderr.contains("the nearest is 1/random/"),
        "{unknown:?}"
    );
    let between = service.ask("1/buy-and-hold/1", &[]).expect(2);
    assert!(between.stderr.contains("the nearest"), "{between:?}");
    let wrong = service.ask("what", &[]).expect(2);
    assert!(wrong.stderr.contains("is no order id"), "{wrong:?}");
    let nowhere = tidegate_tests::run(["why".as_ref(), service.folder.path().as_os_str(), "1/random/1".as_ref()]);
    assert!(nowhere.expect(1).stderr.contains("no journal"));
}

#[test]
fn text_json_and_page_tell_the_same_order() {
    let service = Service::new(5_000);
    service.finish();
    let rows = Rows::of(&service);
    let order = rows.of_kind("fill").next().expect("a fill")["order_id"].as_str().expect("an id").to_owned();
    let number: u64 = order.parse().expect("a number");
    let json = |text: &str| {
        let mut found: Value = serde_json::from_str(&service.ask(text, &["--json"]).expect(0).stdout).expect("JSON");
        assert!(found["took_us"].as_u64().is_some());
        found.as_object_mut().expect("an object").retain(|key, _| key != "took_us" && key != "indexed_records");
        found
    };
    let story = json(&order);
    assert_eq!(story, json(&format!("0x{number:x}")));
    assert_eq!(story, json(story["order"]["name"].as_str().expect("a name")));
    let file = service.folder.path().join("order.html");
    let text = service.ask(&order, &["--html", file.to_str().expect("UTF-8")]).expect(0).stdout;
    let wide = text.lines().find(|line| line.chars().count() > 80 && !line.starts_with("journal"));
    assert_eq!(wide, None);
    let page = std::fs::read_to_string(file).expect("the page");
    for outside in ["http:", "https:", "src=", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    for row in told(&story, "steps") {
        let kind = row["kind"].as_str().expect("a kind");
        assert!(page.contains(kind) && text.contains(kind), "{kind}");
    }
}

/// One order of a synthetic day, to the letter. After a change that is meant: `TIDEGATE_BLESS=1`.
#[test]
fn a_story_looks_like_this() {
    let service = Service::new(5_000);
    service.finish();
    let text = service.ask("1/random/118", &[]).expect(0).stdout;
    let found: String = text.split_inclusive('\n').filter(|line| !line.starts_with("journal ")).collect();
    let golden = tidegate_tests::root().join("tests/tests/provenance/story.txt");
    if std::env::var_os("TIDEGATE_BLESS").is_some() {
        std::fs::write(&golden, &found).expect("the folder is writable");
    }
    assert_eq!(found, std::fs::read_to_string(golden).unwrap_or_default());
}

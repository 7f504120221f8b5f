//! Stories of what a day on the simulated exchange does not have: a venue outside the process with trades that it breaks, an
//! operator who closes positions, a table of limits that refuses. Each is compared with an export of the same journal.

use crate::rows::{Rows, known, told};
use crate::service::{Service, why};
use crate::story::{sorted, without_reasons};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use tidegate_tests::rig::Service as Trading;
use tidegate_tests::{Venue, amount, draw, run, seed};

/// The story of an order, compared with what an export says of it.
#[track_caller]
fn compared(rows: &Rows, story: &Value, order: &str) {
    let (expected, steps) = (rows.expected(order), told(story, "steps"));
    if let Some(unknown) = steps.iter().find(|row| !rows.has(row)) {
        let exported: Vec<_> = rows.of_seq(&unknown["seq"]).collect();
        panic!("{order}: no export has the row\n{unknown:#}\nbut\n{exported:#?}\n{story:#}");
    }
    let of_all = |row: &Value| row["order_id"] == "0" && row["kind"] != "intent";
    let own: Vec<_> = without_reasons(steps).into_iter().filter(|row| !of_all(row)).collect();
    assert_eq!(sorted(&own), sorted(&expected.own), "{order}");
    assert_eq!(known(story), expected.known, "{order}");
    assert_eq!(story["cause"]["event"]["seq"], expected.seq, "{order}");
    assert_eq!(story["missing"], Value::Array(Vec::new()), "{order}");
}

/// Ids of the rows of a kind that are of this sort, each once.
fn orders(rows: &Rows, kind: &str, is: impl Fn(&Value) -> bool) -> Vec<String> {
    let all: BTreeSet<&str> =
        rows.of_kind(kind).filter(|row| is(row)).filter_map(|row| row["order_id"].as_str()).collect();
    all.into_iter().map(str::to_owned).collect()
}

/// The stories of some of these orders, each compared.
fn stories(journal: &Path, rows: &Rows, orders: &[String], most: u64) -> Vec<Value> {
    let (mut why, mut random) = (why(journal), seed());
    let mut told = Vec::new();
    for _ in 0..most.min(orders.len() as u64) {
        let order = &orders[draw(&mut random, orders.len() as u64) as usize];
        let story = why.order(order).unwrap_or_else(|e| panic!("{order}: {e}")).json().to_string();
        let story: Value = serde_json::from_str(&story).expect("JSON");
        compared(rows, &story, order);
        told.push(story);
    }
    told
}

fn text(journal: &Path, order: &str) -> String {
    let text = run(["why".as_ref(), journal.as_os_str(), order.as_ref()]).expect(0).stdout;
    let wide = text.lines().find(|line| line.chars().count() > 80 && !line.starts_with("journal"));
    assert_eq!(wide, None);
    text
}

/// Under the wall clock, at a venue that numbers its answers and breaks trades.
#[test]
fn the_story_of_an_order_at_a_venue_and_of_a_trade_that_it_breaks() {
    let mut venue = Venue::start(env!("CARGO_BIN_EXE_test-venue"), seed());
    let trading = Trading::trading(venue.port);
    let mut life = trading.start("1x");
    life.until("trades that are broken, and corrected", || {
        let ledger = venue.ledger();
        ["busts", "corrections"].iter().all(|what| ledger[what].as_u64() > Some(10))
            && ledger["fills"].as_u64() > Some(300)
    });
    assert!(life.stop(Signal::TERM).0.success());
    let (journal, rows) = (trading.journal(), Rows::of_journal(&trading.journal()));
    let all = orders(&rows, "request", |_| true);
    let some = stories(&journal, &rows, &all, amount(150, 2_000));
    // The gate refuses most orders of a busy machine, so those that the venue filled are asked for by themselves.
    let executed = stories(&journal, &rows, &orders(&rows, "fill", |_| true), amount(60, 500));
    let filled = executed.iter().filter(|story| story["state"] == "filled").count();
    assert!(filled > 5, "{filled} were filled");
    let sources: BTreeSet<&str> = some.iter().filter_map(|story| story["cause"]["source"]["name"].as_str()).collect();
    assert!(sources.contains("synthetic"), "{sources:?}");
    let busted = orders(&rows, "bust", |_| true);
    assert!(busted.len() > 10, "{}", busted.len());
    let broken = stories(&journal, &rows, &busted, amount(60, 500));
    for story in &broken {
        let steps = told(story, "steps");
        let qty = |row: &Value| row["qty"].as_u64().expect("a number");
        let of = |what: &str| {
            steps.iter().filter(|row| row["kind"] == "booked" && row["what"] == what).map(qty).sum::<u64>()
        };
        let left = of("filled") + of("corrected") - of("busted");
        assert!(of("busted") > 0, "{story:#}");
        assert_eq!(story["filled"], left.to_string(), "what is left of its fills\n{story:#}");
    }
    let order = &busted[0];
    assert!(text(&journal, order).contains("bust "), "{}", text(&journal, order));
}

/// An operator closes all positions: nobody intended these orders, and the story has the command and who gave it.
#[test]
fn the_story_of_an_order_that_an_operator_commanded() {
    let trading = Trading::paper_at_the_open(400_000);
    let mut life = trading.start("30x");
    life.until("the control socket", || trading.listens());
    life.until("positions", || trading.status()["trading"]["held"].as_u64() > Some(2));
    trading.ctl(&["halt"]).expect(0);
    trading.ctl(&["--actor", "grace", "flatten"]).expect(0);
    life.until("the end of all positions", || trading.status()["trading"]["held"] == 0);
    assert!(life.stop(Signal::TERM).0.success());
    let (journal, rows) = (trading.journal(), Rows::of_journal(&trading.journal()));
    let commanded = orders(&rows, "request", |row| row["reduces"] == "commanded");
    assert!(commanded.len() > 2, "{commanded:?}");
    let told = stories(&journal, &rows, &commanded, 50);
    assert!(told.iter().any(|story| story["state"] == "filled"));
    for story in &told {
        let steps = told_kinds(story);
        assert!(!steps.contains("intent") && !steps.contains("signal") && steps.contains("route"), "{steps:?}");
    }
    let by_command =
        told.iter().find(|story| story["cause"]["kind"] == "command").expect("the command closes positions");
    assert_eq!(by_command["cause"]["actor"], "grace", "{by_command:#}");
    assert!(text(&journal, by_command["order"]["order_id"].as_str().expect("an id")).contains("grace"));
}

fn told_kinds(story: &Value) -> BTreeSet<String> {
    told(story, "steps").iter().map(|row| row["kind"].as_str().expect("a kind").to_owned()).collect()
}

/// The refusal names the table, in the row, in the text, and among the checks of a repetition.
#[test]
fn the_story_of_an_order_that_a_table_of_limits_refused() {
    let tables = "[[limit]]\nsymbol = \"AAAA\"\nmax_quantity = 120\n[[limit]]\naccount = 1\nmax_position = 900\n";
    let service = Service::with(20_000, tables);
    service.finish();
    let (journal, rows) = (service.journal(), Rows::of(&service));
    for (level, number, check) in [("AAAA", 1_u64, "max-quantity"), ("account 1", 2, "position")] {
        let refused = orders(&rows, "refused", |row| row["level"] == level && row["check"] == check);
        assert!(refused.len() > 5, "{level}: {}", refused.len());
        for story in stories(&journal, &rows, &refused, amount(40, 500)) {
            assert_eq!(story["state"], "refused");
            let row = told(&story, "steps").into_iter().find(|row| row["kind"] == "refused").expect("it was refused");
            assert_eq!((&row["level"], &row["check"]), (&level.into(), &check.into()));
        }
        let order = &refused[0];
        let told = text(&journal, order);
        assert!(told.contains(check) && told.contains(level), "{told}");
        let deep: Value =
            serde_json::from_str(&service.ask(order, &["--deep", "--json"]).expect(0).stdout).expect("JSON");
        let checks = deep["deep"]["checks"].as_array().expect("a list");
        let first = checks.iter().find(|found| found["passes"] == false).expect("one refuses");
        assert_eq!((&first["check"], &first["level"]), (&check.into(), &number.into()), "{first}");
    }
}

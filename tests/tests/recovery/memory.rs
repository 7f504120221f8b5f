//! What measures and strategies have learned outlives a journal, over builds, configurations and numbers.

use serde_json::Value;
use std::path::Path;
use tidegate_tests::rig::Service;
use tidegate_tests::{Outcome, run};

/// Trades on paper over days, of which the files are named; VPIN, a strategy that buys once, and positions over night.
fn service(files: &str) -> Service {
    let config = format!(
        "[pipeline]\nstages = [\"book\", \"bars\", \"vpin\", \"cvd\", \"buy-and-hold\", \"momentum\", \"orders\", \"risk\", \
         \"router\"]\n[vpin]\nbucket_qty = 1000\n[risk]\nmax_data_age_ms = 86400000\n[journal]\nsegment_records = 16384\nroll = \"never\"\n\
         [[input]]\nfeed = \"itch\"\nfiles = [\"{files}\"]\n"
    );
    let service = Service::new(config);
    for (seed, day) in [(1, "30"), (2, "31")] {
        let out = service.path(&format!("day_202001{day}.itch"));
        let words = format!("synth --messages 40000 --symbols 6 --live-orders 600 --seed {seed} --out");
        run(words.split(' ').map(str::as_ref).chain([out.as_os_str()])).expect(0);
    }
    service
}

/// The rows that a journal leaves, without where they stand in it.
fn rows(journal: &Path) -> Vec<Value> {
    let said = run(["journal".as_ref(), "memory".as_ref(), journal.as_os_str()]).expect(0).stdout;
    let mut rows: Vec<Value> = said.lines().map(|row| serde_json::from_str(row).expect("a row")).collect();
    rows.iter_mut().for_each(|row| drop(row.as_object_mut().expect("an object").remove("seq")));
    rows.sort_by_key(Value::to_string);
    rows
}

/// The positions at the end of a run, as the summary shows them.
fn positions(said: &Outcome) -> Vec<String> {
    let lines = said.stderr.lines().skip_while(|line| !line.starts_with("positions"));
    lines.take_while(|line| !line.starts_with("anomalies")).map(str::to_owned).collect()
}

#[test]
fn two_days_with_another_configuration_between_leave_what_an_unbroken_run_leaves() {
    let unbroken = service("day_*.itch");
    let whole = unbroken.finish(&["--speed", "max"]).expect(0);
    let mut days = service("day_20200130.itch").with_journal(unbroken.path("first"));
    days.finish(&["--speed", "max"]).expect(0);
    let earlier = unbroken.path("first");
    // Another configuration, in which a limit that nobody meets is another one, and the second day.
    let config = days.text().replace("20200130", "20200131").replace("[risk]\n", "[risk]\nmax_quantity = 4000\n");
    days.reconfigure(config);
    let days = days.with_journal(unbroken.path("second"));
    let over = ["--speed", "max", "--carry-over", earlier.to_str().expect("UTF-8")];
    let second = days.finish(&over).expect(0);
    let (left, expected) = (rows(&days.journal()), rows(&unbroken.journal()));
    assert!(expected.len() > 60, "{}", expected.len());
    assert_eq!(left, expected);
    assert_eq!(positions(&second), positions(&whole));
    assert!(positions(&whole).len() > 3, "positions over night: {:?}", positions(&whole));
    // The record says what it began with, so a replay needs no earlier journal.
    std::fs::remove_dir_all(&earlier).expect("a journal");
    days.about(&["journal", "verify"]).expect(0);
    days.about(&["replay", "--verify", "--journal"]).expect(0);
}

#[test]
fn after_a_kill_the_build_that_wrote_it_says_what_was_learned() {
    let days = service("day_20200130.itch");
    let killed = days.path("killed");
    let mut days = days.with_journal(killed.clone());
    let mut life = days.start("600x");
    life.until("its journal", || days.listens());
    std::thread::sleep(std::time::Duration::from_secs(2));
    life.kill();
    days.reconfigure(days.text().replace("20200130", "20200131"));
    let next = |name: &str, more: &[&str]| {
        let journal = days.path(name);
        let config = days.config();
        let words = ["--speed", "max", "--carry-over", killed.to_str().expect("UTF-8")];
        let fixed = ["run".as_ref(), config.as_os_str(), "--journal".as_ref(), journal.as_os_str()];
        run(fixed.into_iter().chain(words.iter().map(AsRef::as_ref)).chain(more.iter().map(AsRef::as_ref)))
    };
    let refused = next("refused", &[]).expect(1);
    let words = ["is not written as of its end", "tidegate snapshot", "--without-memory"];
    assert!(words.iter().all(|word| refused.stderr.contains(word)), "{}", refused.stderr);
    assert!(!days.path("refused").join("journal.toml").exists(), "nothing was begun");
    next("without", &["--without-memory"]).expect(0);
    run(["snapshot".as_ref(), "--journal".as_ref(), killed.as_os_str()]).expect(0);
    assert!(!rows(&killed).is_empty());
    next("with", &[]).expect(0);
}

//! Records whose answers were not those of the simulated exchange under event time.

use super::{diff, number};
use serde_json::json;
use tidegate_tests::{Scratch, Venue, run};

/// A short day under wall time; `more` is added to the configuration.
fn day(folder: &Scratch, more: &str) -> std::path::PathBuf {
    let (config, journal) = (folder.path().join("desk.toml"), folder.path().join("run"));
    let text = format!(
        "[pipeline]\nstages = [\"book\", \"one\", \"two\", \"orders\", \"risk\", \"router\"]\nclock = \"wall\"\n\
         [[strategy]]\nuse = \"random\"\nname = \"one\"\nevery = 60\n\
         [[strategy]]\nuse = \"random\"\nname = \"two\"\nevery = 60\naccount = 3\n\
         [risk]\nmax_quantity = 5000\nmax_notional = 100000000\nmax_data_age_ms = 60000\ncollar_bps = 5000\n\
         [journal]\ndir = \"{}\"\n[[input]]\nfeed = \"synthetic\"\nseed = 4\nmessages = 20000\nsymbols = 4\nlive_orders = 400\n\
         {more}",
        journal.display()
    );
    std::fs::write(&config, text).expect("the folder is writable");
    run(["run".as_ref(), config.as_os_str(), "--speed".as_ref(), "max".as_ref()]).expect(0);
    journal
}

#[test]
fn fills_of_a_real_venue_are_simulated_and_it_is_said() {
    let (folder, venue) = (Scratch::new(), Venue::start(env!("CARGO_BIN_EXE_test-venue"), 5));
    let more = format!(
        "[router]\nvenue = \"wire\"\n[wire]\naddress = \"127.0.0.1:{}\"\n[account.3]\nmode = \"paper\"\n",
        venue.port
    );
    let journal = day(&folder, &more);
    let found = diff(&journal, &[]);
    assert_eq!((&found["fills_simulated"], &found["wall_time"]), (&json!(["wire"]), &true.into()));
    assert!(number(&found["causes"]["answers"]) > 0, "{}", found["causes"]);
    assert_eq!((&found["causes"]["change"], &found["causes"]["rest"]), (&0.into(), &0.into()));
    assert!(number(&found["strategies"][0]["fills"][1]) > 0, "the exchange fills what went to the venue");
    let text = run(["replay".as_ref(), "--diff".as_ref(), "--journal".as_ref(), journal.as_os_str()]).expect(0).stderr;
    assert!(text.contains("fills     are simulated here; those of wire are real in the record"), "{text}");
    assert_eq!(text.lines().find(|line| line.chars().count() > 80), None, "{text}");
    // How the gateway's thread waits, and where, changes nothing.
    let elsewhere = diff(&journal, &["wire.idle=spin", "wire.core=0"]);
    assert_eq!((&elsewhere["changed"], &elsewhere["causes"]), (&json!([]), &found["causes"]));
    let changed = diff(&journal, &["one.every=61"]);
    assert_eq!((&changed["changed"][0]["key"], &changed["causes"]["rest"]), (&"one.every".into(), &0.into()));
}

#[test]
fn under_wall_time_the_exchange_answers_after_its_modelled_latency() {
    let folder = Scratch::new();
    let found = diff(&day(&folder, ""), &[]);
    assert_eq!((&found["fills_simulated"], &found["wall_time"]), (&json!([]), &true.into()));
    assert_eq!((&found["causes"]["change"], &found["causes"]["rest"]), (&0.into(), &0.into()));
    let same = found["kinds"].as_array().expect("a list").iter().find(|kind| kind["kind"] == "order");
    assert!(number(&same.expect("orders")["same"]) > 0, "{found}");
}

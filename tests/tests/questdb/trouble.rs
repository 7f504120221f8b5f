//! A server and a sink that are killed, stopped and started again: not a row missing, not a row twice.

use crate::rig::Rig;
use std::io::Read as _;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tidegate_tests::{Case, amount, draw, run, seed};

/// How long a sink may take to end.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, run: fn()| Case::new(name, &[], move |_| run()).with_questdb();
    vec![
        case("a_sink_that_is_killed_at_any_moment_writes_each_row_once", killed),
        case("a_server_that_is_killed_and_one_that_stands_still_lose_no_row", away),
        case("a_stop_does_not_wait_for_a_server_that_stands_still", stopped),
        case("a_day_that_is_derived_again_is_seen_instead_of_the_old_rows", rebuilt),
        case("a_reset_drops_the_tables_of_a_run_and_of_no_other", emptied),
        case("a_running_journal_is_not_rebuilt_and_a_sink_that_is_none_is_named", refused),
    ]
}

/// What it said, once it has ended.
pub(crate) fn ended(mut sink: Child) -> (i32, String) {
    let begun = Instant::now();
    let code = loop {
        if let Some(status) = sink.try_wait().expect("it can be waited for") {
            break status.code().unwrap_or(-1);
        }
        if begun.elapsed() > LIMIT {
            let _ = sink.kill();
            panic!("the sink does not end");
        }
        sleep(Duration::from_millis(10));
    };
    let mut said = String::new();
    sink.stderr.take().expect("it is piped").read_to_string(&mut said).expect("it says text");
    (code, said)
}

fn killed() {
    let rig = Rig::trading(60_000);
    rig.sink(&["--once"]).expect(0);
    let whole = rig.print();
    let (mut kills, mut seed) = (0, seed());
    let most = amount(8, 100);
    while kills < most {
        rig.anew();
        // Again and again, until it has ended by itself.
        loop {
            let mut sink = rig.start(&["--once", "--set", "batch_rows=2000"]);
            sleep(Duration::from_millis(draw(&mut seed, 250)));
            if kills == most || sink.try_wait().expect("it can be waited for").is_some() {
                assert_eq!(ended(sink).0, 0);
                break;
            }
            sink.kill().and_then(|()| sink.wait()).expect("it can be killed");
            kills += 1;
        }
        assert_eq!(rig.print(), whole, "after {kills} kills");
    }
}

fn away() {
    let mut rig = Rig::trading(60_000);
    rig.sink(&["--once"]).expect(0);
    let whole = rig.print();
    rig.anew();
    let sink = rig.start(&["--once", "--set", "batch_rows=500", "--set", "timeout_ms=500"]);
    for round in 0..2 {
        while rig.number("select count() from book_top") <= round * 5_000 {
            sleep(Duration::from_millis(5));
        }
        rig.server.kill();
        sleep(Duration::from_millis(700));
        rig.server.restart();
    }
    rig.server.stop();
    sleep(Duration::from_secs(amount(2, 60)));
    rig.server.cont();
    let (code, said) = ended(sink);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("cannot be reached") && said.contains("it is tried again in"), "{said}");
    assert_eq!(rig.print(), whole, "{said}");
}

fn stopped() {
    let rig = Rig::trading(60_000);
    let mut sink = rig.start(&["--set", "batch_rows=500", "--set", "timeout_ms=60000"]);
    while rig.server.query("select count() from book_top").map_or(0, |rows| rows[0][0].as_u64().unwrap_or(0)) == 0 {
        sleep(Duration::from_millis(5));
    }
    rig.server.stop();
    sleep(Duration::from_millis(500));
    let begun = Instant::now();
    let pid = rustix::process::Pid::from_child(&sink);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    while sink.try_wait().expect("it can be waited for").is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "ten times what a stop waits for");
        sleep(Duration::from_millis(10));
    }
    rig.server.cont();
    let (code, said) = ended(sink);
    assert_eq!(code, 0, "{said}");
    rig.sink(&["--once"]).expect(0);
    let whole = rig.print();
    rig.anew();
    rig.sink(&["--once"]).expect(0);
    assert_eq!(rig.print(), whole);
}

fn rebuilt() {
    let rig = Rig::trading(20_000);
    rig.sink(&["--once"]).expect(0);
    let journals = "select count_distinct(journal) from book_top_view";
    let of = |view: &str| rig.query(&format!("select sum(bid_px * 100), count() from {view}"));
    let tops = rig.query("select sum(bid_qty), sum(ask_qty), count() from book_top_view");
    let old = rig.query("select journal from book_top_view limit 1");
    let prices = of("book_top_view");
    // As a build that computed something else would have left it.
    rig.query("update book_top set bid_px_e9 = bid_px_e9 + 10000000");
    rig.server.wait_applied("book_top").expect("it is applied");
    assert_ne!(of("book_top_view"), prices);
    let mut tags = vec![old];
    for _ in 0..2 {
        let said = rig.sink(&["--rebuild"]).expect(0).stderr;
        assert!(said.contains("derived again; they are shown as journal"), "{said}");
        assert_eq!(rig.number(journals), 1, "one of them is seen");
        assert_eq!(rig.query("select sum(bid_qty), sum(ask_qty), count() from book_top_view"), tops);
        assert_eq!(of("book_top_view"), prices);
        let tag = rig.query("select journal from book_top_view limit 1");
        assert!(!tags.contains(&tag), "each has a tag of its own");
        tags.push(tag);
    }
    assert_eq!(rig.number("select count_distinct(journal) from book_top"), 3, "nothing was removed");
    for (table, kind) in [("fills", "booked"), ("orders", "sent"), ("bars", ""), ("toxicity", "")] {
        let filter = if kind.is_empty() { String::new() } else { format!(" where kind = '{kind}'") };
        let all = rig.number(&format!("select count() from {table}{filter}"));
        assert_eq!(rig.number(&format!("select count() from {table}_view{filter}")) * 3, all, "{table}");
    }
}

fn emptied() {
    let rig = Rig::trading(20_000);
    rig.sink(&["--once"]).expect(0);
    let whole = rig.print();
    // Rows that were derived again are of the same run.
    rig.sink(&["--rebuild"]).expect(0);
    let config = rig.journal.with_extension("toml");
    std::fs::write(&config, format!("[journal]\ndir = \"{}\"\n", rig.dir())).expect("a folder");
    let config = config.to_str().expect("a path of text");
    let tables = "select count() from tables() where table_name in ('trades', 'book_top', 'orders', 'journals')";
    let listed = run(["reset", config]).expect(0).stderr;
    assert!(listed.contains("questdb: its position; QuestDB at") && rig.number(tables) == 4, "{listed}");
    run(["reset", config, "--yes"]).expect(0);
    assert_eq!((rig.number(tables), rig.number("select count() from views()")), (0, 0));
    rig.sink(&["--once"]).expect(0);
    assert_eq!(rig.print(), whole);
    rig.query("insert into trades (ts, journal) values (0, 'ffffffffffffffff')");
    rig.server.wait_applied("trades").expect("it is applied");
    let said = run(["reset", config, "--yes"]).expect(1).stderr.replace('\n', " ");
    assert!(said.contains("ffffffffffffffff") && said.contains("DROP TABLE IF EXISTS trades"), "{said}");
    assert_eq!(rig.number(tables), 4, "nothing was dropped");
}

fn refused() {
    let rig = Rig::trading(2_000);
    std::fs::remove_file(rig.journal.join("closed.toml")).expect("a journal that has ended");
    let said = rig.sink(&["--rebuild"]).expect(1).stderr.replace('\n', " ");
    assert!(said.contains("may still be written") && said.contains("roll"), "{said}");
    let said = run(["sink", "kafka", "--journal", rig.dir()]).expect(2).stderr;
    assert!(said.contains("no sink is called \"kafka\"") && said.contains("questdb"), "{said}");
    let said = rig.sink(&["--set", "tables=trade"]).expect(2).stderr.replace('\n', " ");
    assert!(said.contains("\"trade\" is not valid") && said.contains("book_top"), "{said}");
    let away = run(["sink", "questdb", "--journal", rig.dir(), "--set", "user=desk"]).expect(1).stderr;
    assert!(away.contains("has no password"), "{away}");
}

//! Tables that somebody alters: the sink ends, says the statement that mends them, and goes on once that was run.

use crate::rig::Rig;
use crate::trouble::ended;
use tidegate_tests::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("a_table_that_was_altered_is_named_with_what_mends_it", &[], |_| altered()).with_questdb(),
        Case::new("a_table_that_is_altered_while_rows_come_is_named_too", &[], |_| meanwhile()).with_questdb(),
    ]
}

fn altered() {
    let rig = Rig::trading(10_000);
    rig.sink(&["--once"]).expect(0);
    let whole = rig.print();
    let key = "ts, journal, seq, position, ordinal";
    let alterations = [
        ("alter table trades drop column match_id".to_owned(), "ALTER TABLE trades ADD COLUMN \"match_id\" LONG;"),
        (
            "alter table trades alter column qty type varchar".to_owned(),
            "ALTER TABLE trades ALTER COLUMN \"qty\" TYPE LONG;",
        ),
        ("alter table fills dedup disable".to_owned(), "ALTER TABLE fills DEDUP ENABLE UPSERT KEYS"),
        (
            format!("alter table bars dedup enable upsert keys({key}, symbol)"),
            "ALTER TABLE bars DEDUP ENABLE UPSERT KEYS",
        ),
        ("alter table bars set ttl 3 days".to_owned(), "ALTER TABLE bars SET TTL 0h;"),
        ("drop table positions".to_owned(), "tidegate journal forget"),
    ];
    for (alteration, mend) in alterations {
        rig.query(&alteration);
        rig.settle();
        let said = rig.sink(&["--once"]).expect(1).stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(mend), "{alteration}: {said}");
        // What it says is run as it stands there.
        let Some(at) = said.find("ALTER TABLE") else {
            rig.forget();
            continue;
        };
        for statement in said[at..].split(';').map(str::trim).filter(|text| text.starts_with("ALTER")) {
            rig.query(statement);
        }
        rig.settle();
    }
    rig.anew_where_there();
    rig.sink(&["--once"]).expect(0);
    assert_eq!(rig.print(), whole, "all of it is as it was");
}

/// The server refuses every row of a table that lacks a column: that is no matter of single rows.
fn meanwhile() {
    let rig = Rig::trading(60_000);
    let sink = rig.start(&["--once", "--set", "batch_rows=500"]);
    while rig.server.query("select count() from book_top").map_or(0, |rows| rows[0][0].as_u64().unwrap_or(0)) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    rig.query("alter table book_top drop column bid_qty");
    let (code, said) = ended(sink);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("book_top has no column bid_qty"), "{said}");
    assert!(said.contains("ALTER TABLE book_top ADD COLUMN \"bid_qty\" LONG;"), "{said}");
    assert!(!rig.journal.join("followers/questdb.dead.jsonl").exists(), "no row is taken for a bad one");
    rig.query("ALTER TABLE book_top ADD COLUMN \"bid_qty\" LONG");
    rig.settle();
    rig.sink(&["--once"]).expect(0);
    let rows = rig.number("select count() from book_top");
    rig.forget();
    rig.sink(&["--once"]).expect(0);
    // The rows from before the column was dropped have their values again, and none is there twice.
    rig.server.wait_applied("book_top").expect("it is applied");
    assert_eq!(rig.query("select count(), count(bid_qty) from book_top"), [[rows, rows].map(serde_json::Value::from)]);
}

impl Rig {
    /// Waits until every statement is in force in the tables that are there.
    fn settle(&self) {
        let behind = "select name from wal_tables() where writerTxn < sequencerTxn";
        while !self.query(behind).is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Removes the rows of the tables that are there.
    fn anew_where_there(&self) {
        for table in crate::recorded::TABLES {
            // One of them was dropped.
            let _ = self.server.query(&format!("truncate table {table}"));
        }
    }
}

//! Rows in = rows out: every value of every table, read through its view, is what `journal export` prints of the same run.

use crate::recorded::{KINDS, Row, exported, plain};
use crate::rig::Rig;
use serde_json::Value;
use tidegate_tests::{Case, amount};

/// Codes that `export` prints as numbers and tables as words.
const CODES: &[&str] = &["weighting", "instrument_type", "book", "what"];

/// Futures by order, by trade, by quote and by bar.
const FUTURES: &[&str] = &[
    "databento/nautilus/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst",
    "databento/nautilus/futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst",
    "databento/nautilus/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst",
    "databento/nautilus/futures_ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.zst",
];

pub(crate) fn cases() -> Vec<Case> {
    let aapl = &["lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip"];
    vec![
        Case::new("every_value_of_a_synthetic_day_is_in_its_table", &[], |_| {
            equal(&Rig::synthetic(amount(30_000, 1_500_000)), 20)
        })
        .with_questdb(),
        Case::new("every_value_of_a_lobster_day_is_in_its_table", aapl, |paths| equal(&Rig::data(paths), 1))
            .with_questdb(),
        Case::new("tables_of_few_rows_take_little_of_the_disk", &[], |_| little()).with_questdb(),
        Case::new("every_value_of_futures_is_in_its_table", FUTURES, |paths| equal(&Rig::data(paths), 3))
            .with_questdb(),
    ]
}

/// What the server sets aside for each column of each table adds up: at its own sizes it takes some 9 GB for these.
fn little() {
    let rig = Rig::synthetic(2_000);
    rig.sink(&["--once"]).expect(0);
    assert!(rig.print().iter().any(|(table, rows)| table == "orders" && !rows.starts_with("0:")));
    let mib = rig.server.disk_mib();
    assert!((20..2_000).contains(&mib), "{mib} MiB");
}

/// Delivers a run, and compares each table with what was recorded.
fn equal(rig: &Rig, instruments: u64) {
    let first = rig.sink(&["--once"]).expect(0);
    assert!(first.stderr.contains(" 0 gaps, tried again 0 times"), "{}", first.stderr);
    assert_eq!(rig.number("select count_distinct(symbol) from instruments"), instruments);
    let (mut rows, mut exported) = (0, exported(rig.dir()));
    for (table, kinds) in KINDS {
        let of: Vec<_> = kinds.iter().filter_map(|kind| exported.remove(*kind)).collect();
        let mut found = shown(rig, table, kinds);
        // What the export of these kinds leaves out.
        found.iter_mut().for_each(|row| row.retain(|name, _| of.iter().any(|kind| kind.columns.contains(name))));
        let mut wanted: Vec<Row> = of.into_iter().flat_map(|kind| kind.rows).collect();
        wanted.sort();
        found.sort();
        let differs = wanted.iter().zip(&found).find(|(wanted, found)| wanted != found);
        assert_eq!(differs, None, "{table}");
        assert_eq!(wanted.len(), found.len(), "{table}");
        rows += found.len();
    }
    assert!(rows > 400, "{rows} rows are no proof");
    let sent = "select count(), count(took_ns) from latency where kind = 'sent'";
    let orders = rig.number("select count() from orders where kind = 'sent'");
    assert_eq!(rig.query(sent), [[orders, orders].map(serde_json::Value::from)], "each since its route");
    let views = "select view_name, view_status_update_time from views() order by view_name";
    let (before, made) = (rig.print(), rig.query(views));
    rig.forget();
    rig.sink(&["--once", "--set", "batch_rows=777"]).expect(0);
    assert_eq!(rig.print(), before, "the same rows again are the same rows");
    assert_eq!(rig.query(views), made, "a view that is as it is to be stays");
}

/// The rows of a table in one form, times as nanoseconds.
fn shown(rig: &Rig, table: &str, kinds: &[&str]) -> Vec<Row> {
    rig.server.wait_applied(table).unwrap_or_else(|why| panic!("{table}: {why}"));
    let columns = rig.query(&format!("show columns from {table}_view"));
    let names: Vec<_> = columns.iter().map(|c| (text(&c[0]), text(&c[1]))).collect();
    let asked = names.iter().map(|(name, ty)| match ty.as_str() {
        "TIMESTAMP_NS" => format!("\"{name}\"::long as \"{name}\""),
        _ => format!("\"{name}\""),
    });
    let asked = asked.collect::<Vec<_>>().join(", ");
    let has_kinds = names.iter().any(|(name, _)| name == "kind");
    let of = kinds.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ");
    let filter = if has_kinds { format!(" where kind in ({of})") } else { String::new() };
    let rows = rig.query(&format!("select {asked} from {table}_view{filter}"));
    let cells = |row: &Vec<Value>| names.iter().zip(row).filter_map(|((name, _), value)| cell(name, value)).collect();
    rows.iter().map(cells).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What a cell says, in the words of `export`; its key and its place are compared by nothing there.
fn cell(name: &str, value: &Value) -> Option<(String, String)> {
    let not_compared =
        ["journal", "position", "ordinal", "kind", "instrument", "source", "exchange_ts", "reasons", "detail"];
    if not_compared.contains(&name) {
        return None;
    }
    let text = plain(value)?;
    let text = if CODES.contains(&name) { code(name, &text) } else { text };
    Some((name.to_owned(), text))
}

/// The number of a word.
fn code(name: &str, word: &str) -> String {
    let words: &[&str] = match name {
        "weighting" => &["", "equal", "harmonic", "exponential"],
        "book" => &["none", "by-level", "by-order", "quotes"],
        "what" => &["", "session", "trading", "operational-halt", "short-sale", "circuit-breaker"],
        _ => &["unknown", "equity", "future", "call", "put", "crypto", "currency-pair", "index", "spread"],
    };
    let number = words.iter().position(|known| *known == word);
    // Of other kinds `export` prints the word.
    number.map_or_else(|| word.to_owned(), |number| number.to_string())
}

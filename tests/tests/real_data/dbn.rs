//! Databento's DBN: books by order, the same window as trades, quotes and bars, and three versions of one file.

use super::{Depth, Sum, Trade, anonymous, replay, report, rows};
use serde_json::Value;
use std::path::Path;
use tidegate_tests::Case;

const ESM4: &str = "databento/nautilus/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst";
const ESH4: &str = "databento/nautilus/esh4-glbx-mdp3-20231224.mbo.dbn.zst";
const TRADES: &str = "databento/nautilus/futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst";
const QUOTES: &str = "databento/nautilus/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst";
const BARS: &str = "databento/nautilus/futures_ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.zst";

/// The three versions of the vendor's sample of one schema.
macro_rules! versions {
    ($schema:literal) => {
        (
            $schema,
            [
                concat!("databento/dbn/test_data.", $schema, ".v1.dbn.zst"),
                concat!("databento/dbn/test_data.", $schema, ".v2.dbn.zst"),
                concat!("databento/dbn/test_data.", $schema, ".v3.dbn.zst"),
            ],
        )
    };
}

/// Each schema and its files.
const VERSIONS: &[(&str, [&str; 3])] = &[
    versions!("mbo"),
    versions!("mbp-1"),
    versions!("mbp-10"),
    versions!("trades"),
    versions!("tbbo"),
    versions!("ohlcv-1s"),
    versions!("ohlcv-1m"),
    versions!("ohlcv-1h"),
    versions!("definition"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("dbn::the_book_of_esm4", &[ESM4], |p| esm4(&p[0])),
        Case::new("dbn::the_book_of_esh4", &[ESH4], |p| esh4(&p[0])),
        Case::new("dbn::trades_of_esu4", &[TRADES, QUOTES], |p| trades(&p[0], &p[1])),
        Case::new("dbn::trades_rebuild_the_bars", &[TRADES, BARS], |p| bars(&p[0], &p[1])),
        Case::new("dbn::quotes_end_at_the_last", &[QUOTES], |p| quotes(&p[0])),
    ];
    for (schema, files) in VERSIONS {
        cases.push(Case::new(format!("dbn::three_versions_of::{schema}"), files, same_rows));
    }
    cases
}

/// The whole book at the end of a file; nothing in it was strange to the pipeline.
fn last_depth(file: &Path) -> Depth {
    assert_eq!(report("dbn", file)["anomalies"], serde_json::json!({}));
    let mut arguments = replay("dbn", file, "depth");
    arguments.extend(["--levels", "10000", "--every"]);
    // Every depth row of such a book is a hundred kilobytes: only the last record's is asked for.
    let records = report("dbn", file)["inputs"][0]["records"].to_string();
    arguments.push(&records);
    rows(&arguments).pop().expect("the last record changed the book")
}

fn esm4(file: &Path) {
    let book = last_depth(file);
    assert_eq!(book.record, 13_796);
    assert_eq!(book.totals(), [(976, 26_220), (571, 19_752)]);
    let bids = ["5214.00 x 28", "5213.75 x 34", "5213.50 x 46"];
    let asks = ["5214.25 x 17", "5214.50 x 16", "5214.75 x 51"];
    assert_eq!(book.best(3), [bids, asks]);
    let trades: Vec<Trade> = rows(&replay("dbn", file, "trade"));
    assert_eq!(Sum::of(&trades).qty, 6);
    assert!(trades.iter().all(|t| t.aggressor == "buy" && t.px == "5214.25"), "{trades:?}");
}

fn esh4(file: &Path) {
    let book = last_depth(file);
    assert_eq!(book.record, 8_725);
    assert_eq!(book.totals(), [(892, 19_424), (559, 18_880)]);
    assert_eq!(book.best(1), [["4799.00 x 16"], ["4799.50 x 23"]]);
}

fn trades(file: &Path, quotes: &Path) {
    let trades: Vec<Trade> = rows(&replay("dbn", file, "trade"));
    assert_eq!(trades.len(), 120);
    let count = |side| trades.iter().filter(|t| t.aggressor == side).count();
    assert_eq!([count("buy"), count("sell")], [66, 54]);
    let by = |side| Sum::of(trades.iter().filter(|t| t.aggressor == side)).qty;
    assert_eq!([by("buy"), by("sell")], [142, 111]);
    assert_eq!(Sum::of(&trades).vwap(), "5529.033597");
    let printed =
        |file| rows::<Trade>(&replay("dbn", file, "trade")).iter().map(|t| format!("{t:?}")).collect::<Vec<_>>();
    assert_eq!(printed(file), printed(quotes), "the quotes bring the same trades");
}

/// The bars that the pipeline makes of the trades are those that the vendor made of them.
fn bars(trades: &Path, bars: &Path) {
    const SAME: [&str; 8] = ["symbol", "interval", "start_ns", "open", "high", "low", "close", "volume"];
    let printed = |row: &Value| SAME.map(|key| row[key].to_string());
    let made: Vec<Value> = rows(&replay("dbn", trades, "bar"));
    let volumes: Vec<_> = made.iter().map(|b| b["volume"].as_u64()).collect();
    assert_eq!(volumes, [Some(18), Some(23), Some(175), Some(37)]);
    let vendor: Vec<Value> = rows(&replay("dbn", bars, "bar"));
    assert_eq!(vendor.len(), 60);
    assert_eq!(vendor.iter().filter_map(|b| b["volume"].as_u64()).sum::<u64>(), 2_742);
    for bar in &made {
        let same = vendor.iter().find(|b| b["symbol"] == "ESU4" && b["start_ns"] == bar["start_ns"]);
        assert_eq!(printed(bar), printed(same.expect("the vendor has this bar")));
    }
}

fn quotes(file: &Path) {
    let last: Value = rows(&replay("dbn", file, "book-top")).pop().expect("rows");
    let top = ["bid_px", "bid_qty", "ask_px", "ask_qty"].map(|key| last[key].to_string());
    assert_eq!(top, ["\"5529.00\"", "24", "\"5529.25\"", "6"]);
}

const EVERYTHING: &str =
    "listing,name,contract,add,exec,cancel,delete,replace,clear,level,trade,quote,status,bar,bar-flow,book-top,anomaly";

fn same_rows(files: &[std::path::PathBuf]) {
    let printed =
        |file: &Path| rows::<Value>(&replay("dbn", file, EVERYTHING)).into_iter().map(anonymous).collect::<Vec<_>>();
    let first = printed(&files[0]);
    // A file of definitions has no records besides.
    let is_more = first.len() > 2 || files[0].to_string_lossy().contains("definition");
    assert!(is_more && first.len() >= 2, "a name, a listing and records: {first:?}");
    for file in &files[1..] {
        assert_eq!(printed(file), first, "{}", file.display());
    }
}

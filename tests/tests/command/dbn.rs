//! Databento's files as they come, through the binary: what each record leads to in the book, and what a file that is not
//! read is told.

use crate::{Named, call, path, says, script, write};
use dbn::encode::{DbnEncoder, EncodeRecord};
use dbn::record::RecordHeader;
use dbn::{
    FlagSet, HasRType, InstrumentDefMsg, MappingInterval, MboMsg, Metadata, OhlcvMsg, SType, Schema, SymbolMapping,
    rtype,
};
use serde_json::Value;
use std::collections::BTreeMap;
use tempfile::TempDir;

pub(crate) const DBN: &[Named] = &[
    ("a_venue_that_shows_its_top", top_of_book),
    ("one_order_id_in_two_instruments", order_ids),
    ("joined_dbn_streams", joined),
    ("bars_of_a_feed_enter_at_their_end", bars),
    ("the_format_before_dbn_is_named", older_format),
    ("records_without_input_are_told", without_input),
    ("a_future_trades_only_with_its_terms", terms_of_a_future),
    ("a_spread_trades_below_zero", spread_below_zero),
    ("terms_that_are_stated_are_checked_and_win", stated_terms),
];

/// 8 May 2024, 14:00 UTC.
const START: u64 = 1_715_176_800_000_000_000;
const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;
const LAST: u8 = 128;
const TOP: u8 = 64;
const UNDEFINED: i64 = i64::MAX;

/// Metadata of CME futures with a symbol for instrument 1 on the day of `start`.
fn metadata(schema: Schema, start: u64, symbol: &str) -> Metadata {
    let day = dbn::record::ts_to_dt(start).expect("a time").date();
    let end_date = day.next_day().expect("a day");
    let intervals = vec![MappingInterval { start_date: day, end_date, symbol: "1".to_owned() }];
    Metadata::builder()
        .dataset("GLBX.MDP3")
        .schema(Some(schema))
        .start(start)
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .mappings(vec![SymbolMapping { raw_symbol: symbol.to_owned(), intervals }])
        .build()
}

fn stream<R: EncodeTo>(metadata: &Metadata, records: &[R]) -> Vec<u8> {
    let mut bytes = Vec::new();
    {
        let mut encoder = DbnEncoder::new(&mut bytes, metadata).expect("it is whole");
        records.iter().for_each(|record| record.encode(&mut encoder));
    }
    bytes
}

/// A record that can be written.
trait EncodeTo {
    fn encode(&self, to: &mut DbnEncoder<&mut Vec<u8>>);
}

impl<R: dbn::encode::DbnEncodable> EncodeTo for R {
    fn encode(&self, to: &mut DbnEncoder<&mut Vec<u8>>) {
        to.encode_record(self).expect("memory");
    }
}

fn header<R: HasRType<Header = RecordHeader>>(kind: u8, instrument: u32, ts: u64) -> RecordHeader {
    RecordHeader::new::<R>(kind, 1, instrument, ts)
}

fn order(instrument: u32, action: u8, id: u64, side: u8, (price, size): (i64, u32), flags: u8) -> MboMsg {
    let hd = header::<MboMsg>(rtype::MBO, instrument, START + id);
    let (action, side, flags) = (action as _, side as _, FlagSet::new(flags));
    MboMsg { hd, order_id: id, price, size, flags, action, side, ts_recv: START + id, ..MboMsg::default() }
}

const fn units(whole: i64) -> i64 {
    whole * 1_000_000_000
}

/// The rows of some kinds.
fn rows(file: &str, kinds: &str, more: &[&str]) -> Vec<Value> {
    let outcome = call(&[&["replay", "--input", file, "--emit", kinds], more].concat()).expect(0);
    outcome.stdout.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

/// The touch after each record that moved it: number of the record, instrument, bid and ask as price x size.
fn touches(file: &str) -> Vec<(u64, String, String, String)> {
    assert_eq!(rows(file, "anomaly", &[]), Vec::<Value>::new());
    let side =
        |row: &Value, px: &str, qty: &str| row[px].as_str().map_or("-".to_owned(), |px| format!("{px} x {}", row[qty]));
    let touch = |row: &Value| {
        let symbol = row["symbol"].as_str().expect("a symbol").to_owned();
        let record = row["record"].as_u64().expect("a number");
        (record, symbol, side(row, "bid_px", "bid_qty"), side(row, "ask_px", "ask_qty"))
    };
    rows(file, "book-top", &[]).iter().map(touch).collect()
}

fn expected(touches: &[(u64, &str, &str, &str)]) -> Vec<(u64, String, String, String)> {
    touches
        .iter()
        .map(|(record, symbol, bid, ask)| (*record, symbol.to_string(), bid.to_string(), ask.to_string()))
        .collect()
}

fn file(name: &str, bytes: &[u8]) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(&folder, name, bytes);
    (folder, file)
}

fn top_of_book() {
    let cents = |cents: i64| units(cents) / 100;
    let told = [(b'B', 10_000, 5), (b'A', 10_005, 5), (b'B', 9_900, 3), (b'A', 9_950, 3)];
    for ids in [[0; 5], [1, 2, 3, 4, 5]] {
        let mut records: Vec<_> = ids
            .iter()
            .zip(told)
            .map(|(id, (side, px, size))| order(1, b'A', *id, side, (cents(px), size), TOP | LAST))
            .collect();
        records.push(order(1, b'A', ids[4], b'B', (UNDEFINED, 0), TOP | LAST));
        let (_folder, file) = file("top.dbn", &stream(&metadata(Schema::Mbo, START, "ESM4"), &records));
        let right = expected(&[
            (1, "ESM4", "100.00 x 5", "-"),
            (2, "ESM4", "100.00 x 5", "100.05 x 5"),
            (3, "ESM4", "99.00 x 3", "100.05 x 5"),
            (4, "ESM4", "99.00 x 3", "99.50 x 3"),
            (5, "ESM4", "-", "99.50 x 3"),
        ]);
        assert_eq!(touches(&file), right);
    }
}

fn order_ids() {
    let records = [
        order(1, b'A', 10, b'B', (units(100), 5), LAST),
        order(2, b'A', 10, b'B', (units(200), 7), LAST),
        order(2, b'A', 11, b'A', (units(201), 7), LAST),
        order(2, b'C', 10, b'B', (units(200), 7), LAST),
        order(1, b'C', 10, b'B', (units(100), 5), LAST),
    ];
    let (_folder, file) = file("ids.dbn", &stream(&metadata(Schema::Mbo, START, "ESM4"), &records));
    let right = expected(&[
        (1, "ESM4", "100.00 x 5", "-"),
        (2, "#2", "200.00 x 7", "-"),
        (3, "#2", "200.00 x 7", "201.00 x 7"),
        (4, "#2", "-", "201.00 x 7"),
        (5, "ESM4", "-", "-"),
    ]);
    assert_eq!(touches(&file), right);
}

/// Two days behind one another, as `cat` joins them.
fn joined() {
    let day = |days: u64, symbol: &str, px: i64, side: u8| {
        let mut record = order(1, b'A', 10 + days, side, (units(px), 5), LAST);
        record.hd.ts_event += days * DAY;
        record.ts_recv += days * DAY;
        stream(&metadata(Schema::Mbo, START + days * DAY, symbol), &[record])
    };
    let bytes = [day(0, "ESM4", 100, b'B'), day(1, "ESM4", 101, b'A'), day(2, "NQM4", 18_000, b'B')].concat();
    let right = expected(&[
        (1, "ESM4", "100.00 x 5", "-"),
        (2, "ESM4", "100.00 x 5", "101.00 x 5"),
        (3, "NQM4", "18000.00 x 5", "-"),
    ]);
    let (folder, file) = file("joined.dbn", &bytes);
    assert_eq!(touches(&file), right);
    says(call(&["replay", "--input", &file]), 0, &["joined.dbn: 3 records", "anomalies none"]);
    // A frame that holds its bytes as they are: magic, no checksum and a window of 1 KiB, one raw block that is the last.
    let frame = |bytes: &[u8]| {
        let block = (bytes.len() as u32) << 3 | 1;
        [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0][..], &block.to_le_bytes()[..3], bytes].concat()
    };
    let frames =
        [day(0, "ESM4", 100, b'B'), day(1, "ESM4", 101, b'A'), day(2, "NQM4", 18_000, b'B')].map(|d| frame(&d));
    assert_eq!(touches(&write(&folder, "joined.dbn.zst", &frames.concat())), right);
}

fn bars() {
    let minute = 60 * SECOND;
    let closes = [101, 103, 102, 105, 104];
    let bar = |(i, close): (usize, &i64)| OhlcvMsg {
        hd: header::<OhlcvMsg>(rtype::OHLCV_1M, 1, START + i as u64 * minute),
        open: units(100),
        high: units(106),
        low: units(99),
        close: units(*close),
        volume: if i == 4 { u64::MAX } else { 1_000 },
    };
    let records: Vec<_> = closes.iter().enumerate().map(bar).collect();
    let (_folder, file) = file("bars.dbn", &stream(&metadata(Schema::Ohlcv1M, START, "ESM4"), &records));
    let bulk = ["mode=bulk", "bucket_qty=500", "window=2", "sigma_bars=2"].map(|set| format!("vpin.{set}"));
    let mut more = vec!["--set", "pipeline.stages=book,bars,vpin"];
    bulk.iter().for_each(|set| more.extend(["--set", set]));
    let rows = rows(&file, "bar,vpin", &more);
    let (bars, vpins): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["kind"] == "bar");
    let times: Vec<_> = bars.iter().map(|b| [&b["start_ns"], &b["ts_ns"]].map(time)).collect();
    let expected: Vec<_> = (0..5).map(|i| [START + i * minute, START + (i + 1) * minute]).collect();
    assert_eq!(times, expected);
    assert_eq!(time(&vpins[0]["ts_ns"]), START + minute, "nothing is known before the first bar ends");
    assert_eq!(
        time(&vpins.last().expect("some")["ts_ns"]),
        START + 4 * minute,
        "a bar without a volume fills no bucket"
    );
    assert_eq!(bars[0]["volume"], 1_000);
    let unknown = [&bars[4]["volume"], &bars[0]["trades"], &bars[0]["buy_volume"], &bars[0]["sell_volume"]];
    assert!(unknown.iter().all(|v| v.is_null()), "what the feed does not tell is absent: {:?}", bars[4]);
}

fn older_format() {
    // A skippable frame with the metadata, then a frame with the records.
    let head = [&[0x51, 0x2a, 0x4d, 0x18, 8, 0, 0, 0][..], b"DBZ\x01\0\0\0\0", &[0x28, 0xb5, 0x2f, 0xfd]].concat();
    let (_folder, file) = file("old.dbz", &head);
    for feed in [&["--feed", "dbn"][..], &[]] {
        let outcome = call(&[&["replay", "--input", &file], feed].concat());
        says(outcome, 2, &["old.dbz", "it is a DBZ file", "dbn OLD.dbz -o NEW.dbn.zst"]);
    }
}

fn without_input() {
    let hd = header::<dbn::StatMsg>(rtype::STATISTICS, 1, START);
    let records = [dbn::StatMsg { hd, ..dbn::StatMsg::default() }, dbn::StatMsg { hd, ..dbn::StatMsg::default() }];
    let (_folder, file) = file("statistics.dbn", &stream(&metadata(Schema::Statistics, START, "ESM4"), &records));
    says(
        call(&["replay", "--input", &file]),
        0,
        &["2 records, 0 inputs", "2 statistics records were read; such records make no input"],
    );
    let outcome = call(&["replay", "--input", &file, "--json"]).expect(0);
    let report: Value = serde_json::from_str(&outcome.stdout).expect("a report");
    assert_eq!((&report["inputs"][0]["records"], &report["inputs"][0]["counts"]["statistics"]), (&2.into(), &2.into()));
}

/// A time of a row: text, since a double cannot hold it.
fn time(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).expect("a time")
}

/// Orders on both sides, enough for a strategy that acts at every change: bids from `bid` down and asks from `ask` up.
fn orders(symbol: &str, bid: i64, ask: i64, step: i64) -> Vec<u8> {
    let record = |id: u64| {
        let away = id as i64 % 3 * step;
        let (side, px) = if id.is_multiple_of(2) { (b'B', bid - away) } else { (b'A', ask + away) };
        order(1, b'A', 1 + id, side, (px, 5), LAST)
    };
    stream(&metadata(Schema::Mbo, START, symbol), &(0..200).map(record).collect::<Vec<_>>())
}

fn future() -> Vec<u8> {
    orders("ESM4", units(5_200), units(5_201), units(1))
}

/// The definition of an instrument of class F (future) or S (spread).
fn definition(symbol: &str, class: u8, multiplier: i64, tick: i64) -> Vec<u8> {
    let mut message = InstrumentDefMsg {
        hd: header::<InstrumentDefMsg>(rtype::INSTRUMENT_DEF, 1, START),
        ts_recv: START,
        min_price_increment: tick,
        unit_of_measure_qty: units(multiplier),
        instrument_class: class as _,
        ..InstrumentDefMsg::default()
    };
    symbol.bytes().zip(&mut message.raw_symbol).for_each(|(byte, to)| *to = byte as _);
    stream(&metadata(Schema::Definition, START, symbol), &[message])
}

/// 50 a point, a tick of a quarter.
fn definition_of_future() -> Vec<u8> {
    definition("ESM4", b'F', 50, units(1) / 4)
}

/// The settings of a strategy that gives random orders of up to 5 contracts.
const RANDOM: &[&str] = &[
    "--set",
    "pipeline.stages=book,random,orders,risk,router",
    "--set",
    "random.every=1",
    "--set",
    "random.qty=5",
    "--set",
    "risk.max_notional=250000",
];

/// How often each check refused.
fn refusals(arguments: &[&str]) -> BTreeMap<String, u64> {
    let rows = call(&[&["replay", "--emit", "refused"], arguments, RANDOM].concat()).expect(0);
    let mut counts = BTreeMap::new();
    for row in rows.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("a row")) {
        *counts.entry(row["check"].as_str().expect("a check").to_owned()).or_default() += 1;
    }
    counts
}

/// One contract is worth 260,000: with its terms the limit holds, and without them nothing passes and the summary says why.
fn terms_of_a_future() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = write(&folder, "orders.dbn", &future());
    let beside = write(&folder, "definition.dbn", &definition_of_future());
    let unknown = refusals(&["--input", &data]);
    assert!(unknown["multiplier-unknown"] > 10 && !unknown.contains_key("max-notional"), "{unknown:?}");
    let sentence = "ESM4 has no multiplier and tick: add its definition file as another input, or set multiplier and tick in \
                    [instrument.\"ESM4\"]";
    says(call(&[&["replay", "--input", &data], RANDOM].concat()), 0, &["0 orders", "multiplier-unknown", sentence]);
    for inputs in [["--input", &data, "--input", &beside], ["--input", &beside, "--input", &data]] {
        let known = refusals(&inputs);
        assert!(known["max-notional"] > 10 && !known.contains_key("multiplier-unknown"), "{known:?}");
    }
    // The data through a pipe, whose dataset shows only when it is read.
    let piped = script(
        folder.path().to_str().expect("UTF-8"),
        &format!("cat orders.dbn | $1 replay --input - --input definition.dbn --emit refused {}", RANDOM.join(" ")),
    );
    let checks = piped.expect(0).stdout;
    assert!(checks.matches("max-notional").count() > 10 && !checks.contains("multiplier-unknown"), "{checks}");
    let stated = ["--input", &data, "--set", "instrument.ESM4.multiplier=50", "--set", "instrument.\"ESM4\".tick=0.25"];
    assert!(refusals(&stated)["max-notional"] > 10);
    let without_tick = refusals(&["--input", &data, "--set", "instrument.ESM4.multiplier=50"]);
    assert!(without_tick["tick-unknown"] > 10, "{without_tick:?}");
}

/// A spread of crude oil at -17: its orders leave below zero, and the limit counts the size of the price.
fn spread_below_zero() {
    let folder = tempfile::tempdir().expect("a folder");
    let cent = units(1) / 100;
    let data = write(&folder, "orders.dbn", &orders("CLM0-CLN0", -1_750 * cent, -1_700 * cent, cent));
    let beside = write(&folder, "definition.dbn", &definition("CLM0-CLN0", b'S', 1_000, cent));
    let inputs = ["--input", &data, "--input", &beside];
    let rows = |limit: &str, kind: &str| {
        let more = ["--set", "random.qty=1", "--set", limit, "--emit", kind];
        let text = call(&[&["replay"], &inputs[..], RANDOM, &more].concat()).expect(0).stdout;
        text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a row")).collect::<Vec<_>>()
    };
    let price = |row: &Value| row["px"].as_str().map(|px| px.parse::<f64>().expect("a price"));
    let priced: Vec<f64> = rows("risk.max_notional=20000", "order").iter().filter_map(price).collect();
    assert!(priced.len() > 10 && priced.iter().all(|px| (-17.6..-16.9).contains(px)), "{priced:?}");
    let refused = rows("risk.max_notional=16000", "refused");
    let (check, worth) = (&refused[0]["check"], refused[0]["value"].as_i64().expect("a number"));
    let of_some_contracts = (1..=5).any(|n| (16_900 * n..17_600 * n).contains(&worth));
    assert!(check == "max-notional" && of_some_contracts, "{refused:?}");
}

fn stated_terms() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, "orders.dbn", &future());
    write(&folder, "definition.dbn", &definition_of_future());
    let inputs = "[[input]]\nfeed = \"dbn\"\nfiles = [\"orders.dbn\"]\n[[input]]\nfeed = \"dbn\"\nfiles = [\"definition.dbn\"]\n";
    let config = |name: &str, terms: &str| write(&folder, name, format!("{terms}\n{inputs}").as_bytes());
    let wrong = config(
        "wrong.toml",
        "[instrument.\"ESM4\"]\ntick = 0\nmultiplier = \"5x\"\ncurrency = \"usd\"\ncalendar = \"GLBY\"\ntikc = 1",
    );
    let places = ["wrong.toml:2:8", "wrong.toml:3:14", "wrong.toml:4:12", "wrong.toml:5:12", "wrong.toml:6:1"];
    says(call(&["validate", &wrong]), 2, &places);
    says(
        call(&["validate", &wrong]),
        2,
        &["did you mean GLBX?", "did you mean tick?", "instrument.\"ESM4\".multiplier"],
    );
    let right = config(
        "right.toml",
        "[instrument.\"ESM4\"]\ntick = 0.5\nmultiplier = \"5\"\ncurrency = \"USD\"\n[instrument.\"ESU4\"]\nmultiplier = 50",
    );
    let journal = path(&folder, "journal");
    says(
        call(&["run", &right, "--journal", &journal]),
        0,
        &[
            "[instrument.\"ESM4\"] tick 0.5, not 0.25 as the feed tells",
            "[instrument.\"ESM4\"] multiplier 5, not 50 as the feed tells",
            "[instrument.\"ESU4\"]: no input listed this symbol",
        ],
    );
    let rows = call(&["replay", "--journal", &journal, "--emit", "listing"]).expect(0).stdout;
    let row: Value = serde_json::from_str(rows.lines().next().expect("a listing")).expect("a row");
    assert_eq!(
        (row["tick_px"].as_str(), row["multiplier"].as_str(), row["currency"].as_str()),
        (Some("0.50"), Some("5"), Some("USD"))
    );
}

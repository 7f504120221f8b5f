//! LEAN's ticks against LEAN's bars: the minutes that the stage `bars` builds from every print, and those that LEAN published.
//!
//! Volumes are of all prints. Which prints made LEAN's prices no page says; eight strings of conditions were found by fitting,
//! and a day without them has LEAN's prices in all minutes but two or three. What is left over is the minutes of the open and of
//! the close, whose auctions LEAN counts elsewhere.

use super::{each, replay, ten_thousandths};
use feeds::reader::open_streams;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use tidegate_tests::{Case, run};

/// The conditions whose prints make no price of LEAN's bars.
const UNPRICED: [&str; 8] = ["20000020", "20", "20100200", "20100000", "20040200", "20000200", "22000200", "1000000"];

/// A day of ticks and its published minutes.
struct Day {
    files: [&'static str; 2],
    minutes: usize,
    /// How many have the same volume, of all prints.
    volumes: usize,
    /// How many have the same prices: of all prints, by the feed's reading of the conditions, and without those that make none.
    prices: [usize; 3],
}

const DAYS: [Day; 4] = [
    Day {
        files: ["lean/equity/usa/tick/spy/20131007_trade.zip", "lean/equity/usa/minute/spy/20131007_trade.zip"],
        minutes: 828,
        volumes: 825,
        prices: [697, 712, 826],
    },
    Day {
        files: ["lean/equity/usa/tick/spy/20131008_trade.zip", "lean/equity/usa/minute/spy/20131008_trade.zip"],
        minutes: 828,
        volumes: 826,
        prices: [668, 703, 826],
    },
    Day {
        files: ["lean/equity/usa/tick/spy/20131009_trade.zip", "lean/equity/usa/minute/spy/20131009_trade.zip"],
        minutes: 813,
        volumes: 810,
        prices: [654, 685, 811],
    },
    Day {
        files: ["lean/equity/usa/tick/ibm/20131007_trade.zip", "lean/equity/usa/minute/ibm/20131007_trade.zip"],
        minutes: 453,
        volumes: 449,
        prices: [242, 247, 451],
    },
];

/// A row of `bar`.
#[derive(Deserialize)]
struct Bar {
    start_ns: String,
    open: String,
    high: String,
    low: String,
    close: String,
    volume: u64,
}

/// Open, high, low, close and volume of each minute by its start.
type Minutes = BTreeMap<u64, ([u64; 4], u64)>;

fn minutes(file: &Path, prints: &str) -> Minutes {
    let prints = format!("lean.prints={prints}");
    let mut arguments = replay("lean", file, "bar");
    arguments.extend(["--set", &prints, "--set", "lean.signing=none"]);
    let mut minutes = Minutes::new();
    each(&arguments, |bar: Bar| {
        let prices = [&bar.open, &bar.high, &bar.low, &bar.close].map(|px| ten_thousandths(px));
        let start = bar.start_ns.parse().expect("a time");
        assert!(minutes.insert(start, (prices, bar.volume)).is_none(), "a minute has one bar");
    });
    minutes
}

/// The ticks of a file whose conditions make a price, in a file of LEAN's name.
fn priced(file: &Path, folder: &Path) -> std::path::PathBuf {
    let mut streams = open_streams(file).unwrap_or_else(|e| panic!("{e}"));
    let mut stream = streams.next().expect("a member").unwrap_or_else(|e| panic!("{e}"));
    let mut text = String::new();
    stream.read.read_to_string(&mut text).expect("a text");
    let is_priced = |row: &&str| !UNPRICED.contains(&row.split(',').nth(4).expect("conditions"));
    let kept: String = text.lines().filter(is_priced).flat_map(|row| [row, "\n"]).collect();
    let path = folder.join(&stream.name);
    std::fs::write(&path, kept).expect("the file is written");
    path
}

fn same<T: PartialEq>(built: &Minutes, published: &Minutes, of: impl Fn(&([u64; 4], u64)) -> T) -> usize {
    published.iter().filter(|(start, bar)| built.get(start).is_some_and(|built| of(built) == of(bar))).count()
}

fn check(day: &Day, ticks: &Path, bars: &Path) {
    let published = minutes(bars, "all");
    assert_eq!(published.len(), day.minutes);
    let all = minutes(ticks, "all");
    assert_eq!(all.len(), day.minutes, "a minute with a trade has a bar in both");
    assert_eq!(same(&all, &published, |bar| bar.1), day.volumes);
    let folder = tempfile::tempdir().expect("a folder");
    let fitted = minutes(&priced(ticks, folder.path()), "all");
    let by_conditions = minutes(ticks, "by-conditions");
    let found = [&all, &by_conditions, &fitted].map(|built| same(built, &published, |bar| bar.0));
    assert_eq!(found, day.prices);
    assert_eq!(same(&by_conditions, &all, |bar| bar.1), by_conditions.len(), "volume alone is volume");
}

/// Files of trades and of quotes are one input, whether the feed is named or recognised.
fn together(files: &[std::path::PathBuf]) {
    let [trades, quotes] = [&files[0], &files[1]].map(|path| path.to_str().expect("a path of text"));
    let hash = |more: &[&str]| {
        let replayed = run(["replay", "--input", trades, quotes, "--json"].iter().chain(more)).expect(0).stdout;
        let shown: serde_json::Value = serde_json::from_str(&replayed).expect("one JSON object");
        assert_eq!(shown["anomalies"]["duplicate-instrument"], serde_json::Value::Null);
        assert!(shown["kinds"]["trade"].as_u64() > Some(20_000), "{}", shown["kinds"]);
        shown["outcome_hash"].clone()
    };
    let (named, recognised) = (hash(&["--feed", "lean"]), hash(&[]));
    assert!(named.is_string() && named == recognised, "{named} {recognised}");
}

pub(super) fn cases() -> Vec<Case> {
    let case = |day: &'static Day| {
        let name = day.files[0].trim_start_matches("lean/equity/usa/tick/").trim_end_matches("_trade.zip");
        Case::new(format!("lean::minutes_of_{}", name.replace('/', "_")), &day.files, move |p| check(day, &p[0], &p[1]))
    };
    let both = ["lean/equity/usa/tick/ibm/20131007_trade.zip", "lean/equity/usa/tick/ibm/20131007_quote.zip"];
    let together = Case::new("lean::trades_and_quotes_are_one_input", &both, together);
    DAYS.iter().map(case).chain([together]).collect()
}
